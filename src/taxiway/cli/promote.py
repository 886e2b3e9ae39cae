"""`taxiway promote`, `taxiway rollback` and `taxiway withdraw`."""

from __future__ import annotations

import click

from taxiway.cli import options, screen
from taxiway.core.moves import CANARY, CHALLENGER


@click.command()
@click.argument("release")
@click.option(
    "--to", "environment", type=options.ENVIRONMENT, required=True, help="The environment."
)
@click.option(
    "--canary",
    type=click.IntRange(1, 99),
    metavar="PERCENT",
    help="Let it answer for a share of the keys, beside the champion.",
)
@click.option(
    "--shadow",
    is_flag=True,
    help="Let it decide what others have answered; its answers never leave.",
)
@options.acting
@options.dry_run
@options.as_json
def promote(
    *,
    release: str,
    environment: str,
    canary: int | None,
    shadow: bool,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move a release into the next environment, if its flight check is clear.

    Every digest and signature is verified again at that moment. It becomes the champion; as a
    canary, it answers for a share of the keys, always the same ones, until it is promoted or
    withdrawn, and its guardrail takes it off by itself. In shadow it needs no clear flight check:
    what it shows comes before the signatures.

    \b
    Example: taxiway promote flight-delays:1 --to qa --as flights-engineer
             taxiway promote flight-delays:2 --to prod --canary 10 --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        done = workspace.promote(
            release, environment, canary=canary, shadow=shadow, dry_run=dry_run
        )
    if as_json:
        screen.show_json(done)
        return
    verb = "would become" if dry_run else "is now"
    instead = f", in place of {done.replaces}" if done.replaces else ""
    share = f", for {done.share} % of the keys" if done.share else ""
    screen.say(f"{done.release} {verb} the {done.role} in {environment}{share}{instead}.")


@click.command()
@click.argument("environment", type=options.ENVIRONMENT)
@click.option("--canary", "role", flag_value=CANARY, help="Withdraw the canary.")
@click.option("--shadow", "role", flag_value=CHALLENGER, help="Withdraw the challenger in shadow.")
@options.model
@click.option("--reason", required=True, help="Why, for the ledger.")
@options.acting
@options.dry_run
@options.as_json
def withdraw(
    *,
    environment: str,
    role: str | None,
    model: str | None,
    reason: str,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """End the role of a canary or of a challenger in shadow. The champion goes on.

    \b
    Example: taxiway withdraw prod --canary --reason "complaints" --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    if role is None:
        raise click.UsageError("Say which one ends: --canary or --shadow.")
    with Workspace.open(actor=actor) as workspace:
        done = workspace.withdraw(environment, role, model=model, reason=reason, dry_run=dry_run)
    if as_json:
        screen.show_json(done)
        return
    verb = "would be" if dry_run else "is"
    screen.say(f"{done.release} {verb} no {done.role} in {environment} any more.")


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
