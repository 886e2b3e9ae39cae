"""The manifest of a snapshot: the document whose digest is the snapshot's id (protocol 2).

{"protocol": 2, "model": name, "contract": digest, "data": digest, "profile": digest,
 "rows": n, "first_time": text, "last_time": text,
 "target": {"name", "definition", "type" (if not true or false)}, "source": {"name", "digest"},
 "parts": [digest, ...]}

If signed mappings were done to the rows, `mapped` holds the ids of their resolutions.
`data` is the digest of the list of the parts, `data.parts`; the digests of the parts stand here
once more, so that losing one of the two documents loses no more than that. In protocol 1 there is
no `parts`, and `data` is the one Parquet object that holds the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from taxiway.core.digest import digest_of, utc_text, utc_time
from taxiway.core.errors import Problem
from taxiway.core.facts import Snapshot

PROTOCOL = 2
"""Raise it when a key of the manifest changes its meaning, and keep a reader for the old number."""


@dataclass(frozen=True, slots=True)
class Target:
    """The label that the charter asks for: its name, its definition over contract columns, and its
    type."""

    name: str
    definition: str
    type: str = "boolean"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a snapshot holds, by digest."""

    contract: str
    data: str
    profile: str
    parts: Sequence[str] = ()


def manifest_of(
    model: str,
    contents: Contents,
    *,
    rows: int,
    times: tuple[datetime | date | None, datetime | date | None],
    target: Target,
    source: tuple[str, str],
    mapped: Sequence[str] = (),
) -> dict[str, Any]:
    """The manifest. `times` are the first and the last; `source` is a file's name and digest;
    `mapped` are the ids of the resolutions whose mappings were done to the rows."""
    return {
        "protocol": PROTOCOL,
        "model": model,
        "contract": contents.contract,
        "data": contents.data,
        "profile": contents.profile,
        "rows": rows,
        "first_time": _text(times[0]),
        "last_time": _text(times[1]),
        "target": target_document(target),
        "source": {"name": source[0], "digest": source[1]},
        "parts": list(contents.parts),
    } | ({"mapped": list(mapped)} if mapped else {})


def target_document(target: Target) -> dict[str, str]:
    """The type is left out where it is true or false, as it always was before there were others."""
    plain = {"name": target.name, "definition": target.definition}
    return plain if target.type == "boolean" else {**plain, "type": target.type}


def snapshot_of(manifest: Mapping[str, Any], *, at: datetime, by: str) -> Snapshot:
    """The fact that the record keeps of a manifest."""
    return Snapshot(
        id=digest_of(manifest),
        model=manifest["model"],
        contract_digest=manifest["contract"],
        data_digest=manifest["data"],
        profile_digest=manifest["profile"],
        source=manifest["source"]["name"],
        rows=manifest["rows"],
        first_time=_time(manifest["first_time"]),
        last_time=_time(manifest["last_time"]),
        at=at,
        by=by,
    )


def differences(manifest: Mapping[str, Any], snapshot: Snapshot) -> list[Problem]:
    """Where the record says something else than the manifest."""
    said = snapshot_of(manifest, at=snapshot.at, by=snapshot.by)
    fields = [name for name in Snapshot.__slots__ if getattr(said, name) != getattr(snapshot, name)]
    return [
        Problem(
            f"the record's `{name}` is not the manifest's",
            str(getattr(snapshot, name)),
            str(getattr(said, name)),
        )
        for name in fields
    ]


def _text(value: datetime | date | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return utc_text(value)
    return utc_text(datetime.combine(value, time.min, UTC))


def _time(text: str | None) -> datetime | None:
    return utc_time(text) if text else None
