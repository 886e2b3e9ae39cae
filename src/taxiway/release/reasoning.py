"""Which reasons a release gives, decided and proven when it is packaged.

Exact contributions are given where the engine has them and each of the model's columns was made
from one column that a caller sends; otherwise the model is asked again with each column's typical
value. The manifest and the evidence say which, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from taxiway.core.artefact import Parts
from taxiway.core.engine import ANSWER, LOG, LOG_ODDS, Contributions
from taxiway.core.kind import KINDS
from taxiway.release.compile import Compiled, row_us

CONTRIBUTIONS, REPLACEMENT = "contributions", "replacement"
PROOF_ROWS = 64
WITHIN = 1e-9
"""How far expected score and contributions may be from the model's own answer, or score; in parts
of it, if it is larger than one."""

ANSWERS: Mapping[str, Callable[[Any], Any]] = {
    LOG_ODDS: lambda score: 1.0 / (1.0 + np.exp(-score)),
    LOG: np.exp,
    ANSWER: lambda score: score,
}
"""Unit of a score -> what makes the answer of it."""

Explain = Callable[[Any], Any]
"""Frame of the model's columns -> float64 of shape (rows, inputs)."""


def by_input(
    made: Contributions, sources: Mapping[str, Sequence[str]], inputs: Sequence[str]
) -> Explain:
    """Contributions of the model's columns, added up by the input that each was made from."""
    to_input = np.zeros((len(made.columns), len(inputs)))
    for at, name in enumerate(made.columns):
        (source,) = sources[name]
        to_input[at, inputs.index(source)] = 1.0

    def explain(features: Any) -> Any:
        # Each row by itself: a product of matrices may add in another order when there are more.
        return (made.of(features)[:, :, None] * to_input).sum(axis=1)

    return explain


def decided(parts: Parts, compiled: Compiled) -> dict[str, Any]:
    """The method with its unit and, if it is the replacement, why; for manifest and evidence."""
    made, sources = compiled.contributions, parts.sources
    if parts.reasons_by == REPLACEMENT:
        return _replacement(parts, "the charter says so")
    if made is None:
        return _replacement(parts, f"the engine {compiled.engine} has no exact ones for this model")
    mixed = [name for name in made.columns if len(sources.get(name, ())) != 1]
    if mixed:
        said = " and ".join(sources.get(mixed[0], ())) or "no input"
        return _replacement(parts, f"the model's column {mixed[0]} is made from {said}")
    unit = made.unit.replace(ANSWER, KINDS[parts.kind].score)
    rows = parts.holdout.gather_every(max(1, parts.holdout.height // PROOF_ROWS))
    added = made.expected + made.of(rows).sum(axis=1)
    if made.score is not None:
        apart, what = _apart(added, made.score(rows)), f"the {unit}"
    else:
        with np.errstate(over="ignore"):
            apart, what = _apart(ANSWERS[made.unit](added), compiled.score(rows)), "the answer"
    if not apart <= WITHIN:
        return _replacement(parts, f"contributions do not add up to {what}: {apart:.2g} off")
    return {
        "method": CONTRIBUTIONS,
        "unit": unit,
        "why": "",
        "rows": rows.height,
        "largest_difference": apart,
        "row_us": row_us(made.of, rows),
    }


def _apart(added: Any, expected: Any) -> float:
    off = np.abs(added - expected) / np.maximum(np.abs(expected), 1.0)
    return float(off.max(initial=0.0))


def _replacement(parts: Parts, why: str) -> dict[str, Any]:
    return {"method": REPLACEMENT, "unit": KINDS[parts.kind].score, "why": why}
