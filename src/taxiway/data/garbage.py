"""Garbage: objects that nothing refers to.

What is kept is found from the record: every digest that a fact or an event of the ledger holds, and
every digest in the documents among those objects, and so on. Objects that were put lately are left
alone, whoever is putting them may not have told the record yet. While a document that may name
others is lost or damaged, nothing is garbage, for it can't be known what it named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxiway.core.digest import BLAKE3, DIGEST, canonical_json
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.core.evidence import FILES, Evidence
from taxiway.core.facts import Release, Snapshot
from taxiway.core.ports import FACTS, Objects, Record, Stored

SMALL = 1 << 20
"""Objects up to this size are looked into for digests, whatever they are."""
DIGESTS = re.compile(DIGEST.pattern.encode())
DOCUMENT = (b"{", b"[")


@dataclass(frozen=True, slots=True)
class Garbage:
    """What was found in the store, and what is, or would be, free."""

    objects: int
    """How many are there."""
    bytes: int
    free_objects: int
    free_bytes: int
    young_objects: int
    """Nothing refers to them, and they were put too lately to be sure."""
    missing: tuple[str, ...]
    """Objects that the record refers to, and that are not there or are damaged."""
    lost: tuple[str, ...]
    """Those among them that may have named others: nothing is free while they are lost."""
    removed: bool


def collect(
    record: Record,
    objects: Objects,
    *,
    before: datetime,
    give_up: frozenset[str] = frozenset(),
    remove: bool = False,
) -> Garbage:
    """Finds the objects that nothing refers to and that were last put before a moment; removes them
    if that is asked for. `give_up` names lost documents that will never come back."""
    # Listed first: what is put from here on is no garbage, and who refers to it is read after it.
    there = {one.digest: one for one in objects.listed()}
    reached = _reached(record, objects, there)
    lost = reached.lost - give_up
    unreferred = [one for digest, one in there.items() if digest not in reached.kept]
    old = [one for one in unreferred if one.at < before]
    free = [] if lost else old
    count, size = len(free), sum(one.bytes for one in free)
    if remove:
        freed = [objects.remove(one.digest, before=before) for one in free]
        count, size = sum(1 for one in freed if one), sum(freed)
    return Garbage(
        objects=len(there),
        bytes=sum(one.bytes for one in there.values()),
        free_objects=count,
        free_bytes=size,
        young_objects=len(unreferred) - len(old),
        missing=tuple(sorted(reached.missing)),
        lost=tuple(sorted(lost)),
        removed=remove,
    )


@dataclass(slots=True)
class _Reached:
    """What the record refers to, found so far."""

    kept: set[str]
    missing: set[str]
    """Of what was an object for sure, for the ledger holds digests of much that is none."""
    lost: set[str]


def _reached(record: Record, objects: Objects, there: Mapping[str, Stored]) -> _Reached:
    reached = _Reached(set(), set(), set())
    waiting = set(_named_by(record))
    for snapshot in record.find(Snapshot):
        either = (snapshot.id, snapshot.data_digest)  # both name the parts
        waiting |= _held(objects, reached, there, either)
        documents = {*either, snapshot.profile_digest, snapshot.contract_digest}
        reached.missing |= documents - there.keys()
    for release in record.find(Release):
        waiting |= _held(objects, reached, there, (release.digest,))
    for evidence in record.find(Evidence, kind=FILES):
        waiting |= _held(objects, reached, there, (evidence.digests["pieces"],))
        reached.missing |= set(evidence.digests.values()) - there.keys()
    while waiting:
        digest = waiting.pop()
        if digest in reached.kept:
            continue
        reached.kept.add(digest)
        one = there.get(digest)
        if one is None or one.bytes > SMALL or digest.startswith(BLAKE3):
            continue
        try:
            content = objects.get(digest)
        except (IntegrityError, MissingError):
            reached.missing.add(digest)
            continue
        if content.startswith(DOCUMENT):
            waiting |= {found.decode() for found in DIGESTS.findall(content)} - reached.kept
    return reached


def _held(
    objects: Objects, reached: _Reached, there: Mapping[str, Stored], either: Sequence[str]
) -> set[str]:
    """The objects that a document holds: one of several that name the same ones."""
    for digest in either:
        try:
            document = json.loads(objects.get(digest))
        except (IntegrityError, MissingError):
            reached.missing.add(digest)
            continue
        parts = {p if isinstance(p, str) else p["digest"] for p in document.get("parts", ())}
        files = document.get("files", {})
        named = set(files.values()) if isinstance(files, dict) else set()
        pieces = {piece for where in document.get("pieces", {}).values() for piece, _, _ in where}
        held = parts | named | pieces
        reached.missing |= held - there.keys()
        return held
    reached.lost |= set(either)
    return set()


def _named_by(record: Record) -> Iterator[str]:
    """Every digest that stands in a fact or an event."""
    for kind in FACTS:
        facts: list[object] = record.find(kind)
        for fact in facts:
            yield from _in(fact)
    for event in record.events():
        yield from _in(event)


def _in(value: Any) -> Iterator[str]:
    return (found.decode() for found in DIGESTS.findall(canonical_json(value)))
