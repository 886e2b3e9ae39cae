"""`taxiway promote` and `taxiway rollback`."""

from __future__ import annotations

import click

from taxiway.cli import options, screen


@click.command()
@click.argument("release")
@click.option(
    "--to", "environment", type=options.ENVIRONMENT, required=True, help="The environment."
)
@options.acting
@options.dry_run
@options.as_json
def promote(
    release: str, environment: str, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Move a release into the next environment, if its flight check is clear.

    Every digest and signature is verified again at that moment.

    \b
    Example: taxiway promote flight-delays:1 --to qa --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        done = workspace.promote(release, environment, dry_run=dry_run)
    if as_json:
        screen.show_json(done)
        return
    verb = "would become" if dry_run else "is now"
    instead = f", in place of {done.replaces}" if done.replaces else ""
    screen.say(f"{done.release} {verb} the champion in {environment}{instead}.")


@click.command()
@click.argument("environment", type=options.ENVIRONMENT)
@options.model
@click.option("--reason", default="", help="Why, for the ledger.")
@options.acting
@options.dry_run
@options.as_json
def rollback(
    environment: str,
    model: str | None,
    reason: str,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Go back to the last good release of an environment. Recorded, like every move.

    \b
    Example: taxiway rollback prod --reason "complaints since noon" --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        done = workspace.rollback(environment, model=model, reason=reason, dry_run=dry_run)
    if as_json:
        screen.show_json(done)
        return
    verb = "would be" if dry_run else "is"
    screen.say(f"{done.release} {verb} the champion in {environment} again.")
