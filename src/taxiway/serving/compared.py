"""Champion and shadow on the same keys: how often they agree, and how far they are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from taxiway.core.decision import Decision
from taxiway.core.kind import CLASSIFICATION, kind_of

Z = 1.959963984540054
"""Of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a challenger in shadow would have changed."""

    model: str
    environment: str
    champion: str
    challenger: str
    pairs: int
    """Keys that both decided."""
    champion_yes: int
    challenger_yes: int
    only_champion: int
    """Keys on which only the champion said yes."""
    only_challenger: int
    champion_mean: float
    challenger_mean: float
    mean_difference: float
    """Of the probabilities or predicted numbers, without their sign."""
    largest_difference: float
    agreement: tuple[float, float, float] | None
    """Share of the pairs with the same answer, and its 95 % interval (Wilson); None for no pair.
    Numbers agree only where they are equal."""
    score: str = CLASSIFICATION.score
    """What means and differences are of: `probability`, or `prediction` of a number."""


def compare(
    names: tuple[str, str, str, str], answered: Iterable[Decision], shadowed: Iterable[Decision]
) -> Compared:
    """Compares decisions of two releases; both in the order in which they happened.

    `names` are model, environment, champion and challenger. Of several decisions on a key, the
    last ones are a pair.
    """
    pairs = yes = other_yes = only = other_only = equal = 0
    total = other_total = apart = largest = 0.0
    kind = CLASSIFICATION
    for first, second in _pairs(answered, shadowed):
        said, other = first.output["prediction"], second.output["prediction"]
        kind = kind_of(first.output)
        p, q = first.output[kind.score], second.output[kind.score]
        pairs += 1
        equal += said == other
        if kind.yes_or_no:
            yes, other_yes = yes + said, other_yes + other
            only, other_only = only + (said and not other), other_only + (other and not said)
        total, other_total = total + p, other_total + q
        apart, largest = apart + abs(p - q), max(largest, abs(p - q))
    most = max(pairs, 1)
    return Compared(
        *names,
        pairs=pairs,
        champion_yes=yes,
        challenger_yes=other_yes,
        only_champion=only,
        only_challenger=other_only,
        champion_mean=total / most,
        challenger_mean=other_total / most,
        mean_difference=apart / most,
        largest_difference=largest,
        agreement=wilson(equal, pairs) if pairs else None,
        score=kind.score,
    )


def _pairs(
    answered: Iterable[Decision], shadowed: Iterable[Decision]
) -> Iterator[tuple[Decision, Decision]]:
    """Decisions on the same key that happened at the same time; one moment is held at a time."""
    left, right = _moments(answered), _moments(shadowed)
    here, there = next(left, None), next(right, None)
    while here and there:
        if here[0] == there[0]:
            yield from ((here[1][key], there[1][key]) for key in here[1] if key in there[1])
        behind = min(here[0], there[0])
        if here[0] == behind:
            here = next(left, None)
        if there[0] == behind:
            there = next(right, None)


def _moments(decisions: Iterable[Decision]) -> Iterator[tuple[datetime, dict[str, Decision]]]:
    for moment, of_it in groupby(decisions, key=lambda one: one.happened_at):
        yield moment, {one.key: one for one in of_it}


def wilson(count: int, n: int) -> tuple[float, float, float]:
    """A share with its 95 % interval.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.

    >>> wilson(0, 10)[1:] == (0.0, 0.2775327998628892)
    True
    """
    share, z2 = count / n, Z * Z / n
    middle = share + z2 / 2
    spread = Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return share, max(0.0, (middle - spread) / (1 + z2)), min(1.0, (middle + spread) / (1 + z2))
