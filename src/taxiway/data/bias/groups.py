"""Groups of people in the data: how many of them, and how often they have the label."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from scipy import stats

from taxiway.core.errors import MissingError
from taxiway.core.interval import Interval
from taxiway.data.leaks.strength import adjusted

MISSING = "(missing)"
BANDS = 4
"""Bands of about equal size that a number, such as an age, is cut into."""
FEW_VALUES = 12
MOST_GROUPS = 200
FOUR_FIFTHS = 0.8
"""Ratio of two groups' rates below which one is a tell-tale (29 CFR 1607.4 D)."""
FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with one value of each of some columns."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    rows: int
    share: float
    labelled: int
    positives: float
    """Rows with the label; the sum of a label that is a number."""
    rate: Interval | None
    """The base rate (Wilson 1927), or the mean of a number; None without labelled rows."""
    small: bool


@dataclass(frozen=True, slots=True)
class Disparity:
    """The lowest and the highest rate among the groups of a column that are large enough."""

    column: str
    low: str
    high: str
    ratio: Interval
    """Lowest rate by highest one, with the interval of Katz et al. (1978) on its logarithm."""
    p_value: float
    """Of a chi-square test over all groups of the column, adjusted for the number of columns."""

    @property
    def tells(self) -> bool:
        """Whether it is large, and no chance."""
        return self.ratio.value < FOUR_FIFTHS and self.p_value <= FALSE_DISCOVERIES


def banded(column: pl.Series) -> pl.Series:
    """A column as the values that its groups are called by; numbers with many become bands.

    >>> banded(pl.Series("age", [20, 31, 42, 53] * 5)).unique().sort().to_list()
    ['20', '31', '42', '53']
    """
    if column.dtype.is_temporal():
        column = column.dt.year()
    if column.dtype.is_numeric() and column.n_unique() > FEW_VALUES:
        known = column.drop_nulls()
        shares = [part / BANDS for part in range(1, BANDS)]
        edges = sorted({float(known.quantile(q, "lower")) for q in shares})  # type: ignore[arg-type]
        labels = [f"up to {edges[0]:g}"]
        labels += [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
        labels += [f"above {edges[-1]:g}"]
        places = np.searchsorted(edges, known.cast(pl.Float64).to_numpy(), side="left")
        bands = pl.Series(column.name, [None], dtype=pl.String()).new_from_index(0, column.len())
        column = bands.scatter(column.is_not_null().arg_true(), [labels[at] for at in places])
    if column.dtype == pl.Boolean:
        column = column.replace_strict({True: "true", False: "false"}, return_dtype=pl.String)
    return column.cast(pl.String).fill_null(MISSING)


def groups_of(
    frame: pl.DataFrame, label: pl.Series, columns: Sequence[str], *, minimum_rows: int
) -> list[Group]:
    """The groups of each column, and of each two of them, the largest first.

    Raises `MissingError` for a column that is not there.
    """
    for name in columns:
        if name not in frame.columns:
            raise MissingError.named("column", name, frame.columns)
    values = pl.DataFrame([banded(frame.get_column(name)).alias(name) for name in columns])
    binary = label.dtype == pl.Boolean
    values = values.with_columns(label.cast(pl.Float64).alias("\0label"))
    found: list[Group] = []
    for chosen in [*((name,) for name in columns), *combinations(columns, 2)]:
        counted = (
            values.group_by(chosen)
            .agg(
                pl.len().alias("\0rows"),
                pl.col("\0label").count().alias("\0known"),
                pl.col("\0label").sum().alias("\0sum"),
                pl.col("\0label").std().alias("\0std"),
            )
            .sort("\0rows", *chosen, descending=[True, *(False for _ in chosen)])
        )
        for row in counted.head(MOST_GROUPS).iter_rows(named=True):
            rows, known = row["\0rows"], row["\0known"]
            found.append(
                Group(
                    chosen,
                    tuple(row[name] for name in chosen),
                    rows,
                    rows / frame.height,
                    known,
                    row["\0sum"],
                    _rate(row, binary=binary) if known else None,
                    known < minimum_rows,
                )
            )
    return found


def _rate(row: dict[str, float], *, binary: bool) -> Interval:
    known, mean = int(row["\0known"]), row["\0sum"] / row["\0known"]
    if binary:
        whole = stats.binomtest(round(row["\0sum"]), known).proportion_ci(method="wilson")
        return Interval(mean, float(whole.low), float(whole.high))
    half = 1.96 * (row["\0std"] or 0.0) / math.sqrt(known)
    return Interval(mean, mean - half, mean + half)


def disparities(groups: Sequence[Group], columns: Sequence[str]) -> list[Disparity]:
    """The disparity of each column that has two groups large enough, for a label of a class."""
    found = list(_disparities(groups, columns))
    sure = adjusted([one.p_value for one in found])
    return [
        Disparity(one.column, one.low, one.high, one.ratio, p)
        for one, p in zip(found, sure, strict=True)
    ]


def _disparities(groups: Sequence[Group], columns: Sequence[str]) -> Iterator[Disparity]:
    for name in columns:
        large = [g for g in groups if g.columns == (name,) and not g.small and g.rate]
        if len(large) < 2:
            continue
        cells = np.array([[g.positives, g.labelled - g.positives] for g in large])
        if (cells.sum(axis=0) == 0).any():
            continue
        by_rate = sorted(large, key=lambda g: g.positives / g.labelled)
        low, high = by_rate[0], by_rate[-1]
        p_value = float(stats.chi2_contingency(cells, correction=False).pvalue)
        yield Disparity(name, low.values[0], high.values[0], _ratio(low, high), p_value)


def _ratio(low: Group, high: Group) -> Interval:
    # Half a row more on each side, as a rate of 0 has no logarithm.
    a, n = low.positives + 0.5, low.labelled + 1.0
    b, m = high.positives + 0.5, high.labelled + 1.0
    ratio = (low.positives / low.labelled) / (high.positives / high.labelled)
    spread = 1.96 * math.sqrt(max(0.0, 1 / a - 1 / n + 1 / b - 1 / m))
    middle = math.log((a / n) / (b / m))
    return Interval(ratio, math.exp(middle - spread), math.exp(middle + spread))
