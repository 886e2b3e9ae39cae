"""`taxiway data infer`: a contract drafted from data, with how sure it is and why."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data import asked
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from taxiway.data.infer import Draft, Guess


@click.command()
@click.argument("source")
@asked.reading
@click.option("--rows", type=click.IntRange(min=1), help="How many to look at (default: 100,000).")
@click.option("--id", help="What the contract is called (default: as the source).")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here.")
@click.option(
    "--like",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A contract whose other parts (owners, servers, prices) the new one keeps.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@options.as_json
def infer(
    *,
    source: str,
    reading: asked.Reading,
    rows: int | None,
    id: str | None,
    out: Path | None,
    like: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Draft a contract from SOURCE: types, keys, units, codes, sentinels, limits; say why.

    SOURCE is a file (CSV, Parquet, Arrow; packed or not), a folder or a pattern of files, a Delta
    table, s3://bucket/name, or a database's URL with --query. Needs no project.

    \b
    Example: taxiway data infer data/flights.csv --out flights.odcs.yaml
    """
    from taxiway.bootstrap.data import contracts

    if out is not None:
        contracts.require_writable(out, overwrite=overwrite)
    with screen.progress("Looking at rows") as advance:
        found = contracts.infer(
            source, query=reading.query, told=reading.told, rows=rows, id=id, on_rows=advance
        )
    if out is not None:
        contracts.write(found.contract, out, like=like)
    if as_json:
        screen.show_json({**found.found(), "written": out})
        return
    show(found)
    if out is not None:
        screen.say(f"Written to {out}. Next: read it, correct it, and")
        screen.say(f"  taxiway data check {_again(source, reading.query)} --contract {out}")


def _again(source: str, query: str | None) -> str:
    """How the same source is named to the next command; no password is repeated."""
    place, mark, rest = source.partition("://")
    if mark and "@" in rest:
        who, _, where = rest.rpartition("@")
        source = f"{place}://{who.partition(':')[0]}@{where.partition('?')[0]}"
    asked = ["--query", query] if query else []
    return shlex.join([source, *asked])


def show(found: Draft) -> None:
    """A draft for people: the least sure columns say why first."""
    screen.table(
        ["column", "type", "sure", "holds", "why"],
        [
            [g.name, _type(g), f"{g.confidence:.0%}", _holds(g), shortened("; ".join(g.reasons))]
            for g in found.columns
        ],
    )
    for note in found.notes:
        screen.say(f"Note: {note}.")
    key = ", ".join(found.contract.key) or "none was found"
    screen.say(f"Key: {key}. Time of a row: {found.contract.event_time or 'none was found'}.")
    looked = "all" if found.whole else "some"
    unsure = sum(g.confidence < 0.8 for g in found.columns)
    screen.say(
        f"{found.rows:,} rows were looked at ({looked} of them), {len(found.columns)} columns;"
        f" {unsure} of them need a look by somebody who knows them."
    )


def _type(guess: Guess) -> str:
    column = guess.column
    spelled = f" {column.format}" if column.format else ""
    return f"{column.type}{'?' if column.nullable else ''}{spelled}"


def _holds(guess: Guess) -> str:
    column = guess.column
    parts = ["key"] if column.key else []
    if column.values:
        parts.append(f"one of {shortened(', '.join(map(str, column.values)), 40)}")
    match column.minimum, column.maximum:
        case None, None:
            pass
        case low, None:
            parts.append(f"at least {low}")
        case None, high:
            parts.append(f"at most {high}")
        case low, high:
            parts.append(f"{low} to {high}")
    if column.pattern:
        parts.append(column.pattern)
    parts += [column.unit] if column.unit else []
    if column.sentinels:
        parts.append(f"none: {', '.join(map(str, column.sentinels))}")
    parts += [word for word in ("personal", "protected") if getattr(column, word)]
    return "; ".join(parts)
