"""The logged inputs of decisions as a frame in the contract's types."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from taxiway.core.contract import Contract
from taxiway.core.decision import Decision

if TYPE_CHECKING:
    import polars as pl


def frame_of(decisions: Sequence[Decision], contract: Contract) -> pl.DataFrame:
    """One row a decision, one column a contract column; what was not sent is null.

    The log keeps records as JSON, so times and dates come as text and are read back here.
    """
    import polars as pl

    types: dict[str, Any] = {
        "string": pl.String(),
        "integer": pl.Int64(),
        "number": pl.Float64(),
        "boolean": pl.Boolean(),
        "date": pl.Date(),
        "timestamp": pl.Datetime("us", "UTC"),
    }
    series = []
    for column in contract.columns:
        values = [decision.inputs.get(column.name) for decision in decisions]
        if column.type in {"date", "timestamp"}:
            values = [_time(value, column.type) for value in values]
        # Not strict: a whole number in a number column is JSON's way of writing it.
        series.append(pl.Series(column.name, values, dtype=types[column.type], strict=False))
    return pl.DataFrame(series)


def _time(value: Any, type: str) -> Any:
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value) if type == "date" else datetime.fromisoformat(value)
