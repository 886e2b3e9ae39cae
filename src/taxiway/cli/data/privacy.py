"""`taxiway data privacy`: which columns hold personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.rows import asked_of_table, say_notes

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Asked


@click.command()
@asked_of_table
@options.as_json
@click.pass_context
def privacy(ctx: click.Context, *, asked: Asked, as_json: bool) -> None:
    """Say which columns of SOURCE hold personal data, and how alone its rows stand.

    Values are held against check digits (accounts, cards, national numbers of 25 countries) and
    patterns, names of columns against words of several languages. No value is shown. Ends with exit
    code 1 if a column is surely personal and the contract does not mark it.

    \b
    Example: taxiway data privacy customers.csv
    """
    from taxiway.bootstrap.data.people import privacy as examine

    found, rows = examine(asked)
    if as_json:
        screen.show_json({"source": rows.called, "notes": rows.notes, **found.found()})
    else:
        if found.personal or found.protected:
            marks = {True: "yes", False: "no"}
            screen.table(
                ["column", "is", "sure", "because", "marked"],
                [
                    [one.column, one.kind, one.confidence, one.says, marks[one.marked]]
                    for one in found.personal
                ]
                + [
                    [column, f"protected: {attribute}", "likely", "", marks[marked]]
                    for column, attribute, marked in found.protected
                ],
            )
        if len(found.quasi_identifiers) > 1:
            screen.say(
                f"By {', '.join(found.quasi_identifiers)} together, {found.unique_rows:,} of"
                f" {found.rows:,} rows stand alone, and {found.small_rows:,} among fewer than five."
            )
        screen.say(
            f"{found.columns} columns of {rows.called}: {len(found.personal)} with personal data,"
            f" {len(found.protected)} protected."
        )
        say_notes(rows)
    if found.unmarked:
        ctx.exit(1)
