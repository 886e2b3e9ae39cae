"""Content addresses: the same content has the same digest, everywhere and for ever.

Digests are written `sha256:<64 hex digits>`; pieces of raw files, which are large and many, are
`blake3:<64 hex digits>` (see `adapters.hashing`). Records are digested over canonical JSON: keys
sorted, no white space, UTF-8, no NaN or infinity, times in UTC.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from datetime import UTC, date, datetime
from typing import Any

PREFIX = "sha256:"
BLAKE3 = "blake3:"
LATER = "later"
"""In the metadata of a field that a record did not have from the start. While it holds nothing, it
is no part of the digest, so that what was written before keeps the digest that it had."""

DIGEST = re.compile("(?:sha256|blake3):[0-9a-f]{64}")

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def utc_text(at: datetime) -> str:
    """A time as text that sorts as the time does: UTC, microseconds, `Z`.

    >>> utc_text(datetime(2013, 3, 1, tzinfo=UTC))
    '2013-03-01T00:00:00.000000Z'
    """
    if at.tzinfo is None:
        raise ValueError("a time without a time zone can't be written to the record")
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def utc_time(text: str) -> datetime:
    """The inverse of `utc_text`. Raises `ValueError` for any other way of writing a time."""
    # `fromisoformat` reads a dozen spellings. A decision log is read by the hundred thousand:
    # `strptime` takes ten times as long.
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time as the record writes it")
    return datetime.fromisoformat(text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: found
            for f in dataclasses.fields(value)
            if (found := getattr(value, f.name)) is not None or LATER not in f.metadata
        }
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
).encode
# Made once: a batch asks for the key of every row, and making an encoder takes as long as using it.


def canonical_json(value: Any) -> bytes:
    """The one JSON text of a value, for digests, signatures and persisted documents.

    >>> canonical_json({"b": 1, "a": [1.5, None]})
    b'{"a":[1.5,null],"b":1}'
    """
    return _canonical(value).encode()


def digest_bytes(content: bytes) -> str:
    """The digest of bytes.

    >>> digest_bytes(b"")[:14]
    'sha256:e3b0c44'
    """
    return PREFIX + hashlib.sha256(content).hexdigest()


def digest_of(value: Any) -> str:
    """The digest of a record or of plain data, over its canonical JSON."""
    return digest_bytes(canonical_json(value))


def short(digest: str) -> str:
    """The first twelve hex digits, for people's eyes only; never for a comparison.

    >>> short("sha256:0123456789abcdef")
    '0123456789ab'
    """
    return digest.rpartition(":")[2][:12]
