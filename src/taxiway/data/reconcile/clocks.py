"""Clocks: times that are an offset apart, hours that wrap at midnight, the summer's hour.

`clock_of(x, y)` answers by how much x is ahead of y where that is one offset, or two that follow
the summer time of a place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from taxiway.data.reconcile.forms import Floats
from taxiway.data.reconcile.laws import FEWEST

"""Microseconds."""
STEADY = 0.95
PERIODS = (24, 7, 12, 60, 360)
"""Where whole numbers begin anew: hours, weekdays, months, minutes, degrees."""
PLACES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "America/Halifax",
    "America/St_Johns",
    "America/Anchorage",
    "America/Santiago",
    "Asia/Jerusalem",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Africa/Cairo",
    "Asia/Tehran",
    "America/Havana",
    "America/Asuncion",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "America/Phoenix",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Shanghai",
)


@dataclass(frozen=True, slots=True)
class Clock:
    """x = y + offset, or one of two offsets that are an hour apart; whole numbers wrap."""

    offsets: tuple[float, ...]
    """In hours for times, in the column's own unit for whole numbers; the frequent one first."""
    period: int
    """Where the numbers wrap; 0 for times."""
    explained: float
    rows: int
    place: str = ""
    """The zone whose time x is, if y is UTC; with a minus before it, the other way round."""


def of_times(x: Floats, y: Floats) -> Clock | None:
    """The offset between two columns of times; None if there is none."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < FEWEST:
        return None
    apart = np.round((x - y) / 1e6)  # to a second
    values, counts = np.unique(apart, return_counts=True)
    order = np.argsort(-counts)
    values, counts = values[order], counts[order]
    if counts[0] >= STEADY * len(x):
        if values[0] == 0:
            return None
        return Clock((float(values[0]) / 3600,), 0, float(counts[0] / len(x)), len(x))
    if len(values) > 1 and abs(values[0] - values[1]) == 3600:
        share = float((counts[0] + counts[1]) / len(x))
        if share >= STEADY and counts[1] >= max(3, 0.02 * len(x)):
            hours = (float(values[0]) / 3600, float(values[1]) / 3600)
            return Clock(hours, 0, share, len(x), _place(x, y))
    return None


def of_parts(x: Floats, y: Floats) -> Clock | None:
    """The offset between two columns of whole numbers that wrap, such as hours."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < FEWEST or (x != np.floor(x)).any() or (y != np.floor(y)).any():
        return None
    low, high = min(x.min(), y.min()), max(x.max(), y.max())
    for period in PERIODS:
        if low < 0 or high > period or high - low > period or high < period / 2:
            continue
        if min(len(np.unique(x)), len(np.unique(y))) < min(period / 2, 10):
            continue
        apart = np.mod(x - y, period)
        counts = np.bincount(apart.astype(int), minlength=period)
        first = int(counts.argmax())
        share = float(counts[first] / len(x))
        offsets = [float(first)]
        if share < STEADY and period == 24:
            beside = max(((first + 1) % 24, (first - 1) % 24), key=lambda at: counts[at])
            share += float(counts[beside] / len(x))
            offsets.append(float(beside))
        if share >= STEADY and (first or len(offsets) > 1):
            half = period / 2
            signed = tuple(o - period if o > half else o for o in offsets)
            return Clock(signed, period, share, len(x))
    return None


@cache
def _zones() -> tuple[str, ...]:
    from zoneinfo import available_timezones

    known = available_timezones()
    return tuple(zone for zone in PLACES if zone in known)


def _place(x: Floats, y: Floats) -> str:
    """The zone whose time one of two columns is, if the other is UTC; empty if none fits."""
    for sign, utc, local in (("", y, x), ("-", x, y)):
        apart = local - utc
        times = pl.Series(utc.astype(np.int64)).cast(pl.Datetime("us"))
        for zone in _zones():
            moved = times.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
            offset = moved.dt.base_utc_offset() + moved.dt.dst_offset()
            there = offset.dt.total_microseconds().to_numpy()
            if (np.abs(there - apart) < 1e6).mean() >= 0.99:
                return sign + zone
    return ""


def place_of_hours(x: Floats, y: Floats, moments: Floats) -> str:
    """The zone for hours x (local) and y (UTC), by the times of the rows; empty if none fits."""
    both = np.isfinite(x) & np.isfinite(y) & np.isfinite(moments)
    x, y, moments = x[both], y[both], moments[both]
    if len(x) < FEWEST:
        return ""
    times = pl.Series(moments.astype(np.int64)).cast(pl.Datetime("us"))
    for sign, apart in (("", np.mod(x - y, 24)), ("-", np.mod(y - x, 24))):
        for zone in _zones():
            moved = times.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
            offset = moved.dt.base_utc_offset() + moved.dt.dst_offset()
            hours = np.mod(offset.dt.total_seconds().to_numpy() / 3600, 24)
            # A local moment is off by its own offset on the two days of the change.
            if (np.abs(hours - apart) < 0.01).mean() >= 0.985:
                return sign + zone
    return ""
