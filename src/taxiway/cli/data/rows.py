"""Options of the commands that look at whole tables, and what they say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Rows

Command = Callable[..., Any]

OF_TABLE = (
    click.argument("source", required=False, metavar="[SOURCE]"),
    click.option("--query", help="A SQL query, where SOURCE is the URL of a database."),
    click.option(
        "--contract",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="The contract that types the columns (default: the project's, or a draft).",
    ),
    options.project,
)
TARGET = click.option(
    "--target",
    help="The label: a column, or a condition such as \"status = 'late'\".",
)
OF_ORDER = (
    click.option("--time", help="The column with a row's time (default: the contract's)."),
    click.option(
        "--group", "groups", multiple=True, help="A column whose rows belong together; repeat it."
    ),
    click.option("--outcome-time", help="The column that says when the label was known."),
    click.option("--holdout", help="A source of its own with the rows that a model is judged on."),
)
LEAVE_OUT = click.option(
    "--leave-out", multiple=True, help="A column that no model reads; repeat it."
)


def asked_of_table(command: Command) -> Command:
    """The options that say which table is looked at, as one record `asked`."""

    @wraps(command)
    def run(*args: Any, **given: Any) -> Any:
        from taxiway.bootstrap.data.rows import Asked

        names = ("source", "query", "contract", "project", "target")
        asked = Asked(**{name: given.pop(name) for name in names if name in given})
        return command(*args, asked=asked, **given)

    return _with(OF_TABLE, run)


def ordered(command: Command) -> Command:
    """The options that say what is known of the rows, as one record `order`."""

    @wraps(command)
    def run(*args: Any, **given: Any) -> Any:
        from taxiway.bootstrap.data.leaks import Order

        names = ("time", "groups", "outcome_time", "holdout", "leave_out")
        order = Order(**{name: given.pop(name) for name in names})
        return command(*args, order=order, **given)

    return _with((*OF_ORDER, LEAVE_OUT), run)


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def say_notes(rows: Rows, more: Sequence[str] = ()) -> None:
    """What has to be known of the rows that were looked at."""
    for note in (*rows.notes, *more):
        screen.say(f"Note: {note}.")
