"""`taxiway status` and `taxiway history`: what runs, what waits for whom, and what ran before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.core.digest import short
from taxiway.core.moves import CHAMPION

if TYPE_CHECKING:
    from taxiway.governance.history import Stay
    from taxiway.governance.status import ModelStatus, Running, Status


@click.command()
@click.argument("model", required=False)
@options.as_json
def status(model: str | None, as_json: bool) -> None:
    """Show what runs where, who owns it, what waits for whom and since when.

    \b
    Example: taxiway status flight-delays
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.status(model)
    if as_json:
        screen.show_json(found)
        return
    if not found.models:
        screen.say("There is no model yet. Make a project with: taxiway new NAME")
    for one in found.models:
        _show_model(one, found)


@click.command()
@click.argument("model", required=False)
@options.environment_option(default=None, help="The environment (default: all).")
@options.as_json
def history(model: str | None, environment: str | None, as_json: bool) -> None:
    """Show what ran where and when, and on whose approval, oldest first.

    \b
    Example: taxiway history flight-delays --env prod
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.history(model, environment)
    if as_json:
        screen.show_json(found)
    elif found:
        show_stays(found)
    else:
        screen.say("Nothing ran yet.")


def show_stays(stays: Sequence[Stay], *, title: str = "") -> None:
    """Deployments with those who approved them."""
    screen.table(
        ["since", "until", "where", "release", "how", "approved", "evidence"],
        [
            [
                minute(stay.since),
                minute(stay.until) if stay.until else "now",
                stay.environment,
                stay.release if stay.role == CHAMPION else f"{stay.release} ({stay.role})",
                f"{stay.how} by {stay.by}",
                _approved(stay),
                short(stay.evidence_digest),
            ]
            for stay in stays
        ],
        title=title,
    )


def minute(at: datetime) -> str:
    """A moment for people, in UTC as the record has it."""
    return f"{at:%Y-%m-%d %H:%M}"


def _approved(stay: Stay) -> str:
    """Person by person, the checks that they signed."""
    checks: dict[str, list[str]] = {}
    for approval in stay.approvals:
        checks.setdefault(approval.person, []).append(approval.check)
    told = [f"{person} ({', '.join(of_them)})" for person, of_them in checks.items()]
    missing = [f"missing: {', '.join(stay.missing)}"] if stay.missing else []
    return "; ".join([*told, *missing]) or "nobody"


def _show_model(one: ModelStatus, found: Status) -> None:
    newest = f"newest release {one.release}" if one.release else "no release yet"
    screen.say(f"{one.model}: {one.kind}, tier {one.tier}, {newest}")
    screen.say("  " + ", ".join(f"{place}: {person}" for place, person in one.owners.items()))
    screen.say()
    if one.running:
        screen.table(
            ["environment", "release", "role", "since", "by"],
            [[r.environment, r.release, _role(r), minute(r.since), r.by] for r in one.running],
            title="Runs",
        )
    else:
        screen.say("Nothing runs.")
    screen.say()
    if one.waiting:
        screen.table(
            ["person", "what", "days", "due", "state", "id"],
            [
                [
                    waiting.person,
                    waiting.what,
                    (found.at - waiting.since).days,
                    _due(waiting.due, overdue=waiting.overdue),
                    waiting.state,
                    waiting.id,
                ]
                for waiting in one.waiting
            ],
            title="Waits",
        )
    else:
        screen.say(
            "Nothing waits for an answer; `taxiway check RELEASE` says what a release still needs."
        )
    screen.say()
    if one.monitoring:
        screen.table(
            ["environment", "window", "release", "kind", "verdict", "found"],
            [
                [m.environment, m.window_start[:10], m.release, m.kind, m.verdict, m.what]
                for m in one.monitoring
            ],
            title="Newest windows",
        )
        screen.say()


def _role(one: Running) -> str:
    return f"{one.role}, {one.share} %" if one.share else one.role


def _due(due: datetime | None, *, overdue: bool) -> str:
    if due is None:
        return ""
    return f"{due:%Y-%m-%d}, overdue" if overdue else f"{due:%Y-%m-%d}"
