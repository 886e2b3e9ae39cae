"""Which times both sides cover, how finely, and how rows spread over the day and the week."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from taxiway.core.digest import utc_text
from taxiway.data.compare.measures import Limits, Statistics, Test
from taxiway.data.survey.bins import PERIODS
from taxiway.data.survey.counting import Column
from taxiway.data.survey.rows import TIME
from taxiway.data.survey.survey import Survey

GRAINS = {"day": "1d", "hour": "1h", "minute": "1m", "second": "1s"}
"""What times can be whole numbers of, the coarsest first."""
MONTHS = "January February March April May June July August September October November December"
LIKELY = 20
"""Rows that a period has to have as a rule before it is told that one has none."""


@dataclass(frozen=True, slots=True)
class Covered:
    """One side of a time column."""

    first: datetime
    last: datetime
    grain: str
    gaps: tuple[datetime, ...]
    """Periods within it that have no row, where each has many as a rule."""

    def found(self) -> dict[str, Any]:
        """For the evidence."""
        return {
            "first": utc_text(self.first),
            "last": utc_text(self.last),
            "grain": self.grain,
            "gaps": len(self.gaps),
            "gaps_first": [utc_text(at) for at in self.gaps[:5]],
        }


@dataclass(frozen=True, slots=True)
class Times:
    """One time column of both."""

    name: str
    period: str
    training: Covered
    production: Covered
    within: float
    """Share of production's rows (by period) in the time that training covers."""
    new_months: tuple[str, ...]
    """Months of the year that production has and training has not."""
    tests: tuple[Test, ...]

    def found(self) -> dict[str, Any]:
        """For the evidence."""
        return {
            "name": self.name,
            "period": self.period,
            "training": self.training.found(),
            "production": self.production.found(),
            "within": self.within,
            "new_months": list(self.new_months),
        }


def compare_times(
    training: Survey, production: Survey, statistics: Statistics, limits: Limits
) -> list[Times]:
    """Every time column that both have."""
    enough = min(training.rows, production.rows) >= limits.minimum_rows
    found = []
    for name, column in training.columns.items():
        other = production.columns.get(name)
        if column.kind != TIME or other is None or other.kind != TIME:
            continue
        if column.first is None or other.first is None:
            continue
        samples = [side.sample.get_column(name).drop_nulls() for side in (training, production)]
        sides = [_covered(c, s) for c, s in zip((column, other), samples, strict=True)]
        tests = _clock(name, samples, sides, statistics, limits) if enough else ()
        found.append(
            Times(
                name,
                column.bins.period,
                sides[0],
                sides[1],
                _within(column, other),
                _new_months(column, other),
                tuple(tests),
            )
        )
    return found


def grain_of(times: pl.Series) -> str:
    """What all times are whole numbers of.

    >>> grain_of(pl.Series([datetime(2013, 1, 1, 5), datetime(2013, 1, 2, 6)]))
    'hour'
    """
    for grain, step in GRAINS.items():
        if (times.dt.truncate(step) == times).all():
            return grain
    return "part of a second"


def _covered(column: Column, sample: pl.Series) -> Covered:
    first, last = min(column.periods), max(column.periods)
    return Covered(column.first or first, column.last or last, grain_of(sample), _gaps(column))


def _gaps(column: Column) -> tuple[datetime, ...]:
    """Periods between the first and the last without a row, where there are as a rule many.

    A gap that comes again and again, such as every night or weekend, is no gap.
    """
    periods = column.periods
    if len(periods) < 5 or sum(periods.values()) / len(periods) < LIKELY:
        return ()
    first, last, step = min(periods), max(periods), column.bins.period
    expected = pl.datetime_range(first, last, step, eager=True, time_zone="UTC").to_list()
    gaps = [at for at in expected if at not in periods]
    if len(gaps) > len(expected) / 5 or PERIODS[step] < PERIODS["1h"]:
        return ()
    if step == "1d":
        lost = {at.weekday() for at in expected} - {at.weekday() for at in periods}
        gaps = [at for at in gaps if at.weekday() not in lost]
    if step == "1h":
        lost = {at.hour for at in gaps} & {h for h in range(24) if _mostly(h, gaps, expected)}
        gaps = [at for at in gaps if at.hour not in lost]
    return tuple(gaps)


def _mostly(hour: int, gaps: Iterable[datetime], expected: Iterable[datetime]) -> bool:
    """Whether an hour of the day is as a rule without rows."""
    return 2 * sum(at.hour == hour for at in gaps) > sum(at.hour == hour for at in expected)


def _within(column: Column, other: Column) -> float:
    rows = sum(other.periods.values())
    first, last = min(column.periods), max(column.periods)
    return sum(n for at, n in other.periods.items() if first <= at <= last) / max(1, rows)


def _new_months(column: Column, other: Column) -> tuple[str, ...]:
    if PERIODS[column.bins.period] > PERIODS["1mo"]:
        return ()
    known, new = _months(column.periods), _months(other.periods)
    return tuple(name for at, name in enumerate(MONTHS.split(), 1) if at in new and at not in known)


def _months(periods: Mapping[datetime, int]) -> set[int]:
    return {at.month for at in periods}


def _clock(
    name: str,
    samples: list[pl.Series],
    sides: list[Covered],
    statistics: Statistics,
    limits: Limits,
) -> Iterable[Test]:
    """Whether rows fall on other weekdays and hours; months differ whenever time has passed."""
    fine = all(side.grain != "day" for side in sides)
    span = min(side.last - side.first for side in sides)
    for part, of in (("weekday", 7), ("hour", 24)):
        if (part == "hour" and not fine) or span < PERIODS["1w" if part == "weekday" else "1d"] * 2:
            continue
        counts = [_counted(s, part, of) for s in samples]
        effect, p_value = statistics.compare(counts[0], counts[1])
        yield Test(f"{name}: {part}", effect, limits.effect, p_value)


def _counted(times: pl.Series, part: str, of: int) -> list[int]:
    values = times.dt.weekday() - 1 if part == "weekday" else times.dt.hour()
    known = dict(values.value_counts().iter_rows())
    return [known.get(at, 0) for at in range(of)]
