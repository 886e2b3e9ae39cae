"""Values that stand for nothing, as findings."""

from __future__ import annotations

from taxiway.data.mapping import Mapped
from taxiway.data.reconcile.between import Between, sure
from taxiway.data.reconcile.finding import Finding
from taxiway.data.reconcile.relation import Sentinel
from taxiway.data.reconcile.views import View
from taxiway.data.reconcile.wording import cut, titled


def told_sentinel(between: Between, x: View, y: View, found: Sentinel) -> Finding:
    if found.side == "both":
        return _told_two(between, x, y, found)
    table, column = (
        (between.left.name, x.column.name)
        if found.side == "left"
        else (between.right.name, y.column.name)
    )
    other = between.right.name if found.side == "left" else between.left.name
    says = (
        f"{column} of {table} says {cut(found.value)} where {other} has nothing:"
        f" {found.rows:,} matched rows, {found.share:.1%} of those where only {other} has nothing."
    )
    if found.beside:
        says = (
            f"{column} of {table} says {cut(found.value)} in {found.rows:,} matched rows"
            f" ({found.share:.1%}), where {other} says now this and now that: it seems to stand for"
            " nothing."
        )
    return between.finding(
        "sentinel",
        x.name,
        y.name,
        says,
        confidence=sure(1.0 if found.beside else found.share, found.rows),
        evidence={
            "rows": found.rows,
            "share": round(found.share, 4),
            "value": found.value,
            "side": found.side,
            **({"beside": True} if found.beside else {}),
        },
        mapping=Mapped(table, column, ({"do": "null", "values": [found.value]},)),
    )


def _told_two(between: Between, x: View, y: View, found: Sentinel) -> Finding:
    says = (
        f"{titled(between, x, y)} agree but for {cut(found.value)} on the left, where the right"
        f" says {cut(found.other)}: {found.rows:,} matched rows. Both seem to stand for nothing."
    )
    step = {"do": "recode", "table": {found.other: found.value}}
    return between.finding(
        "sentinel",
        x.name,
        y.name,
        says,
        confidence=sure(found.share, found.rows),
        evidence={"rows": found.rows, "values": [found.value, found.other]},
        mapping=Mapped(between.right.name, y.column.name, (step,)),
    )
