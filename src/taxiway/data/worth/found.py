"""A defect that was found, with the rows and columns as they are once it is repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from taxiway.data.leaks.judged import Indices

MISSING = "missing"
SENTINELS = "sentinels"
UNITS = "units"
SHIFTED = "shifted columns"
STALE = "stale"
LABELS = "label noise"
DUPLICATES = "duplicates"


@dataclass(frozen=True, slots=True)
class Found:
    """One defect, in one column or in whole rows."""

    defect: str
    column: str
    """The column, the first and last of several, or empty for whole rows."""
    rate: float
    """Share of the rows that have it."""
    says: str
    columns: Mapping[str, pl.Series]
    """The columns that a repair changes, as they are then."""
    kept: Callable[[Indices], Indices] = lambda train: train
    """The rows for training that a repair leaves."""
    again: bool = False
    """Nothing can repair it: `columns` have it a second time, and what that loses is its worth."""


Find = Callable[..., "list[Found]"]
