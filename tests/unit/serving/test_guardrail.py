"""A canary is taken off when it is proven to go wrong, and left alone when chance alone does it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from scipy.stats import binom

from taxiway.core.decision import Decision
from taxiway.serving.guardrail import (
    FALSE_ALARMS,
    Breach,
    Guardrail,
    Limits,
    Trial,
    more_than,
    shares,
)

LIMITS = Limits()
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def decision(
    key: object, probability: float, *, positive: bool | None = None, us: int = 900
) -> Decision:
    output = {
        "prediction": probability >= 0.5 if positive is None else positive,
        "probability": probability,
        "reasons": [],
    }
    return Decision("d", "loans", "loans:3", "", "prod", "http", str(key), NOW, NOW, {}, output, us)


def groups(
    *,
    seed: int,
    size: int = 8,
    champion: float = 0.5,
    canary: float = 0.5,
    failing: float = 0.0,
    us: int = 900,
    seconds: float = 0.001,
) -> Iterator[Trial]:
    """Groups without end; the releases' probabilities spread evenly around their means."""
    chance, number = random.Random(seed), 0

    def one(mean: float, us: int) -> Decision:
        nonlocal number
        number += 1
        spread = chance.uniform(-0.3, 0.3)
        return decision(number, min(1.0, max(0.0, mean + spread)), us=us)

    while True:
        failed = sum(chance.random() < failing for _ in range(size))
        yield Trial(
            champion=[one(champion, 900) for _ in range(size)],
            canary=[one(canary, us) for _ in range(size - failed)],
            failures=failed,
            champion_seconds=0.001,
            canary_seconds=seconds,
        )


def judged(trials: Iterator[Trial], limits: Limits = LIMITS, most: int = 2_000) -> Breach | None:
    guardrail = Guardrail(limits, "a deployment", "loans:4")
    for trial, _ in zip(trials, range(most), strict=False):
        if breach := guardrail.saw(trial):
            return breach
    return None


def test_one_as_good_as_the_champion_stays() -> None:
    assert judged(groups(seed=1, failing=0.002)) is None


def test_chance_takes_off_a_good_one_no_more_often_than_it_may() -> None:
    """At the very limit of each rule, where a false alarm is the most likely."""
    alarms = sum(
        judged(groups(seed=seed, canary=0.56, failing=0.01), most=60) is not None
        for seed in range(300)
    )
    # Three rules, each allowed one in a thousand: of 300, two or more are as likely as 1 in 4.
    assert alarms <= 3


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("failures", {"failing": 0.5}),
        ("positive", {"canary": 0.75}),
        ("positive", {"canary": 0.2}),
        ("latency", {"us": 300_000, "seconds": 0.2}),
    ],
)
def test_one_that_goes_wrong_is_taken_off(rule: str, given: dict[str, float]) -> None:
    breach = judged(groups(seed=2, **given), most=200)  # type: ignore[arg-type]
    assert breach is not None
    assert (breach.rule, breach.deployment, breach.release) == (rule, "a deployment", "loans:4")
    assert breach.found
    assert breach.required


def test_failures_are_seen_long_before_the_minimum() -> None:
    guardrail = Guardrail(Limits(minimum_decisions=10_000), "d", "loans:4")
    trial = next(groups(seed=3, size=20, failing=1.0))
    breach = guardrail.saw(trial)
    assert breach is not None
    assert breach.what == "it failed on 20 of 20 records, which the champion answered"


def test_answers_are_not_judged_before_the_minimum() -> None:
    assert judged(groups(seed=4, canary=0.9), Limits(minimum_decisions=2_000), most=200) is None
    assert judged(groups(seed=4, canary=0.9), Limits(minimum_decisions=2_000), most=600)


def test_slow_answers_of_a_server_that_is_slow_are_not_the_canary_s_fault() -> None:
    assert judged(groups(seed=5, us=300_000, seconds=0.001), most=300) is None


def trial_of(champion: int, canary: int, us: int, seconds: float) -> Trial:
    """A group of which each release has some records, at so many seconds a record."""
    return Trial(
        [decision(f"a{n}", 0.5, us=us) for n in range(champion)],
        [decision(f"b{n}", 0.5, us=us) for n in range(canary)],
        0,
        champion * 0.001,
        canary * seconds,
    )


def test_one_large_request_that_took_long_proves_nothing() -> None:
    guardrail = Guardrail(LIMITS, "d", "loans:4")
    assert guardrail.saw(trial_of(300, 300, 400_000, 0.002)) is None  # while it is still cold
    assert guardrail.saw(trial_of(300, 300, 400_000, 0.002)) is None
    assert any(guardrail.saw(trial_of(300, 300, 400_000, 0.002)) for _ in range(20))


def test_a_canary_with_most_of_the_records_may_take_most_of_the_time() -> None:
    guardrail = Guardrail(LIMITS, "d", "loans:4")
    assert not any(guardrail.saw(trial_of(30, 270, 400_000, 0.001)) for _ in range(20))


def test_who_asks_for_one_record_again_and_again_moves_nothing() -> None:
    guardrail = Guardrail(Limits(), "d", "loans:4")
    for trial, _ in zip(groups(seed=6), range(300), strict=False):
        often = [decision("the same", 1.0) for _ in range(100)]
        assert (
            guardrail.saw(Trial(trial.champion, [*trial.canary, *often], 0, 0.001, 0.001)) is None
        )


def test_a_mean_of_equal_values_is_not_certain() -> None:
    mean = shares()
    for _ in range(98):
        mean.add(1.0)
    assert mean.value == pytest.approx(0.99)
    assert mean.error > 0


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("n", [1, 20, 200, 3_200])
def test_the_exact_binomial_test(n: int, share: float) -> None:
    """Against scipy's."""
    for count in {0, 1, 2, 5, n // 10, n // 2, n} & set(range(n + 1)):
        tail = float(binom.sf(count - 1, n, share))
        for alarms in (FALSE_ALARMS / 2, FALSE_ALARMS / 64):
            if abs(tail - alarms) > 1e-9:
                expected = count > n * share and tail <= alarms
                assert more_than(count, n, share, alarms) is expected, (count, tail)
