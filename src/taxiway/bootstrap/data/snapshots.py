"""Wires what is done with snapshots: files as they are, lists, lineage, verifying, garbage."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.adapters.folder import FolderObjects
from taxiway.bootstrap.extras import extras
from taxiway.core.digest import PREFIX, short
from taxiway.core.errors import ConflictError, InputError, MissingError, shortened
from taxiway.core.evidence import FILES, Evidence
from taxiway.core.facts import Snapshot

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.data.files import FilesSnapshot
    from taxiway.data.garbage import Garbage
    from taxiway.data.lineage import Kept, Lineage

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Got:
    """What was written of a snapshot."""

    snapshot: str
    out: Path
    rows: int
    files: int
    later: tuple[str, ...] = ()
    """Columns that were known only after a row's time: their values may be newer than `until`."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One snapshot, read and held against what was taken."""

    snapshot: str
    name: str
    problems: tuple[str, ...]


def take_files(
    workspace: Workspace,
    root: Path,
    *,
    reread: bool = False,
    synced: bool = False,
    on_bytes: Advance,
    dry_run: bool = False,
) -> FilesSnapshot:
    """Keeps files as they are."""
    with extras():
        from taxiway.data import files

        return files.take_files(
            workspace.desk,
            root,
            store=workspace.config.store,
            seen=workspace.seen,
            reread=reread,
            synced=synced,
            on_bytes=on_bytes,
            dry_run=dry_run,
        )


def find(workspace: Workspace, digest: str) -> Snapshot | Evidence:
    """A snapshot of rows or of files by its digest, or the beginning of it.

    Raises `MissingError`.
    """
    wanted = digest.removeprefix(PREFIX)
    record = workspace.record
    found: dict[str, Snapshot | Evidence] = {s.id: s for s in record.find(Snapshot)}
    found |= {e.subject: e for e in record.find(Evidence, kind=FILES)}
    same = [one for one in found if one.removeprefix(PREFIX).startswith(wanted)]
    if len(same) != 1 or not wanted:
        how_many = f"{len(same)} snapshots begin" if same else "No snapshot begins"
        raise MissingError(
            f"{how_many} with {shortened(digest)!r}.",
            todo="`taxiway data list` shows them all.",
        )
    return found[same[0]]


def as_of(workspace: Workspace, model: str, moment: datetime) -> Snapshot:
    """The newest snapshot of a model that had been taken by a moment. Raises `MissingError`."""
    taken = [s for s in workspace.record.find(Snapshot, model=model) if s.at <= moment]
    if not taken:
        raise MissingError(
            f"{model} had no snapshot on {moment:%Y-%m-%d %H:%M:%S} UTC.",
            todo="`taxiway data list` shows when each was taken.",
        )
    return max(taken, key=lambda snapshot: snapshot.at)


def listed(
    workspace: Workspace, model: str | None = None, moment: datetime | None = None
) -> tuple[list[Kept], list[Evidence]]:
    """The snapshots of rows and of files, oldest first; of one model, and until a moment."""
    with extras():
        from taxiway.data.lineage import kept

        where: dict[str, Any] = {"model": model} if model else {}
        rows = workspace.record.find(Snapshot, **where)
        files = [] if model else workspace.record.find(Evidence, kind=FILES)
        if moment is not None:
            rows = [one for one in rows if one.at <= moment]
            files = [one for one in files if one.at <= moment]
        return kept(workspace.record, workspace.objects, rows), files


def stored(workspace: Workspace, snapshot: Snapshot) -> Kept:
    """What a snapshot takes in the store, and how much of it earlier ones did not hold."""
    rows, _ = listed(workspace, moment=snapshot.at)
    return next(one for one in rows if one.snapshot.id == snapshot.id)


def lineage(workspace: Workspace, snapshot: Snapshot) -> Lineage:
    """Where a snapshot came from and who used it."""
    with extras():
        from taxiway.data.lineage import lineage as of

        return of(workspace.record, workspace.objects, snapshot)


def verify(
    workspace: Workspace, snapshots: list[Snapshot | Evidence], on_snapshot: Advance
) -> list[Verified]:
    """Reads all of some snapshots, and says what is missing or was changed."""
    with extras():
        from taxiway.core.errors import IntegrityError
        from taxiway.data.pieces import verify_files
        from taxiway.data.snapshot import verify_snapshot

        found = []
        for one in snapshots:
            problems: tuple[str, ...] = ()
            try:
                if isinstance(one, Snapshot):
                    verify_snapshot(workspace.objects, one)
                else:
                    verify_files(workspace.objects, one)
            except (IntegrityError, MissingError) as error:
                problems = tuple(map(str, error.problems)) or (error.headline,)
            if isinstance(one, Snapshot):
                found.append(Verified(one.id, one.source, problems))
            else:
                found.append(Verified(one.subject, one.found["name"], problems))
            on_snapshot(1)
        return found


def get(
    workspace: Workspace,
    snapshot: Snapshot | Evidence,
    out: Path,
    *,
    until: datetime | None = None,
    overwrite: bool = False,
    advance: Advance,
) -> Got:
    """Writes the rows of a snapshot into a file, or its files into a folder: whole or not at all.

    `until` leaves out rows that happened later, by the contract's event time.
    """
    with extras():
        if isinstance(snapshot, Snapshot):
            return _get_rows(workspace, snapshot, out, until, overwrite, advance)
        if until is not None:
            raise InputError(
                f"Snapshot {short(snapshot.subject)} holds files, and they have no event time.",
                todo="Leave out --until.",
            )
        return _get_files(workspace, snapshot, out, advance)


def _get_rows(
    workspace: Workspace,
    snapshot: Snapshot,
    out: Path,
    until: datetime | None,
    overwrite: bool,
    advance: Advance,
) -> Got:
    import json

    import polars as pl

    from taxiway.core.contract import contract_from
    from taxiway.data.parts import list_of
    from taxiway.data.snapshot import is_synthetic
    from taxiway.data.synthesis.mark import marked
    from taxiway.data.table import require_writable, writing

    require_writable(out, overwrite=overwrite)
    if out.suffix.lower() not in {".parquet", ".csv"}:
        raise InputError(f"{out.name} is no CSV or Parquet file; expected .csv or .parquet.")
    contract = contract_from(json.loads(workspace.objects.get(snapshot.contract_digest)))
    rows, made_up = 0, is_synthetic(workspace.desk, snapshot)
    with writing(out, "get") as add:
        for digest in list_of(workspace.objects, snapshot).digests:
            frame = pl.read_parquet(workspace.objects.path(digest), glob=False)
            if until is not None:
                moment = pl.lit(until).cast(frame.schema[contract.event_time])
                frame = frame.filter(pl.col(contract.event_time) <= moment)
            add(marked(frame) if made_up else frame)
            rows += frame.height
            advance(frame.height)
    later = [c.name for c in contract.columns if contract.known_at(c.name) != contract.moments[0]]
    return Got(snapshot.id, out, rows, 1, tuple(later) if until is not None else ())


def _get_files(workspace: Workspace, kept: Evidence, out: Path, advance: Advance) -> Got:
    from taxiway.data.pieces import restore_files

    if out.exists():
        raise ConflictError(f"{out} is already there.", todo="Choose another name.")
    if not out.absolute().parent.is_dir():
        raise InputError(f"There is no folder {out.absolute().parent} to write {out.name} into.")
    partial = Path(tempfile.mkdtemp(dir=out.absolute().parent, prefix=f".{out.name}."))
    try:
        files = restore_files(workspace.objects, kept, partial / "files", advance)
        (partial / "files").replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Got(kept.subject, out, 0, files)


def collect(
    workspace: Workspace,
    *,
    older: timedelta,
    give_up: frozenset[str] = frozenset(),
    remove: bool = False,
) -> Garbage:
    """Objects that nothing refers to; removes them, and tells the ledger, if that is asked for."""
    desk = workspace.desk
    if remove:
        desk.acting("owner", "engineer", to="remove what nothing refers to")
    with extras():
        from taxiway.data.garbage import collect as found

        before = desk.now() - older
        garbage = found(
            workspace.record, workspace.objects, before=before, give_up=give_up, remove=remove
        )
    if remove:
        if isinstance(workspace.objects, FolderObjects):
            workspace.objects.clean()
        with desk.change("objects.removed", "objects") as change:
            change.details = {
                "objects": garbage.free_objects,
                "bytes": garbage.free_bytes,
                "given_up": sorted(give_up),
            }
    return garbage
