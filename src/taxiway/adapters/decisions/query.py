"""What is asked of the log, the same of open segments and of closed files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from taxiway.core.decision import Decision, key_holds, key_part
from taxiway.core.digest import utc_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Position = tuple[datetime, str]
"""Where a decision stands in a scan: when it happened, and its id."""

Span = tuple[int, int]
"""The earliest and the latest time of some decisions."""


class MovedError(Exception):
    """A file is not there any more: it was replaced by another one. Never reaches a user."""


def micros(at: datetime) -> int:
    """A time as microseconds since 1970, which sort as times do and take a third of their text."""
    try:
        return (at - EPOCH) // MICROSECOND
    except TypeError:
        utc_text(at)  # says what is wrong with it
        raise


def moment(number: int) -> datetime:
    """The inverse of `micros`."""
    return EPOCH + timedelta(microseconds=number)


CASE = '"review":{'
"""Stands in every output on which a person decides, and in no other: within a text the quotes would
stand behind backslashes."""


@dataclass(frozen=True, slots=True)
class Query:
    """Decisions of a model; None where it does not matter."""

    model: str
    environment: str | None = None
    release: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    key: Mapping[str, Any] | None = None
    positive: bool | None = None
    cases: bool = False
    newest_first: bool = False

    @property
    def key_parts(self) -> list[str]:
        """Texts that stand in every key that is wanted, and in some others."""
        return [key_part(name, value) for name, value in (self.key or {}).items()]

    def of_key(self, key: str) -> bool:
        """Whether it is a key that is wanted."""
        return not self.key or key_holds(key, self.key)

    def touches(self, happened: Span) -> bool:
        """Whether decisions that happened between these times may be among those wanted."""
        return (self.end is None or happened[0] < micros(self.end)) and (
            self.start is None or happened[1] >= micros(self.start)
        )

    def covers(self, happened: Span) -> bool:
        """Whether no time between these is left out."""
        return (self.end is None or happened[1] < micros(self.end)) and (
            self.start is None or happened[0] >= micros(self.start)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What a source has of a query: between which times, and a way to read it in order."""

    happened: Span
    read: Any
    """Rows to read at a time -> iterator of decisions in the query's order."""


HELD_ROWS = 40_000
"""Decisions that a scan holds at a time, over all the sources it reads side by side."""
FEWEST_ROWS = 200


def merged(found: Sequence[Found], *, newest_first: bool) -> Iterator[Decision]:
    """The decisions of all sources in one order; side by side only where their times overlap."""
    import heapq

    for together in _overlapping(found, newest_first=newest_first):
        rows = max(FEWEST_ROWS, HELD_ROWS // len(together))
        if len(together) == 1:
            yield from together[0].read(rows)
        else:
            yield from heapq.merge(
                *(one.read(rows) for one in together), key=position, reverse=newest_first
            )


def position(decision: Decision) -> Position:
    """Where a decision stands in a scan."""
    return decision.happened_at, decision.id


def _overlapping(found: Sequence[Found], *, newest_first: bool) -> list[list[Found]]:
    clusters: list[list[Found]] = []
    latest = 0
    for one in sorted(found, key=lambda each: each.happened):
        if clusters and one.happened[0] <= latest:
            clusters[-1].append(one)
        else:
            clusters.append([one])
            latest = one.happened[1]
        latest = max(latest, one.happened[1])
    return clusters[::-1] if newest_first else clusters
