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
from taxiway.data.leaks.judged import (
    METRIC,
    SCORE,
    Case,
    Measure,
    difference,
    predicted,
    worth_more,
)
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
    """Whether the contract says so: it costs care, if no money."""
    value: Interval | None = None
    """What an answer is worth less without it, where it is known what answers are worth."""
    cost: float | None = None
    """What a value of it costs, if the contract says so."""

    @property
    def net(self) -> float | None:
        """What is left of its value for an answer, once it is paid for."""
        if self.value is None or self.cost is None:
            return None
        return self.value.value - self.cost


@dataclass(frozen=True, slots=True)
class Benefits:
    """All columns, the one that brings most first."""

    rows: int
    metric: str
    value: float
    """Of a model that reads all of them."""
    columns: tuple[Benefit, ...]
    currency: str = ""
    per: str = ""
    """What a value is of, in a word, where there is one."""

    def found(self) -> dict[str, Any]:
        """Plain data, for machines and for evidence."""
        return {**asdict(self), "columns": [{**asdict(c), "net": c.net} for c in self.columns]}


def benefits(
    table: Table,
    contract: Contract | None = None,
    step: Callable[[int], None] = lambda _: None,
    *,
    case: Case | None = None,
    measure: Measure | None = None,
) -> Benefits:
    """What each input of a table brings. It trains `FOLDS` models for each of them, and for all.

    Without a `measure` it is told in ROC AUC of a class, and in R² of a number.
    """
    measure = measure or Measure(METRIC[table.binary], SCORE[table.binary])
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
        loss, value, _ = difference(measure.score, judged, whole, told)
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
                worth_more(case, judged, whole, told) if case else None,
                contract.column(name).cost if contract and known else None,
            )
        )
        step(1)
    found.sort(key=lambda one: -one.loss.value)
    return Benefits(
        len(rows),
        measure.name,
        -value if measure.lower_is_better else value,
        tuple(found),
        case.currency if case else "",
        case.per if case else "",
    )
