"""`taxiway data snapshot`: an immutable version of the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.asked import source
from taxiway.cli.data.sizes import size_of
from taxiway.core.digest import short

if TYPE_CHECKING:
    from taxiway.bootstrap import Workspace
    from taxiway.core.facts import Snapshot
    from taxiway.data.files import FilesSnapshot
    from taxiway.data.lineage import Kept


@click.command()
@source
@click.option(
    "--files",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep the files of FOLDER (or one file) as they are, whatever they hold; no contract.",
)
@click.option("--reread", is_flag=True, help="With --files: read all, and put back what was lost.")
@click.option("--sync", is_flag=True, help="With --files: wait until the disk has everything.")
@options.project
@options.acting
@options.as_json
@options.dry_run
def snapshot(
    *,
    source: Path | None,
    files: Path | None,
    reread: bool,
    sync: bool,
    project: Path | None,
    actor: str | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Keep SOURCE (default: the charter's) as an immutable snapshot, if it holds the contract.

    What earlier snapshots hold already is not stored again; data that look as they did are not read
    again.

    \b
    Example: taxiway data snapshot --as flights-developer
             taxiway data snapshot --files scans/ --as flights-data
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data.snapshots import stored

    if files is None and (reread or sync):
        raise click.UsageError("--reread and --sync go with --files.")
    if files is not None and source is not None:
        raise click.UsageError("Name SOURCE, or --files FOLDER, not both.")
    with Workspace.open(actor=actor) as workspace:
        if files is not None:
            _take_files(
                workspace, files, reread=reread, synced=sync, as_json=as_json, dry_run=dry_run
            )
            return
        with screen.progress("Reading rows") as advance:
            taken = workspace.data_snapshot(
                project, source=source, dry_run=dry_run, on_rows=advance
            )
        kept = None if dry_run else stored(workspace, taken)
        if as_json:
            screen.show_json({"dry_run": dry_run, "snapshot": taken, "kept": kept})
            return
        if dry_run:
            screen.say("Nothing was written. This would be kept:")
        show_snapshot(taken, kept)
    if not dry_run:
        screen.say(f"Next: taxiway handoff offer data {taken.id} --summary ... --due DAY")


def _take_files(
    workspace: Workspace,
    root: Path,
    *,
    reread: bool,
    synced: bool,
    as_json: bool,
    dry_run: bool,
) -> None:
    from taxiway.bootstrap.data.snapshots import take_files

    with screen.progress("Reading bytes") as advance:
        taken = take_files(
            workspace, root, reread=reread, synced=synced, on_bytes=advance, dry_run=dry_run
        )
    if as_json:
        screen.show_json({"dry_run": dry_run, "snapshot": taken})
    else:
        _show_files(taken, dry_run=dry_run)


def _show_files(taken: FilesSnapshot, *, dry_run: bool) -> None:
    whole = f"{taken.files:,} files, {size_of(taken.bytes)}"
    if dry_run:
        screen.say(
            f"Nothing was written. {whole} would be kept; {taken.read:,} of them"
            f" ({size_of(taken.new_bytes)}) would be read, the others look as they did."
        )
        return
    screen.say(f"Snapshot {short(taken.id)} of {taken.name}: {whole}")
    if taken.known:
        screen.say(f"It was taken before; {taken.read:,} files were read.")
    else:
        screen.say(f"New: {size_of(taken.new_bytes)}; {taken.read:,} files were read.")
    screen.say(f"Back again: taxiway data get {short(taken.id)} --out FOLDER")


def show_snapshot(taken: Snapshot, kept: Kept | None = None) -> None:
    size = ""
    if kept is not None and not kept.lost:
        shared = "" if kept.new_bytes == kept.bytes else "; the rest was kept before"
        size = f"{kept.parts} parts, {size_of(kept.bytes)}, {size_of(kept.new_bytes)} new{shared}"
    screen.say(f"Snapshot {short(taken.id)} of {taken.source} for {taken.model}")
    screen.table(
        ["what", "is"],
        [
            ["rows", f"{taken.rows:,}"],
            ["first time", taken.first_time],
            ["last time", taken.last_time],
            *([["kept in", size]] if size else []),
            ["data", taken.data_digest],
            ["contract", taken.contract_digest],
            ["profile", taken.profile_digest],
            ["taken", f"{taken.at:%Y-%m-%d %H:%M:%S} UTC by {taken.by}"],
        ],
    )
