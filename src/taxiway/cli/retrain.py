"""`taxiway retrain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.core.errors import shortened
from taxiway.core.kind import REGRESSION, kind_with

if TYPE_CHECKING:
    from taxiway.core.evidence import Evidence
    from taxiway.core.facts import Proposal


class RunByDefault(click.Group):
    """A group that reads `retrain [MODEL]` as `retrain run [MODEL]`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"-h", "--help"}):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunByDefault)
def retrain() -> None:
    """Turn alerts into a proposal, train a challenger, compare it; then decide.

    Without a subcommand it runs: `taxiway retrain [MODEL]`.

    \b
    Example: taxiway retrain flight-delays --env prod --as flights-developer
             taxiway retrain accept PROPOSAL --reason "better on every airport" --as flights-owner
    """


@retrain.command()
@click.argument("model", required=False)
@options.serving_environment
@click.option(
    "--source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="New data to snapshot first (default: the newest snapshot).",
)
@options.acting
@options.dry_run
@options.as_json
@click.pass_context
def run(
    ctx: click.Context,
    *,
    model: str | None,
    environment: str,
    source: Path | None,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Turn open alerts into one proposal, train the challenger and compare it.

    Ends with 0 if the challenger wins or nothing asks for a retraining, with 1 if it does not win.

    \b
    Example: taxiway retrain flight-delays --env prod --as flights-developer
    """
    from taxiway.bootstrap import Workspace
    from taxiway.retraining.comparison import WINS

    with Workspace.open(actor=actor) as workspace, screen.progress("retrain") as advance:
        done = workspace.retrain(
            model=model,
            environment=environment,
            source=source,
            progress=lambda _: advance(1),
            dry_run=dry_run,
        )
    if as_json:
        screen.show_json(done)
    else:
        screen.say(done["why"])
        if done["comparison"]:
            _show_comparison(done["proposal"], done["comparison"])
    comparison = done["comparison"]
    ctx.exit(1 if comparison and comparison.found["verdict"] != WINS else 0)


@retrain.command()
@click.argument("proposal")
@click.option("--reason", required=True, help="Why it is accepted; it is signed.")
@click.option("--despite", default="", help="Why it is accepted although it did not win.")
@options.acting
@options.dry_run
@options.as_json
def accept(
    proposal: str, reason: str, despite: str, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Accept the challenger of a proposal with a signature. Its promotion comes next.

    \b
    Example: taxiway retrain accept PROPOSAL --reason "better on every airport" --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        decided = workspace.retrain_accept(proposal, reason, despite, dry_run=dry_run)
    _show_decision(decided, dry_run=dry_run, as_json=as_json)
    if not as_json:
        screen.say(f"Next: taxiway promote {decided.challenger} --to dev")


@retrain.command()
@click.argument("proposal")
@click.option("--reason", required=True, help="Why it is declined; it is signed.")
@options.acting
@options.dry_run
@options.as_json
def decline(proposal: str, reason: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Decline a proposal with a signature. The champion stays.

    \b
    Example: taxiway retrain decline PROPOSAL --reason "the storm is over" --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        decided = workspace.retrain_decline(proposal, reason, dry_run=dry_run)
    _show_decision(decided, dry_run=dry_run, as_json=as_json)


@retrain.command("list")
@options.model
@options.as_json
def list_proposals(model: str | None, as_json: bool) -> None:
    """List the proposals of a model, oldest first.

    \b
    Example: taxiway retrain list
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        listed = workspace.proposals(model)
    if as_json:
        screen.show_json(listed)
        return
    screen.table(
        ["id", "state", "since", "champion", "challenger", "verdict", "decided by", "reason"],
        [
            [
                one.id,
                one.state,
                f"{one.at:%Y-%m-%d}",
                one.champion,
                one.challenger,
                found["verdict"] if found else "",
                one.decided_by,
                shortened(one.reason, 100),
            ]
            for one, found in ((entry["proposal"], entry["comparison"]) for entry in listed)
        ],
    )


def _show_decision(decided: Proposal, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        screen.show_json(decided)
        return
    verb = "would be" if dry_run else "is"
    screen.say(f"Proposal {decided.id} {verb} {decided.state} by {decided.decided_by}.")


def _show_comparison(proposal: Proposal, comparison: Evidence) -> None:
    found = comparison.found
    gain = found["gain"]
    screen.table(
        ["release", found["metric"]],
        [
            [f"{found['champion']} (champion)", f"{found['champion_value']:.4f}"],
            [f"{found['challenger']} (challenger)", f"{found['challenger_value']:.4f}"],
            ["gain", f"{gain['value']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"],
        ],
        title=f"On the same {comparison.examined:,} rows that neither has learnt from",
    )
    if found["slices"]:
        screen.table(
            ["slice", "rows", "champion", "challenger", "gain"],
            [
                [
                    f"{one['column']}={one['value']}",
                    f"{one['rows']:,}",
                    f"{one['champion']:.3f}",
                    f"{one['challenger']:.3f}",
                    f"{one['gain']:+.3f}",
                ]
                for one in found["slices"]
            ],
        )
    moved = found["moved"]
    numbers = kind_with(found["metric"]) is REGRESSION
    up, down = ("up", "down") if numbers else ("to yes", "to no")
    screen.say(
        f"Decisions that change: {moved['up']:,} {up}, {moved['down']:,} {down};"
        f" {moved['unchanged']:,} stay."
    )
    screen.say(f"Verdict: {found['verdict']}. Proposal {proposal.id} is {proposal.state}.")
    screen.say(f"Next: taxiway retrain accept {proposal.id} --reason ...   (or decline)")
