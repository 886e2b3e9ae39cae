"""`taxiway people`: who acts and signs here."""

from __future__ import annotations

from pathlib import Path

import click

from taxiway.cli import options, screen


@click.group()
def people() -> None:
    """Add, remove and list the people who act and sign.

    The first person of a workspace is an owner and adds themselves; owners add everybody else.

    \b
    Example: taxiway people add flights-owner --role owner
    """


@people.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    help="owner, developer, engineer, validator, auditor or reviewer; once for each role.",
)
@click.option(
    "--public-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the Ed25519 public key in base64 (default: make a key pair here).",
)
@options.acting
@options.dry_run
@options.as_json
def add(
    name: str,
    roles: tuple[str, ...],
    public_key: Path | None,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add a person with their roles and key.

    \b
    Example: taxiway people add flights-validator --role validator --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    key = public_key.read_text("utf-8", errors="replace").strip() if public_key else None
    with Workspace.open(actor=actor) as workspace:
        person = workspace.people_add(name, roles, public_key=key, dry_run=dry_run)
    if as_json:
        screen.show_json(person)
        return
    verb = "would be" if dry_run else "is"
    screen.say(f"{person.id} {verb} {', '.join(person.roles)}.")


@people.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, for the ledger.")
@options.acting
@options.dry_run
@options.as_json
def remove(name: str, reason: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Take all rights from a person; what they signed no longer holds.

    \b
    Example: taxiway people remove flights-developer --reason "left the firm" --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        person = workspace.people_remove(name, reason, dry_run=dry_run)
    if as_json:
        screen.show_json(person)
        return
    screen.say(f"{person.id} {'would be' if dry_run else 'is'} removed.")


@people.command("list")
@options.as_json
def list_people(as_json: bool) -> None:
    """List everybody, with roles.

    \b
    Example: taxiway people list
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        everybody = workspace.people_list()
    if as_json:
        screen.show_json(everybody)
        return
    screen.table(
        ["person", "roles", "added", "removed"],
        [
            [
                person.id,
                ", ".join(person.roles),
                f"{person.added_at:%Y-%m-%d}",
                f"{person.removed_at:%Y-%m-%d}" if person.removed_at else "",
            ]
            for person in everybody
        ],
    )
