"""`taxiway alerts`: who was called about what, and what came of it."""

from __future__ import annotations

import dataclasses

import click

from taxiway.cli import options, screen


@click.group()
def alerts() -> None:
    """List what people were called about, and close what they have looked at.

    A window that was closed calls somebody, and so does a canary that was taken off. Those that
    ask for a retraining are answered by `taxiway retrain`.

    \b
    Example: taxiway alerts list
    """


@alerts.command("list")
@click.option("--model", help="Only those of a model.")
@click.option("--all", "every", is_flag=True, help="Those that are closed, too.")
@options.as_json
def list_alerts(model: str | None, every: bool, as_json: bool) -> None:
    """List the alerts that wait for an answer, oldest first.

    \b
    Example: taxiway alerts list --model flight-delays --all
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.alerts(model, every=every)
    if as_json:
        screen.show_json({"alerts": [dataclasses.asdict(a) | {"about": f} for a, f in found]})
        return
    if not found:
        screen.say("Nobody is called.")
        return
    screen.table(
        ["since", "person", "environment", "what", "state", "id"],
        [
            [
                f"{one.at:%Y-%m-%d %H:%M}",
                f"{one.person} ({one.owner})",
                one.environment,
                about.what,
                one.state if one.answered_by is None else f"{one.state} by {one.answered_by}",
                one.id,
            ]
            for one, about in found
        ],
    )


@alerts.command()
@click.argument("id")
@click.option("--reason", required=True, help="What came of it, for the ledger.")
@options.acting
@options.dry_run
@options.as_json
def close(id: str, reason: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Close an alert: whoever was called, or an owner, has looked.

    \b
    Example: taxiway alerts close ID --reason "release 3 is on its way" --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        closed = workspace.alerts_close(id, reason, dry_run=dry_run)
    if as_json:
        screen.show_json(closed)
        return
    screen.say(f"Alert {closed.id} {'would be' if dry_run else 'is'} closed.")
