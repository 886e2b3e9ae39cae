"""`taxiway data diff`: what differs between two contracts, and whom it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.cli.data import asked
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from taxiway.data.changes import Comparison


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--table", help="Which table of the contracts' files, if they have more than one.")
@asked.reading
@options.as_json
@click.pass_context
def diff(
    ctx: click.Context,
    *,
    before: str,
    after: str,
    table: str | None,
    reading: asked.Reading,
    as_json: bool,
) -> None:
    """Say what differs between two contracts: each change, and whom it breaks.

    BEFORE and AFTER are contracts' files (.yaml), or sources, of which a contract is drafted. Ends
    with exit code 1 if a change breaks producer, consumers, models or callers of an endpoint.

    \b
    Example: taxiway data diff flights.odcs.yaml new/flights.odcs.yaml
    """
    from taxiway.bootstrap.data.contracts import differences

    found = differences(before, after, table=table, query=reading.query, told=reading.told)
    if as_json:
        screen.show_json(found.found())
    else:
        _show(found)
    if found.breaking:
        ctx.exit(1)


def _show(found: Comparison) -> None:
    for note in found.notes:
        screen.say(f"Note: {note}.")
    if found.changes:
        screen.table(
            ["column", "change", "before", "after", "breaks", "why"],
            [
                [
                    one.where or "(table)",
                    one.what,
                    _value(one.before),
                    _value(one.after),
                    ", ".join(one.breaks) or "nobody",
                    one.why,
                ]
                for one in sorted(found.changes, key=lambda one: not one.breaking)
            ],
        )
    breaking = sum(one.breaking for one in found.changes)
    screen.say(
        f"{found.before} to {found.after}: {len(found.changes)} changes, {breaking} of them break"
        " something."
    )


def _value(value: Any) -> str:
    if isinstance(value, list):
        return shortened(", ".join(map(str, value)), 60)
    return "" if value is None else shortened(value, 60)
