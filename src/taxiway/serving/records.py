"""Records from outside: JSON values held against the contract, every problem said at once.

The rules are those of `taxiway.data.rules`, for one record at a time and for JSON's types; a law
test holds the two against each other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from taxiway.core.contract import Column, Contract
from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, Problem, close_match, shortened

EXACT = 2**53
"""Integers up to here are exact as a 64-bit float."""
LARGEST = 2**63
MOST_RECORDS = 10_000

PLAIN_PATTERN = re.compile(
    r"\^?(?:[A-Za-z0-9_ @/:;,.*?|)-]|\+|\((?!\?)|\(\?:|\{\d+(?:,\d*)?\}|\[[A-Za-z0-9_ -]+\])*\$?"
)
"""Patterns that mean the same to Python's regular expressions and to those of polars."""
POSSESSIVE = re.compile(r"[*+?}]\+")
"""To Python a quantifier of its own since 3.11, to polars a repetition."""

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
    reader = _Reader(contract.columns, frozenset(contract.names), problems)
    records = [reader.record(one, f"[{at}]" if several else "") for at, one in enumerate(given)]
    if problems:
        wrong = len({(p.where or "").partition("]")[0] for p in problems}) if several else 1
        raise InputError(
            f"{wrong} of {len(given)} records can't be used: {len(problems)} problems. Nothing was"
            " decided.",
            problems,
        )
    return records


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the records of one request, and gathers what is wrong with them."""

    columns: Sequence[Column]
    names: frozenset[str]
    problems: list[Problem]

    def record(self, given: Any, place: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            self.problems.append(
                Problem("is no record", found_text(given), "an object of columns", place or "body")
            )
            return {}
        if not given.keys() <= self.names:
            self._unknown(given.keys() - self.names, place)
        return {column.name: self._value(column, given, place) for column in self.columns}

    def _value(self, column: Column, given: Mapping[str, Any], place: str) -> Any:
        value = given.get(column.name)
        if value is None:
            if not column.nullable:
                self._say(column, place, "is missing", None, EXPECTED[column.type])
            return None
        plain = READ[column.type](value)
        if plain is None:
            expected = EXPECTED[column.type]
            self._say(column, place, "is of another type", found_text(value), expected)
            return None
        for what, expected in _breaks(column, plain):
            self._say(column, place, what, shortened(plain), expected)
        return plain

    def _say(self, column: Column, place: str, what: str, found: str | None, expected: str) -> None:
        shown = "(personal)" if column.personal and found is not None else found
        self.problems.append(Problem(what, shown, expected, _where(place, column.name)))

    def _unknown(self, names: Iterable[str], place: str) -> None:
        known = [column.name for column in self.columns]
        for name in names:
            match = close_match(name, known)
            hint = f"Did you mean {match!r}?" if match else f"It takes: {', '.join(known)}."
            where = _where(place, name)
            self.problems.append(Problem("is no input of this model", where=where, todo=hint))


def _where(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _breaks(column: Column, value: Any) -> Iterator[tuple[str, str]]:
    # Words are made only for what is broken: nearly every value of nearly every request is good.
    if column.minimum is not None and value < _limit(column.type, column.minimum):
        yield "is too small", f"at least {column.minimum}"
    if column.maximum is not None and value > _limit(column.type, column.maximum):
        yield "is too large", f"at most {column.maximum}"
    if column.values and value not in column.values:
        yield "is not an allowed value", f"one of {shortened(', '.join(map(str, column.values)))}"
    if column.pattern is not None and not _matcher(column.pattern)(value):
        yield "does not match its pattern", column.pattern
    if column.minimum_length is not None and len(value) < column.minimum_length:
        yield "is too short", f"at least {column.minimum_length} characters"
    if column.maximum_length is not None and len(value) > column.maximum_length:
        yield "is too long", f"at most {column.maximum_length} characters"


@cache
def _limit(type_: str, limit: float | str) -> Any:
    """A limit in the form in which values are logged, in which times sort as they follow."""
    if type_ == "timestamp":
        at = datetime.fromisoformat(str(limit))
        return utc_text(at if at.tzinfo else at.replace(tzinfo=UTC))
    return limit


@cache
def _matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text holds a pattern, by the engine that also judges batches.

    Python's engine is twenty times as quick for one text, and differs in what classes such as `\\d`
    hold and in `$`, which for Python also stands before a last line end. Patterns of plain
    characters, classes, groups and counts mean the same to both.
    """
    if PLAIN_PATTERN.fullmatch(pattern) and not POSSESSIVE.search(pattern):
        ends = pattern.endswith("$")
        found = re.compile(pattern[:-1] + r"\Z" if ends else pattern).search
        return lambda value: found(value) is not None
    import polars as pl

    return lambda value: bool(pl.Series([value]).str.contains(pattern)[0])


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
