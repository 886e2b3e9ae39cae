"""Defects of single columns: missing values, sentinels, units mixed up, frozen stretches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.data.infer.sentinels import CLEAR, among_days, among_numbers, texts_in
from taxiway.data.leaks.table import Floats, Table, coded
from taxiway.data.worth.found import MISSING, SENTINELS, STALE, UNITS, Found
from taxiway.data.worth.injected import inject

LEAST = 0.002
"""A defect of fewer rows than this share is left to `taxiway data check`."""
FEWEST = 10

POWERS = (1000.0, 100.0, 10.0)
FACTORS = (*POWERS, 60.0, 25.4, 12.0, 3.6, 3.28084, 2.54, 2.20462, 1.609344)
"""What units of one quantity differ by: kilo, cents and percent, minutes, inches, pounds..."""
SURE, SURE_ENOUGH = 0.012, 0.15
"""How sure the means have to be, in powers of ten, to tell a factor from groups by nature: any
factor, and those that are powers of ten."""
GAP = 0.12
"""How far apart two groups of values are at the least, in powers of ten."""

LONGEST_RUN = 20


def missing(table: Table) -> Iterator[Found]:
    """Values that are not there. Nothing brings them back: they are put in once more."""
    for name in table.inputs:
        rate = float(np.isnan(table.codes[name]).mean())
        if LEAST <= rate < 1:
            rng = np.random.default_rng(7)
            again = inject(table.frame.select(name), MISSING, name, rate, rng).get_column(name)
            says = f"{rate:.1%} of the values are missing"
            yield Found(MISSING, name, rate, says, {name: again}, again=True)


def sentinels(table: Table, known: Mapping[str, Sequence[Any]]) -> Iterator[Found]:
    """Values that stand for none; `known` are those that a contract names."""
    for name in table.inputs:
        column = table.frame.get_column(name)
        counts = column.drop_nulls().value_counts(name="rows of a value")
        values, rows = counts.get_column(name), counts.get_column("rows of a value")
        found: list[Any] = []
        hit = pl.repeat(value=False, n=column.len(), eager=True)
        if column.dtype.is_numeric():
            numbers = column.cast(pl.Float64)
            found = [value for value, _, _ in among_numbers(values.cast(pl.Float64), rows)]
            found += [v for v in known.get(name, ()) if isinstance(v, int | float)]
            found = sorted({float(value) for value in found})
            hit = numbers.is_in(pl.Series(found, dtype=pl.Float64).implode())
        elif column.dtype == pl.String:
            named = pl.Series([str(v) for v in known.get(name, ())], dtype=pl.String)
            hit = texts_in(column, CLEAR) | column.is_in(named.implode())
            found = column.filter(hit.fill_null(value=False)).unique().sort().to_list()
        elif column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
            found = [date.fromisoformat(text[:10]) for text, _, _ in among_days(values, rows)]
            hit = column.dt.date().is_in(pl.Series(sorted(set(found)), dtype=pl.Date).implode())
        hit = hit.fill_null(value=False)
        rate = float(hit.mean() or 0)  # type: ignore[arg-type]
        if found and rate >= LEAST:
            told = ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in found[:3])
            says = f"{told} in {rate:.1%} of the rows stands for none"
            yield Found(SENTINELS, name, rate, says, {name: _none_where(column, hit)})


def units(table: Table) -> Iterator[Found]:
    """Positive numbers of which some are in another unit: a group of their own, so many times off.

    Told where the groups do not overlap on a logarithmic scale, have the same spread there, and
    their means there differ by a factor between units, within three standard errors.
    """
    for name in table.inputs:
        if not table.is_number(name):
            continue
        values = table.codes[name].copy()
        known = ~np.isnan(values)
        if (
            known.sum() < 100
            or len(np.unique(values[known])) < 20
            or (values[known] > 0).mean() < 0.9
        ):
            continue
        rescaled, factors = _in_one_unit(values)
        rate = float((rescaled != values)[known].sum() / len(values))
        if factors:
            times = ", ".join(sorted({_times(f) for f in factors}))
            says = f"{rate:.1%} of the values are {times} the others"
            yield Found(
                UNITS, name, rate, says, {name: pl.Series(name, rescaled, nan_to_null=True)}
            )


def _in_one_unit(values: Floats) -> tuple[Floats, list[float]]:
    rescaled, factors = values.copy(), []
    places = np.flatnonzero(values > 0)
    logs = np.log10(values[places])
    order = np.argsort(logs)
    cuts = np.flatnonzero(np.diff(logs[order]) > GAP) + 1
    groups = np.split(order, cuts)
    main = logs[max(groups, key=len)]
    if len(main) < 0.5 * len(logs) or len(np.unique(main)) < 20:
        return values, []
    for group in groups:
        other = logs[group]
        if len(other) == len(main) or len(other) < max(FEWEST, LEAST * len(values)):
            continue
        if len(np.unique(other)) < 5:  # a sentinel or two, no amounts
            continue
        widths = [float(np.subtract(*np.quantile(one, [0.75, 0.25]))) for one in (main, other)]
        if not 0.4 < (widths[1] + 1e-9) / (widths[0] + 1e-9) < 2.5:
            continue
        # Means, not medians: these jump where few distances, prices or sizes make up a column.
        apart = float(other.mean() - main.mean())
        error = 3 * np.hypot(*(one.std() / np.sqrt(len(one)) for one in (main, other))) + 0.004
        if error > SURE_ENOUGH:
            continue
        known = FACTORS if error <= SURE else POWERS
        near = min(known, key=lambda f: abs(abs(apart) - np.log10(f)))
        if abs(abs(apart) - np.log10(near)) > error:
            continue
        factor = near if apart > 0 else 1 / near
        rescaled[places[group]] /= factor
        factors.append(factor)
    return rescaled, factors


def _times(factor: float) -> str:
    return f"{factor:g} times" if factor >= 1 else f"1/{1 / factor:g} of"


def stale(table: Table) -> Iterator[Found]:
    """Columns that stand still for a stretch of time, unlike at any other; they may be old news."""
    if table.time is None:
        return
    order = table.frame.with_row_index("place of a row").sort(*table.groups, table.time)
    places = order.get_column("place of a row").to_numpy()
    for name in table.inputs:
        column = table.frame.get_column(name)
        values = coded(column)[places]
        frozen = _frozen(values)
        rate = float(frozen.mean())
        if rate < LEAST:
            continue
        hit = np.zeros(len(values), dtype=bool)
        hit[places] = frozen
        says = f"the same value in {rate:.1%} of the rows, one after the other"
        yield Found(STALE, name, rate, says, {name: _none_where(column, pl.Series(hit))})


def _frozen(values: Floats) -> NDArray[np.bool_]:
    """Which values repeat the one before, in a run that is far longer than its column's others."""
    frozen = np.zeros(len(values), dtype=bool)
    known = values[~np.isnan(values)]
    if len(np.unique(known)) < 20:
        return frozen
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])  # nan is unlike itself
    lengths = np.diff(np.r_[starts, len(values)])
    longest = max(LONGEST_RUN, 10 * float(np.quantile(lengths, 0.99)))
    for start, length in zip(starts, lengths, strict=True):
        if length < longest:
            continue
        elsewhere = (np.count_nonzero(known == values[start]) - length) / len(known)
        if elsewhere < 0.02:  # what is often there, such as no rain, is there for long, too
            frozen[start + 1 : start + length] = True
    return frozen


def _none_where(column: pl.Series, hit: pl.Series) -> pl.Series:
    return column.zip_with(~hit, pl.repeat(None, column.len(), dtype=column.dtype, eager=True))
