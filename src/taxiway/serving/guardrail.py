"""The guardrail of a canary: when its answers go so wrong that it is taken off at once.

It holds the canary against the champion over the same time. Every rule is a test that knows how
much was seen, and looks only when the number of decisions has doubled since it last looked; each
look spends half of what is left of `FALSE_ALARMS`, so that over a canary's whole life a rule takes
off a good one at most once in a thousand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

from taxiway.core.decision import Decision

FALSE_ALARMS = 0.001
"""How often a rule may take off a canary that is as it should be."""
FIRST_FAILURES = 20
"""Decisions after which failures are looked at first: an exact test needs no more."""
SLOW_SHARE = 0.01
"""Share of the answers that may take longer than the charter's 99th percentile."""
SLOWER = 1.5
"""A canary is to blame for slow answers if its own part takes so many times the champion's."""
MOST_KEYS = 100_000
"""Keys that are remembered; then it begins anew to remember."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the charter asks of a canary."""

    minimum_decisions: int = 200
    maximum_failures: float = 0.01
    maximum_difference: float = 0.1
    latency_ms_p99: float = 250


@dataclass(frozen=True, slots=True)
class Breach:
    """Why a canary was taken off."""

    deployment: str
    release: str
    rule: str
    what: str
    found: dict[str, Any]
    required: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a group of requests showed of a canary beside its champion."""

    champion: Sequence[Decision]
    canary: Sequence[Decision]
    failures: int
    """Records that the canary should have decided and could not."""
    champion_seconds: float
    """How long the champion's own part took; 0 if it had none."""
    canary_seconds: float


@dataclass(slots=True)
class Mean:
    """The mean of numbers, and how far they are spread.

    Source: Welford (1962), Note on a method for calculating corrected sums of squares and products.
    """

    n: int = 0
    value: float = 0.0
    squares: float = 0.0
    """Of the distances from the mean."""

    def add(self, value: float) -> None:
        self.n += 1
        off = value - self.value
        self.value += off / self.n
        self.squares += off * (value - self.value)

    @property
    def spread(self) -> float:
        """The standard deviation of the numbers."""
        return math.sqrt(self.squares / self.n) if self.n else 0.0

    @property
    def error(self) -> float:
        """The variance of the mean."""
        return self.squares / self.n / self.n if self.n else 0.0


def shares() -> Mean:
    """The mean of values between 0 and 1.

    One 0 and one 1 are there from the start, so that a hundred equal values don't look like
    certainty. Source: Agresti and Caffo (2000), Simple and effective confidence intervals for
    proportions and differences of proportions.
    """
    return Mean(2, 0.5, 0.5)


@dataclass(slots=True)
class Tally:
    """What one of the two releases did."""

    decisions: int = 0
    slow: int = 0
    """Groups in which an answer took too long: the records of one wait together, and a thousand of
    them prove no more than one does."""
    failures: int = 0
    seconds: float = 0.0
    """Time of its own part of the groups, and how many groups that were."""
    groups: int = 0
    timed: int = 0
    """The decisions of these groups."""
    positive: Mean = field(default_factory=shares)
    probability: Mean = field(default_factory=shares)
    number: Mean = field(default_factory=Mean)
    """Of predicted numbers; those of a model that says yes or no are the two above."""

    def add(
        self, decisions: Sequence[Decision], seconds: float, slow_us: float, *, timed: bool = True
    ) -> None:
        self.decisions += len(decisions)
        if decisions and timed:
            self.slow += any(one.latency_us > slow_us for one in decisions)
            self.seconds += seconds
            self.groups += 1
            self.timed += len(decisions)

    @property
    def own_seconds(self) -> float:
        return self.seconds / self.groups if self.groups else 0.0

    def seconds_for(self, other: Tally) -> float:
        """What its own part takes at most of groups in which it has as many records as another.

        What a part takes grows with its records at most, and not at all where they are few.
        """
        own, others = self.timed * other.groups, other.timed * self.groups
        return self.own_seconds * max(1.0, others / own) if own else 0.0


Found = tuple[str, dict[str, Any], dict[str, Any]]
"""What is wrong in words, what was found, and what was required."""
Rule = Callable[[Limits, Tally, Tally, float], Found | None]
"""(limits, champion, canary, false alarms that this look may give) -> what is wrong."""


class Guardrail:
    """Watches one canary in one process. Called by the thread that decides, and by no other."""

    def __init__(self, limits: Limits, deployment: str, release: str) -> None:
        self._limits = limits
        self._deployment = deployment
        self._release = release
        self._champion, self._canary = Tally(), Tally()
        self._keys: set[int] = set()
        first = {"failures": min(FIRST_FAILURES, limits.minimum_decisions)}
        self._looks = {name: first.get(name, limits.minimum_decisions) for name in RULES}
        """Rule -> how many of the canary's records have to be seen for its next look."""
        self._alarms = dict.fromkeys(RULES, FALSE_ALARMS / 2)

    def saw(self, trial: Trial) -> Breach | None:
        """Takes note of a group; answers what is wrong with the canary, if something is."""
        slow = self._limits.latency_ms_p99 * 1000
        self._champion.add(trial.champion, trial.champion_seconds, slow)
        # Its first group opens what the next ones find.
        warm = self._canary.decisions > 0
        self._canary.add(trial.canary, trial.canary_seconds, slow, timed=warm)
        self._canary.failures += trial.failures
        self._take_outputs(self._champion, trial.champion)
        self._take_outputs(self._canary, trial.canary)
        seen = self._canary.decisions + self._canary.failures
        for name, rule in RULES.items():
            if seen < self._looks[name]:
                continue
            self._looks[name] = 2 * seen
            alarms, self._alarms[name] = self._alarms[name], self._alarms[name] / 2
            if found := rule(self._limits, self._champion, self._canary, alarms):
                return Breach(self._deployment, self._release, name, *found)
        return None

    def _take_outputs(self, tally: Tally, decisions: Sequence[Decision]) -> None:
        """Each key counts once: who asks for the same record again and again moves nothing."""
        for one in decisions:
            key = hash(one.key)
            if key not in self._keys:
                self._keys.add(key)
                said = one.output["prediction"]
                if isinstance(said, bool):
                    tally.positive.add(said)
                    tally.probability.add(one.output["probability"])
                else:
                    tally.number.add(said)
        if len(self._keys) > MOST_KEYS:
            self._keys.clear()


def _failures(limits: Limits, _: Tally, canary: Tally, alarms: float) -> Found | None:
    tried = canary.decisions + canary.failures
    if not more_than(canary.failures, tried, limits.maximum_failures, alarms):
        return None
    what = f"it failed on {canary.failures:,} of {tried:,} records, which the champion answered"
    return (
        what,
        {"failures": canary.failures, "records": tried},
        {"maximum_failures": limits.maximum_failures},
    )


def _latency(limits: Limits, champion: Tally, canary: Tally, alarms: float) -> Found | None:
    own, other = canary.own_seconds, champion.seconds_for(canary)
    if own < SLOWER * other or not more_than(canary.slow, canary.groups, SLOW_SHARE, alarms):
        return None
    what = (
        f"answers took longer than {limits.latency_ms_p99:g} ms in {canary.slow:,} of its"
        f" {canary.groups:,} groups of requests; its own part takes {own * 1000:.1f} ms, and of as"
        f" many records the champion's {other * 1000:.1f} ms"
    )
    found = {"slow": canary.slow, "groups": canary.groups}
    return what, found, {"latency_ms_p99": limits.latency_ms_p99}


def _positive(limits: Limits, champion: Tally, canary: Tally, alarms: float) -> Found | None:
    return _output("share of positive answers", limits, champion.positive, canary.positive, alarms)


def _probability(limits: Limits, champion: Tally, canary: Tally, alarms: float) -> Found | None:
    mean = "mean probability"
    return _output(mean, limits, champion.probability, canary.probability, alarms)


def _number(limits: Limits, champion: Tally, canary: Tally, alarms: float) -> Found | None:
    """In standard deviations of the champion's numbers: those have a unit, the limit has none."""
    own, other = canary.number, champion.number
    least = _apart(other, own, alarms)
    most = limits.maximum_difference * other.spread
    if min(own.n, other.n) < limits.minimum_decisions or least <= most:
        return None
    what = (
        f"its mean prediction is {own.value:g}, the champion's {other.value:g} in the same time: at"
        f" least {least:g} apart, where the champion's numbers are spread by {other.spread:g}"
    )
    found = {"canary": own.value, "champion": other.value, "at_least_apart": least}
    sizes = {"canary_keys": own.n, "champion_keys": other.n, "champion_spread": other.spread}
    return what, found | sizes, {"maximum_difference": limits.maximum_difference}


def _apart(champion: Mean, canary: Mean, alarms: float) -> float:
    """How far apart two means are at least, after what chance alone would do; both directions share
    the alarms."""
    chance = NormalDist().inv_cdf(1 - alarms / 2) * math.sqrt(champion.error + canary.error)
    return abs(canary.value - champion.value) - chance


def _output(name: str, limits: Limits, champion: Mean, canary: Mean, alarms: float) -> Found | None:
    least = _apart(champion, canary, alarms)
    if min(champion.n, canary.n) < limits.minimum_decisions or least <= limits.maximum_difference:
        return None
    what = (
        f"its {name} is {canary.value:.3f}, the champion's {champion.value:.3f} in the same time:"
        f" at least {least:.3f} apart"
    )
    found = {"canary": canary.value, "champion": champion.value, "at_least_apart": least}
    sizes = {"canary_keys": canary.n - 2, "champion_keys": champion.n - 2}
    return what, found | sizes, {"maximum_difference": limits.maximum_difference}


RULES: dict[str, Rule] = {
    "failures": _failures,
    "latency": _latency,
    "positive": _positive,
    "probability": _probability,
    "number": _number,
}


def more_than(count: int, n: int, share: float, alarms: float) -> bool:
    """Whether `count` of `n` proves a share above `share`, with so many false alarms.

    The exact binomial test: P(X >= count) <= alarms for X of Binomial(n, share).

    >>> more_than(3, 20, 0.01, 0.0005), more_than(5, 20, 0.01, 0.0005)
    (False, True)
    """
    if count <= n * share:
        return False
    if share <= 0:
        return True
    log, below = math.log, math.log1p(-share)
    tail = 0.0
    for k in range(count, n + 1):
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        term = math.exp(ways + k * log(share) + (n - k) * below)
        tail += term
        # From here on the terms fall faster than a geometric series.
        if tail > alarms or term < tail * 1e-12:
            break
    return tail <= alarms
