"""Champion and shadow on the same keys."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from scipy.stats import binomtest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.decision import Decision
from taxiway.serving.compared import compare, wilson

from .conftest import ARTEFACT, deciders
from .test_grouping import record

NAMES = ("loans", "prod", "loans:3", "loans:4")


def decided(*pairs: tuple[int, float, int]) -> list[Decision]:
    """(key, probability, minutes) -> decisions, in their order."""
    made = deciders(MemoryDecisions())(ARTEFACT, "champion").decide(
        [record(key) for key, *_ in pairs]
    )
    return [
        dataclasses.replace(
            one,
            happened_at=one.happened_at + timedelta(minutes=minutes),
            output={**one.output, "probability": p, "prediction": p >= 0.5},
        )
        for one, (_, p, minutes) in zip(made, pairs, strict=True)
    ]


def test_only_what_both_decided_is_compared_and_the_last_of_it() -> None:
    answered = decided((1, 0.1, 0), (2, 0.6, 0), (3, 0.9, 1), (3, 0.7, 1), (4, 0.2, 2), (5, 0.5, 4))
    shadowed = decided((2, 0.4, 0), (1, 0.2, 0), (3, 0.8, 1), (4, 0.6, 2), (4, 0.1, 3))
    found = compare(NAMES, answered, shadowed)
    assert found.pairs == 4
    assert (found.champion_yes, found.challenger_yes) == (2, 2)
    assert (found.only_champion, found.only_challenger) == (1, 1)
    assert found.champion_mean == pytest.approx((0.1 + 0.6 + 0.7 + 0.2) / 4)
    assert found.challenger_mean == pytest.approx((0.2 + 0.4 + 0.8 + 0.6) / 4)
    assert found.mean_difference == pytest.approx((0.1 + 0.2 + 0.1 + 0.4) / 4)
    assert found.largest_difference == pytest.approx(0.4)
    assert found.agreement
    assert found.agreement[0] == 0.5


@pytest.mark.parametrize("both", [[], [(1, 0.5, 0)]])
def test_without_a_pair_nothing_is_said(both: list[tuple[int, float, int]]) -> None:
    assert compare(NAMES, decided(*both), []).agreement is None
    assert compare(NAMES, [], decided(*both)).pairs == 0


@pytest.mark.parametrize(("count", "n"), [(45, 50), (0, 10), (10, 10), (1, 1), (99_000, 100_000)])
def test_the_interval_is_wilson_s(count: int, n: int) -> None:
    """Against scipy's."""
    expected = binomtest(count, n).proportion_ci(method="wilson")
    assert wilson(count, n) == pytest.approx((count / n, expected.low, expected.high), abs=1e-12)
