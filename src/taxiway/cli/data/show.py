"""`taxiway data show`: what the columns of a snapshot hold."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import click

from taxiway.cli import options, screen
from taxiway.cli.data.snapshot import show_snapshot
from taxiway.core.errors import shortened

BLOCKS = "▁▂▃▄▅▆▇█"
CELLS = 16
"""Width of a little histogram, in characters."""


@click.command()
@click.argument("snapshot", required=False, metavar="[SNAPSHOT]")
@options.project
@options.as_json
def show(snapshot: str | None, project: Path | None, as_json: bool) -> None:
    """Show what SNAPSHOT holds (default: the newest of the project's model).

    \b
    Example: taxiway data show 1acce6a2d805
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data.snapshots import stored

    with Workspace.open() as workspace:
        kept, profile = workspace.data_show(project, snapshot=snapshot)
        place = stored(workspace, kept)
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
