"""Typed: a body of native JSON read straight into the types of a contract.

msgspec checks types and limits while it parses, in a fifth of the time that it takes to look at
every value afterwards. It only ever says yes: what it does not take, and whatever means something
else to it than to `taxiway.serving.records`, is read again by that, which has the words for what is
wrong. A law test holds the two against each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from taxiway.core.contract import Column, Contract
from taxiway.core.rows import Rows
from taxiway.serving.records import MOST_RECORDS, once, reader_of
from taxiway.serving.values import EXACT, LARGEST, READ, Read

_Type = tuple[Any, frozenset[str]]
"""A type that msgspec decodes, and the limits of the column that it says."""
LENGTHS = frozenset({"minimum_length", "maximum_length"})
RANGE = frozenset({"minimum", "maximum"})
VALUES = frozenset({"values"})
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Checked:
    """A column that its type does not say all of."""

    at: int
    field: str
    read: Read
    limits: Sequence[Callable[[Any], bool]]
    rewritten: bool
    """Whether its values are logged in other words than they are sent."""


@dataclass(frozen=True, slots=True)
class _Decoder:
    """How bodies of one contract are read."""

    names: tuple[str, ...]
    decode: Callable[[bytes], Any]
    optional: Sequence[tuple[int, str]]
    """(place, field) of the columns that need not be there."""
    texts: Sequence[int]
    """Places of the columns that may hold a colon."""
    checked: Sequence[_Checked]

    def read(self, body: bytes) -> tuple[Rows, bool] | None:
        """The rows of a body, and whether it is a list of them, if all is well."""
        if b"\\" in body:  # an escape may hide a colon
            return None
        try:
            decoded = self.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None
        listed = isinstance(decoded, list)
        records = decoded if listed else [decoded]
        if not 0 < len(records) <= MOST_RECORDS:
            return None
        columns: list[Any] = list(zip(*map(_values, records), strict=True))
        colons = len(columns) * len(records)
        for at, field in self.optional:
            absent = list(map(type, columns[at])).count(UnsetType)
            if absent:
                colons -= absent
                columns[at] = [None if value is UNSET else value for value in columns[at]]
                _set(records, field, columns[at])
        said = chain.from_iterable([columns[at] for at in self.texts])
        colons += "".join(filter(None, said)).count(":")
        # A name that came twice leaves a colon over (see `bodies.read_json`).
        if _colons(body) != colons:
            return None
        for one in self.checked:
            plain = _plain(one, columns[one.at])
            if plain is None:
                return None
            if one.rewritten:
                columns[one.at] = [plain[value] for value in columns[one.at]]
                _set(records, one.field, columns[one.at])
        if not listed:
            texts = [_encode(decoded).decode()]
        else:
            texts = _encode_lines(records).decode().split("\n")
            texts.pop()  # behind the last line end
        return Rows(self.names, list(zip(*columns, strict=True)), texts), listed


def _set(records: Sequence[Any], field: str, values: Sequence[Any]) -> None:
    for record, value in zip(records, values, strict=True):
        setattr(record, field, value)


def _plain(column: _Checked, values: Sequence[Any]) -> dict[Any, Any] | None:
    """Each value that comes -> as it is logged; None if one is not good. Many come again."""
    known: dict[Any, Any] = {None: None}
    for value in set(values):
        if value is not None:
            plain = known[value] = column.read(value)
            if plain is None:
                return None
            for broken in column.limits:
                if broken(plain):
                    return None
    return known


def _colons(body: bytes) -> int:
    if len(body) < LONG:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == COLON))


LONG = 4_096
"""Bytes from which numpy counts sooner than Python does."""
COLON = ord(":")

_values = msgspec.structs.astuple
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


def read_typed(body: bytes, contract: Contract) -> tuple[Rows, bool] | None:
    """The rows of a body, and whether it is a list; None if it has to be read otherwise.

    >>> from taxiway.core.contract import Column, Contract
    >>> contract = Contract("c", "1", "", "t", (Column("id", "integer", key=True),), ("now",),
    ...                     "now", "id")
    >>> read_typed(b'[{"id": 7}]', contract)
    (Rows(names=('id',), values=[(7,)], texts=['{"id":7}']), True)
    >>> read_typed(b'[{"id": "7"}]', contract)
    """
    decoder = _decoder(contract)
    return decoder.read(body) if decoder else None


@once
def _decoder(contract: Contract) -> _Decoder | None:
    if any(column.sentinels for column in contract.columns):
        return None  # a value that stands for none need not be of the column's type
    reader = reader_of(contract)
    fields, checked, texts = [], [], []
    for at, column in enumerate(contract.columns):
        type_, said = _TYPES[column.type](column)
        optional = {"default": UNSET} if column.nullable else {}
        fields.append(
            (
                f"f{at}",
                type_ | None | UnsetType if column.nullable else type_,
                msgspec.field(name=column.name, **optional),
            )
        )
        left = tuple(r.broken for r in reader.rules[column.name] if r.limit not in said)
        timed = column.type in {"date", "timestamp"}
        if timed or left:
            checked.append(_Checked(at, f"f{at}", READ[column.type], left, rewritten=timed))
        if timed or column.type == "string":
            texts.append(at)
    record = msgspec.defstruct("Record", fields, forbid_unknown_fields=True, kw_only=True, gc=False)
    return _Decoder(
        names=contract.names,
        decode=msgspec.json.Decoder(record | list[record]).decode,  # type: ignore[valid-type]
        optional=[(at, f"f{at}") for at, one in enumerate(contract.columns) if one.nullable],
        texts=texts,
        checked=checked,
    )


def _text(column: Column) -> _Type:
    if column.values:
        return Literal[column.values], VALUES
    low, high = column.minimum_length, column.maximum_length
    return Annotated[str, Meta(min_length=low, max_length=high)], LENGTHS


def _time(_: Column) -> _Type:
    return str, NONE


def _integer(column: Column) -> _Type:
    if column.values:
        return Literal[column.values], VALUES
    low: Any = -LARGEST if column.minimum is None else column.minimum
    high: Any = LARGEST - 1 if column.maximum is None else column.maximum
    bounds = Meta(ge=max(-LARGEST, math.ceil(low)), le=min(LARGEST - 1, math.floor(high)))
    return Annotated[int, bounds], RANGE


def _number(column: Column) -> _Type:
    # A whole number beyond is refused, as a float does not hold it; here it would be rounded.
    low: Any = -math.inf if column.minimum is None else column.minimum
    high: Any = math.inf if column.maximum is None else column.maximum
    bounds = Meta(ge=max(low, 1.0 - EXACT), le=min(high, EXACT - 1.0))
    return Annotated[float, bounds], RANGE


def _boolean(_: Column) -> _Type:
    return bool, NONE


_TYPES: Mapping[str, Callable[[Column], _Type]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _time,
    "timestamp": _time,
}
"""Contract type -> how it is decoded; what that takes is a value of the column."""
