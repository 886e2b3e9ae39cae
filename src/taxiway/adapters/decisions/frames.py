"""Decisions of a batch that come as a frame: a closed file at once, without a segment before it.

A batch has its rows by the ten thousand. They are written into a Parquet file as closing would
write it, beside the closed files; it takes its place, and its line in the catalogue, in one short
moment in which nobody else closes or removes. Whoever looks sees all of its rows, or none.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from taxiway.adapters.decisions import parquet
from taxiway.adapters.decisions.catalogue import Catalogue, ClosedFile, store_errors
from taxiway.core.errors import ConflictError

if TYPE_CHECKING:
    import polars as pl

PREFIX = "frame-"
LEVEL = 1
"""Of zstd: the third takes a third more time for a tenth of the bytes, and a batch waits for it."""
LEFT_SECONDS = 24 * 3600.0
"""A folder that is older was left by a process that was killed."""


def append(
    frame: pl.DataFrame,
    folder: Path,
    catalogue: Catalogue,
    *,
    newest: int,
    open_: Sequence[sqlite3.Connection],
    alone: Callable[[], AbstractContextManager[None]],
) -> None:
    """Adds the rows to the closed files below `folder`, all or none.

    `newest` is the latest moment that the log knows, `open_` its open segments. Raises
    `ConflictError` if it has one of the ids.
    """
    import polars as pl

    at = pl.col("at").cast(pl.Int64)
    rows = parquet.as_closed(
        frame.with_columns(**_said(frame), behind_us=(newest - at).clip(lower_bound=0))
    )
    first, last = str(rows["id"].min()), str(rows["id"].max())
    known = catalogue.files_of_ids(first, last)
    _require_fresh(rows, folder, known, open_, (first, last))
    with _beside(folder) as there:
        file = parquet.write(there, rows, level=LEVEL)
        target = folder / file.path
        with alone(), store_errors(target):
            if set(catalogue.files_of_ids(first, last)) - set(known):
                raise ConflictError("Another process has logged some of these rows.")
            target.parent.mkdir(parents=True, exist_ok=True)
            (there / file.path).rename(target)
            for path in (target.parent, *target.parents[1:4]):
                parquet.sync(path)
            catalogue.replace([file])


def _said(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """What answers say, in the columns of a closed file."""
    import polars as pl

    if frame.schema["prediction"] == pl.Boolean:
        return {"predicted": pl.lit(None, pl.Float64)}
    nothing = pl.lit(None, pl.Float64)
    return {"predicted": pl.col("prediction"), "prediction": nothing, "probability": nothing}


def _require_fresh(
    rows: pl.DataFrame,
    folder: Path,
    known: Sequence[ClosedFile],
    open_: Sequence[sqlite3.Connection],
    span: tuple[str, str],
) -> None:
    there = (
        not rows["id"].is_unique().all()
        or any(parquet.rows_of_ids(folder, file, rows["id"]).height for file in known)
        or any(
            one.execute("SELECT 1 FROM decision WHERE id BETWEEN ? AND ? LIMIT 1", span).fetchone()
            for one in open_
        )
    )
    if there:
        raise ConflictError("A decision with one of these ids is already in the log.")


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder of its own on the same disk; what a killed process left of one is cleared away."""
    with store_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob(f"{PREFIX}*"):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        made = Path(mkdtemp(prefix=PREFIX, dir=folder.parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
