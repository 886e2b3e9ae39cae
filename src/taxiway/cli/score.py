"""`taxiway score` and `taxiway replay`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.cli.days import FIRST_DAY, LAST_DAY
from taxiway.core.digest import utc_text
from taxiway.core.errors import shortened
from taxiway.core.kind import kind_of

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.serving.replay import Replayed


@click.command()
@click.argument("tables", metavar="[IN] OUT", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--sql",
    metavar="QUERY",
    help="Instead of IN: the rows of this query, put in order by the contract's key.",
)
@click.option(
    "--database",
    metavar="URL",
    envvar="TAXIWAY_DATABASE",
    help="Of the query, such as postgresql://user@host/name or sqlite:///file.db (or"
    " TAXIWAY_DATABASE; the password may be in TAXIWAY_DATABASE_PASSWORD).",
)
@options.model
@options.serving_environment
@click.option(
    "--quarantine",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Set rows that break the contract aside into this file, with their numbers and reasons.",
)
@click.option(
    "--at-most",
    metavar="LIMIT",
    help="How many rows may be set aside, such as 100 or 0.5%; with more, none is decided.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT (and the quarantine) if it is there.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Who decides: this process, or the workers of Ray (on this machine, or at RAY_ADDRESS).",
)
@options.dry_run
@options.as_json
def score(
    *,
    tables: tuple[Path, ...],
    sql: str | None,
    database: str | None,
    model: str | None,
    environment: str,
    quarantine: Path | None,
    at_most: str | None,
    overwrite: bool,
    engine: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Score a table with the champion, along the same path as the endpoint.

    IN is a CSV or Parquet file, or the folder of a Delta table; OUT ends in .parquet, .csv or
    .delta. Every row is held against the contract first: one that breaks it, and none is decided,
    unless --quarantine and --at-most let it be set aside. Every decision is in the log before its
    row is written; OUT is there when all of it is. Rows are decided once by a release in an
    environment: after an interruption the same command goes on where it was, on the rows that it
    had begun to read, or says what has changed.

    \b
    Example: taxiway score schedule.parquet scores.parquet --env prod
             taxiway score schedule.csv scores.csv --quarantine bad.csv --at-most 1%
             taxiway score --sql "SELECT * FROM schedule" scores.delta
    """
    from taxiway.bootstrap import Workspace

    source, out = _in_and_out(tables, sql, database)

    began = time.perf_counter()
    with Workspace.open() as workspace, screen.stages() as begin:
        done = workspace.score(
            source,
            out,
            model=model,
            environment=environment,
            quarantine=quarantine,
            at_most=at_most,
            overwrite=overwrite,
            engine=engine,
            dry_run=dry_run,
            begin=begin,
        )
    if as_json:
        screen.show_json(done)
        return
    if dry_run:
        screen.say(f"Would decide on {done['rows']:,} rows with {done['release']}.")
    else:
        seconds = time.perf_counter() - began
        yes = "" if done["positive"] is None else f", {done['positive']:,} of them yes,"
        screen.say(
            f"{done['release']} decided on {done['rows']:,} rows{yes} in {seconds:.1f} s"
            f" ({done['rows'] / seconds:,.0f} rows/s). All are in the log, and in {out}."
        )
        if done["found"]:
            screen.say(f"{done['found']:,} of them were in the log before, and taken from there.")
    for one in done["mapped"]:
        screen.say(f"Mapped, as {one['by']} signed: {one['says']}.")
    if quarantine:
        where = "would be set aside" if dry_run else f"are set aside in {quarantine}"
        screen.say(f"{done['quarantined']:,} rows break the contract, and {where}.")


def _in_and_out(
    tables: tuple[Path, ...], sql: str | None, database: str | None
) -> tuple[Path | tuple[str, str], Path]:
    """What is read and what is written."""
    if sql is None:
        if len(tables) != 2:
            raise click.UsageError("Name two tables: IN and OUT; or OUT and a query with --sql.")
        return tables[0], tables[1]
    if len(tables) != 1:
        raise click.UsageError("With --sql, name one table: OUT.")
    if not database:
        raise click.UsageError("Say which database --sql asks: --database or TAXIWAY_DATABASE.")
    return (database, sql), tables[0]


@click.command()
@click.argument("decision", required=False)
@click.option("--model", help="Of a span: the model (default: the project's, or the only one).")
@options.serving_environment
@click.option("--from", "start", type=FIRST_DAY, help="The first day of a span, in UTC.")
@click.option("--to", "end", type=LAST_DAY, help="The last day of a span, in UTC.")
@options.as_json
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    decision: str | None,
    model: str | None,
    environment: str,
    start: datetime | None,
    end: datetime | None,
    as_json: bool,
) -> None:
    """Make logged decisions again from their release and inputs, and compare to the bit.

    One decision by its id, or all of a model that happened in a span of days. Ends with 1 if an
    answer is another one.

    \b
    Example: taxiway replay 01k9x7q2m5v8
             taxiway replay --model flight-delays --from 2027-03-01 --to 2027-03-31
    """
    from taxiway.bootstrap import Workspace

    if (decision is None) == (start is None and end is None):
        raise click.UsageError("Name one decision, or a span with --from and --to.")
    with Workspace.open() as workspace, screen.stages() as begin:
        if decision is None:
            found = workspace.replay_span(model, environment, start=start, end=end, begin=begin)
            equal = not found["different"]
        else:
            replayed = workspace.replay(decision)
            equal = replayed.equal
            found = {
                "equal": equal,
                "decision": replayed.decision,
                "logged": replayed.decision.output,
                "replayed": replayed.output,
            }
    if as_json:
        screen.show_json(found)
    elif decision is None:
        _show_span(found)
    else:
        _show(replayed)
    ctx.exit(0 if equal else 1)


def _show_span(found: dict[str, Any]) -> None:
    screen.table(
        ["release", "decisions"],
        [[name, f"{rows:,}"] for name, rows in found["releases"].items()],
    )
    screen.say()
    if found["first"]:
        screen.table(
            ["decision", "key", "logged", "made again"],
            [
                [
                    one["decision"].id,
                    shortened(one["decision"].key, 60),
                    *(repr(one[which][_score(one)]) for which in ("logged", "replayed")),
                ]
                for one in found["first"]
            ],
            title="The first that came out differently",
        )
        screen.say()
    screen.say(
        f"{found['rows']:,} decisions made again in {found['seconds']:.1f} s"
        f" ({found['rows_per_second']:,} rows/s): {found['equal']:,} the same to the bit,"
        f" {found['different']:,} different."
    )
    if found["withheld"]:
        lacking = ", ".join(f"{name} of {rows:,}" for name, rows in found["lacking"].items())
        screen.say(
            f"{found['withheld']:,} decisions can't be made again: the log withholds {lacking}."
        )


def _score(one: dict[str, Any]) -> str:
    return kind_of(one["logged"]).score


def _show(replayed: Replayed) -> None:
    made, logged = replayed.decision, replayed.decision.output
    screen.say(
        f"Decision {made.id} of {made.release} in {made.environment}, {utc_text(made.at)}, over"
        f" {made.channel}"
    )
    screen.table(
        ["input", "value"], [[name, shortened(value, 60)] for name, value in made.inputs.items()]
    )
    screen.table(
        ["output", "logged", "made again"],
        [
            [name, shown(logged[name]), shown(replayed.output[name])]
            for name in (*kind_of(logged).output, "reasons")
        ],
    )
    screen.say("The same to the bit." if replayed.equal else "NOT the same.")


def shown(value: object) -> str:
    """An output's value for a cell; reasons as their columns with the effect.

    >>> shown([{"column": "carrier", "effect": 0.125}])
    'carrier +0.125'
    """
    if isinstance(value, list):
        return ", ".join(f"{one['column']} {one['effect']:+.3f}" for one in value)
    return repr(value)
