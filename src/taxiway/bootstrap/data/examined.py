"""Wires what a run says of its data: leaks in its features, personal data, bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from taxiway.core import evidence as kinds
from taxiway.core.evidence import Observation

if TYPE_CHECKING:
    import polars as pl

    from taxiway.data.privacy.personal import Privacy
    from taxiway.training.fit import Fitted, Order

SEARCHED_ROWS = 100_000
"""Rows that are searched for leaks, spread over all of them."""


def examined(order: Order, candidate: Fitted) -> Sequence[Observation]:
    """Leaks, personal data and bias, as evidence about the release."""
    from taxiway.data.privacy.personal import privacy

    people = privacy(order.frame, order.contract)
    plain = {**people.found(), "read": list(candidate.inputs)}
    return [
        _traps(order, candidate),
        (kinds.PRIVACY, plain.pop("columns"), plain, {}),
        _bias(order, candidate, people),
    ]


def _traps(order: Order, candidate: Fitted) -> Observation:
    import polars as pl

    from taxiway.data.leaks.rows import twins
    from taxiway.data.leaks.search import OF_COLUMNS, search
    from taxiway.data.leaks.table import table_of

    split = candidate.split
    label = [pl.Series(candidate.train_labels), pl.Series(candidate.holdout_labels)]
    sides = [candidate.train_features, candidate.holdout_features]
    every = max(1, sum(side.height for side in sides) // SEARCHED_ROWS)
    time = f"\0{order.contract.event_time}"
    rows = [
        side.with_columns(raw.get_column(order.contract.event_time).alias(time)).gather_every(every)
        for side, raw in zip(sides, (split.train, split.holdout), strict=True)
    ]
    features = table_of(
        pl.concat(rows, how="vertical_relaxed"),
        pl.concat([values.gather_every(every) for values in label]),
        leave_out=(time,),
        time=time,
        held=_later(rows),
    )
    # Features recur where rows do not: a flight has the same ones each day. Copies are rows.
    raw = [split.train, split.holdout]
    copies = table_of(
        pl.concat(raw),
        pl.concat(label),
        leave_out=(order.contract.event_time,),
        held=_later(raw),
    )
    found = search(features, models=False, detectors=OF_COLUMNS)
    leaks = [*found.leaks, *(one for one in twins(copies) if one.kind == "duplicates")]
    plain: dict[str, Any] = {
        "columns": found.columns,
        "leaks": [
            {
                "kind": one.kind,
                "columns": list(one.columns),
                "severity": one.severity,
                "says": one.says,
                "todo": one.todo,
            }
            for one in leaks
        ],
        "looked_for": [*found.looked_for, "copies of rows"],
        "skipped": list(found.skipped),
    }
    return kinds.TRAPS, found.rows, plain, {}


def _later(sides: Sequence[pl.DataFrame]) -> pl.Series:
    import polars as pl

    return pl.Series([False] * sides[0].height + [True] * sides[1].height)


def _bias(order: Order, candidate: Fitted, people: Privacy) -> Observation:
    from taxiway.data.bias.examined import MINIMUM_ROWS, examine

    training, contract = order.charter.training, order.contract
    marked = [column.name for column in contract.columns if column.protected]
    protected = list(dict.fromkeys([*training.protected, *marked]))
    found: dict[str, Any] = {
        "protected": protected,
        "reason": training.no_protected_because or "",
        "unmarked": [
            f"{name} ({attribute})"
            for name, attribute, _ in people.protected
            if name not in protected
        ],
        "groups": [],
        "small": [],
        "disparities": [],
        "proxies": [],
    }
    if protected:
        told = examine(order.frame, order.labels, protected, candidate.inputs, models=False)
        found |= {key: told.found()[key] for key in ("groups", "disparities", "proxies")}
        found["small"] = [
            ", ".join(f"{c}={v}" for c, v in zip(one.columns, one.values, strict=True))
            for one in told.small
        ]
    return kinds.BIAS, order.frame.height, found, {"minimum_rows": MINIMUM_ROWS}
