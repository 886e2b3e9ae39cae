"""What a contract says against itself, found before any row is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import close_match, shortened


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What is wrong, and with which part of which column (None: of the table)."""

    column: int | None
    part: str
    what: str
    found: str | None = None
    expected: str | None = None


def is_of_type(value: Any, type: str) -> bool:
    """Whether plain data from a document is a value of a logical type.

    >>> is_of_type(1, "integer"), is_of_type(True, "integer"), is_of_type("2013-02-30", "date")
    (True, False, False)
    """
    match type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and instant(value, type) is not None


def instant(text: str, type: str) -> datetime | date | None:
    """The date, or the time in UTC, that a text stands for; None if it is neither.

    A time without an offset is UTC.

    >>> instant("2013-03-01T10:00:00Z", "timestamp")
    datetime.datetime(2013, 3, 1, 10, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        if type == "date":
            return date.fromisoformat(text)
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def contradictions(contract: Contract, *, for_model: bool = True) -> Iterator[Contradiction]:
    """Everything that a contract says against itself, in its own order.

    `for_model`: it is that of a model, whose rows have a key and a time.
    """
    yield from _of_table(contract, for_model=for_model)
    for at, column in enumerate(contract.columns):
        for check in CHECKS:
            for part, what, found, expected in check(column):
                yield Contradiction(at, part, f"column {column.name}: {what}", found, expected)


def _of_table(contract: Contract, *, for_model: bool) -> Iterator[Contradiction]:
    for name, times in Counter(contract.names).items():
        if times > 1:
            last = len(contract.names) - 1 - contract.names[::-1].index(name)
            yield Contradiction(last, "name", f"column {name} is there {times} times")
    for moment, times in Counter(contract.moments).items():
        if times > 1:
            yield Contradiction(None, "moments", f"moment {moment} is there {times} times")
    yield from _of_rows(contract)
    yield from _of_references(contract)
    if not contract.key and for_model:
        what = "no column is part of the key; outcomes find their decision by it"
        yield Contradiction(None, "key", what, expected="`primaryKey: true` on a column at least")
    yield from _of_moments(contract)
    if contract.event_time or for_model:
        yield from _of_event_time(contract)


def _of_rows(contract: Contract) -> Iterator[Contradiction]:
    if contract.maximum_rows is not None and contract.maximum_rows < contract.minimum_rows:
        found = f"{contract.maximum_rows}"
        what = "`maximum_rows` is below `minimum_rows`"
        yield Contradiction(None, "maximum_rows", what, found, f"{contract.minimum_rows}")
    if contract.freshness_hours is not None and not contract.event_time:
        what = "`freshness_hours` needs `event_time`, the column that says when a row happened"
        yield Contradiction(None, "freshness_hours", what)


def _of_moments(contract: Contract) -> Iterator[Contradiction]:
    moments = ", ".join(contract.moments)
    if contract.decision_at not in contract.moments:
        what = "`decision_at` is not one of the moments"
        yield Contradiction(None, "decision_at", what, contract.decision_at, moments)
    unknown = [(at, c) for at, c in enumerate(contract.columns) if _unknown(contract, c)]
    for at, column in unknown:
        what = f"column {column.name}: `known_at` is not one of the moments"
        yield Contradiction(at, "known_at", what, column.known_at, moments)
    if not unknown and contract.decision_at in contract.moments:
        for at, column in enumerate(contract.columns):
            dated = column.key or column.name == contract.event_time
            if dated and not contract.is_known(column.name):
                what = (
                    f"column {column.name} identifies or dates a decision and is known only"
                    " after it"
                )
                yield Contradiction(at, "known_at", what, column.known_at, contract.decision_at)


def _of_references(contract: Contract) -> Iterator[Contradiction]:
    for reference in contract.references or ():
        for name in reference.columns:
            if name not in contract.names:
                match = close_match(name, contract.names)
                hint = f"; did you mean {match}?" if match else ""
                what = f"the reference to {reference.table} is of no column here{hint}"
                yield Contradiction(None, "relationships", what, name)


def _unknown(contract: Contract, column: Column) -> bool:
    return column.known_at is not None and column.known_at not in contract.moments


def _of_event_time(contract: Contract) -> Iterator[Contradiction]:
    if contract.event_time not in contract.names:
        match = close_match(contract.event_time, contract.names)
        hint = f"; did you mean {match}?" if match else ""
        what = f"`event_time` is not a column{hint}"
        yield Contradiction(None, "event_time", what, contract.event_time)
        return
    column = contract.column(contract.event_time)
    if column.type not in {"timestamp", "date"}:
        what = "`event_time` is not a time"
        yield Contradiction(None, "event_time", what, column.type, "a timestamp or date column")
    if column.nullable:
        what = f"`event_time` {column.name} may be missing, and every row needs its time"
        yield Contradiction(None, "event_time", what, expected="`required: true` on that column")


Found = Iterator[tuple[str, str, str | None, str | None]]
"""Part, what, found, expected."""


def _limits(column: Column) -> Found:
    sides = {"minimum": column.minimum, "maximum": column.maximum}
    given = {part: value for part, value in sides.items() if value is not None}
    for part, value in given.items():
        if column.type in {"string", "boolean"}:
            yield part, f"a {column.type} has no `{part}`", str(value), None
        elif not is_of_type(value, "number" if column.type == "integer" else column.type):
            yield part, f"`{part}` is not of the column's type", repr(value), column.type
    low, high = _comparable(column, column.minimum), _comparable(column, column.maximum)
    if low is not None and high is not None and low > high:
        yield "minimum", "`minimum` is above `maximum`", f"{column.minimum}", f"{column.maximum}"


def _comparable(column: Column, value: float | str | None) -> Any:
    if isinstance(value, str):
        return instant(value, column.type) if column.type in {"date", "timestamp"} else None
    return value


def _lengths(column: Column) -> Found:
    parts = {
        "pattern": column.pattern,
        "minimum_length": column.minimum_length,
        "maximum_length": column.maximum_length,
    }
    for part, value in parts.items():
        if value is not None and column.type != "string":
            yield part, f"`{part}` is for text, and this is a {column.type}", None, None
    low, high = column.minimum_length, column.maximum_length
    if low is not None and high is not None and low > high:
        yield "minimum_length", "`minLength` is above `maxLength`", str(low), str(high)


def _pattern(column: Column) -> Found:
    if column.pattern is None:
        return
    try:
        re.compile(column.pattern)
    except (re.error, OverflowError, RecursionError) as error:
        yield "pattern", f"`pattern` does not compile: {error}", column.pattern, None
        return
    if re.search(r"\(\?(?:=|!|<=|<!|\(|P=|>)|\\[1-9]", column.pattern):
        # Data are matched in linear time, which excludes them; the endpoint has to agree.
        what = "`pattern` uses look-around or a back-reference"
        yield "pattern", what, column.pattern, "a regular expression without them"


def _values(column: Column) -> Found:
    if column.values and column.type not in {"string", "integer"}:
        yield "values", f"a {column.type} has limits, not `values`", None, None
        return
    for part, values in (("values", column.values), ("examples", column.examples)):
        wrong = [value for value in values if not is_of_type(value, column.type)]
        if wrong:
            found = shortened(", ".join(repr(value) for value in wrong))
            yield part, f"`{part}` are not of the column's type", found, column.type
    twice = [value for value, times in Counter(column.values).items() if times > 1]
    if twice:
        yield "values", "`values` repeat", shortened(", ".join(map(str, twice))), None
    if column.values and (column.minimum is not None or column.maximum is not None):
        yield "values", "`values` and limits say it twice; keep one of them", None, None


def _sentinels(column: Column) -> Found:
    listed = column.sentinels or ()
    if listed and column.type == "boolean":
        yield "sentinels", "a boolean has no `sentinels`", None, None
        return
    numbers = [one for one in listed if not isinstance(one, str)]
    if numbers and column.type not in {"integer", "number"}:
        found = shortened(", ".join(map(str, numbers)))
        yield "sentinels", f"`sentinels` of a {column.type} are text", found, None
    both = [value for value in column.values if value in listed]
    if both:
        found = shortened(", ".join(map(str, both)))
        yield "sentinels", "what stands for none is an allowed value too", found, None


def _zone(column: Column) -> Found:
    parts = {"timezone": column.timezone, "format": column.format}
    for part, value in parts.items():
        times = {"timestamp"} if part == "timezone" else {"timestamp", "date"}
        if value is not None and column.type not in times:
            yield part, f"`{part}` is for times, and this is a {column.type}", value, None
    if column.timezone is not None and not _is_zone(column.timezone):
        yield "timezone", "`timezone` is none", column.timezone, "such as Europe/Berlin or UTC"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
    return True


CHECKS: tuple[Callable[[Column], Found], ...] = (
    _limits,
    _lengths,
    _pattern,
    _values,
    _sentinels,
    _zone,
)
