"""The mark of synthetic rows: a column in every format, and a note in a Parquet file's metadata."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from taxiway.data.source import Source

COLUMN = "taxiway_synthetic"
"""True in every row. No contract may name a column so."""
KEY = "taxiway.synthetic"


def marked(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with the mark."""
    return frame.with_columns(pl.lit(value=True).alias(COLUMN))


def is_marked(source: Source) -> bool:
    """Whether a source holds synthetic rows, by its columns or its file's metadata."""
    return COLUMN in source.schema or any(_noted(path) for path in source.parts)


def _noted(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return False
    return pl.read_parquet_metadata(path).get(KEY) == "true"


def write_marked(frame: pl.DataFrame, path: Path) -> None:
    """Rows as a Parquet file that says in its metadata too that they are synthetic."""
    marked(frame).write_parquet(path, compression="zstd", metadata={KEY: "true"})
