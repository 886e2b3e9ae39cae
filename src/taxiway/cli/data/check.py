"""`taxiway data check`: every row held against the contract."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.asked import source
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from taxiway.data.findings import Validation


@click.command()
@source
@options.project
@options.acting
@options.as_json
@click.pass_context
def check(
    ctx: click.Context,
    source: Path | None,
    project: Path | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Hold every row of SOURCE (default: the charter's) against the contract; change nothing.

    Ends with exit code 1 if anything fails.

    \b
    Example: taxiway data check data/flights.csv
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace, screen.progress("Checking rows") as advance:
        found = workspace.data_check(project, source=source, on_rows=advance)
    if as_json:
        fields = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
        pace = {"rows_per_second": found.rows_per_second}
        screen.show_json({"passed": found.passed, **fields, **pace})
    else:
        _show_check(found)
    if not found.passed:
        ctx.exit(1)


def _show_check(found: Validation) -> None:
    if found.failures:
        screen.table(
            ["column", "rule", "rows", "expected", "found"],
            [
                [f.column or "(all)", f.rule, f"{f.rows:,}" if f.rows else "", f.expected, said]
                for f in found.failures
                for said in [", ".join(f"{s['value']} (row {s['row']})" for s in f.samples)]
            ],
        )
    if found.extra_columns:
        named = shortened(", ".join(found.extra_columns))
        screen.say(f"Not in the contract, and left out: {named}.")
    for note in found.notes:
        screen.say(f"Note: {note}.")
    if found.first_time is not None:
        screen.say(f"Times run from {found.first_time} to {found.last_time}.")
    verdict = (
        f"{found.failed_rows:,} of them fail"
        if not found.passed
        else "all of them hold the contract"
    )
    screen.say(
        f"{found.rows:,} rows and {found.columns} columns in {found.seconds:.2f} s"
        f" ({found.rows_per_second:,} rows/s): {verdict}."
    )
