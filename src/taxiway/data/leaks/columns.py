"""Traps in single columns: known too late, too good, identifiers, encoded labels, missingness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from taxiway.core.contract import Contract
from taxiway.data.leaks.strength import adjusted, alone, auc
from taxiway.data.leaks.table import BLOCKS, LOOK, Floats, Leak, Table

Bools: TypeAlias = NDArray[np.bool_]

TOO_GOOD = 0.95
"""ROC AUC of one column from which on it is more likely the answer than a clue."""
VERY_GOOD = 0.9
CERTAIN = 0.99
MANY = 3
"""As many columns may be copies of one answer; one more that is as good is a clue."""
APART = 0.05
STANDS_OUT = 0.15
"""AUC above the next best column from which on a good one is looked at."""
TOO_GOOD_NUMBER = 0.98
"""Share of a number's variance that one column explains."""
DISTINCT = 0.95
"""Distinct values a row from which on a column names rows instead of describing them."""
SURE = 1e-6
"""Odds below which nothing is put down to chance."""
FALSE_DISCOVERIES = 0.01
PURE_SHARE = 0.01
"""Rows that are missing, of all, from which on a pure label among them is more than a curiosity."""
ENCODED_GROUPS = 5
PREFIX_SHARE = 0.1
PREFIX_ROWS = 100


def late(contract: Contract, read: tuple[str, ...]) -> Iterator[Leak]:
    """Columns that are known only after the decision, as the contract says."""
    for name in read:
        if name in contract.names and not contract.is_known(name):
            moment = contract.known_at(name)
            yield Leak(
                "late",
                (name,),
                BLOCKS,
                f"{name} is known at {moment}; the model has to answer at {contract.decision_at}",
                {"known_at": moment, "decision_at": contract.decision_at},
                "Leave it out, or take its value as it was known at the decision.",
            )


def too_good(table: Table) -> Iterator[Leak]:
    """A column that tells the label too well alone."""
    metric, least = ("ROC AUC", TOO_GOOD) if table.binary else ("R²", TOO_GOOD_NUMBER)
    found = {
        name: alone(
            table.codes[name], table.label, ordered=_ordered(table, name), binary=table.binary
        )
        for name in table.inputs
    }
    ranked = sorted(found.items(), key=lambda item: -item[1].value)
    for place, (name, value) in enumerate(ranked):
        following = ranked[place + 1][1].value if place + 1 < len(ranked) else 0.5
        # Where many columns tell it as well, the problem is easy; where few do, they know it.
        many = ranked[MANY][1].value if len(ranked) > MANY else 0.5
        apart = value.value >= CERTAIN or many < value.value - APART
        blocks = value.value >= least and value.low >= least - 0.03 and apart
        stands_out = table.binary and (
            value.low >= VERY_GOOD
            or (place == 0 and value.low >= 0.8 and value.value - following >= STANDS_OUT)
        )
        if blocks or stands_out:
            yield Leak(
                "too good",
                (name,),
                BLOCKS if blocks else LOOK,
                f"{name} alone reaches {metric} {value.value:.3f}"
                f" ({value.low:.3f} to {value.high:.3f})"
                + (f"; the next column {following:.3f}" if place + 1 < len(ranked) else ""),
                {"metric": metric, **value.as_dict(), "next": following},
                "Ask when its value is written: before the decision, or with the outcome?",
            )


def _ordered(table: Table, name: str) -> bool:
    dtype = table.frame.schema[name]
    return bool(dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean)


def identifiers(table: Table) -> Iterator[Leak]:
    """Columns that name rows: a model that reads them learns rows by heart."""
    for name in table.inputs:
        column = table.frame.get_column(name)
        dtype = column.dtype
        known = column.drop_nulls()
        if not (dtype.is_integer() or dtype == pl.String) or known.len() < table.frame.height / 2:
            continue
        share = known.n_unique() / known.len()
        if share < DISTINCT or (dtype.is_integer() and _spread_out(known)):
            continue
        if dtype == pl.String and _is_prose(known):
            continue
        order = _follows_time(table, name)
        yield Leak(
            "identifier",
            (name,),
            LOOK,
            f"{name} has another value in {share:.1%} of the rows"
            + (", in the order of time" if order else "")
            + ": it names rows instead of describing them",
            {"distinct_share": share, "follows_time": order},
            "Leave it out of the features; keep it as a key.",
        )


def _spread_out(known: pl.Series) -> bool:
    """Whether whole numbers are a measure, not a count of rows: they lie far and unevenly apart."""
    values = np.unique(known.to_numpy().astype(np.float64))
    gaps = np.diff(values)
    if not len(gaps):
        return True
    dense = (values[-1] - values[0]) <= 3 * len(values)
    # Random numbers of many digits are names too: their gaps follow one scale, amounts do not.
    even = float(np.quantile(gaps, 0.99)) <= 20 * float(np.median(gaps))
    return not (dense or even)


def _is_prose(known: pl.Series) -> bool:
    """Texts of several words say something, though no two are the same."""
    words = known.head(1_000).str.count_matches(r"\s+").mean()
    return isinstance(words, float | int) and words >= 3


def _follows_time(table: Table, name: str) -> bool:
    if table.time is None or not table.frame.schema[name].is_numeric():
        return False
    times = coded_time(table)
    values = table.codes[name]
    known = ~(np.isnan(times) | np.isnan(values))
    if known.sum() < 10 or np.ptp(values[known]) == 0 or np.ptp(times[known]) == 0:
        return False
    return abs(float(stats.spearmanr(times[known], values[known]).statistic)) > 0.98


def coded_time(table: Table) -> Floats:
    """The time of each row as a number."""
    from taxiway.data.leaks.table import coded

    assert table.time is not None  # noqa: S101 - asked only where there is one
    return coded(table.frame.get_column(table.time))


def encoded_label(table: Table) -> Iterator[Leak]:
    """Columns that hold the mean of the label over a category, taken over all rows.

    The rows of one value of such a column have that value as their mean label, whichever the
    category was; with a prior of weight m it is (sum + m * prior) / (rows + m). Encoders that leave
    the own row out give two values a category, one for each label: the mean label below one of them
    is 1, below the other 0.
    """
    for name in table.inputs:
        values = table.codes[name]
        dtype = table.frame.schema[name]
        known = ~np.isnan(values)
        if not dtype.is_float() or known.sum() < 100:
            continue
        distinct, places = np.unique(values[known], return_inverse=True)
        if len(distinct) < ENCODED_GROUPS or len(distinct) > known.sum() / 3:
            continue
        rows = np.asarray(np.bincount(places), dtype=np.float64)
        sums = np.asarray(np.bincount(places, weights=table.label[known]), dtype=np.float64)
        kind = _encoding(distinct, rows, sums, table.label[known])
        if kind:
            yield Leak(
                "encoded label",
                (name,),
                BLOCKS,
                f"{name} is the mean of the label over a category, {kind}, taken over all"
                f" {int(known.sum()):,} rows: those too that a model is judged on",
                {"groups": len(distinct), "kind": kind},
                "Encode inside the estimator's pipeline, on the training rows of each split.",
            )


def _encoding(values: Floats, rows: Floats, sums: Floats, label: Floats) -> str:
    """How values encode the mean label of their rows; empty if they don't."""
    spread = float(label.std()) or 1.0
    apart = np.ptp(values) > 1e-9 * spread
    if not apart:
        return ""
    large = rows >= 2
    if large.sum() >= ENCODED_GROUPS:
        means = sums / rows
        exact = np.abs(means - values) <= 1e-5 * spread
        if _most(exact[large], rows[large]):
            return "as it is"
        if m := _smoothed(values[large], rows[large], sums[large], spread):
            return f"smoothed with a prior of weight {m:.3g}"
    if set(np.unique(label)) <= {0.0, 1.0} and _left_out(values, rows, sums):
        return "without the own row"
    return ""


def _most(holds: Bools, rows: Floats) -> bool:
    return bool(rows[holds].sum() >= 0.9 * rows.sum())


def _smoothed(values: Floats, rows: Floats, sums: Floats, spread: float) -> float:
    """The weight m of a prior with which values are smoothed means; 0 if they are none."""
    left = sums - values * rows  # = m * value - m * prior
    keep = np.ones(len(values), dtype=bool)
    slope = intercept = 0.0
    for _ in range(5):  # categories of one value are counted as one; leave such out
        if keep.sum() < max(ENCODED_GROUPS, 0.6 * len(values)):
            return 0.0
        slope, intercept = np.polyfit(values[keep], left[keep], 1)
        away = np.abs(left - (slope * values + intercept))
        exact = away <= 1e-5 * spread * np.maximum(rows, 1)
        if _most(exact, rows) and slope > 0:
            return float(slope)
        keep = away <= np.quantile(away[keep], 0.9)
    return 0.0


def _left_out(values: Floats, rows: Floats, sums: Floats) -> bool:
    """Whether nearly each value stands for one label, in pairs: n1 rows of value (S-1)/(n-1) and n0
    of S/(n-1), where n = n0 + n1 and S = n1."""
    means = sums / rows
    pure = (means == 0) | (means == 1)
    if rows[pure].sum() < 0.9 * rows.sum():
        return False
    positive = {(int(n), round(float(v), 6)) for v, n in zip(values[means == 1], rows[means == 1])}  # noqa: B905
    hits = total = 0
    for value, n0 in zip(values[means == 0], rows[means == 0], strict=True):
        if not 0 < value < 1 or n0 < 2:
            continue
        total += 1
        # value = S / (n - 1), n = n0 + S  ->  S = value * (n0 - 1) / (1 - value)
        s = value * (n0 - 1) / (1 - value)
        whole = round(s)
        if abs(s - whole) < 1e-3 * max(1.0, s) and whole > 0:
            other = round((whole - 1) / (n0 + whole - 1), 6)
            hits += any((whole, round(other + e, 6)) in positive for e in (-1e-6, 0, 1e-6))
    return total >= ENCODED_GROUPS and hits >= 0.8 * total


def missingness(table: Table) -> Iterator[Leak]:
    """Columns whose missing values tell the label."""
    names, tests = [], []
    for name in table.inputs:
        missing = np.isnan(table.codes[name])
        if 0 < missing.sum() < len(missing):
            names.append(name)
            tests.append(_association(missing, table))
    sure = adjusted([p for _, p in tests])
    for name, p in zip(names, sure, strict=True):
        missing = np.isnan(table.codes[name])
        there, gone = table.label[~missing], table.label[missing]
        area = auc(table.label, missing.astype(np.float64)) if table.binary else 0.5
        area = max(area, 1 - area)
        pure = _pure(table, gone)
        if p > FALSE_DISCOVERIES or (area < 0.6 and not pure):
            continue
        blocks = area >= 0.85 or pure
        what = "share of positives" if table.binary else "mean of the label"
        yield Leak(
            "missingness",
            (name,),
            BLOCKS if blocks else LOOK,
            f"where {name} is missing ({missing.mean():.1%} of the rows) the {what} is"
            f" {gone.mean():.3g}, elsewhere {there.mean():.3g}",
            {"missing": int(missing.sum()), "auc": area, "p_value": p, "pure": pure},
            "Ask why it is missing: if the outcome is why, it won't be missing at the decision.",
        )


def _association(missing: Bools, table: Table) -> tuple[float, float]:
    if table.binary:
        cells = np.array(
            [
                [(table.label[missing] == v).sum(), (table.label[~missing] == v).sum()]
                for v in (0, 1)
            ]
        )
        return 0.0, float(stats.fisher_exact(cells).pvalue) if cells.min() < 5 else float(
            stats.chi2_contingency(cells, correction=False).pvalue
        )
    result = stats.mannwhitneyu(table.label[missing], table.label[~missing])
    return 0.0, float(result.pvalue)


def _pure(table: Table, gone: Floats) -> bool:
    """Whether all rows that miss it have one label, and far too many for that to be chance."""
    if not table.binary or len(gone) < max(30, PURE_SHARE * len(table.label)):
        return False
    rate = float(table.label.mean())
    alike = float(gone.mean())
    if alike not in {0.0, 1.0}:
        return False
    odds = len(gone) * np.log(rate if alike else 1 - rate)
    return bool(odds < np.log(SURE))


def constant_prefix(table: Table) -> Iterator[Leak]:
    """Columns that say nothing for a long time at first: they were introduced later."""
    if table.time is None:
        return
    order = np.argsort(coded_time(table), kind="stable")
    times = table.frame.get_column(table.time)[order.tolist()]
    for name in table.inputs:
        values = table.codes[name][order]
        same = (values == values[0]) | (np.isnan(values) & np.isnan(values[0]))
        changes = np.flatnonzero(~same)
        if not len(changes):
            continue
        first = int(changes[0])
        if first < max(PREFIX_ROWS, PREFIX_SHARE * len(values)):
            continue
        likely = float(same[first:].mean())
        if first * np.log(max(likely, 1e-12)) > np.log(SURE):
            continue
        held = "missing" if np.isnan(values[0]) else "one value"
        yield Leak(
            "constant at first",
            (name,),
            LOOK,
            f"{name} is {held} in the first {first / len(values):.0%} of the rows, until"
            f" {times[first]}, and changes later",
            {"rows": first, "share": first / len(values), "until": str(times[first])},
            "Was it recorded then? Train on the rows after that, or leave it out.",
        )
