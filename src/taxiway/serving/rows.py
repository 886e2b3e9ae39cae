"""What many records come to at once: their rows, their keys, and when they happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from json.encoder import encode_basestring as quoted
from typing import Any

import msgspec

from taxiway.core.contract import Contract
from taxiway.core.decision import record_key
from taxiway.core.rows import Rows

TEXTS = frozenset({"string", "date", "timestamp"})
PLAIN = TEXTS | {"integer"}
"""Types whose canonical JSON needs no encoder; a key is nearly always of these."""

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
    types = {column.name: column.type for column in contract.columns}
    columns = {name: rows.column(name) for name in sorted(contract.key)}
    plain = all(types[name] in PLAIN and None not in values for name, values in columns.items())
    if not columns or not plain:
        return [record_key(record, contract.key) for record in rows]
    parts: list[Iterable[str]] = []
    for name, values in columns.items():
        said: Iterable[str] = map(quoted if types[name] in TEXTS else str, values)
        parts.append(map(f"{quoted(name)}:".__add__, said))
    return [f"{{{','.join(of_one)}}}" for of_one in zip(*parts, strict=True)]


def moments(texts: Sequence[str]) -> list[datetime]:
    """When records happened, from the texts of their event time. Many come again."""
    known = {text: moment(text) for text in set(texts)}
    return [known[text] for text in texts]


def moment(text: str) -> datetime:
    """When a record happened: its event time, or the start of its event day in UTC."""
    if "T" in text:
        return datetime.fromisoformat(text)
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
