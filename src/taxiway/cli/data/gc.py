"""`taxiway data gc`: free what nothing refers to."""

from __future__ import annotations

from datetime import timedelta

import click

from taxiway.cli import options, screen
from taxiway.cli.data.sizes import size_of


@click.command()
@click.option("--yes", is_flag=True, help="Do it. Without this, only say what would be freed.")
@click.option(
    "--older-than",
    "hours",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="Leave alone what was stored later: somebody may be taking a snapshot of it.",
)
@click.option(
    "--give-up",
    multiple=True,
    metavar="DIGEST",
    help="A lost document that will never come back; what only it named is freed.",
)
@options.acting
@options.as_json
def gc(yes: bool, hours: float, give_up: tuple[str, ...], actor: str | None, as_json: bool) -> None:
    """Free objects that neither the ledger nor any release, snapshot or other fact refers to.

    Those are what snapshots that were cut off, refused or killed left behind. Nothing is changed
    without --yes.

    \b
    Example: taxiway data gc --yes --as flights-owner
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data.snapshots import collect

    with Workspace.open(actor=actor) as workspace:
        found = collect(
            workspace, older=timedelta(hours=hours), give_up=frozenset(give_up), remove=yes
        )
    if as_json:
        screen.show_json(found)
        return
    screen.say(f"{found.objects:,} objects, {size_of(found.bytes)}.")
    if found.missing:
        screen.say(f"Missing or damaged, though the record refers to them: {len(found.missing):,}.")
        for digest in found.missing[:10]:
            screen.say(f"  - {digest}")
        screen.say("Restore them from a backup; `taxiway data verify` says whose they are.")
    if found.lost:
        screen.say("Nothing is freed: what these lost documents named can't be known.")
        for digest in found.lost[:10]:
            screen.say(f"  - {digest}")
        screen.say("If they will never come back: --give-up DIGEST, for each.")
    done = "Freed" if found.removed else "Nothing was changed. Would free"
    screen.say(f"{done} {found.free_objects:,} objects, {size_of(found.free_bytes)}.")
    if found.young_objects:
        screen.say(f"Left alone, as they were stored lately: {found.young_objects:,} objects.")
    if found.free_objects and not found.removed:
        screen.say("Do it with: taxiway data gc --yes")
