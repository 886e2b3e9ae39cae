"""Questions to the decision log in SQL, over a view that is read a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from taxiway.core.contract import Column
from taxiway.core.errors import InputError, shortened

OUTCOMES = {"model": pl.String(), "key": pl.String(), "label": pl.Float64()}
TYPES = {"integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean()}
"""Of a column of the contract, as it stands in the log; all others are text there."""

SHOWN = (
    "id",
    "model",
    "release",
    "environment",
    "channel",
    "key",
    "happened_at",
    "at",
    "prediction",
    "probability",
    "predicted",
    "inputs",
    "output",
    "latency_us",
)
"""The columns of the view `decisions`."""


def asked(
    statement: str,
    decisions: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    contracts: Sequence[Sequence[Column]],
) -> pl.LazyFrame:
    """What a SELECT over `decisions` and `outcomes` finds; nothing is read yet.

    `inputs` is a struct of all columns that releases read: `inputs.carrier`. `output` is JSON text.
    """
    if statement.split(maxsplit=1)[:1] == [] or statement.split(maxsplit=1)[0].upper() not in {
        "SELECT",
        "WITH",
    }:
        raise InputError(
            f"{shortened(statement, 60)!r} is no question; expected a SELECT.",
            todo="For instance: SELECT inputs.carrier, count(*) AS n FROM decisions GROUP BY 1",
        )
    inputs = pl.col("inputs").str.json_decode(_struct(contracts))
    view = decisions.with_columns(inputs=inputs) if contracts else decisions
    context = pl.SQLContext(decisions=view.select(SHOWN), outcomes=outcomes)
    return context.execute(statement)


def _struct(contracts: Sequence[Sequence[Column]]) -> pl.Struct:
    """All columns with their types; text where two releases differ, or a pseudonym may stand."""
    found: dict[str, Any] = {}
    for column in (one for columns in contracts for one in columns):
        type_ = pl.String() if column.personal else TYPES.get(column.type, pl.String())
        found[column.name] = type_ if found.get(column.name, type_) == type_ else pl.String()
    return pl.Struct(found)


@contextmanager
def reading(statement: str) -> Iterator[None]:
    """What polars says of a question, as an error of ours."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"The log can't answer {shortened(statement, 60)!r}: {shortened(error, 300)}.",
            todo=f"The columns of decisions are {', '.join(SHOWN)}; those of outcomes are"
            f" {', '.join(OUTCOMES)}.",
        ) from error
