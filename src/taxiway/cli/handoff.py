"""`taxiway handoff`: work between owners."""

from __future__ import annotations

from datetime import datetime

import click

from taxiway.cli import options, screen
from taxiway.cli.days import DAY
from taxiway.core.people import Handoff


@click.group()
def handoff() -> None:
    """Offer, accept and return work between owners.

    The data's owner hands a snapshot to development (`data`), development hands a release to
    engineering (`release`), engineering hands a running release to business (`running`).

    \b
    Example: taxiway handoff offer release flight-delays:1 --summary "code, tests, evidence" \\
               --due 2027-01-31 --as flights-developer
    """


@handoff.command()
@click.argument("stage", metavar="[data|release|running]")
@click.argument("subject")
@click.option("--summary", required=True, help="What is handed over.")
@click.option("--due", type=DAY, required=True, help="By when it should be answered.")
@options.acting
@options.dry_run
@options.as_json
def offer(
    *,
    stage: str,
    subject: str,
    summary: str,
    due: datetime,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Offer a snapshot (its digest) or a release (such as flight-delays:1).

    \b
    Example: taxiway handoff offer running flight-delays:1 --summary "rehearsed in qa" \\
               --due 2027-01-31 --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        offered = workspace.handoff_offer(stage, subject, summary, due, dry_run=dry_run)
    _tell(offered, "would be offered" if dry_run else "is offered", as_json=as_json)
    if not as_json and not dry_run:
        screen.say(f"Next: taxiway handoff accept {offered.id} --as NAME")


@handoff.command()
@click.argument("id")
@options.acting
@options.dry_run
@options.as_json
def accept(id: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Accept what was offered to you.

    \b
    Example: taxiway handoff accept 01k9x7 --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        accepted = workspace.handoff_accept(id, dry_run=dry_run)
    _tell(accepted, "would be accepted" if dry_run else "is accepted", as_json=as_json)


@handoff.command("return")
@click.argument("id")
@click.option("--reason", required=True, help="What is missing.")
@options.acting
@options.dry_run
@options.as_json
def send_back(id: str, reason: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Return what was offered to you, with the reason.

    \b
    Example: taxiway handoff return 01k9x7 --reason "no test of the features" \\
               --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        returned = workspace.handoff_return(id, reason, dry_run=dry_run)
    _tell(returned, "would be returned" if dry_run else "is returned", as_json=as_json)


@handoff.command("list")
@options.as_json
def list_handoffs(as_json: bool) -> None:
    """List all handoffs, oldest first.

    \b
    Example: taxiway handoff list
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.handoffs()
    if as_json:
        screen.show_json(found)
        return
    screen.table(
        ["id", "model", "stage", "subject", "state", "due", "offered by", "answered by", "reason"],
        [
            [
                h.id,
                h.model,
                h.stage,
                h.subject,
                h.state,
                f"{h.due:%Y-%m-%d}",
                h.offered_by,
                h.answered_by,
                h.reason,
            ]
            for h in found
        ],
    )


def _tell(handoff: Handoff, what: str, *, as_json: bool) -> None:
    if as_json:
        screen.show_json(handoff)
        return
    screen.say(f"The {handoff.stage} handoff of {handoff.subject} {what} ({handoff.id}).")
