"""`taxiway sign` and `taxiway deviate`."""

from __future__ import annotations

from datetime import datetime

import click

from taxiway.cli import options, screen
from taxiway.cli.days import DAY
from taxiway.core.digest import short
from taxiway.core.people import Deviation


@click.command()
@click.argument("check")
@click.argument("release")
@click.option("--reason", required=True, help="What you looked at, and what you conclude.")
@options.acting
@options.dry_run
@options.as_json
def sign(
    check: str, release: str, reason: str, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Sign a check of a release, for the exact digests of model, data and evidence.

    The signature is void as soon as one of them changes.

    \b
    Example: taxiway sign DP-01 flight-delays:1 --reason "evidence read" --as flights-validator
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        signed = workspace.sign(check, release, reason, dry_run=dry_run)
    if as_json:
        screen.show_json(signed)
        return
    verb = "would sign" if dry_run else "signed"
    screen.say(
        f"{signed.person} {verb} {signed.check} of {signed.release}, for model"
        f" {short(signed.model_digest)}, data {short(signed.data_digest)}, evidence"
        f" {short(signed.evidence_digest)}."
    )


class Asking(click.Group):
    """A group that asks, unless one of its commands is named: `deviate CHECK RELEASE ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help", "-h"}:
            args = ["ask", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Asking)
def deviate() -> None:
    """Ask for, grant and refuse deviations from a check.

    A deviation has a reason, a risk, an approver and an end; the flight check shows it. Without a
    subcommand it asks: `taxiway deviate CHECK RELEASE ...`.

    \b
    Example: taxiway deviate DA-04 flight-delays:1 --reason "no sample of production yet" \\
               --risk "training may differ from production" --until 2027-01-31
             taxiway deviate grant ID --as flights-owner
    """


@deviate.command()
@click.argument("check")
@click.argument("release")
@click.option("--reason", required=True, help="Why the check can't be met.")
@click.option("--risk", required=True, help="What could happen because of it.")
@click.option("--until", type=DAY, required=True, help="Its last day, at most 180 days away.")
@options.acting
@options.dry_run
@options.as_json
def ask(
    *,
    check: str,
    release: str,
    reason: str,
    risk: str,
    until: datetime,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask for a deviation; the same as `deviate CHECK RELEASE`.

    \b
    Example: taxiway deviate DA-04 flight-delays:1 --reason "no sample yet" --risk "may differ" \\
               --until 2027-01-31
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        asked = workspace.deviate(
            check, release, reason=reason, risk=risk, until=until, dry_run=dry_run
        )
    _tell(asked, "would be asked for" if dry_run else "is asked for", as_json=as_json)
    if not as_json and not dry_run:
        screen.say(f"Next: taxiway deviate grant {asked.id} --as NAME")


@deviate.command()
@click.argument("id")
@options.acting
@options.dry_run
@options.as_json
def grant(id: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Grant a deviation, with your signature.

    \b
    Example: taxiway deviate grant 01k9x7 --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        granted = workspace.deviation_grant(id, dry_run=dry_run)
    _tell(granted, "would be granted" if dry_run else "is granted", as_json=as_json)


@deviate.command()
@click.argument("id")
@click.option("--reason", required=True, help="Why not.")
@options.acting
@options.dry_run
@options.as_json
def refuse(id: str, reason: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Refuse a deviation, with your signature and a reason.

    \b
    Example: taxiway deviate refuse 01k9x7 --reason "wait for the sample" --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        refused = workspace.deviation_refuse(id, reason, dry_run=dry_run)
    _tell(refused, "would be refused" if dry_run else "is refused", as_json=as_json)


@deviate.command("list")
@options.as_json
def list_deviations(as_json: bool) -> None:
    """List all deviations.

    \b
    Example: taxiway deviate list
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.deviations()
    if as_json:
        screen.show_json(found)
        return
    screen.table(
        ["id", "check", "release", "state", "until", "asked by", "decided by", "reason", "risk"],
        [
            [
                d.id,
                d.check,
                d.release,
                d.state,
                f"{d.until:%Y-%m-%d}",
                d.asked_by,
                d.decided_by,
                d.reason,
                d.risk,
            ]
            for d in found
        ],
    )


def _tell(deviation: Deviation, what: str, *, as_json: bool) -> None:
    if as_json:
        screen.show_json(deviation)
        return
    screen.say(
        f"A deviation from {deviation.check} for {deviation.release} {what}, until"
        f" {deviation.until:%Y-%m-%d} ({deviation.id})."
    )
