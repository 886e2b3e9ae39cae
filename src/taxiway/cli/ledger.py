"""`taxiway ledger`: whether the ledger holds, and what it tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.days import DAY
from taxiway.cli.status import minute, show_stays
from taxiway.core.digest import short
from taxiway.core.errors import IntegrityError, Problem, shortened

if TYPE_CHECKING:
    from taxiway.core.ledger import Event

HIDDEN = (
    "before",
    "content",
    "contract",
    "data",
    "evidence",
    "public_key",
    "sign_off",
    "sign_offs",
    "tier_reasons",
)
"""Digests and other details for machines: `--json` has them."""


@click.group()
def ledger() -> None:
    """Verify and show the ledger: who did what, when, to which digest.

    \b
    Example: taxiway ledger verify
    """


@ledger.command()
@options.as_json
def verify(as_json: bool) -> None:
    """Hold every event, signature and fact against the ledger; ends with 5 if something is wrong.

    \b
    Example: taxiway ledger verify
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        report = workspace.ledger_verify()
    if as_json:
        screen.show_json(report)
    if not report.whole:
        raise IntegrityError(
            f"The ledger does not hold (events: {report.events:,},"
            f" problems: {len(report.problems):,}).",
            [Problem(problem) for problem in report.problems],
            todo="Restore the record from its backup, and find out who could write to the file.",
        )
    if not as_json:
        screen.say(
            f"The ledger holds: {report.events:,} events, each following the one before it and"
            f" signed; the facts are as they tell. Head {short(report.head)}."
        )


@ledger.command()
@click.option("--as-of", type=DAY, help="The day until whose end to look, in UTC (default: now).")
@click.option("--model", help="Only the events of this model.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many of the newest events to show.",
)
@options.as_json
def show(as_of: datetime | None, model: str | None, limit: int, as_json: bool) -> None:
    """Show what ran in prod on a day and on whose approval, then the events until then.

    \b
    Example: taxiway ledger show --as-of 2027-03-01 --model flight-delays
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        at = as_of or datetime.now(UTC)
        running = workspace.running_on(at, model)
        events = workspace.ledger_events(as_of, model)
    shown = events[-limit:]
    if as_json:
        document = {"as_of": at, "running": running, "events": shown, "of_events": len(events)}
        screen.show_json(document)
        return
    in_prod = [stay for stay in running if stay.environment == "prod"]
    if in_prod:
        show_stays(in_prod, title=f"In prod on {minute(at)}")
    else:
        screen.say(f"Nothing ran in prod on {minute(at)}.")
    screen.say()
    if len(shown) < len(events):
        screen.say(f"The newest {len(shown):,} of {len(events):,} events (more with --limit):")
    screen.table(
        ["event", "at", "by", "what", "subject", "details"],
        [
            [e.seq, minute(e.at), e.actor, e.action, shortened(e.subject, 40), _details(e)]
            for e in shown
        ],
    )


def _details(event: Event) -> str:
    """What an event says in words and numbers, in a line."""
    told = [
        f"{name}: {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in event.details.items()
        if name not in HIDDEN and not isinstance(value, dict) and value not in (None, "", [])
    ]
    return shortened(", ".join(told), 100)
