"""Records from outside: JSON values held against the contract, every problem said at once.

The rules are those of `taxiway.data.rules`, for one record at a time and for JSON's types; a law
test holds the two against each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from taxiway.core.contract import Column, Contract
from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, Problem, close_match, shortened

EXACT = 2**53
"""Integers up to here are exact as a 64-bit float."""
LARGEST = 2**63
MOST_RECORDS = 10_000

EXPECTED = {
    "string": "text",
    "integer": "a whole number of at most 64 bits",
    "number": "a finite number",
    "boolean": "true or false",
    "date": 'a date such as "2013-03-01"',
    "timestamp": 'a time with its offset, such as "2013-03-01T10:00:00Z"',
}

Read = Callable[[Any], Any]
"""A JSON value -> the plain value that is logged; None for what is of another type."""


def read_records(body: Any, contract: Contract) -> list[dict[str, Any]]:
    """Plain records from decoded JSON: one record, or a list of them.

    Raises `InputError` with every problem of every record.
    """
    several = isinstance(body, list)
    given: Sequence[Any] = body if several else [body]
    if not given:
        raise InputError("There is no record in the list.")
    if len(given) > MOST_RECORDS:
        raise InputError(
            f"There are {len(given):,} records; one request takes at most {MOST_RECORDS:,}.",
            todo="Send them in parts, or use `taxiway score`.",
        )
    problems: list[Problem] = []
    records = [
        _record(one, contract, f"[{at}]" if several else "", problems)
        for at, one in enumerate(given)
    ]
    if problems:
        wrong = len({(p.where or "").partition("]")[0] for p in problems}) if several else 1
        raise InputError(
            f"{wrong} of {len(given)} records can't be used: {len(problems)} problems. Nothing was"
            " decided.",
            problems,
        )
    return records


def _record(given: Any, contract: Contract, place: str, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(given, dict):
        problems.append(
            Problem("is no record", found_text(given), "an object of columns", place or "body")
        )
        return {}
    for name in given.keys() - set(contract.names):
        match = close_match(name, contract.names)
        hint = f"Did you mean {match!r}?" if match else f"It takes: {', '.join(contract.names)}."
        problems.append(Problem("is no input of this model", where=_where(place, name), todo=hint))
    record: dict[str, Any] = {}
    for column in contract.columns:
        value = given.get(column.name)
        where = _where(place, column.name)
        if value is None:
            if not column.nullable:
                problems.append(Problem("is missing", expected=EXPECTED[column.type], where=where))
            record[column.name] = None
            continue
        plain = READ[column.type](value)
        record[column.name] = plain
        if plain is None:
            found = "(personal)" if column.personal else found_text(value)
            problems.append(Problem("is of another type", found, EXPECTED[column.type], where))
        else:
            problems += _broken(column, plain, where)
    return record


def _where(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _broken(column: Column, value: Any, where: str) -> Iterator[Problem]:
    """The rules of a column that a value of its type breaks."""
    for what, expected, broken in _rules(column, value):
        if broken:
            shown = "(personal)" if column.personal else shortened(value)
            yield Problem(what, shown, expected, where)


def _rules(column: Column, value: Any) -> Iterator[tuple[str, str, bool]]:
    if column.minimum is not None:
        least = _limit(column, column.minimum)
        yield "is too small", f"at least {column.minimum}", value < least
    if column.maximum is not None:
        most = _limit(column, column.maximum)
        yield "is too large", f"at most {column.maximum}", value > most
    if column.values:
        listed = shortened(", ".join(map(str, column.values)))
        yield "is not an allowed value", f"one of {listed}", value not in column.values
    if column.pattern is not None:
        yield "does not match its pattern", column.pattern, not _matches(column.pattern, value)
    if column.minimum_length is not None:
        expected = f"at least {column.minimum_length} characters"
        yield "is too short", expected, len(value) < column.minimum_length
    if column.maximum_length is not None:
        expected = f"at most {column.maximum_length} characters"
        yield "is too long", expected, len(value) > column.maximum_length


def _limit(column: Column, limit: float | str) -> Any:
    """A limit in the form in which values are logged, in which times sort as they follow."""
    if column.type == "timestamp":
        at = datetime.fromisoformat(str(limit))
        return utc_text(at if at.tzinfo else at.replace(tzinfo=UTC))
    return limit


def _matches(pattern: str, value: str) -> bool:
    # The engine that also judges batches: Python's own differs in what `$` and `\d` mean.
    import polars as pl

    return bool(pl.Series([value]).str.contains(pattern)[0])


def found_text(value: Any) -> str:
    """What was sent instead, in JSON's words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f'the text "{shortened(value, 60)}"'
    return "nothing" if value is None else f"the number {shortened(value, 60)}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    fits = isinstance(value, int) and -LARGEST <= value < LARGEST
    return value if fits else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > EXACT:
        return None
    return float(value) if math.isfinite(value) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _date(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _timestamp(value: Any) -> str | None:
    if not isinstance(value, str) or "T" not in value.upper():
        return None
    _, _, fraction = value.partition(".")
    if len(fraction.rstrip("Zz").partition("+")[0].partition("-")[0]) > 6:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    try:
        return utc_text(at.astimezone(UTC))
    except OverflowError:
        return None


READ: Mapping[str, Read] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
"""Contract type -> how a JSON value becomes the plain value that is logged."""
