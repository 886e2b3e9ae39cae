"""What each column brings a model, and what it costs to have it.

A column's benefit is what the metric loses when a model is trained without it (Lei et al. 2018,
leave one covariate out), on rows that neither model was trained on. What other columns say too is
no loss: of two columns that say the same, neither is worth much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from taxiway.core.contract import Contract
from taxiway.core.interval import Interval
from taxiway.data.leaks.judged import METRIC, SCORE, difference, predicted
from taxiway.data.leaks.table import Table

MOST_ROWS = 12_000
FOLDS = 3

BRINGS, NOTHING, HARMS = "brings", "nothing shown", "harms"


@dataclass(frozen=True, slots=True)
class Benefit:
    """One column."""

    column: str
    loss: Interval
    """What the metric loses without it; below 0 where a model does better without it."""
    verdict: str
    missing: float
    """Share of the rows in which it is missing."""
    known_at: str | None
    personal: bool
    """Whether the contract says so; None of it counts as a cost in money, all of it as care."""


@dataclass(frozen=True, slots=True)
class Benefits:
    """All columns, the one that brings most first."""

    rows: int
    metric: str
    value: float
    """Of a model that reads all of them."""
    columns: tuple[Benefit, ...]

    def found(self) -> dict[str, Any]:
        """Plain data, for machines and for evidence."""
        return asdict(self)


def benefits(
    table: Table, contract: Contract | None = None, step: Callable[[int], None] = lambda _: None
) -> Benefits:
    """What each input of a table brings. It trains `FOLDS` models for each of them, and for all."""
    names = list(table.inputs)
    rows = np.arange(table.frame.height)
    rng = np.random.default_rng(0)
    if len(rows) > MOST_ROWS:
        rows = np.sort(rng.permutation(rows)[:MOST_ROWS])
    fold = rng.integers(0, FOLDS, len(rows))
    matrix = np.column_stack([table.codes[name] for name in names])
    splits = [(rows[fold != at], rows[fold == at]) for at in range(FOLDS)]
    judged = [table.label[test] for _, test in splits]
    whole = [predicted(table, matrix, train, test) for train, test in splits]
    step(1)
    found = []
    value = 0.0
    for at, name in enumerate(names):
        without = np.delete(matrix, at, axis=1)
        told = [
            predicted(table, without, train, test)
            if without.shape[1]
            else np.full(len(test), table.label[train].mean())
            for train, test in splits
        ]
        loss, value, _ = difference(SCORE[table.binary], judged, whole, told)
        column = table.frame.get_column(name)
        known = contract is not None and name in contract.names
        found.append(
            Benefit(
                name,
                loss,
                BRINGS if loss.low > 0 else HARMS if loss.high < 0 else NOTHING,
                column.null_count() / column.len(),
                contract.known_at(name) if contract and known else None,
                contract.column(name).personal if contract and known else False,
            )
        )
        step(1)
    found.sort(key=lambda one: -one.loss.value)
    return Benefits(len(rows), METRIC[table.binary], value, tuple(found))
