"""The whole comparison: every question about the two sources, judged together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.core.contract import Contract
from taxiway.data.compare.classifier import Told, make_ready, tell_apart
from taxiway.data.compare.columns import (
    DIFFERENT,
    INSUFFICIENT,
    LEFT_OUT,
    SAME,
    Compared,
    compare_columns,
    judged,
)
from taxiway.data.compare.equal import Equal, equal_rows
from taxiway.data.compare.estimate import LEAST_REPRESENTED, Estimate, estimate, labels_of
from taxiway.data.compare.maturity import MOVING, Maturity, maturity
from taxiway.data.compare.measures import Limits, Statistics, Test
from taxiway.data.compare.missing import Missing, missing_together
from taxiway.data.compare.times import Times, compare_times
from taxiway.data.survey.bins import bins_of, within
from taxiway.data.survey.hidden import hidden_columns
from taxiway.data.survey.rows import OTHER, TIME, Rows
from taxiway.data.survey.sampling import told_apart_by
from taxiway.data.survey.survey import SEED, Survey, survey

Begin = Callable[[str, int | None], Callable[[int], None]]
Scores = Callable[[pl.DataFrame], NDArray[np.float64]]

WITHOUT_CLASSIFIER = (
    "no model told the rows apart: scikit-learn is not installed (pip install 'taxiway[train]')"
)


WITHOUT = 3
"""Columns that are left out at most to estimate a metric."""


def _unwatched(_: str, __: int | None) -> Callable[[int], None]:
    return lambda _: None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a comparison is to find out beside the columns themselves."""

    label: str | None = None
    """A column or a condition over columns."""
    label_columns: tuple[str, ...] = ()
    """What it is made of, and what is known only later: no model may read it."""
    time: str | None = None
    """The column that says when a row happened."""
    score: Scores | None = None
    """What a release answers, for rows of a sample."""
    usable: pl.Expr | None = None
    """Rows that it has not learnt from."""
    scored_by: str = "a model made for this"
    classifier: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was found."""

    training: Survey
    production: Survey
    limits: Limits
    columns: tuple[Compared, ...]
    missing: Missing
    equal: Equal | None
    times: tuple[Times, ...]
    told: Told | None
    rest: Told | None
    """The same without columns that tell all rows apart, if there are any."""
    estimate: Estimate | None
    maturity: Maturity | None
    hidden: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether both sides have the rows that it takes to tell."""
        return min(self.training.rows, self.production.rows) >= self.limits.minimum_rows

    @property
    def different(self) -> list[str]:
        """What differs: columns by name, then what goes beyond one column."""
        rate = self.limits.false_discovery_rate
        names = [c.name for c in self.columns if c.verdict == DIFFERENT]
        more = [t.what for times in self.times for t in times.tests if t.differs(rate)]
        tests = [self.missing.test, self.equal.test if self.equal else None]
        more += [test.what for test in tests if test and test.differs(rate)]
        if self.told and self.told.test.differs(rate):
            more.append(self.told.test.what)
        if self.maturity and self.maturity.verdict == MOVING:
            more.append("newest labels")
        return names + more

    @property
    def verdict(self) -> str:
        """`different`, `same` or `insufficient data`."""
        if self.different:
            return DIFFERENT
        return SAME if self.enough else INSUFFICIENT

    def found(self) -> dict[str, Any]:
        """`found` of the evidence `core.evidence.LIKENESS`."""
        from taxiway.data.compare.words import asks, sentences

        return {
            "source": self.production.name,
            "training_source": self.training.name,
            "training_rows": self.training.rows,
            "production_rows": self.production.rows,
            "verdict": self.verdict,
            "different": self.different,
            "columns": [c.found() for c in self.columns],
            "times": [t.found() for t in self.times],
            "tests": [_plain(t) for t in self._beyond()],
            "missing_together": self.missing.found(),
            "repeated_rows": self.equal.found() if self.equal else None,
            "classifier": self.told.found() if self.told else None,
            "classifier_without": self.rest.found() if self.rest else None,
            "estimate": self.estimate.found() if self.estimate else None,
            "labels": self.maturity.found() if self.maturity else None,
            "hidden": self.hidden,
            "says": sentences(self),
            "ask": asks(self),
            "notes": list(self.notes),
        }

    def _beyond(self) -> list[Test]:
        tests = [t for times in self.times for t in times.tests]
        one = [self.missing.test, self.equal and self.equal.test, self.told and self.told.test]
        return tests + [test for test in one if test]


def _plain(test: Test) -> dict[str, Any]:
    return {"test": test.what, "effect": test.effect, "limit": test.limit, "p_value": test.p_value}


def surveys(training: Rows, production: Rows, begin: Begin = _unwatched) -> tuple[Survey, Survey]:
    """Both sides, counted in the same bins."""
    kinds = {**production.kinds, **training.kinds}
    looked_at = [training.looked_at(training.kinds)]
    # Bins are training's, but for the time that both span, and for what training says nothing of.
    known = {name for name in training.kinds if looked_at[0][name].count()}
    other = [n for n, kind in production.kinds.items() if kind == TIME or n not in known]
    looked_at.append(production.looked_at(other))
    bins = bins_of(looked_at, kinds)
    shared = [n for n, k in training.kinds.items() if k != OTHER and production.kinds.get(n) == k]
    told_apart = told_apart_by(looked_at[0], shared)
    sides = []
    for rows in (training, production):
        own = {name: of for name, of in bins.items() if rows.kinds.get(name) == kinds[name]}
        own |= bins_of([], {n: k for n, k in rows.kinds.items() if n not in own})
        on_rows = begin(f"Reading {rows.name}", None)
        side = survey(rows, own, told_apart=told_apart, shared=shared, on_rows=on_rows)
        sides.append(side)
        bins = within(bins, _limits(side)) if rows is training else bins
    return sides[0], sides[1]


def _limits(of: Survey) -> dict[str, tuple[float, float]]:
    return {
        name: (column.minimum, column.maximum)
        for name, column in of.columns.items()
        if column.minimum is not None and column.maximum is not None
    }


def compare(
    training: Rows,
    production: Rows,
    statistics: Statistics,
    limits: Limits,
    *,
    asked: Asked | None = None,
    contract: Contract | None = None,
    begin: Begin = _unwatched,
) -> Comparison:
    """Is the sandbox like production? One pass over each, then bounded work on samples."""
    asked = asked or Asked()
    with ThreadPoolExecutor(1, "import") as beside:
        if asked.classifier:  # it takes a second to import, and nobody waits for it like this
            beside.submit(make_ready)
        first, second = surveys(training, production, begin)
    hidden = {
        **hidden_columns(second.columns, second.sample, contract),
        **hidden_columns(first.columns, first.sample, contract),
    }
    columns = compare_columns(
        first, second, statistics, limits, hidden=hidden, later=asked.label_columns
    )
    times = compare_times(first, second, statistics, limits)
    shared = [c.name for c in columns if c.name in first.columns and _read(c, second)]
    missing = missing_together(first.sample, second.sample, shared, statistics, limits)
    equal = equal_rows(first, second, statistics, limits)
    readable = _telling(columns, first, second, asked.label_columns)
    notes: list[str] = []
    begin("Telling rows apart", None)
    told = _told(first, second, readable, limits, asked, notes)
    rest = _overlapping(first, second, told, readable, limits) if told else None
    estimated = _estimated(first, second, rest, readable, asked, limits=limits, notes=notes)
    mature = _mature(first, asked, limits, notes)
    columns, missing, equal, times, told = _adjusted(
        columns, missing, equal, times, told, statistics
    )
    return Comparison(
        first,
        second,
        limits,
        tuple(judged(columns, limits)),
        missing,
        equal,
        tuple(times),
        told,
        rest if rest and rest.without else None,
        estimated,
        mature,
        hidden,
        tuple(notes),
    )


def _read(column: Compared, production: Survey) -> bool:
    other = production.columns.get(column.name)
    return other is not None and other.kind == column.kind


def _telling(
    columns: Sequence[Compared], training: Survey, production: Survey, without: Collection[str]
) -> list[str]:
    """Columns that a model can read on both sides, those that differ most first."""

    def order(column: Compared) -> tuple[float, str]:
        return (-max((t.effect / t.limit for t in column.tests), default=0.0), column.name)

    usable = [
        c
        for c in columns
        if c.verdict != LEFT_OUT
        and not c.note
        and c.kind not in {OTHER, TIME}
        and c.name not in without
        and c.name in training.sample.columns
        and c.name in production.sample.columns
        # A column without any value on one side has no kind there, and none to learn from.
        and training.columns[c.name].kind == production.columns[c.name].kind
    ]
    return [c.name for c in sorted(usable, key=order)]


def _told(
    training: Survey,
    production: Survey,
    columns: Sequence[str],
    limits: Limits,
    asked: Asked,
    notes: list[str],
) -> Told | None:
    if not asked.classifier:
        return None
    try:
        return tell_apart(training.sample, production.sample, columns, limits, seed=SEED)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        notes.append(WITHOUT_CLASSIFIER)
        return None


def _estimated(
    training: Survey,
    production: Survey,
    told: Told | None,
    columns: Sequence[str],
    asked: Asked,
    *,
    limits: Limits,
    notes: list[str],
) -> Estimate | None:
    if asked.label is None or told is None or not columns:
        return None
    if asked.score is None:
        columns = [name for name in columns if name not in told.without]
    found = estimate(
        training.sample,
        production.sample,
        told,
        columns,
        limits,
        label=asked.label,
        score=asked.score,
        scored_by=asked.scored_by,
        usable=asked.usable,
        seed=SEED,
    )
    if found is None:
        notes.append(f"no metric was estimated: too few rows of training have a {asked.label}")
    return found


def _overlapping(
    training: Survey, production: Survey, told: Told, columns: Sequence[str], limits: Limits
) -> Told:
    """The same without columns that tell all rows apart, such as a month that training has not.

    No row of training is like any of production in such a column; whatever is said of production
    has to take it that the column does not matter.
    """
    for _ in range(WITHOUT):
        if told.represents >= LEAST_REPRESENTED or not told.columns:
            break
        without = (*told.without, told.columns[0][0])
        rest = [name for name in columns if name not in without]
        again = tell_apart(training.sample, production.sample, rest, limits, seed=SEED)
        if again is None:
            break
        told = replace(again, without=without)
    return told


def _mature(training: Survey, asked: Asked, limits: Limits, notes: list[str]) -> Maturity | None:
    if asked.label is None or not training.rows:
        return None
    time = asked.time or next((n for n, c in training.columns.items() if c.kind == TIME), None)
    labels = labels_of(training.sample, asked.label)
    if time is None or labels is None:
        notes.append("whether the newest labels are final can't be told without a time")
        return None
    return maturity(training.sample.get_column(time), labels, limits)


def _adjusted(
    columns: list[Compared],
    missing: Missing,
    equal: Equal | None,
    times: list[Times],
    told: Told | None,
    statistics: Statistics,
) -> tuple[list[Compared], Missing, Equal | None, list[Times], Told | None]:
    """All p-values adjusted for how many questions were asked."""
    tests = [t for c in columns for t in c.tests] + [t for one in times for t in one.tests]
    single = [missing.test, equal.test if equal else None, told.test if told else None]
    tests += [t for t in single if t]
    left = iter(
        replace(test, p_value=p)
        for test, p in zip(tests, statistics.adjust([t.p_value for t in tests]), strict=True)
    )
    columns = [replace(c, tests=tuple(next(left) for _ in c.tests)) for c in columns]
    times = [replace(one, tests=tuple(next(left) for _ in one.tests)) for one in times]
    if missing.test:
        missing = replace(missing, test=next(left))
    if equal and equal.test:
        equal = replace(equal, test=next(left))
    if told:
        told = replace(told, test=next(left))
    return columns, missing, equal, times, told
