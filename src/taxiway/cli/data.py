"""`taxiway data`: check, snapshot and show data against their contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.core.digest import short
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from taxiway.core.facts import Snapshot
    from taxiway.data.findings import Validation

BLOCKS = "▁▂▃▄▅▆▇█"
CELLS = 16
"""Width of a little histogram, in characters."""

source = click.argument(
    "source", type=click.Path(path_type=Path), required=False, metavar="[SOURCE]"
)


@click.group()
def data() -> None:
    """Check, snapshot and show data against their contract.

    \b
    Example: taxiway data check data/flights.parquet
    """


@data.command()
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


@data.command()
@source
@options.project
@options.acting
@options.as_json
@options.dry_run
def snapshot(
    source: Path | None, project: Path | None, actor: str | None, as_json: bool, dry_run: bool
) -> None:
    """Keep SOURCE (default: the charter's) as an immutable snapshot, if it holds the contract.

    \b
    Example: taxiway data snapshot --as flights-developer
    """
    from taxiway.bootstrap import Workspace

    with (
        Workspace.open(actor=actor) as workspace,
        screen.progress("Reading rows") as advance,
    ):
        taken = workspace.data_snapshot(project, source=source, dry_run=dry_run, on_rows=advance)
    if as_json:
        screen.show_json({"dry_run": dry_run, "snapshot": taken})
        return
    if dry_run:
        screen.say("Nothing was written. This would be kept:")
    _show_snapshot(taken)
    if not dry_run:
        screen.say(f"Next: taxiway handoff offer data {taken.id} --summary ... --due DAY")


def _show_snapshot(taken: Snapshot) -> None:
    screen.say(f"Snapshot {short(taken.id)} of {taken.source} for {taken.model}")
    screen.table(
        ["what", "is"],
        [
            ["rows", f"{taken.rows:,}"],
            ["first time", taken.first_time],
            ["last time", taken.last_time],
            ["data", taken.data_digest],
            ["contract", taken.contract_digest],
            ["profile", taken.profile_digest],
            ["taken", f"{taken.at:%Y-%m-%d %H:%M:%S} UTC by {taken.by}"],
        ],
    )


@data.command()
@click.argument("snapshot", required=False, metavar="[SNAPSHOT]")
@options.project
@options.as_json
def show(snapshot: str | None, project: Path | None, as_json: bool) -> None:
    """Show what SNAPSHOT holds (default: the newest of the project's model).

    \b
    Example: taxiway data show 1acce6a2d805
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        kept, profile = workspace.data_show(project, snapshot=snapshot)
    if as_json:
        screen.show_json({"snapshot": kept, "profile": profile})
        return
    _show_snapshot(kept)
    screen.say()
    screen.table(
        ["column", "type", "nulls", "distinct", "shape", "least, 10, 50, 90 %, most; or values"],
        [
            [c["name"], c["type"], _share(c["nulls"], c), c.get("distinct"), shape(c), holds(c)]
            for c in profile["columns"]
        ],
    )


def shape(column: Mapping[str, Any]) -> str:
    """A column's little histogram: a bar a value, or bars of equal width from least to most.

    >>> shape({"bins": "values", "values": ["a", "b"], "counts": [8, 4, 0, 0]})
    '█▅'
    """
    *counts, _other, _null = column["counts"] or (0, 0)
    if column["bins"] == "quantiles":
        counts = _equal_width([column["minimum"], *column["edges"], column["maximum"]], counts)
    most = max(counts, default=0)
    if not most:
        return ""
    heights = [round(count / most * (len(BLOCKS) - 1)) for count in counts[:CELLS]]
    bars = [
        BLOCKS[height] if count else " " for height, count in zip(heights, counts, strict=False)
    ]
    return "".join(bars).rstrip()


def _equal_width(edges: list[float], counts: list[int]) -> list[float]:
    """Counts between quantiles, spread evenly within each, over cells of equal width."""
    low, width = edges[0], edges[-1] / CELLS - edges[0] / CELLS
    below = [0, *accumulate(counts)]

    def rows_up_to(at: float) -> float:
        for (left, right), (before, after) in zip(pairwise(edges), pairwise(below), strict=True):
            if at < right:
                return before + (after - before) * max(0.0, at - left) / (right - left)
        return below[-1]

    marks = [rows_up_to(low + width * cell) for cell in range(CELLS)] + [float(below[-1])]
    marks[0] = 0.0
    return [right - left for left, right in pairwise(marks)]


def holds(column: Mapping[str, Any]) -> str:
    """What a column holds, in a line: quantiles of numbers, the most frequent values, or times.

    >>> holds({"bins": "values", "type": "string", "values": ["JFK"], "rows": 4, "nulls": 0,
    ...        "counts": [3, 1, 0]})
    'JFK 75%, others 25%'
    """
    if column["bins"] == "none":
        return f"{column['first']} to {column['last']}" if column["first"] else ""
    if column["type"] in {"integer", "number"}:
        if column["minimum"] is None:
            return ""
        tenth, half, ninth = (column["deciles"][at] for at in (0, 4, 8))
        return (
            f"{column['minimum']:g} … {tenth:g} … {half:g} … {ninth:g} … {column['maximum']:g}"
            f" (mean {column['mean']:.4g})"
        )
    *counts, other, _null = column["counts"]
    top = [
        f"{_value(v)} {_share(n, column)}" for v, n in zip(column["values"], counts, strict=True)
    ]
    rest = sum(counts[4:]) + other
    return ", ".join(top[:4] + ([f"others {_share(rest, column)}"] if rest else []))


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else shortened(value, 20)


def _share(count: int, column: Mapping[str, Any]) -> str:
    if not count:
        return ""
    share = count / column["rows"]
    return f"{share:.0%}" if share >= 0.01 else "<1%"
