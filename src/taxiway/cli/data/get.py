"""`taxiway data get`: a snapshot back as a file or a folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from taxiway.cli import options, screen
from taxiway.cli.days import MOMENT
from taxiway.core.digest import short
from taxiway.core.errors import shortened


@click.command()
@click.argument("snapshot", required=False, metavar="[SNAPSHOT]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The .parquet or .csv file to write; a new folder, for files kept as they are.",
)
@click.option(
    "--as-of",
    type=MOMENT,
    help="Without SNAPSHOT: the newest one that had been taken by then, in UTC.",
)
@click.option(
    "--until",
    type=MOMENT,
    help="Leave out rows that happened later, by the contract's event time.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@options.project
@options.model
@options.as_json
def get(
    *,
    snapshot: str | None,
    out: Path,
    as_of: datetime | None,
    until: datetime | None,
    overwrite: bool,
    project: Path | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Write SNAPSHOT (default: the newest of the model) to OUT, verified, whole or not at all.

    \b
    Example: taxiway data get --as-of 2027-03-01 --out then.parquet
             taxiway data get 1acce6a2d805 --out flights.csv
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data import snapshots as wired

    if snapshot and as_of:
        raise click.UsageError("Name SNAPSHOT, or --as-of, not both.")
    with Workspace.open() as workspace:
        if snapshot:
            wanted = wired.find(workspace, snapshot)
        else:
            named = model or (
                workspace.project(project).charter.name if project else workspace.find_model().id
            )
            wanted = (
                wired.as_of(workspace, named, as_of) if as_of else workspace.newest_snapshot(named)
            )
        with screen.progress("Writing") as advance:
            got = wired.get(
                workspace, wanted, out, until=until, overwrite=overwrite, advance=advance
            )
    if as_json:
        screen.show_json(got)
        return
    what = f"{got.rows:,} rows" if got.rows or not got.files > 1 else f"{got.files:,} files"
    screen.say(f"Wrote {what} of snapshot {short(got.snapshot)} to {got.out}.")
    if got.later:
        screen.say(
            "Values of these columns may have become known only after that time:"
            f" {shortened(', '.join(got.later))}."
        )
