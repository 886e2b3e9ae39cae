"""A challenger decides what others have answered: later, apart, and without harm to anybody."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import StoreError
from taxiway.serving import shadow
from taxiway.serving.cast import Cast
from taxiway.serving.deciding import Decider
from taxiway.serving.grouping import Grouping
from taxiway.serving.shadow import Shadow

from .conftest import ARTEFACT, CONTRACT, deciders
from .test_grouping import Desk, Gate, breaking, record


def challenger(log: MemoryDecisions, artefact: Artefact = ARTEFACT) -> Decider:
    newer = dataclasses.replace(artefact, release="loans:4", digest="sha256:four")
    return deciders(log)(newer, "challenger")


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def offered(log: MemoryDecisions, own: Decider, rows: int, every: float = 0.01) -> Shadow:
    """A shadow that was offered what a champion has answered."""
    champion = deciders(log)(ARTEFACT, "champion")
    made = champion.decide([record(n) for n in range(rows)])
    one = Shadow(every)
    one.offer(own, champion, made)
    return one


def test_it_decides_the_same_records_under_an_environment_of_its_own() -> None:
    log = MemoryDecisions()
    one = offered(log, challenger(log), 600)
    until(lambda: one.counts["loans:4", "decided"] == 600)
    one.close()
    answered = list(log.scan("loans", environment="prod"))
    shadowed = list(log.scan("loans", environment=shadow.ENVIRONMENT))
    assert {d.release for d in shadowed} == {"loans:4"}
    assert sorted(d.key for d in shadowed) == sorted(d.key for d in answered)


def test_what_is_too_much_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "WAITING_RECORDS", 50)
    log = MemoryDecisions()
    one = offered(log, challenger(log), 80, every=30.0)
    assert one.counts["loans:4", "dropped"] == 30
    began = time.monotonic()
    one.close()
    assert time.monotonic() - began < 5


def test_a_record_that_breaks_it_is_counted_and_the_others_are_decided() -> None:
    log = MemoryDecisions()
    one = offered(log, challenger(log, breaking(ARTEFACT, SystemExit(3))), 20)
    until(lambda: sum(one.counts.values()) == 20)
    one.close()
    assert dict(one.counts) == {("loans:4", "failed"): 1, ("loans:4", "decided"): 19}


def test_a_log_that_fails_ends_nothing() -> None:
    class Full(MemoryDecisions):
        def append(self, decisions: object) -> None:
            raise StoreError("The disk is full.")

    one = offered(MemoryDecisions(), challenger(Full()), 20)
    until(lambda: one.counts["loans:4", "failed"] == 20)
    one.close()


def test_it_reads_what_its_own_contract_takes() -> None:
    names = [name for name in CONTRACT.names if name != "iban"]
    log = MemoryDecisions()
    narrow = dataclasses.replace(ARTEFACT, inputs=CONTRACT.only(names))
    one = offered(log, challenger(log, narrow), 5)
    until(lambda: one.counts["loans:4", "decided"] == 5)
    one.close()
    assert all("iban" not in d.inputs for d in log.scan("loans", environment="shadow"))


def test_answers_leave_before_the_challenger_is_asked() -> None:
    """The challenger's log is held; the champion's answers arrive all the same."""
    log, held = MemoryDecisions(), Gate()
    own = Shadow(every=0.001)
    cast = Cast(deciders(log)(ARTEFACT, "champion"), challenger=challenger(held))

    def shadowed(cast: Cast, decisions: object) -> None:
        assert cast.challenger
        own.offer(cast.challenger, cast.champion, decisions)  # type: ignore[arg-type]

    grouping = Grouping(lambda: cast, lambda call: call(), shadowed=shadowed)
    desk = Desk(grouping)
    for number in range(50):
        assert desk.ask(number)
    grouping.close()
    assert len(desk.order) == 50
    assert held.arrived.acquire(timeout=10)
    assert held.count("loans") == 0
    held.open.set()
    until(lambda: own.counts["loans:4", "decided"] == 50)
    own.close()
