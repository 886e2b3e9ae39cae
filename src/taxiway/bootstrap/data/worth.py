"""Wires `taxiway data worth`: which defect to repair first, and what it earns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.data.judging import case_of, charter_of, measure_of
from taxiway.bootstrap.data.leaks import Order, table_asked
from taxiway.bootstrap.data.rows import Asked, Rows, rows_of
from taxiway.bootstrap.extras import extras
from taxiway.core.errors import InputError
from taxiway.core.kind import KINDS

if TYPE_CHECKING:
    import polars as pl

    from taxiway.data.leaks.judged import Indices
    from taxiway.data.leaks.table import Floats, Table
    from taxiway.data.worth.earn import Worth
    from taxiway.data.worth.models import Fit, Model

OWN = "own"


def worth(
    asked: Asked,
    order: Order,
    *,
    model: str | None = None,
    step: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Worth, Rows, str]:
    """What the repair of each defect of a source earns, and which model showed it.

    Of rows that a project's charter speaks of, it is told in the charter's metric and value, with
    the project's own model unless another is asked for. `step` is told (done, of how many).
    """
    with extras():
        from taxiway.data.worth.earn import worth as measured
        from taxiway.data.worth.models import MODELS

        rows = rows_of(asked, sentinels=True)
        table = table_asked(asked, rows, order)
        charter = charter_of(asked, rows)
        chosen = model or ("trees" if charter is None else OWN)
        if chosen == OWN and charter is None:
            raise InputError(
                "The project's own model can't be trained on these rows: they are not those of a"
                " project, or are asked about another target.",
                todo="Ask inside the project, with its contract's columns, or add --model trees.",
            )
        known = {column.name: column.sentinels or () for column in rows.typed.columns}
        found = measured(
            table,
            _own(rows) if chosen == OWN else MODELS[chosen],
            known=known,
            case=case_of(charter),
            measure=measure_of(charter),
            step=step,
        )
        return found, rows, chosen


def _own(rows: Rows) -> Model:
    """The project's own features and estimator, trained on its rows as they would be repaired."""
    from taxiway.training.code import guarded, load_code, read_code
    from taxiway.training.estimators import SCORES, fitted
    from taxiway.training.leakage import columns_read
    from taxiway.training.metrics import labels_of

    assert rows.project is not None  # noqa: S101 - there is a charter
    charter, kind = rows.project.charter, KINDS[rows.project.charter.kind]
    code = read_code(rows.project.folder, charter.training.code)
    functions, scores = load_code(code), SCORES[charter.kind]
    inputs = columns_read(rows.frame, code, functions)

    def model(table: Table, changed: Mapping[str, pl.Series]) -> Fit:
        repaired = table.frame.with_columns(
            _as(column, table.frame.schema[name]).alias(name) for name, column in changed.items()
        )
        made: Any = guarded(code, "features", functions.features, repaired.select(inputs))
        labels = labels_of(kind, table.label)

        def fit(train: Indices, test: Indices) -> Floats:
            seed = charter.training.seed
            estimator = guarded(
                code, "estimator", fitted, functions.estimator, seed, made[train], labels[train]
            )
            told: Floats = scores(estimator, made[test])
            return told

        return fit

    return model


def _as(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Repaired values in the type that the contract gives them."""
    if dtype.is_integer() and column.dtype.is_float():
        column = column.round()
    return column.cast(dtype, strict=False)
