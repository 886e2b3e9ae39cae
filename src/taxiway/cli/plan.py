"""`taxiway plan` and `taxiway schema`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen

if TYPE_CHECKING:
    from taxiway.charter.plan import Plan
    from taxiway.charter.remark import Remark


@click.command()
@options.project
@options.acting
@options.dry_run
@options.as_json
@click.pass_context
def plan(
    ctx: click.Context, project: Path | None, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Read the charter: what is wrong, what is missing, the risk tier, who waits for whom.

    A charter that lets the model be trained is written to the record. Ends with 1 while anything is
    wrong or missing.

    \b
    Example: taxiway plan --as churn-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        made = workspace.plan(project, dry_run=dry_run)
    if as_json:
        fields = {f.name: getattr(made, f.name) for f in dataclasses.fields(made)}
        screen.show_json({"clear": made.clear, **fields})
    else:
        _show(made, dry_run=dry_run)
    ctx.exit(0 if made.clear else 1)


@click.command()
def schema() -> None:
    """Print the JSON Schema of the charter, for editors.

    \b
    Example: taxiway schema > charter.schema.json
    """
    from taxiway.charter.schema import charter_schema

    screen.show_json(charter_schema())


def _show(made: Plan, *, dry_run: bool) -> None:
    tier = made.tier or made.computed_tier
    screen.say(f"{made.model}: tier {tier or 'unknown until the risk answers are there'}")
    for reason in made.tier_reasons:
        screen.say(f"  because {reason}")
    screen.table(
        ["step", "owner", "who", "waits for", "for what", "verb"],
        [
            [
                step.step,
                step.owner,
                step.person or "nobody yet",
                _waits(step.waits_for, step.waits_for_person),
                step.what,
                step.verb,
            ]
            for step in made.steps
        ],
        title="\nThe way, and who waits for whom",
    )
    _group("Wrong, and to be settled before training", made.errors)
    for before in dict.fromkeys(remark.before for remark in made.missing):
        due = [remark for remark in made.missing if remark.before == before]
        _group(f"Missing before {before}", due)
    _group("Advice", made.advice)
    screen.say()
    if made.clear:
        screen.say("Nothing is wrong and nothing is missing.")
    else:
        screen.say(f"{len(made.errors)} wrong, {len(made.missing)} missing.")
    if made.recorded:
        screen.say("The plan is in the record. Next: taxiway data snapshot")
    elif not dry_run and not made.stopping("training"):
        screen.say("The plan is not in the record: name who plans with --as.")


def _waits(role: str | None, person: str | None) -> str:
    return f"{role} ({person})" if role and person else role or ""


def _group(title: str, remarks: Sequence[Remark]) -> None:
    if remarks:
        screen.say(f"\n{title}:")
    for remark in remarks:
        screen.say(f"  - {remark.problem}")
