"""Snapshots: an immutable, content-addressed version of a data set, with its profile.

A snapshot is taken only of a source that holds its contract. The same data again, for the same
model and target, are the same snapshot.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.digest import canonical_json, digest_bytes, short
from taxiway.core.errors import (
    InputError,
    IntegrityError,
    MissingError,
    Problem,
    StoreError,
    shortened,
)
from taxiway.core.evidence import PROVENANCE, VALIDATION, Evidence, observed
from taxiway.core.facts import Snapshot
from taxiway.core.ports import Desk, Objects
from taxiway.data.checked import refuse_failures
from taxiway.data.findings import Validation
from taxiway.data.label import columns_of
from taxiway.data.manifest import Contents, Target, differences, manifest_of, snapshot_of
from taxiway.data.profile import profile
from taxiway.data.source import Source, fingerprint, read_source
from taxiway.data.validation import validate

ROLES = ("developer", "engineer", "owner")

ROW_GROUP = 131_072
"""Rows in a row group; fixed, so that equal data are equal bytes."""


def take_snapshot(
    desk: Desk,
    *,
    model: str,
    source: Source,
    contract: Contract,
    target: Target,
    description: str,
    on_rows: Callable[[int], None] = lambda _: None,
    dry_run: bool = False,
) -> Snapshot:
    """Validates a source and keeps it: the snapshot, or the one that holds the same data already.

    A dry run stores nothing and answers the snapshot that would be taken. `description` says where
    the data come from, for the evidence of provenance. Raises `InputError` with all failures if the
    source does not hold the contract, or if it changes while it is read: nothing is stored then.
    """
    actor = desk.acting(*ROLES, to="take a snapshot")
    before = fingerprint(source.path)
    validation = validate(
        source, contract, on_rows=on_rows, as_of=desk.now(), target=target.definition
    )
    refuse_failures(source, validation, so="No snapshot was taken.")
    with tempfile.TemporaryDirectory(prefix="taxiway-") as folder:
        path = Path(folder) / "data.parquet"
        _write(read_source(source, contract), path)
        if fingerprint(source.path) != before:
            raise InputError(
                f"{source.path} changed while it was read.",
                todo="Wait until it is written, or copy it first; then take the snapshot again.",
            )
        profiled = canonical_json(profile(pl.read_parquet(path), contract))
        manifest = manifest_of(
            model,
            Contents(contract.digest, fingerprint(path).digest, digest_bytes(profiled)),
            rows=validation.rows,
            times=(validation.first_time, validation.last_time),
            target=target,
            source=(source.path.name, before.digest),
        )
        snapshot = snapshot_of(manifest, at=desk.now(), by=actor.name)
        known = desk.record.find(Snapshot, id=snapshot.id)
        if known and all(desk.objects.has(digest) for digest in _parts(snapshot).values()):
            return known[0]
        if dry_run:
            return snapshot
        desk.objects.put_file(path)
    for content in (profiled, canonical_json(contract), canonical_json(manifest)):
        desk.objects.put(content)
    if known:
        return known[0]
    found = _provenance(manifest, contract, description, validation)
    with desk.change("snapshot.taken", snapshot.id, model=model) as change:
        change.add(snapshot)
        for evidence in _evidence(desk, snapshot, found, validation):
            change.add(evidence)
        change.digest = snapshot.id
        change.details = {key: manifest[key] for key in ("rows", "data", "contract", "source")}
    return snapshot


def _write(frame: pl.LazyFrame, path: Path) -> None:
    """Writes typed rows as Parquet: the same rows become the same bytes."""
    try:
        frame.sink_parquet(path, compression="zstd", row_group_size=ROW_GROUP, maintain_order=True)
    except pl.exceptions.PolarsError as error:
        # The rows were all read a moment ago: what fails now is the writing.
        why = shortened(str(error).strip().split("\n", 1)[0])
        raise StoreError(
            f"The rows could not be written to {path.parent}: {why}.",
            todo="Free some space there, or name another folder with TMPDIR; nothing was kept.",
        ) from None


def read_snapshot(objects: Objects, snapshot: Snapshot) -> pl.DataFrame:
    """The rows of a snapshot, with contract types, in the source's order.

    Raises `IntegrityError` if the data are not what was stored.
    """
    frame = pl.read_parquet(objects.path(snapshot.data_digest))
    if frame.height != snapshot.rows:
        raise IntegrityError(
            f"Snapshot {short(snapshot.id)} was taken with {snapshot.rows} rows, and its data have"
            f" {frame.height}."
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
    for part, digest in _parts(snapshot).items():
        try:
            content = objects.get(digest)
        except (IntegrityError, MissingError) as error:
            problems.append(Problem(error.headline, where=f"{part} {short(digest)}"))
        else:
            if part == "manifest":
                problems += differences(json.loads(content), snapshot)
    if problems:
        raise IntegrityError(f"Snapshot {short(snapshot.id)} is not what was taken.", problems)


def _parts(snapshot: Snapshot) -> dict[str, str]:
    """Every object of a snapshot: what it is -> its digest."""
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
    moments = [contract.known_at(name) for name in columns_of(target["definition"], contract)]
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
