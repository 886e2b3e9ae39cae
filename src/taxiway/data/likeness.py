"""Production-likeness: whether training saw data like those that production sends.

Each column of the training frame becomes a profile, production is counted over the same bins, and
a comparison from monitoring says how far apart the counts are and whether that can be chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from taxiway.core.errors import shortened
from taxiway.data.profile import column_profile, count_like

Compare = Callable[[list[int], list[int]], tuple[float, float]]
"""(reference counts, current counts) -> (effect, p-value)."""

Adjust = Callable[[list[float]], list[float]]
"""p-values -> p-values adjusted for their number."""

SAME = "same"
DIFFERENT = "different"
INSUFFICIENT = "insufficient data"

NAMED_VALUES = 5


def likeness(
    training: pl.DataFrame,
    production: pl.DataFrame,
    *,
    source: str,
    compare: Compare,
    adjust: Adjust,
    effect: float,
    false_discovery_rate: float,
    minimum_rows: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`found` and `required` of the evidence `core.evidence.LIKENESS`.

    A column is different if the effect is at least `effect` and the adjusted p-value at most
    `false_discovery_rate`, or if production does not send it. With fewer than `minimum_rows` rows
    on either side nothing is said of any column. `only_production` names values and ranges that
    training has never seen. Times are left out: production is always later.
    """
    names = [name for name, dtype in training.schema.items() if not dtype.is_temporal()]
    sent = [name for name in names if name in production.columns]
    enough = min(training.height, production.height) >= minimum_rows
    pairs = [_counts(training.get_column(n), production.get_column(n)) for n in sent]
    measured = [compare(*pair) for pair in pairs] if enough else []
    p_values = adjust([p for _, p in measured])
    columns = []
    for at, name in enumerate(sent):
        column: dict[str, Any] = {"name": name, "effect": None, "p_value": None}
        verdict = INSUFFICIENT
        if enough:
            far, likely = measured[at][0], p_values[at]
            column |= {"effect": far, "p_value": likely}
            apart = far >= effect and likely <= false_discovery_rate
            verdict = DIFFERENT if apart else SAME
        column["verdict"] = verdict
        column["only_production"] = only_in(training.get_column(name), production.get_column(name))
        columns.append(column)
    columns += [_not_sent(name) for name in names if name not in sent]
    found = {
        "source": source,
        "training_rows": training.height,
        "columns": columns,
        "different": [c["name"] for c in columns if c["verdict"] == DIFFERENT],
    }
    required = {
        "effect": effect,
        "false_discovery_rate": false_discovery_rate,
        "minimum_rows": minimum_rows,
    }
    return found, required


def only_in(training: pl.Series, production: pl.Series) -> list[str]:
    """What production has and training has not, in words, the most frequent first.

    >>> only_in(pl.Series(["JFK"]), pl.Series(["LGA", "JFK", None]))
    ['LGA (1 row)', 'nothing (1 row)']
    >>> only_in(pl.Series([1.0, 5.0]), pl.Series([7.0, 9.0, 2.0]))
    ['above 5 (2 rows)']
    """
    words: list[str] = []
    if training.dtype.is_numeric():
        numbers = training.drop_nulls().to_numpy().astype(float)
        numbers = numbers[abs(numbers) < float("inf")]  # NaN is not below it either
        if len(numbers):
            low, high = float(numbers.min()), float(numbers.max())
            below, above = int((production < low).sum()), int((production > high).sum())
            words += [_words(f"below {low:g}", below)] if below else []
            words += [_words(f"above {high:g}", above)] if above else []
    else:
        known = training.drop_nulls().unique()
        new = production.drop_nulls()
        new = new.filter(~new.is_in(known.implode())).rename("value")
        counts = new.value_counts(name="rows").sort(["rows", "value"], descending=[True, False])
        words += [_words(shortened(v, 60), n) for v, n in counts.head(NAMED_VALUES).iter_rows()]
        if counts.height > NAMED_VALUES:
            words.append(f"and {counts.height - NAMED_VALUES} more values")
    if production.null_count() and not training.null_count():
        words.append(_words("nothing", production.null_count()))
    return words


def _not_sent(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "effect": None,
        "p_value": None,
        "verdict": DIFFERENT,
        "only_production": ["production does not send it"],
    }


def _words(what: str, rows: int) -> str:
    return f"{what} ({rows} {'row' if rows == 1 else 'rows'})"


def _counts(training: pl.Series, production: pl.Series) -> tuple[list[int], list[int]]:
    """Both columns over the bins of the first."""
    kind = "boolean" if training.dtype == pl.Boolean else "string"
    reference = column_profile(training, "number" if training.dtype.is_numeric() else kind)
    counts: Sequence[int] = reference["counts"]
    return list(counts), count_like(reference, production)
