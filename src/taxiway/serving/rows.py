"""What many records come to at once: their rows, their keys, and when they happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from json.encoder import encode_basestring as quoted
from typing import Any

import msgspec

from taxiway.core.contract import Contract
from taxiway.core.decision import record_key
from taxiway.core.rows import Rows
from taxiway.serving.records import once

_encode = msgspec.json.Encoder().encode


def rows_of(records: Sequence[Mapping[str, Any]], contract: Contract) -> Rows:
    """Validated records as rows."""
    if isinstance(records, Rows):
        return records
    names = contract.names
    return Rows(
        names,
        [tuple([one.get(name) for name in names]) for one in records],
        [_encode(one).decode() for one in records],
    )


def record_keys(rows: Rows, contract: Contract) -> list[str]:
    """The key of each record. Raises `InputError` as `record_key` does."""
    parts: list[Iterable[str]] = []
    for at, begin, said in _parts(contract):
        values = [one[at] for one in rows.values]
        if said is None or None in values:
            parts.clear()
            break
        parts.append([begin + said(value) for value in values])
    if not parts:
        return [record_key(record, contract.key) for record in rows]
    return [f"{{{','.join(of_one)}}}" for of_one in zip(*parts, strict=True)]


_Part = tuple[int, str, Callable[[Any], str] | None]
"""A column of the key: its place, what its value comes after, and how that is written."""


@once
def _parts(contract: Contract) -> list[_Part]:
    types = {column.name: column.type for column in contract.columns}
    return [
        (contract.names.index(name), f"{quoted(name)}:", SAID.get(types[name]))
        for name in sorted(contract.key)
    ]


SAID: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(("string", "date", "timestamp"), quoted),
    "integer": str,
}
"""Contract type -> its canonical JSON, where that needs no encoder; keys are nearly always such."""


def moments(texts: Sequence[str]) -> list[datetime]:
    """When records happened, from the texts of their event time. Many come again."""
    known = {text: moment(text) for text in set(texts)}
    return [known[text] for text in texts]


def moment(text: str) -> datetime:
    """When a record happened: its event time, or the start of its event day in UTC."""
    if "T" in text:
        return datetime.fromisoformat(text)
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
