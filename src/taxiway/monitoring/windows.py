"""Windows: the stretches of event time over which a running model is looked at.

A window is a day, a week from Monday (ISO 8601) or a calendar month, in UTC, and holds what
happened at `start` or later and before `end`. It is closed once for drift, when it is over, and
once for its labels, when they are due.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from taxiway.core.digest import utc_text

LENGTHS = ("day", "week", "month")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """From `start` (in it) to `end` (not in it)."""

    start: datetime
    end: datetime

    def as_found(self) -> dict[str, str]:
        """The window as evidence names it."""
        return {"window_start": utc_text(self.start), "window_end": utc_text(self.end)}

    def __str__(self) -> str:
        last = self.end - timedelta(microseconds=1)
        return f"{self.start:%Y-%m-%d} to {last:%Y-%m-%d}"


def window_of(at: datetime, length: str) -> Window:
    """The window that a moment falls into.

    >>> print(window_of(datetime(2013, 3, 1, 5, tzinfo=UTC), "month"))
    2013-03-01 to 2013-03-31
    >>> print(window_of(datetime(2013, 3, 1, 5, tzinfo=UTC), "week"))
    2013-02-25 to 2013-03-03
    """
    at = at.astimezone(UTC)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if length == "day":
        return Window(day, day + timedelta(days=1))
    if length == "week":
        monday = day - timedelta(days=day.weekday())
        return Window(monday, monday + timedelta(days=7))
    if length == "month":
        first = day.replace(day=1)
        return Window(first, first + timedelta(days=days_in_month(first)))
    raise ValueError(f"a window is one of {', '.join(LENGTHS)}, not {length!r}")


def days_in_month(at: datetime) -> int:
    """How many days the calendar month of a moment has."""
    return calendar.monthrange(at.year, at.month)[1]


def due(
    windows: Iterable[Window],
    *,
    as_of: datetime,
    closed: Collection[datetime],
    delay: timedelta = timedelta(0),
) -> list[Window]:
    """The windows that are over since `delay`, at `as_of`, and were not closed yet; oldest first.

    `closed` holds the starts of the windows that were. For labels, `delay` is the time after the
    window's end at which they are all expected.
    """
    return sorted(w for w in windows if w.end + delay <= as_of and w.start not in closed)


def days(duration: str) -> timedelta:
    """A charter's duration, such as `1d`, as a length of time.

    >>> days("14d").days
    14
    """
    return timedelta(days=int(duration.removesuffix("d")))
