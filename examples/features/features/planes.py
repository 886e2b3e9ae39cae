"""What the register says of an aircraft, as Polars expressions."""

import polars as pl


def frame(sources: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Engines by one spelling."""
    return sources["planes"].with_columns(pl.col("engine").str.to_lowercase())
