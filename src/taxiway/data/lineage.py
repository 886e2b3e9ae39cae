"""Lineage: where a snapshot came from, and who used it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxiway.core.contract import contract_from
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.core.evidence import PROVENANCE, Evidence
from taxiway.core.facts import Deployment, Release, Run, Snapshot
from taxiway.core.people import Handoff
from taxiway.core.ports import Objects, Record
from taxiway.data.parts import PartList, list_of


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot with what it takes to keep it."""

    snapshot: Snapshot
    parts: int
    bytes: int
    new_bytes: int
    """Of parts that no earlier snapshot holds."""
    releases: int
    """How many releases were trained on it."""
    lost: bool = False
    """Whether the list of its parts can't be read."""


@dataclass(frozen=True, slots=True)
class Use:
    """Something that rests on a snapshot."""

    what: str
    """`handoff`, `run`, `release` or `deployment`."""
    name: str
    says: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a snapshot came from, whom it shares parts with, and who used it, oldest first."""

    snapshot: Snapshot
    source: str
    source_digest: str
    contract: str
    """Its name and version."""
    description: str
    shares: tuple[dict[str, Any], ...]
    """Snapshots with parts that this one holds too: {snapshot, parts, of, bytes}."""
    uses: tuple[Use, ...]


def kept(record: Record, objects: Objects, snapshots: list[Snapshot]) -> list[Kept]:
    """Snapshots in the order given, oldest first, with what each added to the store."""
    held: set[str] = set()
    found = []
    trained = [release.snapshot for release in record.find(Release)]
    for snapshot in snapshots:
        parts = _parts(objects, snapshot)
        listed = parts or PartList(())
        _, shared = listed.shared(held)
        held |= set(listed.digests)
        found.append(
            Kept(
                snapshot=snapshot,
                parts=len(listed.parts),
                bytes=listed.bytes,
                new_bytes=listed.bytes - shared,
                releases=trained.count(snapshot.id),
                lost=parts is None,
            )
        )
    return found


def lineage(record: Record, objects: Objects, snapshot: Snapshot) -> Lineage:
    """The lineage of a snapshot, from the record and its manifest."""
    provenance = record.find(Evidence, kind=PROVENANCE, subject=snapshot.id)
    said = provenance[-1].found if provenance else {}
    contract = "?"
    with suppress(IntegrityError, MissingError):
        known = contract_from(json.loads(objects.get(snapshot.contract_digest)))
        contract = f"{known.id} {known.version}"
    return Lineage(
        snapshot=snapshot,
        source=snapshot.source,
        source_digest=said.get("source_digest", "?"),
        contract=contract,
        description=said.get("description", ""),
        shares=_shares(record, objects, snapshot),
        uses=tuple(sorted(_uses(record, snapshot), key=lambda use: use.at)),
    )


def _uses(record: Record, snapshot: Snapshot) -> list[Use]:
    uses = [
        Use("handoff", h.id, f"of {h.stage}: {h.state}", h.offered_by, h.offered_at)
        for h in record.find(Handoff, subject=snapshot.id)
    ]
    uses += [
        Use("run", r.id, r.state, r.by, r.started_at)
        for r in record.find(Run, snapshot=snapshot.id)
    ]
    for release in record.find(Release, snapshot=snapshot.id):
        uses.append(Use("release", release.id, "trained on it", release.author, release.at))
        for at in record.find(Deployment, release=release.id):
            until = f"until {at.until:%Y-%m-%d %H:%M}" if at.until else "now"
            says = f"{release.id} as {at.role}, {until}"
            uses.append(Use("deployment", at.environment, says, at.by, at.since))
    return uses


def _shares(record: Record, objects: Objects, snapshot: Snapshot) -> tuple[dict[str, Any], ...]:
    ours = _parts(objects, snapshot)
    if ours is None:
        return ()
    found = []
    for other in record.find(Snapshot):
        theirs = _parts(objects, other) if other.id != snapshot.id else None
        count, size = ours.shared(theirs.digests) if theirs else (0, 0)
        if count:
            about = {"parts": count, "of": len(ours.parts), "bytes": size}
            found.append({"snapshot": other.id, **about})
    return tuple(found)


def _parts(objects: Objects, snapshot: Snapshot) -> PartList | None:
    try:
        return list_of(objects, snapshot)
    except (IntegrityError, MissingError):
        return None
