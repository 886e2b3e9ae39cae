"""`taxiway data lineage`: where a snapshot came from, and who used it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from taxiway.cli import options, screen
from taxiway.cli.data.sizes import size_of
from taxiway.core.digest import short
from taxiway.core.errors import shortened


def _shared(one: Mapping[str, Any]) -> str:
    parts = f"{one['parts']} of {one['of']} parts, {size_of(one['bytes'])}"
    return f"{parts}, with {short(one['snapshot'])}"


@click.command()
@click.argument("snapshot", required=False, metavar="[SNAPSHOT]")
@options.project
@options.as_json
def lineage(snapshot: str | None, project: Path | None, as_json: bool) -> None:
    """Show where SNAPSHOT (default: the newest of the project's model) came from, and who used it.

    \b
    Example: taxiway data lineage 1acce6a2d805
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data.snapshots import lineage as of

    with Workspace.open() as workspace:
        if snapshot is None:
            taken = workspace.newest_snapshot(workspace.project(project).charter.name)
        else:
            taken = workspace.find_snapshot(snapshot)
        found = of(workspace, taken)
    if as_json:
        screen.show_json(found)
        return
    screen.say(f"Snapshot {short(taken.id)}: {taken.rows:,} rows for {taken.model}")
    screen.table(
        ["what", "is"],
        [
            ["source", f"{found.source} {found.source_digest}"],
            ["said of it", shortened(found.description.partition("\n")[0])],
            ["contract", f"{found.contract} {taken.contract_digest}"],
            ["taken", f"{taken.at:%Y-%m-%d %H:%M:%S} UTC by {taken.by}"],
            *(["shares", _shared(one)] for one in found.shares),
        ],
    )
    screen.say()
    if not found.uses:
        screen.say("Nobody has used it yet.")
        return
    screen.table(
        ["used by", "name", "says", "who", "when"],
        [[use.what, use.name, use.says, use.by, f"{use.at:%Y-%m-%d %H:%M}"] for use in found.uses],
    )
