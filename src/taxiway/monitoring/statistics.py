"""How far two samples lie apart, from their counts over the same bins: pure functions, one table.

A drift verdict takes two of them: an effect that says whether the difference is large enough to
matter, and a test that says whether it is more than chance at this number of rows. One without the
other alarms for nothing: a test alone at 30,000 rows finds differences that nobody feels, an effect
alone at 500 rows finds noise.

Measured false alarms, where both samples come from one distribution: 20 columns of 2 to 60 bins, a
reference of 30,000 rows, drift where the effect is at least 0.1 and the adjusted p-value below
0.01; share of 5,000 windows with any drifted column:

    rows in the window    500     1,000    3,000    30,000
    false alarms          0.0064  0        0        0

The budget is the rate that the charter names, 0.01. Rows that depend on each other, such as the
flights of one stormy day, break the test's assumption; there the effect alone holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Counts = Sequence[int]
"""How many rows fell into each bin; two samples have the same bins in the same order."""

LEAST_SHARE = 1e-4
"""Shares below it are raised to it in `population_stability`, which has no value for empty bins."""

LEAST_EXPECTED = 10.0
"""Bins that expect fewer rows, in either sample, are pooled before the chi-square test.

Cochran (1954), Some methods for strengthening the common chi-square tests, asks for 5 or 10. Alarms
live far out in the test's tail, where 5 is not enough: at 500 rows it gave 0.010 false alarms, 10
gave 0.006.
"""


def jensen_shannon(reference: Counts, current: Counts) -> float:
    """The Jensen-Shannon distance to base 2: 0 for equal shares, 1 where no bin is shared.

    The square root of the divergence, which makes it a metric. Two samples of which one has no rows
    have a distance of 0: nothing was seen, and the caller asks for a minimum of rows.
    Source: Endres and Schindelin (2003), A new metric for probability distributions.

    >>> jensen_shannon([10, 0], [0, 10])
    1.0
    >>> jensen_shannon([10, 30], [1, 3])
    0.0
    """
    return math.sqrt(_divergence(reference, current))


def excess_distance(reference: Counts, current: Counts) -> float:
    """The Jensen-Shannon distance beyond what chance alone gives to samples of these sizes.

    Two samples of one distribution are never the same: with 60 bins and 500 rows their distance is
    about 0.2, which says nothing. The divergence that is expected of them is taken off before the
    root, so that a limit means the same at every number of rows and bins. For a bin with the share
    r of all rows it is (1 - r) (1/n + 1/m) / (8 ln 2), and never more than r. That is the mean of
    the chi-square distribution that 8 ln(2) / (1/n + 1/m) times the divergence follows for large
    samples. Source: the expansion of the divergence to second order, as in Menéndez et al. (1997),
    The Jensen-Shannon divergence.

    >>> excess_distance([51, 49], [49, 51])
    0.0
    >>> excess_distance([1000, 0], [0, 1000]) > 0.999
    True
    """
    rows, others = sum(reference), sum(current)
    if not rows or not others:
        return 0.0
    unit = (1 / rows + 1 / others) / (8 * math.log(2))
    shares = [(a + b) / (rows + others) for a, b in zip(reference, current, strict=True)]
    by_chance = math.fsum(min(unit * (1 - share), share) for share in shares)
    return math.sqrt(max(_divergence(reference, current) - by_chance, 0.0))


def population_stability(reference: Counts, current: Counts) -> float:
    """The population stability index, sum of (q - p) ln(q / p): 0 for equal shares.

    Shares below `LEAST_SHARE` are raised to it, so that an empty bin has a value; with that, it is
    at most -2 ln(LEAST_SHARE), about 18.4. No rows in one sample: 0, as for the distance.
    Source: Siddiqi (2006), Credit risk scorecards; it is Jeffreys' divergence (1946).

    >>> round(population_stability([50, 50], [80, 20]), 4)
    0.4159
    """
    p, q = _shares(reference), _shares(current)
    if not p or not q:
        return 0.0
    raised = [(max(a, LEAST_SHARE), max(b, LEAST_SHARE)) for a, b in zip(p, q, strict=True)]
    return math.fsum((b - a) * math.log(b / a) for a, b in raised)


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A two-sample chi-square test of homogeneity, after pooling."""

    statistic: float
    freedom: int
    p_value: float
    cramers_v: float
    """The statistic as an effect from 0 to 1: sqrt(statistic / rows), for two samples."""


def chi_square(reference: Counts, current: Counts) -> ChiSquare:
    """Whether both samples can come from one distribution: Pearson's test on a 2 x bins table.

    Both are samples; the reference is not taken for the truth. Bins that expect fewer than
    `LEAST_EXPECTED` rows are pooled into one, which joins the smallest other bin if it still
    expects too few (all of the smallest, where several are). With fewer than two bins left, or no
    rows in a sample, there is nothing to tell: p-value 1.

    >>> chi_square([500, 500], [250, 250]).p_value
    1.0
    >>> chi_square([500, 500], [300, 200]).p_value < 0.001
    True
    """
    from scipy.special import chdtrc

    rows, others = sum(reference), sum(current)
    if not rows or not others:
        return ChiSquare(0.0, 0, 1.0, 0.0)
    bins = _pooled(list(zip(reference, current, strict=True)), min(rows, others) / (rows + others))
    if len(bins) < 2:
        return ChiSquare(0.0, 0, 1.0, 0.0)
    share = rows / (rows + others)
    # In both rows of the table the deviation has the same size, so one term serves both.
    statistic = math.fsum(
        (a - share * (a + b)) ** 2 / ((a + b) * share * (1 - share)) for a, b in bins
    )
    freedom = len(bins) - 1
    p_value = float(chdtrc(freedom, statistic))
    return ChiSquare(statistic, freedom, p_value, math.sqrt(min(statistic / (rows + others), 1.0)))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, so that a false discovery rate can be held.

    The i-th smallest of m becomes the least of p(j) m / j over j >= i. Where nothing has drifted,
    this also holds the rate of windows with any alarm.
    Source: Benjamini and Hochberg (1995), Controlling the false discovery rate.

    >>> adjusted([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.03]
    """
    result = [1.0] * len(p_values)
    least = 1.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    for rank, place in zip(range(len(p_values), 0, -1), order, strict=True):
        least = min(least, p_values[place] * (len(p_values) / rank))
        result[place] = least
    return result


def compare(reference: Counts, current: Counts) -> tuple[float, float]:
    """The effect and the p-value of a difference: the excess distance and the chi-square test."""
    return excess_distance(reference, current), chi_square(reference, current).p_value


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic and what it claims; the law tests hold every one of them to it."""

    measure: Callable[[Counts, Counts], float]
    at_equal: float
    """Its value for two samples with equal shares."""
    lowest: float
    highest: float
    symmetric: bool = True


STATISTICS: Mapping[str, Statistic] = {
    "jensen_shannon": Statistic(jensen_shannon, 0.0, 0.0, 1.0),
    "excess_distance": Statistic(excess_distance, 0.0, 0.0, 1.0),
    "population_stability": Statistic(population_stability, 0.0, 0.0, -2 * math.log(LEAST_SHARE)),
    "cramers_v": Statistic(lambda p, q: chi_square(p, q).cramers_v, 0.0, 0.0, 1.0),
    "chi_square_p": Statistic(lambda p, q: chi_square(p, q).p_value, 1.0, 0.0, 1.0),
}
"""Every statistic over two counts. A new one is a function and a line here."""


def _divergence(reference: Counts, current: Counts) -> float:
    p, q = _shares(reference), _shares(current)
    if not p or not q:
        return 0.0
    divergence = math.fsum(
        share * math.log2(2 * share / (a + b)) / 2
        for a, b in zip(p, q, strict=True)
        for share in (a, b)
        if share
    )
    return min(max(divergence, 0.0), 1.0)


def _shares(counts: Counts) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else []


def _pooled(bins: list[tuple[int, int]], lesser: float) -> list[tuple[int, int]]:
    """The bins after pooling; `lesser` is the smaller sample's share of all rows."""

    def together(pairs: list[tuple[int, int]]) -> tuple[int, int]:
        return sum(a for a, _ in pairs), sum(b for _, b in pairs)

    def enough(pair: tuple[int, int]) -> bool:
        return sum(pair) * lesser >= LEAST_EXPECTED

    kept = [pair for pair in bins if enough(pair)]
    rest = together([pair for pair in bins if not enough(pair)])
    if not sum(rest):
        return kept
    if kept and not enough(rest):
        # All of the smallest bins, where several are: the order of bins must not decide.
        least = min(sum(pair) for pair in kept)
        rest = together([rest, *(pair for pair in kept if sum(pair) == least)])
        kept = [pair for pair in kept if sum(pair) > least]
    return [*kept, rest]
