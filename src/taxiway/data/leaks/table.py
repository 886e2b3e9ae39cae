"""The table that is searched: rows with a label, the columns a model may read, and their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.core.errors import InputError, MissingError, Problem, shortened

Floats: TypeAlias = NDArray[np.float64]

FEWEST = 100
"""Fewer rows with a label than this show nothing."""
CLASSES = 20
"""A label with more distinct values than this is a number, or none that can be searched for."""

BLOCKS = "blocks"
LOOK = "look"


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that was found."""

    kind: str
    """The detector that found it."""
    columns: tuple[str, ...]
    severity: str
    """`blocks`, or `look`: worth a person's look."""
    says: str
    """What was found, with its figures."""
    evidence: dict[str, Any] = field(default_factory=dict)
    todo: str = ""


@dataclass(frozen=True)
class Table:
    """Rows with a label. `inputs` are the columns a model may read."""

    frame: pl.DataFrame
    label: Floats
    """0 and 1 of a class, or the values of a number, one a row."""
    binary: bool
    inputs: tuple[str, ...]
    time: str | None = None
    """The column that says when a row happened."""
    groups: tuple[str, ...] = ()
    """Columns whose rows belong together, such as a customer; named by a person."""
    outcome_time: str | None = None
    """The column that says when the label was known."""
    cut: Any = None
    """The first time of the rows that a model is judged on; None: the last fifth of them."""
    held: NDArray[np.bool_] | None = None
    """Which rows a model is judged on, if they came from a file of their own."""

    @cached_property
    def later(self) -> NDArray[np.bool_]:
        """Which rows are on the later side: those that a model is judged on."""
        if self.held is not None:
            return self.held
        if self.time is None:
            return np.random.default_rng(0).random(self.frame.height) < 0.2
        times = self.frame.get_column(self.time)
        cut = self.cut
        if cut is None:
            cut = times.sort()[int(times.len() * 0.8)]
        later: NDArray[np.bool_] = (times >= cut).fill_null(value=False).to_numpy()
        return later

    @cached_property
    def codes(self) -> dict[str, Floats]:
        """Each input as float64: numbers as they are, other values by their place; null is nan."""
        return {name: coded(self.frame.get_column(name)) for name in self.inputs}

    def is_number(self, name: str) -> bool:
        return bool(self.frame.schema[name].is_numeric())


def coded(column: pl.Series) -> Floats:
    """A column as float64; null and what is not finite is nan.

    >>> coded(pl.Series(["b", "a", None, "b"])).tolist()
    [1.0, 0.0, nan, 1.0]
    """
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean or column.dtype.is_temporal()):
        column = column.cast(pl.String).rank("dense").cast(pl.Int64) - 1
    values = column.cast(pl.Int64) if column.dtype.is_temporal() else column
    numbers = values.cast(pl.Float64).to_numpy().astype(np.float64, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def table_of(
    frame: pl.DataFrame,
    label: pl.Series,
    *,
    leave_out: tuple[str, ...] = (),
    inputs: tuple[str, ...] | None = None,
    time: str | None = None,
    groups: tuple[str, ...] = (),
    outcome_time: str | None = None,
    cut: Any = None,
    held: pl.Series | None = None,
) -> Table:
    """The rows that have a label, ready to be searched.

    `leave_out` are columns that make the label and are no inputs. Raises `InputError` for columns
    that are not there, and for a label that can't be searched for.
    """
    for name in (*([time] if time else []), *groups, *([outcome_time] if outcome_time else [])):
        if name not in frame.columns:
            raise MissingError.named("column", name, frame.columns)
    for timed in (time, outcome_time):
        if timed and not frame.schema[timed].is_temporal():
            found = str(frame.schema[timed])
            raise InputError(
                f"The column {timed!r} holds no times.",
                [Problem("is of another type", found, "a date or a time", timed)],
            )
    known = label.is_not_null()
    frame, label = frame.filter(known), label.filter(known)
    if frame.height < FEWEST:
        raise InputError(
            f"{frame.height} rows have a label; at least {FEWEST} are needed to find anything.",
        )
    values, binary = label_of(label)
    apart = {*leave_out, *([outcome_time] if outcome_time else [])}
    names = inputs if inputs is not None else tuple(frame.columns)
    return Table(
        frame,
        values,
        binary,
        tuple(name for name in names if name not in apart and name != time),
        time,
        groups,
        outcome_time,
        cut,
        None if held is None else held.filter(known).to_numpy(),
    )


def label_of(label: pl.Series) -> tuple[Floats, bool]:
    """A label as numbers, and whether it is of a class: 0 and 1. Raises `InputError`."""
    distinct = label.n_unique()
    if distinct < 2:
        raise InputError(
            f"The label has one value only: {shortened(label[0])}.",
            todo="Check the target's definition.",
        )
    if label.dtype == pl.Boolean or label.dtype.is_numeric():
        values = label.cast(pl.Float64).to_numpy()
        if distinct > 2:
            return values, False
        return (values == values.max()).astype(np.float64), True
    if distinct > CLASSES:
        raise InputError(
            f"The label has {distinct} distinct texts, which are no classes.",
            todo="Name a column of classes or numbers, or a condition such as `status = 'late'`.",
        )
    # The rarest class against the rest: what tells it apart, tells the classes apart.
    counts = label.cast(pl.String).value_counts(name="rows").sort("rows", label.name)
    return (label.cast(pl.String) == counts.item(0, 0)).cast(pl.Float64).to_numpy(), True
