"""Reading evidence with the types that its kind promises, whatever it really holds.

Evidence comes from other steps, other versions and other hands. Where a value is not what the kind
documents, `MalformedError` names the place, and the check fails with it; nothing else is raised.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.core.errors import shortened
from taxiway.core.evidence import Evidence

MOST_SHOWN = 5
ABSENT = object()


class MalformedError(Exception):
    """A value in evidence is missing or of another type than its kind promises."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One piece of evidence, read by paths such as `"found.worst.gap"`."""

    evidence: Evidence

    def has(self, path: str) -> bool:
        """Whether there is a value: neither null nor empty text."""
        return _answered(self._at(path, None))

    def number(self, path: str) -> float:
        """A finite number."""
        return _number(self._at(path), self._place(path))

    def count(self, path: str) -> int:
        """A whole number, at least 0."""
        value = self._at(path)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _malformed(self._place(path), "a count", value)
        return value

    def flag(self, path: str) -> bool:
        """True or false."""
        value = self._at(path)
        if not isinstance(value, bool):
            raise _malformed(self._place(path), "true or false", value)
        return value

    def text(self, path: str) -> str:
        """Text that is not empty."""
        value = self._at(path)
        if not isinstance(value, str) or not value.strip():
            raise _malformed(self._place(path), "text", value)
        return value

    def texts(self, path: str) -> list[str]:
        """A list of texts, perhaps empty."""
        return [
            _typed(item, str, "text", f"{self._place(path)}[{at}]")
            for at, item in enumerate(self._list(path))
        ]

    def records(self, path: str) -> list[Record]:
        """A list of mappings, perhaps empty."""
        return [
            Record(_typed(item, Mapping, "a mapping", place), place)
            for at, item in enumerate(self._list(path))
            for place in [f"{self._place(path)}[{at}]"]
        ]

    def record(self, path: str) -> Record:
        """A mapping."""
        place = self._place(path)
        return Record(_typed(self._at(path), Mapping, "a mapping", place), place)

    def _list(self, path: str) -> list[Any]:
        value: list[Any] = _typed(self._at(path), list, "a list", self._place(path))
        return value

    def _place(self, path: str) -> str:
        return f"{self.evidence.kind} {path}"

    def _at(self, path: str, default: Any = ABSENT) -> Any:
        value: Any = {
            "found": self.evidence.found,
            "required": self.evidence.required,
            "digests": self.evidence.digests,
        }
        for step in path.split("."):
            if not isinstance(value, Mapping) or step not in value:
                if default is ABSENT:
                    raise MalformedError(f"{self._place(path)} is missing")
                return default
            value = value[step]
        return value


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping inside of evidence."""

    values: Mapping[str, Any]
    place: str

    def number(self, key: str) -> float:
        return _number(self._value(key), f"{self.place}.{key}")

    def text(self, key: str) -> str:
        value: str = _typed(self._value(key), str, "text", f"{self.place}.{key}")
        return value

    def flag(self, key: str) -> bool:
        value: bool = _typed(self._value(key), bool, "true or false", f"{self.place}.{key}")
        return value

    def texts(self, key: str) -> list[str]:
        place = f"{self.place}.{key}"
        items = _typed(self._value(key), list, "a list", place)
        return [_typed(item, str, "text", f"{place}[{at}]") for at, item in enumerate(items)]

    def answered(self, key: str) -> bool:
        """Whether the key has a value: neither null nor empty text."""
        return _answered(self.values.get(key))

    def _value(self, key: str) -> Any:
        if key not in self.values:
            raise MalformedError(f"{self.place}.{key} is missing")
        return self.values[key]


def listed(items: list[str]) -> str:
    """The first few of many names, for a sentence.

    >>> listed(["a", "b"])
    'a, b'
    """
    shown = ", ".join(shortened(item, 60) for item in items[:MOST_SHOWN])
    more = len(items) - MOST_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _answered(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _malformed(place, "a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _malformed(place, "a finite number", value)
    return number


def _typed(value: Any, kind: type, expected: str, place: str) -> Any:
    if not isinstance(value, kind):
        raise _malformed(place, expected, value)
    return value


def _malformed(place: str, expected: str, value: Any) -> MalformedError:
    if isinstance(value, str):
        found = repr(shortened(value, 60))
    elif value is None or isinstance(value, bool):
        found = {None: "nothing", True: "true", False: "false"}[value]
    else:
        found = f"a {type(value).__name__}"
    return MalformedError(f"{place} has to be {expected}, and is {found}")
