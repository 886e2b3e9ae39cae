"""`taxiway data leaks`: what makes a model look better than it will ever be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.rows import TARGET, asked_of_table, ordered, say_notes

if TYPE_CHECKING:
    from taxiway.bootstrap.data.leaks import Order
    from taxiway.bootstrap.data.rows import Asked
    from taxiway.data.leaks.search import Leaks


@click.command()
@asked_of_table
@TARGET
@ordered
@click.option("--no-models", is_flag=True, help="Train nothing: don't compare splits.")
@options.as_json
@click.pass_context
def leaks(
    ctx: click.Context, *, asked: Asked, order: Order, as_json: bool, no_models: bool
) -> None:
    """Search SOURCE (default: the charter's) for leaks and traps, before a model is trained on it.

    Columns that are known too late, tell the label too well, name rows, hold the label's mean, or
    say by being missing what the label is; twins on both sides of a split; rows from after their
    outcome; random splits that flatter. Ends with exit code 1 if anything blocks.

    \b
    Example: taxiway data leaks loans.csv --target "status = 'default'" --time applied_at
             taxiway data leaks visits.parquet --target returned --group customer
    """
    from taxiway.bootstrap.data.leaks import leaks as search

    with screen.steps() as step:
        found, rows = search(asked, order, models=not no_models, step=step)
    if as_json:
        screen.show_json({"source": rows.called, "notes": rows.notes, **found.found()})
    else:
        _show(found, rows.called)
        say_notes(rows, [f"not looked for: {one}" for one in found.skipped])
    if found.blocking:
        ctx.exit(1)


def _show(found: Leaks, called: str) -> None:
    if found.leaks:
        screen.table(
            ["verdict", "kind", "columns", "what was found"],
            [[one.severity, one.kind, ", ".join(one.columns), one.says] for one in found.leaks],
        )
        screen.say()
        for todo in dict.fromkeys(f"{one.kind}: {one.todo}" for one in found.leaks if one.todo):
            screen.say(f"- {todo}")
        screen.say()
    blocks = len(found.blocking)
    looks = len(found.leaks) - blocks
    said = f"{blocks} that block, {looks} to look at" if found.leaks else "nothing was found"
    screen.say(f"{found.rows:,} rows and {found.columns} columns of {called}: {said}.")
