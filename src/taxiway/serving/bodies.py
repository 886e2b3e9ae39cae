"""Bodies: the bytes of a request as plain data, or why they can't be that.

What could be read in two ways is refused: a name that an object holds twice, rows of another width,
bytes after the end. So is what would cost more to read than any records that are taken: the cost of
a body grows with its values, and the smallest value has two bytes. Whether the values are good is
for `taxiway.serving.records`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, Problem, shortened
from taxiway.serving.records import require_few

JSON = "application/json"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
MOST_VALUES = 1_000_000
"""Values of one body: as many as 10,000 records of 100 columns have."""
JSON_MARKS = b",[{"
"""What each value of JSON data comes after."""
NULLS = ("", "NA")
"""How a CSV body spells that there is no value, as in files that are scored."""


class UnreadableError(InputError):
    """A body that is not what it is said to be; none of it can be held against a contract."""


class UnsupportedError(InputError):
    """A body of a kind that is not taken here."""


class TooLargeError(InputError):
    """A body with more in it than is taken at once."""


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body. `content` is JSON data; rows as dicts for Arrow, as text for CSV."""

    media: str
    content: Any

    def table(self, contract: Contract) -> list[dict[str, Any]]:
        """The records of a CSV or Arrow body, with values as JSON would hold them."""
        if self.media == ARROW:
            return list(self.content)
        types = {column.name: column.type for column in contract.columns}
        return [
            {name: _value(text, types.get(name, "string")) for name, text in row.items()}
            for row in self.content
        ]


def media_type(header: str | None, taken: Sequence[str]) -> str:
    """The media type that a `content-type` names; without one it is the first that is taken.

    >>> media_type("Application/JSON; charset=utf-8", [JSON])
    'application/json'
    """
    if not header or header == taken[0]:
        return taken[0]
    name, _, parameters = header.partition(";")
    media = name.strip().lower()
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters.lower())
    if media in taken and (charset is None or charset[1] in {"utf-8", "utf8", "us-ascii"}):
        return media
    raise UnsupportedError(
        f"A body of {shortened(header)} is not taken here.",
        todo=f"Send it as {' or '.join(taken)}, in UTF-8, and say so in `content-type`.",
    )


def read_json(body: bytes) -> Any:
    """JSON data. Raises `UnreadableError` for what is no JSON, or says a name twice."""
    require_few_values(body, JSON_MARKS)
    try:
        found = msgspec.json.decode(body)
        # Each pair of an object has one colon, and so has each colon in a text; a pair that was
        # dropped because its name came again leaves one over. This costs a hundredth of a parser
        # that looks at every pair.
        if b"\\u003" in body or body.count(b":") != _colons(found):
            json.loads(body.decode(), object_pairs_hook=_pairs)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UnreadableError(f"The body is no JSON: {shortened(error)}") from None
    return found


def require_few_values(body: bytes, marks: bytes) -> None:
    """Raises `TooLargeError` for a body of too many values: each of them comes after a mark."""
    if len(body) <= MOST_VALUES:
        return
    found = sum(body.count(mark) for mark in marks)
    if found > MOST_VALUES:
        raise TooLargeError(
            f"The body holds about {found:,} values; one request takes at most {MOST_VALUES:,}.",
            todo="Send them in parts, or use `taxiway score`.",
        )


def _colons(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + _colons([*value, *value.values()])
    if isinstance(value, list):
        # Texts here and not by a call for each: a record is mostly texts and numbers.
        return sum(
            [
                one.count(":") if type(one) is str else _colons(one)
                for one in value
                if type(one) in NESTED
            ]
        )
    return value.count(":") if isinstance(value, str) else 0


NESTED = frozenset({str, dict, list})
"""Kinds of JSON data that can hold a colon."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = said_twice(name for name, _ in pairs)
        raise UnreadableError(
            f"The body has an object that says {shortened(', '.join(map(repr, twice)))} more than"
            " once.",
            todo="Say each name once: which of the values counts would be a guess.",
        )
    return found


def said_twice(names: Iterable[str]) -> list[str]:
    """Names that come more than once."""
    return sorted(name for name, times in Counter(names).items() if times > 1)


def read_csv(body: bytes) -> list[dict[str, str]]:
    """Rows of text by the names of the header. A line without any value is no row."""
    require_few_values(body, b",\n\r")
    try:
        text = body.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except UnicodeDecodeError as error:
        raise UnreadableError(f"The body is not UTF-8: {shortened(error)}") from None
    except csv.Error as error:
        raise UnreadableError(f"The body is no CSV: {shortened(error)}.") from None
    if not lines:
        raise UnreadableError("The body is no CSV: it has no header.")
    header, *rows = lines
    if twice := said_twice(header):
        raise UnreadableError(f"The body has columns twice: {shortened(', '.join(twice))}.")
    rows = [row for row in rows if any(row) or len(header) == 1]
    require_few(len(rows))
    wrong = [
        Problem("is of another width", f"{len(row)} fields", f"{len(header)}", f"[{at}]")
        for at, row in enumerate(rows)
        if len(row) != len(header)
    ]
    if wrong:
        raise UnreadableError("The body has rows of another width than its header.", wrong)
    return [dict(zip(header, row, strict=True)) for row in rows]


_WHOLE = re.compile(r"[+-]?[1-9][0-9]{0,18}|0")
_NUMBER = re.compile(r"[+-]?(?!0[0-9])(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""No digit can belong to two of its parts: what is no number is known after one pass."""


def _value(text: str, type: str) -> Any:
    """A field as a value of its column's type; as text, if it spells none."""
    if text in NULLS:
        return None
    if type == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    if type == "number" and _NUMBER.fullmatch(text):
        return float(text)
    if type == "boolean" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return text


READ: Mapping[str, Callable[[bytes], Any]] = {JSON: read_json, CSV: read_csv}
"""Media type -> how it is read in this process. Arrow is read in another (`serving.arrow`)."""
