"""Wires `taxiway data leaks` and `benefit`: what gives the label away, and what columns bring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taxiway.bootstrap.data.judging import case_of, charter_of, measure_of
from taxiway.bootstrap.data.rows import Asked, Rows, rows_of
from taxiway.bootstrap.extras import extras

if TYPE_CHECKING:
    from taxiway.data.benefit import Benefits
    from taxiway.data.leaks.search import Leaks
    from taxiway.data.leaks.table import Table

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is known of the rows: their time, whom they belong to, and what is judged."""

    time: str | None = None
    groups: tuple[str, ...] = ()
    outcome_time: str | None = None
    holdout: str | None = None
    """A source of its own with the rows that a model is judged on."""
    leave_out: tuple[str, ...] = ()


def leaks(
    asked: Asked, order: Order, *, models: bool = True, step: Step = lambda _: None
) -> tuple[Leaks, Rows]:
    """A source searched for leaks and traps."""
    with extras():
        from taxiway.data.leaks.search import search

        step("Reading rows")
        rows = rows_of(asked)
        table = table_asked(asked, rows, order)
        return search(table, contract=rows.contract, models=models, step=step), rows


def benefit(
    asked: Asked, order: Order, *, step: Callable[[int, int], None] = lambda *_: None
) -> tuple[Benefits, Rows]:
    """What each column of a source brings a model. `step` is told (done, of how many)."""
    with extras():
        from taxiway.data.benefit import benefits

        rows = rows_of(asked)
        table = table_asked(asked, rows, order)
        most, done = len(table.inputs) + 1, 0

        def advance(one: int) -> None:
            nonlocal done
            done += one
            step(done, most)

        charter = charter_of(asked, rows)
        case, measure = case_of(charter), measure_of(charter)
        return benefits(table, rows.contract, advance, case=case, measure=measure), rows


def table_asked(asked: Asked, rows: Rows, order: Order) -> Table:
    """The rows with what is known of them, ready to be searched."""
    import polars as pl

    from taxiway.data.leaks.table import table_of

    assert rows.label is not None  # noqa: S101 - rows_of has refused anything else
    frame, label, held = rows.frame, rows.label, None
    if order.holdout is not None:
        judged = _same_columns(asked, order.holdout, rows)
        assert judged.label is not None  # noqa: S101 - rows_of has refused anything else
        held = pl.Series([False] * frame.height + [True] * judged.frame.height)
        frame = pl.concat([frame, judged.frame], how="vertical_relaxed")
        label = pl.concat([label, judged.label])
    time = order.time or _event_time(rows)
    return table_of(
        frame,
        label,
        leave_out=(*rows.target_columns, *order.leave_out),
        time=time,
        groups=order.groups,
        outcome_time=order.outcome_time,
        held=held,
    )


def _same_columns(asked: Asked, holdout: str, rows: Rows) -> Rows:
    """The rows of the holdout with the types that the others have."""
    import dataclasses

    import polars as pl

    from taxiway.core.errors import InputError, Problem

    judged = rows_of(dataclasses.replace(asked, source=holdout, query=None))
    missing = [name for name in rows.frame.columns if name not in judged.frame.columns]
    if missing:
        problems = [Problem("is missing", where=name) for name in missing]
        raise InputError(f"{judged.called} has other columns than {rows.called}.", problems)
    typed = judged.frame.select(
        pl.col(name).cast(dtype, strict=False) for name, dtype in rows.frame.schema.items()
    )
    return dataclasses.replace(judged, frame=typed)


def _event_time(rows: Rows) -> str | None:
    """The column that says when a row happened, by the contract or its draft."""
    name = rows.typed.event_time
    there = name in rows.frame.columns and rows.frame.schema[name].is_temporal()
    return name if there else None
