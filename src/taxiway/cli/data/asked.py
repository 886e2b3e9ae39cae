"""What the commands of `taxiway data` are asked about, and how it is to be read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from taxiway.bootstrap.data.sources import Told

source = click.argument(
    "source", type=click.Path(path_type=Path), required=False, metavar="[SOURCE]"
)
any_source = click.argument("source", required=False, metavar="[SOURCE]")
"""A file, a folder, a pattern, an object, or the URL of a database."""

READING = (
    click.option("--query", help="What to read of a database: a SELECT, or a table's name."),
    click.option("--encoding", help="Of text that is not UTF-8, such as cp1252."),
    click.option("--separator", help="Between values of text (default: found out)."),
    click.option("--decimal", type=click.Choice([".", ","]), help="Before decimals of text."),
    click.option(
        "--null",
        "nulls",
        multiple=True,
        help='How text says that there is no value (default: "" and NA); may be repeated.',
    ),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is to be read."""

    query: str | None
    told: Told


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say how a source is to be read, gathered as `reading`."""

    @functools.wraps(command)
    def gathered(
        *given: Any,
        query: str | None,
        encoding: str | None,
        separator: str | None,
        decimal: str | None,
        nulls: tuple[str, ...],
        **named: Any,
    ) -> None:
        from taxiway.bootstrap.data.sources import Told

        mark = {"tab": "\t", "\\t": "\t"}.get(separator or "", separator)
        told = Told(encoding, mark, decimal, nulls or None)
        command(*given, reading=Reading(query, told), **named)

    for option in reversed(READING):
        gathered = option(gathered)
    return gathered
