"""Tables that taxiway writes for people: CSV and Parquet, there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from taxiway.core.errors import ConflictError, InputError

SUFFIXES = (".parquet", ".csv")


def require_writable(path: Path, *, overwrite: bool) -> None:
    """Raises what stands in the way of writing a table, before any work is done for it."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{path.name} has no known kind of table; expected a name that ends in"
            f" {' or '.join(SUFFIXES)}."
        )
    if not path.absolute().parent.is_dir():
        raise InputError(f"There is no folder {path.absolute().parent} to write {path.name} into.")
    if path.exists() and not overwrite:
        raise ConflictError(
            f"{path} is already there.", todo="Choose another name, or add --overwrite."
        )


def write_table(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """The rows as a table in the format that the name asks for."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.stem}-")
    os.close(handle)
    partial = Path(name)
    try:
        if path.suffix.lower() == ".csv":
            frame.write_csv(partial)
        else:
            frame.write_parquet(partial)
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
