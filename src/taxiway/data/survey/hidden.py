"""Columns whose values are never shown: what is personal, and texts that say which row it is."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from taxiway.core.contract import Contract
from taxiway.data.privacy.names import named
from taxiway.data.privacy.personal import of_values
from taxiway.data.survey.counting import Column
from taxiway.data.survey.rows import BOOLEAN, TEXT

LOOKED_AT = 2_000
ENOUGH = 0.05
"""Share of the texts that look like something personal."""
LONG_TEXTS = 60
"""Characters, on average, from which on a text is somebody's own words."""

SHOWN_FROM = 5
"""Rows that have a value, before it is shown."""
FEW = 20
"""With no more values than that a column says nothing of anybody, whatever it is called."""


def hidden_columns(
    columns: Mapping[str, Column], sample: pl.DataFrame, contract: Contract | None = None
) -> dict[str, str]:
    """Columns of which no value is shown, and why."""
    marked = {c.name for c in contract.columns if c.personal} if contract else set()
    reasons = {name: _reason(column, sample, name in marked) for name, column in columns.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(column: Column, sample: pl.DataFrame, marked: bool) -> str | None:
    if marked:
        return "personal, says the contract"
    if named(column.name) and not _few(column):
        return "personal, by its name"
    if column.kind != TEXT:
        return None
    if column.nearly_all_differ:
        return "nearly every row has its own"
    texts = sample.get_column(column.name).drop_nulls().head(LOOKED_AT)
    held = of_values(texts)
    if held is not None and held.rows >= ENOUGH * texts.len():
        return f"holds what looks like {held.kind}"
    if texts.len() and texts.str.len_chars().mean() >= LONG_TEXTS:  # type: ignore[operator]
        return "free text"
    if _mostly_once(column):
        return "most values stand in few rows"
    return None


def _mostly_once(column: Column) -> bool:
    """Whether a value stands for a handful of rows, as a name or a number of somebody does."""
    if column.distinct is None:
        return True
    return column.distinct > max(FEW, (column.rows - column.nulls) / SHOWN_FROM)


def _few(column: Column) -> bool:
    if column.kind == TEXT:
        return column.distinct is not None and column.distinct <= FEW
    return column.bins.few or column.kind == BOOLEAN
