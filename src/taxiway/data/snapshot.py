"""Snapshots: an immutable, content-addressed version of a data set in parts, with its profile.

A snapshot is taken only of a source that holds its contract. The same data again, for the same
model and target, are the same snapshot.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.digest import canonical_json, digest_bytes, digest_of, short
from taxiway.core.errors import ConflictError, IntegrityError, MissingError, Problem
from taxiway.core.evidence import PROVENANCE, VALIDATION, Evidence, observed
from taxiway.core.facts import Snapshot
from taxiway.core.ports import Desk, Objects, Seen
from taxiway.data.checked import refuse_failures
from taxiway.data.findings import Validation
from taxiway.data.label import columns_of
from taxiway.data.manifest import (
    Contents,
    Target,
    differences,
    manifest_of,
    snapshot_of,
    target_document,
)
from taxiway.data.parts import PartList, list_of, scan_parts, store_list, write_parts
from taxiway.data.profile import profile_by_column
from taxiway.data.reread import read_look, require_same
from taxiway.data.source import Source
from taxiway.data.synthesis.mark import is_marked
from taxiway.data.validation import is_stale, validate

ROLES = ("developer", "engineer", "owner")

LOOK_BACK = 20
"""How many snapshots of a model are asked which parts need not be stored again."""


def take_snapshot(
    desk: Desk,
    *,
    model: str,
    source: Source,
    contract: Contract,
    target: Target,
    description: str,
    seen: Seen | None = None,
    mapped: Sequence[Mapping[str, Any]] = (),
    on_rows: Callable[[int], None] = lambda _: None,
    dry_run: bool = False,
) -> Snapshot:
    """Validates a source and keeps it: the snapshot, or the one that holds the same data already.

    A dry run stores nothing and answers the snapshot that would be taken. `mapped` are the signed
    mappings that were done to the rows of `source`, for its lineage. `description` says where
    the data come from, for the evidence of provenance; a source that looks as `seen` notes isn't
    read again. Raises `InputError` with all failures if the source does not hold the contract, or
    if it changes while it is read: nothing is stored then.
    """
    actor = desk.acting(*ROLES, to="take a snapshot")
    first = read_look(source.path, seen)
    same = _same_source(desk, model, (source.name, first.digest), contract, target, mapped=mapped)
    # The files of a table that is versioned don't say which of them a version holds.
    if same is not None and source.format != "delta":
        return same
    validation = validate(
        source,
        contract,
        on_rows=on_rows,
        as_of=desk.now(),
        target=target.definition,
        label=target.type,
    )
    refuse_failures(source, validation, so="No snapshot was taken.")
    with tempfile.TemporaryDirectory(prefix="taxiway-") as folder:
        written = write_parts(source, contract, Path(folder))
        require_same(source.path, first)
        parts = PartList(tuple(part for _, part in written))
        profiled = canonical_json(_profiled([path for path, _ in written], contract, parts.rows))
        listed = digest_of(parts.document())
        manifest = manifest_of(
            model,
            Contents(contract.digest, listed, digest_bytes(profiled), parts.digests),
            rows=validation.rows,
            times=(validation.first_time, validation.last_time),
            target=target,
            source=(source.name, first.digest),
            mapped=[str(one["resolution"]) for one in mapped],
        )
        snapshot = snapshot_of(manifest, at=desk.now(), by=actor.name)
        known = desk.record.find(Snapshot, id=snapshot.id)
        if known and not desk.objects.absent({*_documents(snapshot).values(), *parts.digests}):
            return known[0]
        if dry_run:
            return snapshot
        store_list(desk.objects, written, _kept(desk, model, parts.digests))
    for content in (profiled, canonical_json(contract), canonical_json(manifest)):
        desk.objects.put(content)
    if known:
        return known[0]
    found = _provenance(manifest, contract, description, validation)
    found |= {"mapped": [dict(one) for one in mapped]} if mapped else {}
    found |= {"synthetic": True} if is_marked(source) or _made_before(desk, snapshot) else {}
    try:
        with desk.change("snapshot.taken", snapshot.id, model=model) as change:
            change.add(snapshot)
            for evidence in _evidence(desk, snapshot, found, validation):
                change.add(evidence)
            change.digest = snapshot.id
            change.details = {key: manifest[key] for key in ("rows", "data", "contract", "source")}
    except ConflictError:  # somebody else took the same one meanwhile
        return desk.record.get(Snapshot, snapshot.id)
    return snapshot


def is_synthetic(desk: Desk, snapshot: Snapshot) -> bool:
    """Whether the rows of a snapshot were made up; its evidence says so for ever."""
    evidence = desk.record.find(Evidence, kind=PROVENANCE, subject=snapshot.id)
    return any(one.found.get("synthetic") for one in evidence)


def _made_before(desk: Desk, snapshot: Snapshot) -> bool:
    """Whether the same rows are known as synthetic, wherever their mark has gone."""
    same = desk.record.find(Snapshot, data_digest=snapshot.data_digest)
    return any(is_synthetic(desk, one) for one in same)


def _same_source(
    desk: Desk,
    model: str,
    source: tuple[str, str],
    contract: Contract,
    target: Target,
    *,
    mapped: Sequence[Mapping[str, Any]],
) -> Snapshot | None:
    """The snapshot of this very source, by the same contract and target, if all of it is there and
    its newest rows are still as fresh as the contract asks for."""
    taken = desk.record.find(
        Snapshot, model=model, contract_digest=contract.digest, source=source[0]
    )
    wanted = target_document(target)
    for snapshot in reversed(taken):
        with suppress(IntegrityError, MissingError):
            manifest = json.loads(desk.objects.get(snapshot.id))
            as_mapped = manifest.get("mapped", []) == [one["resolution"] for one in mapped]
            same = manifest["source"]["digest"] == source[1] and manifest["target"] == wanted
            if same and as_mapped:
                needed = {*_documents(snapshot).values(), *manifest.get("parts", ())}
                stale = is_stale(contract, snapshot.last_time, desk.now())
                return None if stale or desk.objects.absent(needed) else snapshot
    return None


def _kept(desk: Desk, model: str, digests: Sequence[str]) -> set[str]:
    """Those of the parts that snapshots of the model hold, and that are there."""
    kept: set[str] = set()
    for snapshot in reversed(desk.record.find(Snapshot, model=model)[-LOOK_BACK:]):
        with suppress(IntegrityError, MissingError):
            kept |= set(list_of(desk.objects, snapshot).digests)
    wanted = kept.intersection(digests)
    return wanted - desk.objects.absent(wanted)


def _profiled(paths: Sequence[Path], contract: Contract, rows: int) -> dict[str, Any]:
    """The profile of parts. One column at a time is in memory."""

    def read(name: str) -> pl.Series:
        return pl.read_parquet(list(paths), columns=[name], glob=False).get_column(name)

    return profile_by_column(read, contract, rows=rows)


def read_snapshot(objects: Objects, snapshot: Snapshot) -> pl.DataFrame:
    """The rows of a snapshot, with contract types, in the source's order.

    Raises `IntegrityError` if the data are not what was stored.
    """
    return scan_snapshot(objects, snapshot).collect()


def scan_snapshot(objects: Objects, snapshot: Snapshot) -> pl.LazyFrame:
    """The rows of a snapshot, as `read_snapshot`, to be read lazily."""
    parts = list_of(objects, snapshot)
    frame = scan_parts(objects, parts)
    rows = frame.select(pl.len()).collect().item()
    if rows != snapshot.rows:
        raise IntegrityError(
            f"Snapshot {short(snapshot.id)} was taken with {snapshot.rows} rows, and its data have"
            f" {rows}."
        )
    return frame


def read_profile(objects: Objects, snapshot: Snapshot) -> dict[str, Any]:
    """The profile document of a snapshot. Raises `IntegrityError` if it was changed."""
    document: dict[str, Any] = json.loads(objects.get(snapshot.profile_digest))
    return document


def verify_snapshot(objects: Objects, snapshot: Snapshot) -> None:
    """Reads every object of a snapshot and holds it against its digest, the record and itself.

    Raises `IntegrityError` with all that is missing or changed.
    """
    problems = []
    for what, digest in objects_of(objects, snapshot):
        try:
            content = objects.get(digest)
        except (IntegrityError, MissingError) as error:
            problems.append(Problem(error.headline, where=f"{what} {short(digest)}"))
        else:
            if what == "manifest":
                problems += differences(json.loads(content), snapshot)
    if problems:
        raise IntegrityError(f"Snapshot {short(snapshot.id)} is not what was taken.", problems)


def objects_of(objects: Objects, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Every object of a snapshot, as (what it is, digest); the parts as far as their list, or the
    manifest, is there to tell them."""
    yield from _documents(snapshot).items()
    parts: list[str] = []
    with suppress(IntegrityError, MissingError):
        parts = json.loads(objects.get(snapshot.id)).get("parts", [])
    with suppress(IntegrityError, MissingError):
        parts = parts or list_of(objects, snapshot).digests
    for at, digest in enumerate(parts, start=1):
        if digest != snapshot.data_digest:
            yield f"part {at}", digest


def _documents(snapshot: Snapshot) -> dict[str, str]:
    """The objects that the record knows of: what it is -> its digest."""
    return {
        "manifest": snapshot.id,
        "data": snapshot.data_digest,
        "profile": snapshot.profile_digest,
        "contract": snapshot.contract_digest,
    }


def _provenance(
    manifest: dict[str, Any], contract: Contract, description: str, validation: Validation
) -> dict[str, Any]:
    target = manifest["target"]
    read = columns_of(target["definition"], contract, target.get("type", "boolean"))
    moments = [contract.known_at(name) for name in read]
    return {
        "source": manifest["source"]["name"],
        "source_digest": manifest["source"]["digest"],
        "rows": manifest["rows"],
        "first_time": manifest["first_time"],
        "last_time": manifest["last_time"],
        "description": description,
        "label": {
            **target,
            "known_at": max(moments, key=contract.moments.index),
            "rows": validation.labels.rows if validation.labels else 0,
        },
    }


def _evidence(
    desk: Desk, snapshot: Snapshot, provenance: dict[str, Any], validation: Validation
) -> list[Evidence]:
    digests = {"data": snapshot.data_digest, "contract": snapshot.contract_digest}
    return [
        observed(
            kind,
            id=desk.new_id(),
            subject=snapshot.id,
            model=snapshot.model,
            examined=snapshot.rows,
            found=found,
            digests=bound,
            at=snapshot.at,
            by=snapshot.by,
        )
        for kind, found, bound in (
            (PROVENANCE, provenance, {**digests, "snapshot": snapshot.id}),
            (VALIDATION, validation.found(), digests),
        )
    ]
