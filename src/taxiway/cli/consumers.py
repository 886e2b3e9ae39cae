"""`taxiway consumers`: who may ask an endpoint."""

from __future__ import annotations

from datetime import datetime

import click

from taxiway.cli import options, screen
from taxiway.cli.days import DAY


@click.group()
def consumers() -> None:
    """Add, revoke and list those who may ask a model's endpoint.

    Each has a key of its own, for one of the charter's permitted uses and until a day. As soon as a
    model has a consumer, its endpoint answers nobody without a key.

    \b
    Example: taxiway consumers add gate-planning --purpose "planning of gates" --until 2027-06-30
    """


@consumers.command()
@click.argument("name")
@click.option("--purpose", required=True, help="One of the charter's permitted uses.")
@click.option("--until", type=DAY, required=True, help="The key's last day, at most a year away.")
@click.option(
    "--per-minute",
    type=int,
    default=6_000,
    show_default=True,
    help="Requests a minute, beyond which the answer is 429.",
)
@options.model
@options.acting
@options.dry_run
@options.as_json
def add(
    *,
    name: str,
    purpose: str,
    until: datetime,
    per_minute: int,
    model: str | None,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give a consumer a key. It is shown once, and kept nowhere.

    \b
    Example: taxiway consumers add gate-planning --purpose "planning of gates" \\
               --until 2027-06-30 --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        consumer, key = workspace.consumers_add(
            name,
            purpose=purpose,
            until=until,
            requests_per_minute=per_minute,
            model=model,
            dry_run=dry_run,
        )
    if as_json:
        screen.show_json({"consumer": consumer, "key": None if dry_run else key})
        return
    verb = "could ask" if dry_run else "may ask"
    screen.say(f"{consumer.id} {verb} {consumer.model} until {until:%Y-%m-%d}: {purpose}.")
    if not dry_run:
        screen.say(f"The key, which is not shown again: {key}")


@consumers.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, for the ledger.")
@options.acting
@options.dry_run
@options.as_json
def revoke(name: str, reason: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Take a consumer's key away. Servers that run notice it within seconds.

    \b
    Example: taxiway consumers revoke gate-planning --reason "the key leaked" --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        consumer = workspace.consumers_revoke(name, reason, dry_run=dry_run)
    if as_json:
        screen.show_json(consumer)
        return
    screen.say(f"The key of {consumer.id} {'would be' if dry_run else 'is'} revoked.")


@consumers.command("list")
@click.option("--model", help="Only those of a model.")
@options.as_json
def list_consumers(model: str | None, as_json: bool) -> None:
    """List all consumers, those that were revoked too.

    \b
    Example: taxiway consumers list
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.consumers(model)
    if as_json:
        screen.show_json(found)
        return
    screen.table(
        ["consumer", "model", "purpose", "state", "until", "per minute", "added by"],
        [
            [
                one.id,
                one.model,
                one.purpose,
                one.state,
                f"{one.expires_at:%Y-%m-%d}",
                f"{one.requests_per_minute:,}",
                one.by,
            ]
            for one in found
        ],
    )
