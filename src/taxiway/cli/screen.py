"""What people see: tables and progress on a terminal, plain text in a pipe, JSON for machines.

Rich is imported only where a terminal shows it.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.core.digest import utc_text

if TYPE_CHECKING:
    from taxiway.bootstrap.batch import Begin

Advance = Callable[[int], None]


def probability(output: Mapping[str, Any]) -> str:
    """The probability of an output for a cell; empty where the answer is a number."""
    found = output.get("probability")
    return "" if found is None else f"{found:.4f}"


COLOURS = {
    "passed": "green",
    "failed": "red",
    "no evidence": "red",
    "waiting for a signature": "yellow",
    "deviated": "yellow",
    "not applicable": "dim",
}
"""How a verdict looks on a terminal."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def show_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, default=_plain, indent=2, ensure_ascii=False))


def say(text: str = "") -> None:
    """A line for people."""
    click.echo(text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """A table: drawn on a terminal, aligned columns in a pipe."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
        for column in columns:
            drawn.add_column(column, overflow="fold")  # a name is never cut
        for row in cells:
            drawn.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
        Console().print(drawn)
        return
    if title:
        click.echo(title)
    widths = [max(len(row[i]) for row in [list(columns), *cells]) for i in range(len(columns))]
    for row in [list(columns), *cells]:
        click.echo("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """A progress bar on a terminal; silence elsewhere. The block gets a function to advance it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda step: bar.advance(task, step)


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """A line that says what is being done, one step after the other. Silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as line:
        yield line.update


@contextmanager
def counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over steps of which the number is known when the first is done."""
    if not sys.stderr.isatty():
        yield lambda _, __: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, most: bar.update(task, completed=done, total=most)


@contextmanager
def stages() -> Iterator[Begin]:
    """Progress over rows in stages, one after the other: how many, how many a second, how long yet.

    The block gets a function that begins a stage. Silence where no terminal is.
    """
    if not sys.stderr.isatty():
        yield lambda _, __: lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TextColumn("{task.fields[rate]} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def begin(what: str, total: int | None) -> Advance:
            task = bar.add_task(what, total=total, rate="")

            def advance(step: int) -> None:
                bar.advance(task, step)
                done, seconds = bar.tasks[task].completed, bar.tasks[task].elapsed
                bar.update(task, rate=f"{done / seconds:,.0f}" if seconds else "")

            return advance

        yield begin
