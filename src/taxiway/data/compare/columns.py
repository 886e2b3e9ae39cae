"""Each column of training against the same column of production."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from taxiway.core.errors import shortened
from taxiway.data.compare.measures import (
    Limits,
    Statistics,
    Test,
    kolmogorov_smirnov,
    mean_shift,
    wasserstein,
)
from taxiway.data.survey.bins import finite
from taxiway.data.survey.counting import LEAST_TO_TELL, Column
from taxiway.data.survey.rows import BOOLEAN, NUMBER, OTHER, TEXT, TIME
from taxiway.data.survey.survey import Survey

SAME, DIFFERENT, INSUFFICIENT = "same", "different", "insufficient data"
LEFT_OUT = "left out"

NAMED_VALUES = 5
BIN_ROWS = 10
"""Rows of both together that a bin of a text has at the least."""
BINS = 30
"""Values of a text that get a bin of their own: the most frequent of both together."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One column of both."""

    name: str
    kind: str
    verdict: str = INSUFFICIENT
    tests: tuple[Test, ...] = ()
    measures: Mapping[str, float | None] = field(default_factory=dict)
    only_training: tuple[str, ...] = ()
    only_production: tuple[str, ...] = ()
    note: str = ""
    """Why it is different or was left out, where no test says so."""

    def found(self) -> dict[str, Any]:
        """For the evidence. `effect` and `p_value` are those of the distribution."""
        main = next((t for t in self.tests if t.what == "distribution"), None)
        return {
            "name": self.name,
            "effect": main.effect if main else None,
            "p_value": main.p_value if main else None,
            "verdict": self.verdict,
            "only_production": list(self.only_production),
            "only_training": list(self.only_training),
            "kind": self.kind,
            "tests": [
                {"test": t.what, "effect": t.effect, "limit": t.limit, "p_value": t.p_value}
                for t in self.tests
            ],
            "measures": dict(self.measures),
            "note": self.note,
        }


def compare_columns(
    training: Survey,
    production: Survey,
    statistics: Statistics,
    limits: Limits,
    *,
    hidden: Collection[str] = (),
    later: Collection[str] = (),
) -> list[Compared]:
    """Every column of training but times; those that production does not send come last.

    The p-values are not adjusted yet: `judged` does that for all questions together. Of `hidden`
    columns no value is named; `later` ones production need not send.
    """
    enough = min(training.rows, production.rows) >= limits.minimum_rows
    compared, unsent = [], []
    for name, column in training.columns.items():
        other = production.columns.get(name)
        if other is None:
            if name in later:
                note = "known only later, and production does not send it yet"
                unsent.append(Compared(name, column.kind, LEFT_OUT, note=note))
            elif column.kind != TIME:
                note = "production does not send it"
                unsent.append(Compared(name, column.kind, DIFFERENT, (), {}, (), (note,), note))
        elif column.kind != other.kind:
            if column.nulls < column.rows and other.nulls < other.rows:
                compared.append(_of_two_kinds(column, other))
                continue
            # A side with nothing but nulls has no kind; how much is missing can be compared.
            missing = _missing(column, other, statistics, limits)
            tests = (missing,) if enough else ()
            compared.append(Compared(name, column.kind, tests=tests))
        elif column.kind != TIME:
            one = _compared(column, other, training, production, statistics, limits)
            one = _only_on_one_side(one, column, other, quiet=name in hidden)
            compared.append(
                one if enough else replace(one, tests=(), measures={}, verdict=INSUFFICIENT)
            )
    return compared + unsent


def judged(compared: Sequence[Compared], limits: Limits) -> list[Compared]:
    """Verdicts from tests whose p-values have been adjusted."""
    return [
        replace(one, verdict=DIFFERENT if _differs(one, limits) else SAME)
        if one.tests and one.verdict == INSUFFICIENT
        else one
        for one in compared
    ]


def _differs(one: Compared, limits: Limits) -> bool:
    return any(test.differs(limits.false_discovery_rate) for test in one.tests)


def binned(training: Column, production: Column) -> tuple[list[int], list[int]]:
    """Both columns over the same bins; the last two are what is in none, and what is missing."""
    if training.kind == NUMBER:
        return (
            [*training.counts, training.not_finite, training.nulls],
            [*production.counts, production.not_finite, production.nulls],
        )
    names = named_bins(training, production)
    sides = []
    for side, new in zip((training, production), _new(training, production, names), strict=True):
        counts = [side.values.get(name, 0) for name in names]
        others = side.rows - side.nulls - sum(counts)
        sides.append([*counts, *([] if new is None else [new]), others - (new or 0), side.nulls])
    return sides[0], sides[1]


def _new(
    training: Column, production: Column, names: Collection[str]
) -> tuple[int | None, int | None]:
    """Rows, none of them in the bins of `names`, whose value no other row of training has.

    Of training that is a value that stands once: how often one is new says how many to expect of
    production (Good 1953). Names of towns are mostly new in both, and that is no difference. None
    where not all values were counted.
    """
    if training.distinct is None or production.distinct is None:
        return None, None
    named = set(names)
    once = sum(n == 1 for value, n in training.values.items() if value not in named)
    unseen = sum(
        n
        for value, n in production.values.items()
        if value not in named and value not in training.values
    )
    return once, unseen


def named_bins(training: Column, production: Column) -> list[str]:
    """The most frequent values of both together, by their mean share.

    A value of few rows has no bin: chosen for being on one side, it would always differ.
    """
    weights: dict[str, float] = {}
    for side in (training, production):
        for value, rows in list(side.values.items())[: 4 * BINS]:
            weights[value] = weights.get(value, 0.0) + rows / max(1, side.rows)
    often = [v for v in weights if _rows_of(v, training) + _rows_of(v, production) >= BIN_ROWS]
    return sorted(often, key=lambda value: (-weights[value], value))[:BINS]


def _rows_of(value: str, side: Column) -> int:
    return side.values.get(value, 0)


def _compared(
    column: Column,
    other: Column,
    training: Survey,
    production: Survey,
    statistics: Statistics,
    limits: Limits,
) -> Compared:
    missing = _missing(column, other, statistics, limits)
    if column.kind == OTHER:
        return Compared(column.name, column.kind, tests=(missing,))
    if is_identifier(column, training.sample) and is_identifier(other, production.sample):
        note = "nearly every row has a value of its own"
        verdict = INSUFFICIENT if missing.effect else LEFT_OUT
        return Compared(column.name, column.kind, verdict, (missing,), note=note)
    counts, others = binned(column, other)
    effect, p_value = statistics.compare(counts, others)
    tests = [Test("distribution", effect, limits.effect, p_value)]
    measures: dict[str, float | None] = {}
    if statistics.population_stability:
        measures["population_stability"] = statistics.population_stability(counts, others)
    if column.kind == NUMBER:
        shift, p_value = mean_shift(column, other)
        if shift is not None:
            tests.append(Test("mean", abs(shift), limits.mean_shift, p_value))
        a, b = (finite(s.sample.get_column(column.name)) for s in (training, production))
        measures |= {
            "mean_shift": shift,
            "kolmogorov_smirnov": kolmogorov_smirnov(a, b),
            "wasserstein": wasserstein(a, b),
        }
    elif statistics.cramers_v:
        measures["cramers_v"] = statistics.cramers_v(counts, others)
    measures["missing_difference"] = _share(other) - _share(column)
    return Compared(column.name, column.kind, tests=(*tests, missing), measures=measures)


def is_identifier(column: Column, sample: pl.DataFrame) -> bool:
    """Whether its values say which row it is, and thus always differ: running numbers, and keys."""
    if column.kind == TEXT:
        return column.nearly_all_differ
    if column.kind != NUMBER or column.name not in sample.columns:
        return False
    values = sample.get_column(column.name)
    whole = values.dtype.is_integer() and values.len() >= LEAST_TO_TELL and not values.null_count()
    return whole and values.n_unique() == values.len()


def _missing(column: Column, other: Column, statistics: Statistics, limits: Limits) -> Test:
    sides = [[side.nulls, side.rows - side.nulls] for side in (column, other)]
    return Test(
        "missing",
        abs(_share(other) - _share(column)),
        limits.missing,
        statistics.compare(sides[0], sides[1])[1],
    )


def _share(column: Column) -> float:
    return column.nulls / column.rows if column.rows else 0.0


def _of_two_kinds(column: Column, other: Column) -> Compared:
    note = f"training holds {column.type}, production {other.type}"
    return Compared(column.name, column.kind, DIFFERENT, only_production=(note,), note=note)


def _only_on_one_side(one: Compared, column: Column, other: Column, *, quiet: bool) -> Compared:
    if one.kind == NUMBER:
        return replace(
            one,
            only_training=() if quiet else _wider(column, other),
            only_production=_outside(column, other, quiet=quiet),
        )
    if one.kind not in {TEXT, BOOLEAN} or None in {column.distinct, other.distinct}:
        return one
    return replace(
        one,
        only_training=_values_of(column, other, quiet=quiet),
        only_production=(
            *_values_of(other, column, quiet=quiet),
            *(_nothing(column, other)),
        ),
    )


def _outside(column: Column, other: Column, *, quiet: bool) -> tuple[str, ...]:
    """Rows of production beyond all that training has seen."""
    low, high = ("the least", "the most") if quiet else (_g(column.minimum), _g(column.maximum))
    return (
        *([words(f"below {low}", other.below)] if other.below else []),
        *([words(f"above {high}", other.above)] if other.above else []),
        *_nothing(column, other),
    )


def _wider(column: Column, other: Column) -> tuple[str, ...]:
    """What training has seen beyond production."""
    if None in {column.minimum, other.minimum, column.maximum, other.maximum}:
        return ()
    down = column.minimum < other.minimum  # type: ignore[operator]
    up = column.maximum > other.maximum  # type: ignore[operator]
    return (
        *([f"down to {_g(column.minimum)}"] if down else []),
        *([f"up to {_g(column.maximum)}"] if up else []),
    )


def _values_of(one: Column, other: Column, *, quiet: bool) -> tuple[str, ...]:
    new = [(value, rows) for value, rows in one.values.items() if value not in other.values]
    if quiet and new:
        return (words(f"{len(new)} values", sum(rows for _, rows in new)),)
    told = [words(shortened(value, 60), rows) for value, rows in new[:NAMED_VALUES]]
    more = len(new) - NAMED_VALUES
    return (*told, *([f"and {more:,} more values"] if more > 0 else []))


def _nothing(column: Column, other: Column) -> list[str]:
    return [words("nothing", other.nulls)] if other.nulls and not column.nulls else []


def words(what: str, rows: int) -> str:
    """Something and how often it is there."""
    return f"{what} ({rows:,} {'row' if rows == 1 else 'rows'})"


def _g(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"
