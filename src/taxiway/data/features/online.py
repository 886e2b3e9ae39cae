"""Features online: the newest value of every key, written by view, and looked up by key.

What is written is text: `[event, known, value, …]` under `[key, …]`, both JSON, times in
microseconds and dates in days from 1970, so that a float comes back with the same bits from any
store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from json.encoder import encode_basestring
from typing import Any

import polars as pl

from taxiway.core.errors import InputError, shortened
from taxiway.core.ports import OnlineFeatures
from taxiway.data.features.asof import compile_entities, gather, match
from taxiway.data.features.query import Read
from taxiway.data.features.view import FeatureSet, FeatureView, Part

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Lookup = Callable[[Mapping[str, Any], datetime], dict[str, Any]]
"""(key columns of who asks, as of when) -> the features of a set."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What one view is to hold online, as of a moment."""

    rows: int
    texts: Iterator[tuple[str, str]]
    """Key and row."""


def since_epoch(at: datetime) -> int:
    """Microseconds from 1970."""
    return (at - EPOCH) // MICROSECOND


def newest(view: FeatureView, read: Read, at: datetime) -> Newest:
    """For each key the newest row that is known at a moment and still counts then.

    The same join as a training set's: every key asks once, as of the same moment.
    """
    values = read.values
    keys = values.keys.unique(maintain_order=True)
    moments = pl.Series([at], dtype=pl.Datetime("us", "UTC")).new_from_index(0, keys.height)
    matched = match(compile_entities(keys, moments), values, view.ttl)
    held = pl.Series(matched.rows) < len(values.event)
    rows = matched.rows[held.to_numpy()]
    times = pl.DataFrame({"\0event": values.event, "\0known": values.known})
    frame = pl.concat([times, values.features], how="horizontal")
    return Newest(len(rows), _texts(keys.filter(held), gather(frame, rows)))


def _texts(keys: pl.DataFrame, rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    pairs = zip(_counted(keys).iter_rows(), _counted(rows).iter_rows(), strict=True)
    return ((encode(key), encode(row)) for key, row in pairs)


def _counted(frame: pl.DataFrame) -> pl.DataFrame:
    """Times and dates as the whole numbers that they are."""
    return frame.with_columns(
        pl.col(name).to_physical()
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Datetime | pl.Date)
    )


KEY_TEXT: Mapping[str, tuple[type, Callable[[Any], str]]] = {
    "string": (str, encode_basestring),
    "integer": (int, int.__repr__),
    "boolean": (bool, lambda value: "true" if value else "false"),
    "timestamp": (datetime, lambda value: repr(since_epoch(value))),
    "date": (date, lambda value: repr(value.toordinal() - EPOCH.toordinal())),
}
"""Type of a key -> what a value of it is, and its text as `newest` writes it."""

DECODED: Mapping[str, Callable[[int], Any]] = {
    "timestamp": lambda value: EPOCH + value * MICROSECOND,
    "date": lambda value: EPOCH.date() + timedelta(days=value),
}
"""Types that come back as something else than JSON has."""


def compile_lookup(
    asked: FeatureSet, views: Sequence[FeatureView], store: OnlineFeatures
) -> Lookup:
    """The look-up of a set, with everything done that can be done before a key is known.

    All of a set's views are read at one moment: what was materialised together is read together.
    """
    fetch = store.lookup([view.id for view in views])
    keys = [_key(part, view) for part, view in zip(asked.parts, views, strict=True)]
    rows = [_row(part, view) for part, view in zip(asked.parts, views, strict=True)]
    names = asked.columns

    def lookup(given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        found = fetch([key(given) for key in keys])
        moment = (at - EPOCH) // MICROSECOND
        values: list[Any] = []
        for text, row in zip(found, rows, strict=True):
            values += row(text, moment)
        return dict(zip(names, values, strict=True))

    return lookup


def _key(part: Part, view: FeatureView) -> Callable[[Mapping[str, Any]], str]:
    """The text of a view's key; the empty text, which no key has, where a part of it is null."""
    types = dict(view.entity_key)
    columns = [(column, *KEY_TEXT[types[key]]) for key, column in part.on]

    def key(given: Mapping[str, Any]) -> str:
        texts = []
        for column, kind, text in columns:
            value = given.get(column, given)
            if value is None:
                return ""
            if type(value) is not kind:
                raise _not_a_key(view, column, kind, value, given)
            texts.append(text(value))
        return f"[{','.join(texts)}]"

    return key


def _not_a_key(
    view: FeatureView, column: str, kind: type, value: Any, given: Mapping[str, Any]
) -> InputError:
    if value is given:
        return InputError(
            f"{view.id} is looked up by {column!r}, which is not given.",
            todo=f"Given: {shortened(', '.join(given) or 'nothing')}.",
        )
    return InputError(
        f"{view.id} is looked up by {column!r}: expected {kind.__name__}, found"
        f" {type(value).__name__}."
    )


def _row(part: Part, view: FeatureView) -> Callable[[str | None, int], Sequence[Any]]:
    """What a row's text says at a moment: all null if it is too old, or not known yet."""
    places = [view.names.index(name) + 2 for name in part.features]
    decoded = [
        (at, DECODED[view.types[n]])
        for at, n in enumerate(part.features)
        if view.types[n] in DECODED
    ]
    nothing = (None,) * len(places)
    read = json.JSONDecoder().decode
    ttl = view.ttl

    def row(text: str | None, moment: int) -> Sequence[Any]:
        if text is None:
            return nothing
        found = read(text)
        if found[1] > moment or (ttl is not None and found[0] < moment - ttl):
            return nothing
        values = [found[place] for place in places]
        for at, value in decoded:
            if values[at] is not None:
                values[at] = value(values[at])
        return values

    return row
