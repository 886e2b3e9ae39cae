"""Two tables: their key, and what their columns say on the rows that it matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from taxiway.data.reconcile import clocks
from taxiway.data.reconcile.between import Between
from taxiway.data.reconcile.columns import Column, Profile, Rows
from taxiway.data.reconcile.compared import (
    Compared,
    is_constant,
    without_shifted,
    without_strangers,
)
from taxiway.data.reconcile.derived import told_grains, told_hours
from taxiway.data.reconcile.finding import Finding, Pair
from taxiway.data.reconcile.hinted import hints
from taxiway.data.reconcile.joins import UNIQUE, in_order, trials
from taxiway.data.reconcile.keyed import join_of, told_accident, told_clock, told_keys
from taxiway.data.reconcile.matching import matched
from taxiway.data.reconcile.names import plain
from taxiway.data.reconcile.proof import Proof, clocked, proven
from taxiway.data.reconcile.relation import Relation, relation
from taxiway.data.reconcile.search import partners
from taxiway.data.reconcile.telling import told, told_synonym
from taxiway.data.reconcile.views import View, view_of


def reconcile_pair(left: Profile, right: Profile, on_rows: Rows) -> Pair:
    """What is found between two tables."""
    best, others = _key(left, right, on_rows)
    names = _same_names(left, right)
    if best is None or not best.holds:
        return _unmatched(left, right, best)
    compared = _compared(best, left, right)
    findings = list(told_keys(best.trial, compared.between))
    if best.shifted:
        findings.append(told_clock(best, compared.between))
    moved, compared = without_shifted(compared, names, compared.between)
    compared, strange = without_strangers(compared, names)
    related = {
        (a.name, b.name): relation(compared.left[a.name], compared.right[b.name])
        for a, b in names
        if a.name in compared.left and b.name in compared.right
    }
    findings += moved + _told_columns(best, compared, related)
    notes = [note for (a, _), found in related.items() for note in _missing(a, found)]
    if strange >= 0.01 and not best.trial.of_values:
        notes.append(f"{strange:.1%} of the rows that match disagree in most columns: left out")
    # What no row tells of, distributions may.
    told = {pair for pair, found in related.items() if found.name != "unknown"}
    untold = [
        (a, b) for a, b in names if (a.name, b.name) not in told and a.name not in compared.keyed
    ]
    hinted, still = hints(left, right, untold)
    return Pair(
        left.table.name,
        right.table.name,
        (left.rows, right.rows),
        compared.rows,
        tuple(join_of(proof.trial, proof.keys) for proof in (best, *others)),
        tuple(_sorted(findings + hinted)),
        tuple(notes),
        tuple(
            a
            for (a, _), found in related.items()
            if found.name in {"same", "precision"} and not found.sentinels
        ),
        tuple(still),
    )


def _told_columns(
    best: Proof, compared: Compared, related: dict[tuple[str, str], Relation]
) -> list[Finding]:
    """What the columns amount to: those that are made of others first, then those that have another
    name, then those of one name."""
    settled = {pair for pair, found in related.items() if found.explains}
    unsettled = (
        [v for n, v in compared.left.items() if n not in {a for a, _ in settled}],
        [v for n, v in compared.right.items() if n not in {b for _, b in settled}],
    )
    coarse = told_grains(best.trial, compared, unsettled)
    findings = [finding for finding, _ in coarse]
    done = {(finding.left.column, finding.right.column) for finding in findings}
    swapped = _swapped(compared, related)
    synonyms = partners(*unsettled, compared.keys) + swapped
    findings += [told_synonym(compared.between, *found) for found in synonyms]
    known = ({x.name for x, _, _ in synonyms}, {y.name for _, y, _ in synonyms})
    for (a, b), found in related.items():
        elsewhere = a in known[0] and b in known[1]
        if (a, b) in done or (elsewhere and found.name != "unknown"):
            continue
        findings += _told(compared, a, b, found)
    return findings + told_hours(compared, unsettled)


def _swapped(
    compared: Compared, related: dict[tuple[str, str], Relation]
) -> list[tuple[View, View, Relation]]:
    """Columns that follow from their namesake by a law, and are another one as it stands."""
    names = [pair for pair, found in related.items() if found.name == "law"]
    if len(names) < 2:
        return []
    left, right = [compared.left[a] for a, _ in names], [compared.right[b] for _, b in names]
    return partners(left, right, compared.keys, only="same")


def _sorted(findings: Sequence[Finding]) -> list[Finding]:
    unique = {finding.id: finding for finding in reversed(findings)}
    return sorted(unique.values(), key=lambda f: (f.severity != "high", -f.confidence, f.id))


def _same_names(left: Profile, right: Profile) -> list[tuple[Column, Column]]:
    exactly = {c.name: c for c in right.columns}
    about = {plain(c.name): c for c in right.columns}
    found = [(c, exactly.get(c.name) or about.get(plain(c.name))) for c in left.columns]
    taken: set[str] = set()
    pairs = []
    for a, b in sorted(found, key=lambda pair: pair[1] is None or pair[0].name != pair[1].name):
        if b is not None and b.name not in taken:
            taken.add(b.name)
            pairs.append((a, b))
    return sorted(pairs, key=lambda pair: pair[0].place)


def _key(left: Profile, right: Profile, on_rows: Rows) -> tuple[Proof | None, list[Proof]]:
    """The key that speaks most for itself, and others that match rows as well."""
    proofs: list[Proof] = []
    for trial in trials(left, right, on_rows):
        proofs.append(proven(trial, left, right))
        if proofs[-1].excellent:
            break
    # A key that leaves rows over may be shifted in them: their order would show it.
    if not any(p.excellent and min(p.trial.coverage) >= 0.995 for p in proofs):
        ordered = in_order(left, right, on_rows)
        proofs += [proven(ordered, left, right)] if ordered else []
    if not proofs:
        return None, []
    best = max(proofs, key=lambda proof: (proof.holds, proof.quality))
    best = clocked(best, left, right) if best.holds else best
    others = [
        p
        for p in proofs
        if p.trial is not best.trial
        and p.holds
        and not p.trial.by_order
        and not p.trial.of_values
        and max(p.trial.uniqueness) >= UNIQUE
        and max(p.trial.coverage) >= 0.5
        and p.trial.named != best.trial.named
        and (p.trial.how != best.trial.how or any(a != b for a, b in p.trial.named))
    ]
    return best, others


def _compared(best: Proof, left: Profile, right: Profile) -> Compared:
    trial = best.trial
    ours, others, keys = matched(trial)
    key_names = ({a.name for a, _ in trial.keys}, {b.name for _, b in trial.keys})
    by = " and ".join(
        a.label if a.label == b.label else f"{a.label} = {b.label}" for a, b in trial.keys
    )
    trust = 0.9 if trial.by_order or trial.of_values else 1.0
    between = Between(left.table, right.table, by or "the order of the rows", keys, trust)
    several = trial.how == "n:m"
    sides = []
    for profiled, frame, rows, ids, names in (
        (left, trial.left, ours, trial.left_ids, key_names[0]),
        (right, trial.right, others, trial.right_ids, key_names[1]),
    ):
        chosen = frame[pl.Series(rows, dtype=pl.UInt32)]
        sides.append(
            {
                c.name: view_of(chosen[c.name], c)
                for c in profiled.columns
                if c.name not in names and (not several or is_constant(frame[c.name], c, ids))
            }
        )
    rows_there = pl.Series(ours, dtype=pl.UInt32)
    keyed = {a.name: view_of(trial.left[a.name].gather(rows_there), a) for a, _ in trial.keys}
    return Compared(between, sides[0], sides[1], keyed, keys, len(ours))


def _told(compared: Compared, a: str, b: str, found: Relation) -> list[Finding]:
    x, y = compared.left[a], compared.right[b]
    clock = found.clock
    if clock and clock.period == 24 and len(clock.offsets) > 1:
        every = (compared.left, compared.right, compared.keyed)
        for view in (view for side in every for view in side.values()):
            if view.is_time:
                place = clocks.place_of_hours(x.floats, y.floats, view.floats)
                if place:
                    found = replace(found, clock=replace(clock, place=place))
                    break
    if clock and clock.period and min(np.nanmin(x.floats), np.nanmin(y.floats)) >= 1:
        found = replace(found, detail={"least": 1.0})
    return told(compared.between, x, y, found)


def _missing(name: str, found: Relation) -> list[str]:
    left, right = found.missing
    if max(left, right) < 0.05 or found.sentinels:
        return []
    side, share = ("left", left) if left > right else ("right", right)
    return [f"{name}: the {side} has nothing in {share:.1%} of the matched rows, and the other has"]


def _unmatched(left: Profile, right: Profile, best: Proof | None) -> Pair:
    """What can be told where no key matches rows."""
    names = _same_names(left, right)
    findings, unseen = hints(left, right, names)
    notes = ["no key matches their rows; distributions were compared instead"]
    if best is not None and best.accidental:
        findings.append(told_accident(best, left, right))
        notes = ["rows match only by numbers that count something else on either side"]
    return Pair(
        left.table.name,
        right.table.name,
        (left.rows, right.rows),
        0,
        (),
        tuple(_sorted(findings)),
        tuple(notes),
        (),
        tuple(unseen),
    )
