"""`taxiway data benefit`: what each column brings a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.rows import LEAVE_OUT, TARGET, asked_of_table, say_notes

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Asked


@click.command()
@asked_of_table
@TARGET
@LEAVE_OUT
@options.as_json
def benefit(*, asked: Asked, leave_out: tuple[str, ...], as_json: bool) -> None:
    """Say what a model loses without each column of SOURCE, and what it takes to have the column.

    \b
    Example: taxiway data benefit loans.csv --target "status = 'default'"
    """
    from taxiway.bootstrap.data.leaks import Order
    from taxiway.bootstrap.data.leaks import benefit as measure

    with screen.counted("Training without each column") as step:
        found, rows = measure(asked, Order(leave_out=leave_out), step=step)
    if as_json:
        screen.show_json({"source": rows.called, "notes": rows.notes, **found.found()})
        return
    screen.table(
        ["column", f"{found.metric} lost without it", "95 %", "verdict", "missing", "known at", ""],
        [
            [
                one.column,
                f"{one.loss.value:+.4f}",
                f"{one.loss.low:+.4f} to {one.loss.high:+.4f}",
                one.verdict,
                f"{one.missing:.0%}" if one.missing else "",
                one.known_at,
                "personal" if one.personal else "",
            ]
            for one in found.columns
        ],
    )
    screen.say(
        f"{found.metric} with all {len(found.columns)} columns: {found.value:.4f}, on"
        f" {found.rows:,} rows that were not trained on."
    )
    say_notes(rows)
