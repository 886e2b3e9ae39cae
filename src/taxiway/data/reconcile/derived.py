"""Columns that are made of other ones: of several rows, or of a part of a time."""

from __future__ import annotations

import numpy as np

from taxiway.data.mapping import Mapped
from taxiway.data.reconcile import clocks
from taxiway.data.reconcile.between import sure
from taxiway.data.reconcile.compared import Compared
from taxiway.data.reconcile.finding import Finding
from taxiway.data.reconcile.grain import Grain, grains
from taxiway.data.reconcile.joins import Trial
from taxiway.data.reconcile.telling import law_step
from taxiway.data.reconcile.views import View
from taxiway.data.reconcile.wording import law_in_words


def told_grains(
    trial: Trial, compared: Compared, unsettled: tuple[list[View], list[View]]
) -> list[tuple[Finding, Grain]]:
    """Columns that are made of several rows of the other table."""
    many_left = trial.how == "n:1"
    sides = [[v.column for v in side] for side in unsettled]
    coarse, fine = (sides[1], sides[0]) if many_left else (sides[0], sides[1])
    between = compared.between
    tables = (between.right, between.left) if many_left else (between.left, between.right)
    found = []
    for one in grains(trial, coarse, fine, many_left=many_left):
        factor = f", {law_in_words(one.law)}" if one.law.factor != 1 else ""
        says = (
            f"{one.coarse.name} of {tables[0].name} is the {one.how} of {one.fine.name} of"
            f" {tables[1].name}, over {one.each:.1f} rows for each key ({between.by}){factor}:"
            f" {one.law.explained:.1%} of {one.law.rows:,} keys."
        )
        step = {"do": "aggregate", "how": one.how, "by": [a.label for a, _ in trial.keys]}
        steps = (step, *((law_step(one.law),) if one.law.factor != 1 else ()))
        names = (one.fine.name, one.coarse.name) if many_left else (one.coarse.name, one.fine.name)
        finding = between.finding(
            "grain",
            *names,
            says,
            confidence=sure(one.law.explained, one.law.rows),
            evidence={
                "how": one.how,
                "rows_each": round(one.each, 2),
                "rows": one.law.rows,
                "explained": round(one.law.explained, 4),
                "factor": one.law.factor,
            },
            mapping=Mapped(tables[1].name, one.fine.name, steps),
        )
        found.append((finding, one))
    return found


def told_hours(compared: Compared, unsettled: tuple[list[View], list[View]]) -> list[Finding]:
    """Hours of one table beside the times of the other: another clock, if they are not the same."""
    found = []
    ours = compared.left | compared.keyed
    sides = (("left", ours, unsettled[1]), ("right", compared.right, unsettled[0]))
    for side, timed, plain_ones in sides:
        for at in (view for view in timed.values() if view.is_time):
            hours = np.floor(np.mod(at.floats, 8.64e10) / 3.6e9)
            for view in plain_ones:
                if view.is_time or not view.is_numeric or view.distinct < 10:
                    continue
                pair = (hours, view.floats) if side == "left" else (view.floats, hours)
                clock = clocks.of_parts(*pair)
                if clock is None or clock.period != 24:
                    continue
                place = clocks.place_of_hours(view.floats, hours, at.floats)
                names = (at.name, view.name) if side == "left" else (view.name, at.name)
                ahead = " or ".join(f"{offset:+g}" for offset in clock.offsets)
                where = f"; {view.name} is the time of {place.removeprefix('-')}" if place else ""
                says = (
                    f"{view.name} and the hour of {at.name} follow another clock: {ahead} hours,"
                    f" modulo 24{where}; {clock.explained:.1%} of {clock.rows:,} matched rows."
                )
                finding = compared.between.finding(
                    "clock",
                    *names,
                    says,
                    confidence=sure(clock.explained, clock.rows),
                    evidence={"offsets": list(clock.offsets), "place": place, "rows": clock.rows},
                    mapping=None,
                )
                found.append(finding)
    return found
