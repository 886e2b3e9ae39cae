"""`taxiway data check`: every row held against the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data import asked
from taxiway.core.errors import MissingError, shortened

if TYPE_CHECKING:
    from taxiway.data.findings import Validation


@click.command()
@asked.any_source
@click.option(
    "--contract",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A contract's file (default: the project's); needs no project.",
)
@click.option("--table", help="Which table of the contract's file, if it has more than one.")
@asked.reading
@click.option(
    "--with",
    "others",
    multiple=True,
    metavar="NAME=SOURCE",
    help="A table that the contract refers to; may be repeated.",
)
@click.option(
    "--quarantine",
    type=click.Path(path_type=Path),
    help="Write the rows that fail here, with their reasons (.csv, .parquet or .delta).",
)
@click.option("--overwrite", is_flag=True, help="Replace a quarantine that is there.")
@options.project
@options.acting
@options.as_json
@click.pass_context
def check(
    ctx: click.Context,
    *,
    source: str | None,
    contract: Path | None,
    table: str | None,
    reading: asked.Reading,
    others: tuple[str, ...],
    quarantine: Path | None,
    overwrite: bool,
    project: Path | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Hold every row of SOURCE (default: the charter's) against the contract; change nothing.

    SOURCE is a file (CSV, Parquet, Arrow; packed or not), a folder or a pattern of files, a Delta
    table, s3://bucket/name, or a database's URL with --query. With --contract no project is needed.
    Ends with exit code 1 if anything fails.

    \b
    Example: taxiway data check data/flights.csv --contract flights.odcs.yaml
    """
    from taxiway.bootstrap.data.checking import Asked, check_file

    what = Asked(source or "", reading.query, reading.told, others, quarantine, overwrite)
    with screen.progress("Checking rows") as advance:
        if contract is None:
            from taxiway.bootstrap import Workspace

            with _named(), Workspace.open(actor=actor) as workspace:
                found = workspace.data_check(project, asked=what, on_rows=advance)
        else:
            if source is None:
                raise click.UsageError("SOURCE is missing: a contract alone says nothing of data.")
            found = check_file(
                what, contract, table=table, as_of=datetime.now(UTC), on_rows=advance
            )
    if as_json:
        screen.show_json(found.found())
    else:
        for note in found.notes:
            screen.say(f"Note: {note}.")
        _show_check(found.validation)
        if found.quarantined:
            screen.say(f"{found.quarantined:,} rows are in {quarantine}, with their reasons.")
    if not found.validation.passed:
        ctx.exit(1)


@contextmanager
def _named() -> Iterator[None]:
    """Outside of any project, says how to do without one."""
    try:
        yield
    except MissingError as error:
        todo = "Name a contract with --contract; `taxiway data infer SOURCE --out FILE` drafts one."
        said = " ".join(text for text in (error.todo, todo) if text)
        raise MissingError(error.headline, error.problems, todo=said) from None


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
