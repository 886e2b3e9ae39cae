"""What there is to say about the key that matches rows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from taxiway.data.mapping import Mapped
from taxiway.data.reconcile.between import Between, sure
from taxiway.data.reconcile.columns import Column, Profile
from taxiway.data.reconcile.finding import Finding, Join
from taxiway.data.reconcile.forms import TIME, exact, share_of
from taxiway.data.reconcile.joins import Trial, coverage, ids_of
from taxiway.data.reconcile.matching import matched
from taxiway.data.reconcile.names import plain
from taxiway.data.reconcile.proof import Proof
from taxiway.data.reconcile.relation import spelling
from taxiway.data.reconcile.spelling import respelled

CONSTANT = 0.98
"""Share of equal keys from which two spellings are one."""


def join_of(trial: Trial, keys: int) -> Join:
    """A key as people see it."""
    exactly = (
        (trial.left_ids, trial.right_ids)
        if trial.by_order
        else [
            ids_of(frame, [key[side] for key in trial.keys], exactly=True)
            for side, frame in enumerate((trial.left, trial.right))
        ]
    )
    return Join(
        tuple(a.label for a, _ in trial.keys),
        tuple(b.label for _, b in trial.keys),
        "order" if trial.by_order else trial.how,
        coverage(exactly[0], exactly[1]),
        trial.coverage,
        tuple(dict.fromkeys(step for a, b in trial.keys for step in _steps(trial, a, b))),
        keys,
    )


def _steps(trial: Trial, a: Column, b: Column) -> tuple[str, ...]:
    """What the spelling of a key takes."""
    if a.unit or b.unit:
        return (f"times cut to the {a.unit or b.unit}",)
    ours, others, keys = matched(trial, 1_000)
    if not keys:
        return ()
    x = exact(trial.left[a.name].gather(pl.Series(ours, dtype=pl.UInt32)), a.form)
    y = exact(trial.right[b.name].gather(pl.Series(others, dtype=pl.UInt32)), b.form)
    same = share_of(x == y)
    typed = ("type",) if trial.left[a.name].dtype != trial.right[b.name].dtype else ()
    return typed if same >= CONSTANT else (*typed, *spelling(x, y))


def told_keys(trial: Trial, between: Between) -> list[Finding]:
    """Keys that match only without regard to their spelling, or under other names."""
    found = []
    for a, b in trial.keys:
        if a.unit or b.unit:
            continue
        steps = [step for step in _steps(trial, a, b) if step != "type"]
        if steps:
            found.append(_nearly(trial, between, a, b, steps))
        elif plain(a.name) != plain(b.name) and trial.how == "1:1":
            says = (
                f"{b.name} of {between.right.name} seems to be {a.name} of {between.left.name} by"
                f" another name: it matches {max(trial.coverage):.1%} of the rows, one to one."
            )
            rename = Mapped(between.right.name, b.name, ({"do": "rename", "to": a.name},))
            found.append(
                between.finding(
                    "synonym",
                    a.name,
                    b.name,
                    says,
                    confidence=sure(max(trial.coverage), between.keys),
                    evidence={"coverage": [round(c, 4) for c in trial.coverage]},
                    mapping=rename,
                )
            )
    return found


def _nearly(trial: Trial, between: Between, a: Column, b: Column, steps: Sequence[str]) -> Finding:
    ours, others, _ = matched(trial, 2_000)
    x = exact(trial.left[a.name].gather(pl.Series(ours, dtype=pl.UInt32)), a.form)
    y = exact(trial.right[b.name].gather(pl.Series(others, dtype=pl.UInt32)), b.form)
    same = share_of(x == y)
    says = (
        f"{a.name} of {between.left.name} and {b.name} of {between.right.name} match rows, but"
        f" only without regard to {', '.join(steps)}: {same:.1%} of the keys that match are equal"
        " letter by letter."
    )
    how = respelled(x, y)
    mapping = Mapped(between.right.name, b.name, ({"do": "spell", "as": how},)) if how else None
    return between.finding(
        "key",
        a.name,
        b.name,
        says,
        confidence=sure(1 - same, len(x)),
        evidence={
            "steps": list(steps),
            "equal": round(same, 4),
            "coverage": [round(c, 4) for c in trial.coverage],
        },
        mapping=mapping,
    )


def told_clock(best: Proof, between: Between) -> Finding:
    """A time in the key that matches the rows of another moment."""
    a, b = next((a, b) for a, b in best.trial.keys if a.form.kind == TIME)
    says = (
        f"{a.name} of {between.left.name} and {b.name} of {between.right.name} follow another"
        f" clock: the other columns agree when the right is moved"
        f" ({best.shifted.removeprefix('-')}), and not as it stands; {best.keys:,} keys match."
    )
    if best.shifted.endswith("hours"):
        step = {"do": "hours", "hours": float(best.shifted.split()[0])}
    elif best.shifted.startswith("-"):
        step = {"do": "zone", "from": best.shifted[1:], "to": "UTC"}
    else:
        step = {"do": "zone", "from": "UTC", "to": best.shifted}
    return between.finding(
        "clock",
        a.name,
        b.name,
        says,
        confidence=best.support or 0.0,
        evidence={"moved": best.shifted, "support": round(best.support or 0.0, 3)},
        mapping=Mapped(between.right.name, b.name, (step,)),
    )


def told_accident(best: Proof, left: Profile, right: Profile) -> Finding:
    a, b = best.trial.keys[0]
    between = Between(left.table, right.table, f"{a.name} = {b.name}", best.keys, 1.0)
    says = (
        f"{a.name} of {left.table.name} and {b.name} of {right.table.name} seem to count other"
        f" things: {max(best.trial.coverage):.1%} of the numbers are on both sides, but on these"
        f" rows none of {best.compared} columns of one name has to do with its namesake."
    )
    stem = left.table.name.rsplit("/", 1)[-1].split(".", 1)[0]
    other = right.table.name.rsplit("/", 1)[-1].split(".", 1)[0]
    to = f"{other if other != stem else 'other'}_{b.name}"
    return between.finding(
        "meaning",
        a.name,
        b.name,
        says,
        confidence=0.6,
        evidence={
            "coverage": [round(c, 4) for c in best.trial.coverage],
            "compared": best.compared,
        },
        mapping=Mapped(right.table.name, b.name, ({"do": "rename", "to": to},)),
    )
