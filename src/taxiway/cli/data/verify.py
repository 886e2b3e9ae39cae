"""`taxiway data verify`: whether snapshots are still what was taken."""

from __future__ import annotations

import click

from taxiway.cli import options, screen
from taxiway.core.digest import short


@click.command()
@click.argument("snapshots", nargs=-1, metavar="[SNAPSHOT]...")
@options.as_json
@click.pass_context
def verify(ctx: click.Context, snapshots: tuple[str, ...], as_json: bool) -> None:
    """Read every byte of SNAPSHOTS (default: all) and hold it against its digest and the record.

    Ends with exit code 1 if anything is missing or was changed.

    \b
    Example: taxiway data verify 1acce6a2d805
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data import snapshots as wired

    with Workspace.open() as workspace:
        if snapshots:
            wanted = [wired.find(workspace, one) for one in snapshots]
        else:
            rows, files = wired.listed(workspace)
            wanted = [*(one.snapshot for one in rows), *files]
        with screen.progress("Verifying", len(wanted)) as advance:
            found = wired.verify(workspace, wanted, advance)
    bad = [one for one in found if one.problems]
    if as_json:
        screen.show_json({"verified": len(found), "bad": bad})
    else:
        for one in bad:
            screen.say(f"Snapshot {short(one.snapshot)} of {one.name}:")
            for problem in one.problems:
                screen.say(f"  - {problem}")
        screen.say(
            f"{len(found) - len(bad)} of {len(found)} snapshots are what was taken."
            if found
            else "There is no snapshot yet."
        )
    if bad:
        ctx.exit(1)
