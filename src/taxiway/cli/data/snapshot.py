"""`taxiway data snapshot`: an immutable version of the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.asked import source
from taxiway.core.digest import short

if TYPE_CHECKING:
    from taxiway.core.facts import Snapshot


@click.command()
@source
@options.project
@options.acting
@options.as_json
@options.dry_run
def snapshot(
    source: Path | None, project: Path | None, actor: str | None, as_json: bool, dry_run: bool
) -> None:
    """Keep SOURCE (default: the charter's) as an immutable snapshot, if it holds the contract.

    \b
    Example: taxiway data snapshot --as flights-developer
    """
    from taxiway.bootstrap import Workspace

    with (
        Workspace.open(actor=actor) as workspace,
        screen.progress("Reading rows") as advance,
    ):
        taken = workspace.data_snapshot(project, source=source, dry_run=dry_run, on_rows=advance)
    if as_json:
        screen.show_json({"dry_run": dry_run, "snapshot": taken})
        return
    if dry_run:
        screen.say("Nothing was written. This would be kept:")
    show_snapshot(taken)
    if not dry_run:
        screen.say(f"Next: taxiway handoff offer data {taken.id} --summary ... --due DAY")


def show_snapshot(taken: Snapshot) -> None:
    screen.say(f"Snapshot {short(taken.id)} of {taken.source} for {taken.model}")
    screen.table(
        ["what", "is"],
        [
            ["rows", f"{taken.rows:,}"],
            ["first time", taken.first_time],
            ["last time", taken.last_time],
            ["data", taken.data_digest],
            ["contract", taken.contract_digest],
            ["profile", taken.profile_digest],
            ["taken", f"{taken.at:%Y-%m-%d %H:%M:%S} UTC by {taken.by}"],
        ],
    )
