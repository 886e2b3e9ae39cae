"""Reason codes: which of the columns that were sent speak for a decision, and how much.

The release says how the effect of a column is measured, and proved it when it was packaged:

- `contributions`: what the column adds to the score beside the expected score, exactly (Shapley
  values); effects of all columns add up. The score is in log-odds, or a probability.
- `replacement`: how far the probability moves when the value is replaced by the typical one of
  training (median, or most frequent value), all else equal. It works for any model; effects do not
  add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taxiway.core.artefact import Artefact

MOST = 3

Probability = Callable[[Artefact, Any], Any]


def effects(
    artefact: Artefact, frame: Any, probabilities: Any, positive: Any, probability: Probability
) -> tuple[Any, Any]:
    """The rows that need reasons (`reason_codes` of the charter), and what each input does to them.

    Row numbers of shape (explained,), and effects of shape (explained, inputs).
    """
    asked = {"none": positive & ~positive, "adverse": positive, "all": positive | ~positive}
    rows = asked[artefact.reason_codes].nonzero()[0]
    if not len(rows):
        return rows, None
    explained = frame if len(rows) == frame.height else frame[rows.tolist()]
    if artefact.contributions is not None:
        return rows, artefact.contributions(artefact.features(explained))
    after = probability(artefact, _replaced(artefact, explained))
    return rows, (probabilities[rows] - after.reshape(-1, len(rows))).T


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
    artefact: Artefact, frame: Any, probabilities: Any, positive: Any, probability: Probability
) -> list[list[dict[str, Any]]]:
    """For each row at most three {column, value, typical, effect}, strongest first.

    `effect` has the sign of the decision: above zero it raised the probability. Rows whose decision
    needs no reason have none.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in range(frame.height)]
    rows, found_effects = effects(artefact, frame, probabilities, positive, probability)
    if not len(rows):
        return found
    values = artefact.plain(frame[rows.tolist()].select(artefact.input_names))
    for place, row in enumerate(rows):
        sign = 1.0 if positive[row] else -1.0
        strongest = sorted(
            (
                (sign * float(effect), name)
                for effect, name in zip(found_effects[place], artefact.input_names, strict=True)
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
