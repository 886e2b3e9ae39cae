"""A source with signed mappings done to its rows: what the contract is held against then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from taxiway.core.errors import InputError
from taxiway.data.mapping import Mapped, mapped
from taxiway.data.source import ROW, Source, batches, raw_frame, rows_of_other_width
from taxiway.data.source.plain import new_place
from taxiway.data.table import writing


def mapped_rows(source: Source, mappings: Sequence[Mapped]) -> Source:
    """The source as it reads with mappings done to it; its file, name and fingerprint stay.

    Text is mapped once, into a copy that goes when the process ends; other rows are mapped whenever
    they are read. Raises `InputError` for columns that are not there, and for ragged rows.
    """
    if source.format != "csv":
        frame, schema = mapped(raw_frame(source), mappings, source.schema)
        return replace(source, format="delta", schema=schema, scan=lambda: frame)
    ragged = next(rows_of_other_width(source), None)
    if ragged is not None:
        raise InputError(
            f"{source.name} has {ragged[1]} fields in row {ragged[0]}, and its header has"
            f" {len(source.columns)}.",
            todo="Correct the row; rows with fields missing can't be mapped.",
        )
    copy = new_place("mapped.parquet")
    schema = source.schema
    with writing(copy, "rows") as add:
        for batch in batches(source):
            frame, schema = mapped(batch.drop(ROW).lazy(), mappings, source.schema)
            add(frame.collect())
    return replace(
        source,
        format="sql",
        schema=schema,
        scan=lambda: pl.scan_parquet(copy, glob=False),
        called=source.name,
    )
