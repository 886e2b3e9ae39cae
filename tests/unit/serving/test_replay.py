"""Replay: one decision or very many, compared to the bit."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError
from taxiway.data.frame import plain_frame
from taxiway.serving import replay as module
from taxiway.serving.deciding import Decider
from taxiway.serving.replay import replay, replay_all

from .conftest import RECORD


def forged(log: MemoryDecisions, id_: str, **output: Any) -> None:
    """Changes an output behind the log's back."""
    made = log._decisions[id_]
    log._decisions[id_] = dataclasses.replace(made, output={**made.output, **output})


def test_a_decision_comes_out_the_same(decider: Decider) -> None:
    (made,) = decider.decide([RECORD])
    assert replay(decider.artefact, made).equal


def test_a_changed_decision_is_not_the_same_when_made_again(decider: Decider) -> None:
    (made,) = decider.decide([RECORD])
    changed = dataclasses.replace(made, output={**made.output, "prediction": False})
    assert not replay(decider.artefact, changed).equal


@pytest.mark.parametrize("plain", [None, plain_frame], ids=["rows", "columns"])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_many_are_counted_and_the_first_different_ones_kept(
    decider: Decider,
    log: MemoryDecisions,
    size: int,
    plain: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", size)
    monkeypatch.setattr(module, "FIRST", 2)
    made = decider.decide([{**RECORD, "id": n, "amount": n * 50.0} for n in range(1, 12)])
    for at, probability in ((2, 0.1), (5, -0.0), (9, 1)):
        forged(log, made[at].id, probability=probability)
    told: list[int] = []
    tally = replay_all(
        log.scan("loans"), lambda _: decider.artefact, plain=plain, on_rows=told.append
    )
    assert (tally.rows, tally.equal, tally.different) == (11, 8, 3)
    assert [one.decision.id for one in tally.first] == [made[2].id, made[5].id]
    assert sum(told) == 11
    assert tally.releases == {"loans:3": 11}


def test_each_release_makes_its_own_again_and_is_loaded_once(
    decider: Decider, log: MemoryDecisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    four = dataclasses.replace(
        decider.artefact, release="loans:4", digest="sha256:four", threshold=0.9
    )
    known = {"loans:3": decider.artefact, "loans:4": four}
    for n in range(1, 11):
        own = known[f"loans:{3 + n % 2}"]
        dataclasses.replace(decider, artefact=own).decide([{**RECORD, "id": n}])
    asked: list[str] = []

    def load(release: str) -> Artefact:
        asked.append(release)
        return known[release]

    tally = replay_all(log.scan("loans"), load)
    assert (tally.equal, tally.different) == (10, 0)
    assert sorted(asked) == ["loans:3", "loans:4"]
    assert tally.releases == {"loans:3": 5, "loans:4": 5}


def test_another_artefact_under_the_release_s_name_is_an_error(
    decider: Decider, log: MemoryDecisions
) -> None:
    decider.decide([RECORD])
    other = dataclasses.replace(decider.artefact, digest="sha256:other")
    with pytest.raises(IntegrityError, match="the record now has sha256:other under that name"):
        replay_all(log.scan("loans"), lambda _: other)


def test_nothing_is_nothing() -> None:
    tally = replay_all([], lambda _: pytest.fail("nothing to load"))
    assert (tally.rows, tally.first, tally.releases) == (0, [], {})
