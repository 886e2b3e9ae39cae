"""Values from outside: each contract type's way from JSON to the plain value that is logged."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from taxiway.core.contract import Column
from taxiway.core.digest import utc_text
from taxiway.core.errors import shortened

EXACT = 2**53
"""Integers up to here are exact as a 64-bit float."""
LARGEST = 2**63

PLAIN_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z"
)

EXPECTED = {
    "string": "text",
    "integer": "a whole number of at most 64 bits",
    "number": "a finite number",
    "boolean": "true or false",
    "date": 'a date such as "2013-03-01"',
    "timestamp": 'a time with its offset, such as "2013-03-01T10:00:00Z"',
}

Absent = Callable[[Any], bool]
"""Whether a JSON value is one by which its column says that it has none."""
Read = Callable[[Any], Any]
"""A JSON value -> the plain value that is logged; None for what is of another type."""


def absence(column: Column) -> Absent:
    """What stands for no value in a column that has sentinels, as batches and training read it."""
    read = READ[column.type]
    sentinels = column.sentinels or ()
    texts = frozenset(one for one in sentinels if isinstance(one, str))
    plain = frozenset(found for one in sentinels if (found := read(one)) is not None)

    def absent(value: Any) -> bool:
        if isinstance(value, str) and value in texts:
            return True
        found = read(value)
        return found is not None and found in plain

    return absent


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
    if type(value) is int:  # what it nearly always is; a bool is none
        return value if -LARGEST <= value < LARGEST else None
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return None


def _number(value: Any) -> float | None:
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is int and abs(value) <= EXACT:
        return float(value)
    return None


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
    if not isinstance(value, str):
        return None
    if plain := PLAIN_TIME.fullmatch(value):
        # As most clients write it, and nearly as it is logged; only the calendar is to be asked.
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return None
        return value if plain[1] else f"{value[:-1]}.000000Z"
    if "T" not in value.upper():
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
