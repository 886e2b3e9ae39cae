"""Tree ensembles, read once and the same way whoever fitted them.

Numbers stay as wide as the model has them, so that no row falls on another side of a split. What a
model does with missing and with unknown categories is part of the reading: a split by category
names those that go its way, and everything else, known or not, goes the other way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taxiway.core.engine import ANSWER, LOG, LOG_ODDS

LOGISTIC, EXPONENTIAL, IDENTITY = "logistic", "exponential", "identity"
UNITS = {LOGISTIC: LOG_ODDS, EXPONENTIAL: LOG, IDENTITY: ANSWER}
"""Link -> the unit of the scores that it makes answers of."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree: an entry for each node, the root first. Leaves have -1 for `yes` and `no`."""

    feature: Any
    threshold: Any
    """float64: a number below it (or equal, see `Trees.strict`) goes to `yes`."""
    yes: Any
    no: Any
    missing_yes: Any
    """bool: whether a missing number goes to `yes`."""
    value: Any
    """float64: what a leaf adds."""
    cover: Any
    """float64: how much of the training data came by, as the model's own library weighs it."""
    members: Mapping[int, Sequence[float]] = field(default_factory=dict)
    """Node -> the categories that go to `yes`, of those that split by category."""


@dataclass(frozen=True, slots=True)
class Trees:
    """An ensemble: score = base + sum of leaves / by, and the link makes the answer of it."""

    trees: tuple[Tree, ...]
    width: int
    """Columns of the matrix that it reads."""
    seen_as: str
    """The type that the model rounds what it is given to."""
    zero_is_missing: bool = False
    strict: bool = False
    """Whether a number has to be below the threshold, or may be equal to it."""
    base: float = 0.0
    by: float = 1.0
    link: str = LOGISTIC
    scale: float = 1.0
    """What the score is multiplied by before the link."""


def splits(ensemble: Trees) -> dict[int, list[float]]:
    """Place in the matrix -> the numbers that the trees split it at."""
    found: dict[int, list[float]] = {}
    for tree in ensemble.trees:
        inner = (tree.yes >= 0) & np.isfinite(tree.threshold)
        inner[list(tree.members)] = False
        for place, threshold in zip(tree.feature[inner], tree.threshold[inner], strict=True):
            found.setdefault(int(place), []).append(float(threshold))
    return found
