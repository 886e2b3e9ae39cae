"""`taxiway data show`: what the columns of a source or a snapshot hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.cli.data.snapshot import show_snapshot
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from taxiway.bootstrap.data.showing import Shown
    from taxiway.core.contract import Contract

BLOCKS = "▁▂▃▄▅▆▇█"
CELLS = 16
"""Width of a little histogram, in characters."""
MOST = 200
"""Columns that a terminal is shown."""


@click.command()
@click.argument("source", required=False, metavar="[SOURCE]")
@click.option("--query", help="What to read, where SOURCE is the URL of a database.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with pictures."
)
@options.project
@options.as_json
def show(
    source: str | None, query: str | None, html: Path | None, project: Path | None, as_json: bool
) -> None:
    """Show what SOURCE or a snapshot holds (default: the newest of the project's model).

    SOURCE is a file, a folder, an object in a store or a database's URL, and needs no workspace;
    anything else is the digest of a snapshot. No value of a personal column is shown.

    \b
    Example: taxiway data show data/flights.csv --html flights.html
    """
    if source is not None and ("://" in source or Path(source).exists()):
        _show_source(source, query, html, project, as_json=as_json)
    else:
        _show_snapshot(source, html, project, as_json=as_json)


def _show_source(
    source: str, query: str | None, html: Path | None, project: Path | None, *, as_json: bool
) -> None:
    from taxiway.bootstrap.data.showing import show_source

    with screen.progress("Reading rows") as advance:
        shown = show_source(source, query=query, contract=_contract(project), on_rows=advance)
    if html is not None:
        _write(html, shown)
    if as_json:
        screen.show_json(shown.found())
        return
    screen.table(
        ["column", "type", "missing", "distinct", "shape", "least, 10, 50, 90 %, most; or values"],
        [
            [
                shortened(c["name"], 40),
                c["type"],
                _share(c["nulls"], c),
                c["distinct"],
                bars(c),
                told(c),
            ]
            for c in shown.columns[:MOST]
        ],
    )
    if len(shown.columns) > MOST:
        screen.say(f"And {len(shown.columns) - MOST:,} more columns; --json and --html have all.")
    repeated = shown.repeated or 0
    screen.say(
        f"{shown.rows:,} rows and {len(shown.columns):,} columns in {shown.source}"
        + (f"; {repeated:.1%} of the rows were there before." if repeated else ".")
    )
    if html is not None:
        screen.say(f"Pictures: {html}")


def _show_snapshot(
    digest: str | None, html: Path | None, project: Path | None, *, as_json: bool
) -> None:
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data.showing import show_snapshot as rows_of
    from taxiway.bootstrap.data.snapshots import stored

    with Workspace.open() as workspace:
        kept, profile = workspace.data_show(project, snapshot=digest)
        place = stored(workspace, kept)
        if html is not None:
            with screen.progress("Reading rows") as advance:
                contract = _contract(project)
                _write(html, rows_of(workspace, kept, contract=contract, on_rows=advance))
    if as_json:
        screen.show_json({"snapshot": kept, "profile": profile})
        return
    show_snapshot(kept, place)
    screen.say()
    screen.table(
        ["column", "type", "nulls", "distinct", "shape", "least, 10, 50, 90 %, most; or values"],
        [
            [c["name"], c["type"], _share(c["nulls"], c), c.get("distinct"), shape(c), holds(c)]
            for c in profile["columns"]
        ],
    )
    if html is not None:
        screen.say(f"Pictures: {html}")


def _write(html: Path, shown: Shown) -> None:
    from taxiway.data.page.document import write_page

    write_page(html, shown.page())


def _contract(project: Path | None) -> Contract | None:
    """The contract of the project, if this is one."""
    from taxiway.bootstrap.project import project_here

    here = project_here(project)
    return here.contract_or_none if here else None


def bars(column: Mapping[str, Any]) -> str:
    """A column's little histogram, from its summary."""
    pictured = column.get("histogram")
    if not pictured:
        return ""
    shares = pictured["shares"]
    if len(shares) > CELLS:
        step = len(shares) / CELLS
        cells = [shares[int(at * step) : int((at + 1) * step)] for at in range(CELLS)]
        shares = [sum(cell) for cell in cells]
    return drawn(shares)


def told(column: Mapping[str, Any]) -> str:
    """What a column holds, in a line, from its summary.

    >>> told({"hidden": "personal, by its name"})
    'hidden: personal, by its name'
    """
    if column["hidden"]:
        return f"hidden: {column['hidden']}"
    if column.get("first"):
        return f"{column['first']} to {column['last']}"
    if column.get("quantiles"):
        points = [column["minimum"], *(column["quantiles"][q] for q in ("0.1", "0.5", "0.9"))]
        line = " … ".join(f"{point:g}" for point in [*points, column["maximum"]])
        mean = column["mean"]
        return line if mean is None else f"{line} (mean {mean:.4g})"
    top = [f"{_value(v['value'])} {_share(v['rows'], column)}" for v in column.get("values", [])]
    rest = column.get("others", 0) + sum(v["rows"] for v in column.get("values", [])[4:])
    return ", ".join(top[:4] + ([f"others {_share(rest, column)}"] if rest else []))


def shape(column: Mapping[str, Any]) -> str:
    """A column's little histogram: a bar a value, or bars of equal width from least to most.

    >>> shape({"bins": "values", "values": ["a", "b"], "counts": [8, 4, 0, 0]})
    '█▅'
    """
    *counts, _other, _null = column["counts"] or (0, 0)
    if column["bins"] == "quantiles":
        counts = _equal_width([column["minimum"], *column["edges"], column["maximum"]], counts)
    return drawn(counts)


def drawn(counts: Sequence[float]) -> str:
    """A bar a count, the highest as high as a line."""
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
