"""Codings: other words for the same values, found as a mapping that holds on rows it was not
learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxiway.data.reconcile.forms import Hashes
from taxiway.data.reconcile.laws import FEWEST
from taxiway.data.reconcile.views import View

HOLDS = 0.95
MOST_CODES = 500


@dataclass(frozen=True, slots=True)
class Coding:
    """x is a function of y, value by value."""

    table: tuple[tuple[str, str], ...]
    """(what y says, what x says), the frequent ones first."""
    both_ways: bool
    """Whether no two values of y become one of x."""
    explained: float
    """Of rows that the mapping was not learned from."""
    lift: float
    """How far it is from guessing the most frequent value (0) to always right (1)."""
    rows: int
    least: int
    """Rows of the rarest value."""


def coding_of(x: View, y: View) -> Coding | None:
    """The mapping from y to x; None if there is none that holds."""
    both = x.there & y.there
    ours, others = x.ids[both], y.ids[both]
    if len(ours) < FEWEST:
        return None
    codes = len(np.unique(others))
    if codes > min(MOST_CODES, len(ours) / 3) or len(np.unique(ours)) < 2 or codes < 2:
        return None
    right, baseline, seen = _held_out(ours, others)
    if seen < 0.5 or right < HOLDS:
        return None
    lift = (right - baseline) / max(1e-9, 1 - baseline)
    if lift < 0.9:
        return None
    values, most, counts = _dominant(ours, others)
    order = np.argsort(-counts, kind="stable")
    values, most = values[order], most[order]
    return Coding(
        tuple(zip(y.said_by(values), x.said_by(most), strict=True)),
        len(np.unique(most)) == len(most),
        right,
        lift,
        len(ours),
        int(counts.min()),
    )


def _dominant(ours: Hashes, others: Hashes) -> tuple[Hashes, Hashes, Hashes]:
    """For each value of the others: the value of ours that stands beside it most, how often it
    occurs."""
    pairs = np.stack([others, ours], axis=1)
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    order = np.lexsort((-counts, unique[:, 0]))
    unique, counts = unique[order], counts[order]
    values, first = np.unique(unique[:, 0], return_index=True)
    _, sizes = np.unique(others, return_counts=True)
    return values, unique[first, 1], sizes.astype(np.uint64)


def _held_out(ours: Hashes, others: Hashes) -> tuple[float, float, float]:
    """(share right, share right by always guessing the most frequent, share of rows whose value was
    seen), each half judged by what the other half taught."""
    halves = np.arange(len(ours)) % 2 == 0
    halves = np.random.default_rng(3).permutation(halves)
    right, guessed, seen = 0, 0, 0
    for learn, judge in ((halves, ~halves), (~halves, halves)):
        values, most, _ = _dominant(ours[learn], others[learn])
        at = np.searchsorted(values, others[judge]).clip(0, len(values) - 1)
        known = values[at] == others[judge]
        seen += int(known.sum())
        right += int((most[at][known] == ours[judge][known]).sum())
        frequent, counts = np.unique(ours[learn], return_counts=True)
        guessed += int((ours[judge][known] == frequent[counts.argmax()]).sum())
    return right / max(1, seen), guessed / max(1, seen), seen / len(ours)


MONTHS = "january february march april may june july august september october november december"
DAYS = "monday tuesday wednesday thursday friday saturday sunday"
WORDS: dict[str, str] = {
    **{word: f"month {n}" for n, m in enumerate(MONTHS.split(), 1) for word in (m, m[:3])},
    **{word: f"day {n}" for n, d in enumerate(DAYS.split(), 1) for word in (d, d[:3])},
    **dict.fromkeys(["yes", "y", "true", "t", "on", "ja", "oui", "si"], "yes"),
    **dict.fromkeys(["no", "n", "false", "f", "off", "nein", "non"], "no"),
    **dict.fromkeys(["m", "male", "man"], "male"),
    **dict.fromkeys(["f", "female", "woman"], "female"),
}
"""Words that mean the same in every table."""
