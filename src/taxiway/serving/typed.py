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
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from taxiway.core.contract import Column, Contract
from taxiway.serving.records import EXACT, LARGEST, MOST_RECORDS, READ, Read, once, reader_of

_Type = tuple[Any, frozenset[str]]
"""A type that msgspec decodes, and the limits of the column that it says."""
LENGTHS = frozenset({"minimum_length", "maximum_length"})
RANGE = frozenset({"minimum", "maximum"})
VALUES = frozenset({"values"})
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Decoder:
    """How bodies of one contract are read."""

    names: tuple[str, ...]
    decode: Callable[[bytes], Any]
    values: Callable[[Any], tuple[Any, ...]]
    """A decoded record -> its values, in the order of the names."""
    optional: tuple[str, ...]
    texts: Sequence[int]
    """Places of the columns that may hold a colon."""
    checked: Sequence[tuple[str, Read, Sequence[Callable[[Any], bool]]]]
    """(name, read, what breaks a limit) of the columns that types can't say all of."""

    def read(self, body: bytes) -> dict[str, Any] | list[dict[str, Any]] | None:
        """A plain record or a list of them, if all is well."""
        if b"\\" in body:  # an escape may hide a colon
            return None
        try:
            decoded = self.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None
        several = decoded if isinstance(decoded, list) else [decoded]
        if not 0 < len(several) <= MOST_RECORDS:
            return None
        records = []
        colons = 0
        for one in several:
            values = self.values(one)
            colons += sum([values[at].count(":") for at in self.texts if values[at]])
            record = dict(zip(self.names, values, strict=True))
            for name in self.optional:
                if record[name] is UNSET:
                    record[name] = None
                    colons -= 1
            if not self._good(record):
                return None
            records.append(record)
        # A name that came twice leaves a colon over (see `bodies.read_json`).
        if body.count(b":") != colons + len(self.names) * len(records):
            return None
        return records if isinstance(decoded, list) else records[0]

    def _good(self, record: dict[str, Any]) -> bool:
        """Whether what the types can't say holds too; makes times plain."""
        for name, read, limits in self.checked:
            value = record[name]
            if value is None:
                continue
            value = record[name] = read(value)
            if value is None:
                return False
            for broken in limits:
                if broken(value):
                    return False
        return True


def read_typed(body: bytes, contract: Contract) -> dict[str, Any] | list[dict[str, Any]] | None:
    """The plain record of a body, or a list of them; None if it has to be read otherwise.

    >>> from taxiway.core.contract import Column, Contract
    >>> contract = Contract("c", "1", "", "t", (Column("id", "integer", key=True),), ("now",),
    ...                     "now", "id")
    >>> read_typed(b'[{"id": 7}]', contract)
    [{'id': 7}]
    >>> read_typed(b'[{"id": "7"}]', contract)
    """
    return _decoder(contract).read(body)


@once
def _decoder(contract: Contract) -> _Decoder:
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
        if type_ is str or left:
            checked.append((column.name, READ[column.type], left))
        if column.type in {"string", "date", "timestamp"}:
            texts.append(at)
    record = msgspec.defstruct("Record", fields, forbid_unknown_fields=True, kw_only=True)
    return _Decoder(
        names=contract.names,
        decode=msgspec.json.Decoder(record | list[record]).decode,  # type: ignore[valid-type]
        values=msgspec.structs.astuple,
        optional=tuple(column.name for column in contract.columns if column.nullable),
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
