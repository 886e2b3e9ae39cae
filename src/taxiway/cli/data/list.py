"""`taxiway data list`: which snapshots there are, and what each added to the store."""

from __future__ import annotations

from datetime import datetime

import click

from taxiway.cli import options, screen
from taxiway.cli.data.sizes import size_of
from taxiway.cli.days import MOMENT
from taxiway.core.digest import short


@click.command()
@click.option("--model", help="Only the snapshots of this model.")
@click.option("--as-of", type=MOMENT, help="Those that had been taken by then, in UTC.")
@options.as_json
def list(model: str | None, as_of: datetime | None, as_json: bool) -> None:  # noqa: A001 - the command's name
    """List the snapshots of rows and of files, what each added to the store, and who used it.

    \b
    Example: taxiway data list --model flight-delays --as-of 2027-03-01
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data.snapshots import listed

    with Workspace.open() as workspace:
        rows, files = listed(workspace, model, as_of)
    if as_json:
        screen.show_json({"rows": rows, "files": files})
        return
    screen.table(
        ["snapshot", "of", "model", "taken", "holds", "size", "new", "parts", "releases"],
        [
            [
                short(one.snapshot.id),
                one.snapshot.source,
                one.snapshot.model,
                f"{one.snapshot.at:%Y-%m-%d %H:%M}",
                f"{one.snapshot.rows:,} rows",
                "list lost" if one.lost else size_of(one.bytes),
                "" if one.lost else size_of(one.new_bytes),
                one.parts,
                one.releases or "",
            ]
            for one in rows
        ]
        + [
            [
                short(one.subject),
                one.found["name"],
                one.model,
                f"{one.at:%Y-%m-%d %H:%M}",
                f"{one.examined:,} files",
                size_of(one.found["bytes"]),
                size_of(one.found["new_bytes"]),
                "",
                "",
            ]
            for one in files
        ],
    )
