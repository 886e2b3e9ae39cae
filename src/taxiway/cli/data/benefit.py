"""`taxiway data benefit`: what each column brings a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.rows import LEAVE_OUT, TARGET, asked_of_table, say_notes

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Asked
    from taxiway.core.interval import Interval
    from taxiway.data.benefit import Benefit


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
    worth = [f"{found.currency} lost per {found.per}", "95 %"] if found.currency else []
    costs = any(one.cost is not None for one in found.columns)
    paid = ["costs", *(["left"] if worth else [])] if costs else []
    lost = f"{found.metric} lost without it"
    screen.table(
        ["column", lost, "95 %", "verdict", *worth, *paid, "missing", "known at", ""],
        [
            [
                one.column,
                f"{one.loss.value:+.4f}",
                f"{one.loss.low:+.4f} to {one.loss.high:+.4f}",
                one.verdict,
                *(_money(one.value) if one.value else []),
                *(_paid(one, left=bool(worth)) if costs else []),
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


def _money(value: Interval) -> list[str]:
    return [f"{value.value:+.4f}", f"{value.low:+.4f} to {value.high:+.4f}"]


def _paid(one: Benefit, *, left: bool) -> list[str]:
    cost = "" if one.cost is None else f"{one.cost:g}"
    return [cost, *(["" if one.net is None else f"{one.net:+.4f}"] if left else [])]
