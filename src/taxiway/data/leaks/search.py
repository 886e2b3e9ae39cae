"""The search: every detector over one table, and what they found together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from taxiway.core.contract import Contract
from taxiway.data.leaks.columns import (
    constant_prefix,
    encoded_label,
    identifiers,
    late,
    missingness,
    too_good,
)
from taxiway.data.leaks.rows import after_outcome, twins
from taxiway.data.leaks.splits import flattering
from taxiway.data.leaks.table import BLOCKS, Leak, Table

Detector = Callable[[Table], Iterator[Leak]]

OF_COLUMNS: Mapping[str, Detector] = {
    "columns that tell the label alone": too_good,
    "identifiers": identifiers,
    "encoded labels": encoded_label,
    "missing values": missingness,
    "columns that begin late": constant_prefix,
}
DETECTORS: Mapping[str, Detector] = {
    **OF_COLUMNS,
    "twins across the split": twins,
    "rows after their outcome": after_outcome,
}
"""What is looked for -> how. Each takes a pass over the columns, and trains no model."""


@dataclass(frozen=True, slots=True)
class Leaks:
    """What was found in a table."""

    rows: int
    columns: int
    leaks: tuple[Leak, ...]
    looked_for: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    """What was not looked for, and why."""

    @property
    def blocking(self) -> tuple[Leak, ...]:
        return tuple(one for one in self.leaks if one.severity == BLOCKS)

    def found(self) -> dict[str, Any]:
        """Plain data, for machines and for evidence."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "leaks": [{**asdict(one), "columns": list(one.columns)} for one in self.leaks],
            "looked_for": list(self.looked_for),
            "skipped": list(self.skipped),
        }


def search(
    table: Table,
    *,
    contract: Contract | None = None,
    models: bool = True,
    detectors: Mapping[str, Detector] = DETECTORS,
    step: Callable[[str], None] = lambda _: None,
) -> Leaks:
    """Looks for every kind of leak. `models` also trains some, to compare splits.

    >>> import polars as pl
    >>> from taxiway.data.leaks.table import table_of
    >>> frame = pl.DataFrame({"paid_back": [0, 1] * 100, "fee": [1.0, 2.0, 3.0, 4.0] * 50})
    >>> found = search(table_of(frame, frame["paid_back"]), models=False)
    >>> [(leak.kind, leak.columns) for leak in found.blocking]
    [('too good', ('paid_back',)), ('too good', ('fee',))]
    """
    leaks: list[Leak] = []
    if contract is not None:
        leaks += late(contract, table.inputs)
    for name, detector in detectors.items():
        step(f"Looking for {name}")
        leaks += detector(table)
    looked_for, skipped = [*detectors], list(_skipped(table, contract=contract, models=models))
    if contract is not None:
        looked_for.insert(0, "columns known after the decision")
    if models:
        leaks += flattering(table, step)
        looked_for.append("splits that flatter")
    return Leaks(
        table.frame.height,
        len(table.inputs),
        tuple(_ordered(leaks)),
        tuple(looked_for),
        tuple(skipped),
    )


def _skipped(table: Table, *, contract: Contract | None, models: bool) -> Iterator[str]:
    if contract is None:
        yield "columns known after the decision: there is no contract that says when they are known"
    if table.time is None:
        yield "what the order of time shows: no column of times is named"
    if table.outcome_time is None:
        yield "rows after their outcome: no column says when the outcome was known"
    if not models:
        yield "splits that flatter: no model was to be trained"


def _ordered(leaks: Iterable[Leak]) -> list[Leak]:
    """What blocks first; one finding for each column and kind."""
    seen = {(one.kind, one.columns): one for one in leaks}
    return sorted(seen.values(), key=lambda one: one.severity != BLOCKS)
