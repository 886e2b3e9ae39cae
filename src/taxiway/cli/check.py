"""`taxiway check`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import click

from taxiway.cli import options, screen
from taxiway.core.check import CLEAR, FlightCheck
from taxiway.core.errors import shortened

WIDEST = 100


@click.command()
@click.argument("release", required=False)
@options.environment
@click.option("--all", "everything", is_flag=True, help="Show every check, with its figures.")
@click.option("--explain", metavar="CHECK", help="Say what a check asks for, and whom it serves.")
@options.acting
@options.as_json
@click.pass_context
def check(
    ctx: click.Context,
    *,
    release: str | None,
    everything: bool,
    environment: str,
    explain: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """The flight check: may a release (default: the newest) enter an environment?

    Shows the checks that the environment requires of the model's tier; --all shows all 48 of the
    catalogue with what was found and required.

    Exit code 0: clear. 1: not clear.

    \b
    Example: taxiway check flight-delays:1 --for prod
             taxiway check --explain DV-03
    """
    if explain:
        # Needs no workspace: the catalogue is part of taxiway.
        from taxiway.governance.reference import explain as explained

        (screen.show_json if as_json else _show_explained)(explained(explain))
        return
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        flown = workspace.check(release, environment)
        roles = workspace.roles(flown.release)
    if as_json:
        screen.show_json(as_document(flown) | {"roles": roles})
    else:
        _show(flown, everything=everything)
        for one in roles:
            share = f" at {one.share} %" if one.share else ""
            screen.say(f"{one.release} is the {one.role}{share} in {one.environment} now.")
    ctx.exit(0 if flown.clear else 1)


def as_document(flown: FlightCheck) -> dict[str, Any]:
    """The flight check as plain data, with what follows from it."""
    titles = _titles()
    plain = {f.name: getattr(flown, f.name) for f in dataclasses.fields(flown)}
    return plain | {
        "clear": flown.clear,
        "blocking": [v.check for v in flown.blocking],
        "required": sorted(flown.required),
        "verdicts": [
            {
                "title": titles.get(v.check, ""),
                "needed": v.check in flown.required,
                **{f.name: getattr(v, f.name) for f in dataclasses.fields(v)},
            }
            for v in flown.verdicts
        ],
    }


def _show(flown: FlightCheck, *, everything: bool) -> None:
    titles, blocking = _titles(), flown.blocking
    clear = sum(v.status in CLEAR for v in flown.verdicts if v.check in flown.required)
    what = f"{flown.release} (tier {flown.tier}) for {flown.environment}"
    screen.say(
        f"{what}: {'clear' if flown.clear else 'not clear'}, {clear} of {len(flown.required)}"
        " required checks."
    )
    for verdict in blocking:
        screen.say(f"  {verdict.check} {verdict.status}: {verdict.why}")
        if verdict.todo:
            screen.say(f"        -> {verdict.todo}")
    screen.say()
    (_show_all if everything else _show_required)(flown, titles)
    if flown.clear and not flown.deployed:
        screen.say(f"\nNext: taxiway promote {flown.release} --to {flown.environment}")


def _show_required(flown: FlightCheck, titles: dict[str, str]) -> None:
    screen.table(
        ["check", "what", "verdict", "why"],
        [
            [v.check, titles.get(v.check, ""), v.status, shortened(v.why, WIDEST)]
            for v in flown.verdicts
            if v.check in flown.required
        ],
    )
    others = Counter(v.status.value for v in flown.verdicts if v.check not in flown.required)
    if others:
        counted = ", ".join(f"{count} {status}" for status, count in others.most_common())
        screen.say(f"Not required here: {counted} (--all shows them).")


def _show_all(flown: FlightCheck, titles: dict[str, str]) -> None:
    screen.table(
        ["check", "what", "verdict", "needed", "found", "required", "why"],
        [
            [
                v.check,
                titles.get(v.check, ""),
                v.status,
                "yes" if v.check in flown.required else "",
                shortened(v.found, WIDEST // 2),
                shortened(v.required, WIDEST // 2),
                shortened(v.why, WIDEST),
            ]
            for v in flown.verdicts
        ],
    )


def _show_explained(explained: dict[str, Any]) -> None:
    lines = " or ".join(str(line) for line in explained["lines"])
    how = {"A": "judged from evidence", "S": "signed", "A+S": "judged from evidence, then signed"}
    screen.say(f"{explained['check']} {explained['title']}")
    screen.say(f"  {explained['stage']}, line of defence {lines}, {how[explained['how']]}")
    screen.say(f"  {explained['explain'].strip()}")
    if not explained["built"]:
        screen.say("  Not built yet: it says `no evidence`.")
    for name, values in (
        ("evidence", explained["evidence"]),
        ("signed by", explained["signers"]),
        ("applies", [explained["applies"]]),
        ("required for", explained["required_for"]),
        ("deviation", ["possible" if explained["can_deviate"] else "never"]),
    ):
        if values:
            screen.say(f"  {name}: {', '.join(values)}")
    screen.say()
    screen.table(
        ["clause", "about", "rulebook", "in force from"],
        [
            [c["clause"], c["title"], c["rulebook"], c["in_force_from"]]
            for c in explained["clauses"]
        ],
    )


def _titles() -> dict[str, str]:
    from taxiway.governance.catalogue import load_catalogue

    return {spec.id: spec.title for spec in load_catalogue()}
