"""`taxiway cases`: the answers on which a person decides."""

from __future__ import annotations

import dataclasses
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.cli.days import FIRST_DAY, LAST_DAY
from taxiway.core.errors import shortened
from taxiway.core.moves import CASE

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.bootstrap.cases import Case
    from taxiway.core.decision import Decision
    from taxiway.core.people import Review

WAITING = "waiting"
"""All states in which a person has yet to decide."""


@click.group()
def cases() -> None:
    """List, take and decide cases: answers on which a person decides.

    The charter says which answers become cases (`oversight.review`, `oversight.sample`), how long
    they may wait, and what becomes of them then. A case has the id of its decision.

    \b
    Example: taxiway cases list --model flight-delays
             taxiway cases take 01kb0000000000000000000002 --as flights-reviewer
    """


@cases.command("list")
@options.model
@options.environment_option(help="The environment.")
@click.option(
    "--state",
    type=click.Choice([WAITING, "all", *CASE]),
    default=WAITING,
    show_default=True,
    help="Only those in this state; waiting: open, taken or escalated.",
)
@click.option("--because", metavar="RULE", help="Only those that this rule made a case.")
@click.option("--from", "start", type=FIRST_DAY, help="The first day when they happened, in UTC.")
@click.option("--to", "end", type=LAST_DAY, help="The last day when they happened, in UTC.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of the newest to list.",
)
@options.as_json
def list_(
    *,
    model: str | None,
    environment: str,
    state: str,
    because: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List cases, the newest first.

    \b
    Example: taxiway cases list --state all --from 2027-03-01 --because borderline
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.cases import Cases

    wanted = Cases(environment, start, end, because=because)
    if state != WAITING:
        states = tuple(CASE) if state == "all" else (state,)
        wanted = dataclasses.replace(wanted, states=states)
    with Workspace.open() as workspace:
        found = list(islice(workspace.cases(model, wanted), limit + 1))
    if as_json:
        screen.show_json(
            {"cases": [_plain(one) for one in found[:limit]], "more": len(found) > limit}
        )
        return
    if not found:
        said = "No case waits for a person." if state == WAITING else "There is no such case."
        screen.say(said)
        return
    screen.table(
        ["case", "answered", "release", "because", "model says", "due", "state"],
        [
            [
                review.id,
                f"{review.opened_at:%Y-%m-%d %H:%M}",
                review.release,
                ", ".join(review.because),
                _proposed(decision, review),
                f"{review.due:%Y-%m-%d %H:%M}",
                _state(review),
            ]
            for decision, review in found[:limit]
        ],
    )
    if len(found) > limit:
        screen.say(f"These are the newest {limit:,}; more with --limit.")


@cases.command()
@click.argument("case")
@options.as_json
def show(case: str, as_json: bool) -> None:
    """Show a case: what was asked, what the model says and why, and how the case stands.

    \b
    Example: taxiway cases show 01kb0000000000000000000002
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.case(case)
    if as_json:
        screen.show_json(_plain(found))
        return
    decision, review = found
    screen.say(f"Case {review.id}: {_state(review)}.")
    screen.say(
        f"{review.release} in {review.environment} says {_proposed(decision, review)}; a person"
        f" decides because: {', '.join(review.because)}. Due {review.due:%Y-%m-%d %H:%M} UTC."
    )
    screen.table(
        ["column", "value"],
        [[name, shortened(json.dumps(value))] for name, value in decision.inputs.items()],
    )
    for reason in decision.output["reasons"]:
        screen.say(
            f"{reason['column']} is {reason['value']}, typical {reason['typical']}:"
            f" {reason['effect']:+.4f}"
        )
    if review.reason:
        screen.say(f"{review.decided_by}: {review.reason}")


@cases.command()
@click.argument("case")
@options.acting
@options.dry_run
@options.as_json
def take(case: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Take a case, so that others leave it to you. Takes the role reviewer, or an owner.

    \b
    Example: taxiway cases take 01kb0000000000000000000002 --as flights-reviewer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        found = workspace.case_take(case, dry_run=dry_run)
    _moved(found, "taken", dry_run=dry_run, as_json=as_json)


@cases.command()
@click.argument("case")
@click.argument("answer", type=click.Choice(["yes", "no"]))
@click.option("--reason", required=True, help="What you looked at, and what you conclude.")
@options.acting
@options.dry_run
@options.as_json
def decide(
    *, case: str, answer: str, reason: str, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Answer a case: agree with the model, or override it. Whoever took it, or an owner.

    \b
    Example: taxiway cases decide 01kb0000000000000000000002 no \\
               --reason "the gate is free all evening" --as flights-reviewer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        found = workspace.case_decide(case, answer, reason, dry_run=dry_run)
    _moved(found, found[1].state, dry_run=dry_run, as_json=as_json)


@cases.command()
@options.model
@options.acting
@options.dry_run
@options.as_json
def expire(model: str | None, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Write down which cases timed out: escalated to an owner, or kept as the model answered.

    A case is timed out as soon as its time is over; this puts it into the record. `taxiway watch`
    does the same. Put it into the scheduler; it needs nobody who acts.

    \b
    Example: taxiway cases expire --model flight-delays
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        timed_out = workspace.cases_expire(model, dry_run=dry_run)
    if as_json:
        screen.show_json({"cases": timed_out, "dry_run": dry_run})
        return
    for review in timed_out:
        screen.say(f"{review.id}: due {review.due:%Y-%m-%d %H:%M}, {review.state}.")
    verb = "would be written down" if dry_run else "written down"
    screen.say(f"{len(timed_out):,} cases timed out, {verb}.")


def _moved(found: Case, what: str, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        screen.show_json(_plain(found) | {"dry_run": dry_run})
        return
    _, review = found
    verb = "would be" if dry_run else "is"
    answer = f": the answer is {review.answer}" if review.answer else ""
    screen.say(f"Case {review.id} {verb} {what}{answer}.")


def _proposed(decision: Decision, review: Review) -> str:
    probability = screen.probability(decision.output)
    return f"{review.proposed} ({probability})" if probability else review.proposed


def _plain(found: Case) -> dict[str, Any]:
    decision, review = found
    return {"case": review, "answer": review.answer, "decision": decision}


def _state(review: Review) -> str:
    """How a case stands, and by whom."""
    by = review.decided_by or (review.taken_by if review.state == "taken" else None)
    answer = f", {review.answer}" if review.answer else ""
    return f"{review.state}{answer}" + (f" by {by}" if by else "")
