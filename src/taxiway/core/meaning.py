"""What the parts of a condition mean: functions of a plain record, made once and asked often.

A null is never equal to anything, and makes an answer null unless the rest settles it. What the
parts look like in a text is `taxiway.core.condition`'s.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from taxiway.core.digest import utc_text

Row = Mapping[str, Any]
Evaluate = Callable[[Row], Any]

NUMBER, TEXT, TRUTH, DAY, TIME, ANY = "a number", "text", "true or false", "a date", "a time", ""
"""What a part is; `ANY` where it was not understood, and that was said already."""
KINDS = {
    "integer": NUMBER,
    "number": NUMBER,
    "string": TEXT,
    "boolean": TRUTH,
    "date": DAY,
    "timestamp": TIME,
}
"""Type of a contract column -> what it is in a condition."""

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CALCULATE: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition: what it is, how it is had, and its value if it is always the same."""

    kind: str
    get: Evaluate
    literal: Any = None


UNKNOWN = Part(ANY, lambda _: None)


def literal(kind: str, value: Any) -> Part:
    """A value that is written there."""
    return Part(kind, lambda _: value, value)


def column(name: str, type: str) -> Part:
    """The value of a contract column."""
    return Part(KINDS[type], operator.itemgetter(name))


def joined(parts: Sequence[Part], *, settles: bool) -> Part:
    """AND (settled by the first part that is false) or OR (by one that is true)."""
    gets = tuple(part.get for part in parts)

    def all_of(row: Row) -> bool | None:
        answer: bool | None = not settles
        for get in gets:
            one: bool | None = get(row)
            if one is settles:
                return settles
            if one is None:
                answer = None
        return answer

    return Part(TRUTH, all_of)


def negated(part: Part) -> Part:
    """NOT."""
    get = part.get

    def negation(row: Row) -> bool | None:
        value = get(row)
        return None if value is None else not value

    return Part(TRUTH, negation)


def compared(sign: str, left: Part, right: Part) -> Part:
    """One value beside another of its kind."""
    compare, get = COMPARE[sign], left.get
    if right.literal is not None:
        fixed = right.literal

        def with_fixed(row: Row) -> bool | None:
            value = get(row)
            return None if value is None else compare(value, fixed)

        return Part(TRUTH, with_fixed)
    other = right.get

    def with_other(row: Row) -> bool | None:
        value, beside = get(row), other(row)
        return None if value is None or beside is None else compare(value, beside)

    return Part(TRUTH, with_other)


def between(left: Part, low: Part, high: Part) -> Part:
    """Within two bounds, both in it."""
    if low.literal is None or high.literal is None:
        return joined([compared(">=", left, low), compared("<=", left, high)], settles=False)
    get, least, most = left.get, low.literal, high.literal

    def within(row: Row) -> bool | None:
        value = get(row)
        return None if value is None else least <= value <= most

    return Part(TRUTH, within)


def among(left: Part, values: Iterable[Any]) -> Part:
    """IN a list of values."""
    get, known = left.get, frozenset(values)

    def contained(row: Row) -> bool | None:
        value = get(row)
        return None if value is None else value in known

    return Part(TRUTH, contained)


def like(left: Part, pattern: str) -> Part:
    """LIKE: `%` stands for any text, `_` for one character; small and capital letters differ."""
    wild = {"%": ".*", "_": "."}
    parts = [wild.get(part) or re.escape(part) for part in re.split("([%_])", pattern)]
    get, matches = left.get, re.compile("".join(parts), re.DOTALL).fullmatch

    def matching(row: Row) -> bool | None:
        value = get(row)
        return None if value is None else matches(value) is not None

    return Part(TRUTH, matching)


def identical(part: Part, wanted: bool | None) -> Part:
    """IS NULL, IS TRUE, IS FALSE: never null itself."""
    get = part.get
    return Part(TRUTH, lambda row: get(row) is wanted)


def calculated(sign: str, left: Part, right: Part) -> Part:
    """A number from two, in 64-bit floats; null where there is none, as beyond a division by 0."""
    calculate, one, other = CALCULATE[sign], left.get, right.get

    def result(row: Row) -> float | None:
        a, b = one(row), other(row)
        if a is None or b is None or (sign == "/" and not b):
            return None
        made = calculate(float(a), float(b))
        return made if math.isfinite(made) else None

    return Part(NUMBER, result)


def negative(part: Part) -> Part:
    """The number with the other sign."""
    if part.literal is not None:
        return literal(NUMBER, -part.literal)
    get = part.get

    def turned(row: Row) -> Any:
        value = get(row)
        return None if value is None else -value

    return Part(part.kind, turned)


def moment(kind: str, text: str) -> Part:
    """A day or a time as records hold it: text whose order is the order in time.

    A time without its offset is in UTC. Raises `ValueError` for what is none.

    >>> moment(TIME, "2027-03-01 10:00+01:00").literal
    '2027-03-01T09:00:00.000000Z'
    """
    if kind == DAY:
        return literal(DAY, date.fromisoformat(text).isoformat())
    at = datetime.fromisoformat(text)
    try:
        return literal(TIME, utc_text(at if at.tzinfo else at.replace(tzinfo=UTC)))
    except OverflowError as error:
        raise ValueError(str(error)) from None
