"""Reason codes: which of the columns that were sent speak for a decision, and how much.

The effect of a column is how far the probability moves when its value is replaced by the typical
one of training (median, or most frequent value), all else equal. That is an intervention on one
column at a time: quick, exact, and in the caller's own columns. It is no Shapley value, and effects
do not add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taxiway.core.artefact import Artefact

MOST = 3

Probability = Callable[[Artefact, Any], Any]


def reasons(
    artefact: Artefact, frame: Any, probabilities: Any, positive: Any, probability: Probability
) -> list[list[dict[str, Any]]]:
    """For each row at most three {column, value, typical, effect}, strongest first.

    `effect` has the sign of the decision: above zero it raised the probability. Rows whose decision
    needs no reason (`reason_codes` of the charter) have none.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in range(frame.height)]
    asked = {"none": positive & ~positive, "adverse": positive, "all": positive | ~positive}
    rows = asked[artefact.reason_codes].nonzero()[0]
    if not len(rows):
        return found
    explained = frame[rows.tolist()]
    typical = artefact.frame([artefact.reference])
    # All interventions in one call: a model spends most of a call on its own set-up.
    changed = [
        explained.with_columns(typical[name].new_from_index(0, explained.height))
        for name in artefact.input_names
    ]
    after = probability(artefact, _stacked(changed))
    effects = probabilities[rows] - after.reshape(len(changed), len(rows))
    values = artefact.plain(explained.select(artefact.input_names))
    for place, row in enumerate(rows):
        sign = 1.0 if positive[row] else -1.0
        strongest = sorted(
            (
                (sign * float(effect), name)
                for effect, name in zip(effects[:, place], artefact.input_names, strict=True)
            ),
            key=lambda pair: -pair[0],
        )
        found[row] = [
            {
                "column": name,
                "value": values[place][name],
                "typical": artefact.reference[name],
                "effect": sign * effect,
            }
            for effect, name in strongest[:MOST]
            if effect > 0
        ]
    return found


def _stacked(frames: list[Any]) -> Any:
    stacked = frames[0].clone()
    for frame in frames[1:]:
        stacked.vstack(frame, in_place=True)
    return stacked
