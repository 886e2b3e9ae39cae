"""Wires `taxiway data worth`: which defect to repair first, and what it earns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from taxiway.bootstrap.data.leaks import Order, table_asked
from taxiway.bootstrap.data.rows import Asked, Rows, rows_of
from taxiway.bootstrap.extras import extras

if TYPE_CHECKING:
    from taxiway.data.worth.earn import Case, Worth


def worth(
    asked: Asked,
    order: Order,
    *,
    model: str = "trees",
    step: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Worth, Rows]:
    """What the repair of each defect of a source earns. `step` is told (done, of how many)."""
    with extras():
        from taxiway.data.worth.earn import worth as measured
        from taxiway.data.worth.models import MODELS

        rows = rows_of(asked, sentinels=True)
        table = table_asked(asked, rows, order)
        known = {column.name: column.sentinels or () for column in rows.typed.columns}
        return measured(table, MODELS[model], known=known, case=_case(rows), step=step), rows


def _case(rows: Rows) -> Case | None:
    """What decisions are worth, if the rows are those of a project that says so."""
    from taxiway.data.worth.earn import Case

    charter = rows.project.charter if rows.project and rows.contract else None
    if charter is None or charter.value.per_decision is None or charter.threshold is None:
        return None
    worth = charter.value.per_decision.model_dump()
    return Case(charter.threshold, **worth, currency=charter.value.currency)
