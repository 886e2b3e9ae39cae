"""Reason codes: which of the columns that were sent speak for a decision, and how much.

The release says how the effect of a column is measured, and proved it when it was packaged:

- `contributions`: what the column adds to the score beside the expected score, exactly (Shapley
  values); effects of all columns add up. The release says in which unit: log-odds, or the answer's.
- `replacement`: how far the answer (a probability, or a number) moves when the value is replaced by
  the typical one of training (median, or most frequent value), all else equal. It works for any
  model; effects do not add up.

Of a yes or a no, those columns are reasons that speak for it; of a number, those that move it most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from taxiway.core.artefact import Artefact

MOST = 3

Score = Callable[[Artefact, Any], Any]


@dataclass(frozen=True, slots=True)
class Effects:
    """What each input does to the answers that need reasons (`reason_codes` of the charter)."""

    rows: Any
    """Their numbers, of shape (explained,)."""
    moved: Any
    """How far it raised the score (below zero: lowered), of shape (explained, inputs)."""
    strength: Any
    """How much it speaks for the answer, of the same shape: a reason is above zero."""


def effects(artefact: Artefact, frame: Any, scores: Any, score: Score) -> Effects:
    """The effects of the inputs of a frame of rows with these scores."""
    positive = scores >= artefact.threshold if artefact.kind.yes_or_no else None
    every: Any = np.ones(len(scores), dtype=np.bool_)
    asked: dict[str, Any] = {"none": ~every, "adverse": positive, "all": every}
    rows = np.flatnonzero(asked[artefact.reason_codes])
    if not len(rows):
        return Effects(rows, (), ())
    explained = frame if len(rows) == frame.height else frame[rows.tolist()]
    if artefact.contributions is not None:
        moved = artefact.contributions(artefact.features(explained))
    else:
        after = score(artefact, _replaced(artefact, explained))
        moved = (scores[rows] - after.reshape(-1, len(rows))).T
    if positive is None:
        return Effects(rows, moved, np.abs(moved))
    return Effects(rows, moved, np.where(positive[rows], 1.0, -1.0)[:, None] * moved)


def _replaced(artefact: Artefact, explained: Any) -> Any:
    """Every row once for each input, with the typical value for that input.

    One frame for all of it: a model spends most of a call on its own set-up.
    """
    typical = artefact.frame([artefact.reference])
    stacked = explained.clear()
    for name in artefact.input_names:
        changed = explained.clone()
        value = typical[name].new_from_index(0, explained.height)
        changed.replace_column(explained.get_column_index(name), value)
        stacked.vstack(changed, in_place=True)
    return stacked


def reasons(
    artefact: Artefact, frame: Any, scores: Any, score: Score
) -> list[list[dict[str, Any]]]:
    """For each row at most three {column, value, typical, effect}, strongest first.

    An `effect` above zero raised the score. Rows whose answer needs no reason have none.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in range(frame.height)]
    made = effects(artefact, frame, scores, score)
    if not len(made.rows):
        return found
    values = artefact.plain(frame[made.rows.tolist()].select(artefact.input_names))
    for place, row in enumerate(made.rows):
        strongest = sorted(
            zip(
                made.strength[place].tolist(),
                made.moved[place].tolist(),
                artefact.input_names,
                strict=True,
            ),
            key=lambda one: -one[0],
        )
        found[row] = [
            {
                "column": name,
                "value": values[place][name],
                "typical": artefact.reference[name],
                "effect": effect,
            }
            for strength, effect, name in strongest[:MOST]
            if strength > 0
        ]
    return found
