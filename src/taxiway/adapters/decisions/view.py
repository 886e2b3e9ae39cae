"""The whole log as one frame that nothing is read of until it is asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from taxiway.adapters.decisions import parquet
from taxiway.adapters.decisions.closing import frames

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from taxiway.adapters.decisions.log import Sources


def view(sources: Sources, folder: Path, now: int) -> pl.LazyFrame:
    """All decisions, open and closed, with the columns of a closed file."""
    import polars as pl

    parts = [parquet.scan(folder, file) for file in sources.files]
    parts += [_of_segment(connection, now) for connection in sources.open]
    if not parts:
        return pl.LazyFrame(schema=parquet.schema())
    return pl.concat(parts, how="vertical")


def _of_segment(connection: sqlite3.Connection, now: int) -> pl.LazyFrame:
    from polars.io.plugins import register_io_source

    def read(
        columns: list[str] | None, predicate: Any, rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        left = rows
        for whole in frames(connection, now):
            frame = whole.drop("day")
            if predicate is not None:
                frame = frame.filter(predicate)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            yield frame.select(columns) if columns is not None else frame
            if left == 0:
                return

    read_from: pl.LazyFrame = register_io_source(read, schema=parquet.schema())
    return read_from
