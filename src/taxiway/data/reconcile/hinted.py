"""What distributions suggest, as findings: no key matches rows, and so they are less sure."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.data.mapping import Mapped
from taxiway.data.reconcile.between import Between
from taxiway.data.reconcile.columns import Column, Profile
from taxiway.data.reconcile.finding import Finding
from taxiway.data.reconcile.spread import Hint, hint_of
from taxiway.data.reconcile.telling import law_step
from taxiway.data.reconcile.wording import law_in_words


def hints(
    left: Profile, right: Profile, names: Sequence[tuple[Column, Column]]
) -> tuple[list[Finding], list[str]]:
    """What distributions suggest, and the columns of which they tell nothing."""
    between = Between(left.table, right.table, "distributions", 0, 0.6)
    found, unseen = [], []
    for a, b in names:
        hint = hint_of(left, right, a, b)
        if hint:
            found.append(_of_hint(between, a, b, hint))
        else:
            unseen.append(a.name)
    return found, unseen


def _of_hint(between: Between, a: Column, b: Column, hint: Hint) -> Finding:
    names = f"{a.name} of {between.left.name} and {between.right.name}"
    evidence: dict[str, object] = {"rows": hint.rows}
    mapping: Mapped | None = None
    if hint.law:
        says = (
            f"{names} seem to differ by a unit: {law_in_words(hint.law)}. No key matches rows;"
            f" so moved, their distributions are {hint.after:.2f} apart instead of"
            f" {hint.distance:.2f}."
        )
        evidence |= {
            "factor": hint.law.factor,
            "offset": hint.law.offset,
            "distance": round(hint.distance, 3),
            "after": round(hint.after, 3),
        }
        mapping = Mapped(between.right.name, b.name, (law_step(hint.law),))
        confidence = 1 - 2 * hint.after
    elif hint.kind == "sentinel":
        table, column = (
            (between.left.name, a.name) if hint.side == "left" else (between.right.name, b.name)
        )
        says = (
            f"{column} of {table} seems to say {hint.value} for nothing: {hint.share:.1%} of its"
            " values, beyond all others, where the other table has gaps and never this value."
        )
        evidence |= {"value": hint.value, "share": round(hint.share, 4), "side": hint.side}
        mapping = Mapped(table, column, ({"do": "null", "values": [hint.value]},))
        confidence = 0.9
    else:
        says = f"{names} have no value in common: they seem to say the same in other words."
        if hint.table and not between.hides(a.name, b.name):
            mapping = Mapped(
                between.right.name, b.name, ({"do": "recode", "table": dict(hint.table)},)
            )
        confidence = hint.after
    return between.finding(
        hint.kind,
        a.name,
        b.name,
        says,
        confidence=confidence,
        evidence=evidence,
        mapping=mapping,
    )
