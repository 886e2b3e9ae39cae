"""Where the time of a decision goes: the same answers, and seconds that add up."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from taxiway.core.artefact import Artefact
from taxiway.serving.path import answer
from taxiway.serving.spent import Spent, clocked


def test_a_clocked_release_gives_the_same_answers_and_says_what_they_took(
    artefact: Artefact,
) -> None:
    def slow(raw: Any) -> Any:
        time.sleep(0.02)
        return artefact.features(raw)

    spent = Spent()
    given = clocked(dataclasses.replace(artefact, features=slow, reason_codes="none"), spent)
    frame = artefact.frame([row["inputs"] for row in artefact.golden])
    began = time.perf_counter()
    assert answer(given, frame) == answer(dataclasses.replace(artefact, reason_codes="none"), frame)
    took = time.perf_counter() - began
    taken = spent.take()
    assert 0.02 <= taken.features < took
    assert 0 < taken.model < took - taken.features
    assert spent.take() == Spent(0.0, 0.0, 0.0)


def test_what_a_failing_call_takes_counts_too(artefact: Artefact) -> None:
    def broken(_: Any) -> Any:
        time.sleep(0.01)
        raise ValueError("no model")

    spent = Spent()
    given = clocked(dataclasses.replace(artefact, score=broken), spent)
    with pytest.raises(ValueError, match="no model"):
        given.score(None)
    assert spent.model >= 0.01


def test_contributions_are_the_models_time(artefact: Artefact) -> None:
    spent = Spent()
    assert clocked(artefact, spent).contributions is artefact.contributions
    given = dataclasses.replace(artefact, contributions=lambda _: time.sleep(0.01))
    explain = clocked(given, spent).contributions
    assert explain is not None
    explain(None)
    assert spent.model >= 0.01
