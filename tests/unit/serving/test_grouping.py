"""Requests that wait are decided together; each gets the answer that it would get alone."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.decision import Decision
from taxiway.core.errors import InputError, IntegrityError, StoreError
from taxiway.serving.cast import Cast
from taxiway.serving.deciding import Decider
from taxiway.serving.grouping import Grouping, Limits
from taxiway.serving.path import answer, same
from taxiway.serving.request import Answer, Request, Worked

from .conftest import ARTEFACT, CONTRACT, RECORD, make_decider

Answering = Cast | Decider | Callable[[], Decider]


class Gate(MemoryDecisions):
    """A log whose appends wait until it is opened, and are told of."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.arrived = threading.Semaphore(0)
        self.appended: list[int] = []
        self.error: Exception | None = None

    def append(self, decisions: Sequence[Decision]) -> None:
        self.arrived.release()
        assert self.open.wait(10)
        if self.error:
            raise self.error
        super().append(decisions)
        self.appended.append(len(decisions))


class Desk:
    """Asks, and keeps what was answered, in the order of the answers."""

    def __init__(self, grouping: Grouping) -> None:
        self.grouping = grouping
        self.answers: dict[int, Answer] = {}
        self.order: list[int] = []

    def ask(
        self,
        number: int,
        *records: dict[str, Any],
        contract: Any = CONTRACT,
        release: str | None = None,
    ) -> bool:
        def answered(given: Answer) -> None:
            assert number not in self.answers, "answered twice"
            self.answers[number] = given
            self.order.append(number)

        own = list(records) or [record(number)]
        return self.grouping.ask(
            Request(own, contract, lambda _: own, time.perf_counter(), answered, release)
        )

    def decisions(self, number: int) -> list[Decision]:
        found = self.answers[number]
        assert not isinstance(found, BaseException), found
        return list(found)


def record(number: int, **changes: Any) -> dict[str, Any]:
    return {**RECORD, "id": number + 1, "amount": float(number % 1000), **changes}


@contextmanager
def grouped(answering: Answering, **options: Any) -> Iterator[tuple[Desk, list[Worked]]]:
    """Everything is answered when the block has ended."""
    worked: list[Worked] = []

    def current() -> Cast:
        found = answering() if callable(answering) else answering
        return found if isinstance(found, Cast) else Cast(found)

    grouping = Grouping(current, lambda call: call(), worked=worked.append, **options)
    try:
        yield Desk(grouping), worked
    finally:
        grouping.close()


@contextmanager
def one_in_hand(
    log: Gate, answering: Answering, **options: Any
) -> Iterator[tuple[Desk, list[Worked]]]:
    """Request 0 is being logged; what is asked in the block waits for it and is then a group."""
    with grouped(answering, **options) as (desk, worked):
        try:
            assert desk.ask(0)
            assert log.arrived.acquire(timeout=10)
            yield desk, worked
        finally:
            log.open.set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_what_waits_is_decided_together_and_answered_in_its_order(
    artefact: Artefact, gate: Gate
) -> None:
    with one_in_hand(gate, make_decider(gate)(artefact)) as (desk, worked):
        for number in range(1, 6):
            assert desk.ask(number, *[record(number * 10 + at) for at in range(number)])
        assert desk.grouping.waiting == 5
    assert gate.appended == [1, 15]
    assert [(one.requests, one.rows) for one in worked] == [(1, 1), (5, 15)]
    assert desk.order == [0, 1, 2, 3, 4, 5]
    for number in range(1, 6):
        assert [d.inputs["id"] for d in desk.decisions(number)] == [
            number * 10 + at + 1 for at in range(number)
        ]
        assert all(gate.get(d.id) == d for d in desk.decisions(number))


def test_one_that_comes_alone_is_decided_at_once(decider: Decider) -> None:
    with grouped(decider) as (desk, _):
        began = time.perf_counter()
        desk.ask(1)
        while not desk.answers:
            assert time.perf_counter() - began < 5
            time.sleep(0.0005)
    assert desk.decisions(1)[0].inputs == record(1)


def test_a_group_takes_whole_requests_up_to_its_limit(artefact: Artefact, gate: Gate) -> None:
    decider = make_decider(gate)(artefact)
    with one_in_hand(gate, decider, limits=Limits(group_rows=5)) as (desk, _):
        for number, rows in enumerate((2, 3, 1, 9, 1), start=1):
            desk.ask(number, *[record(at) for at in range(rows)])
    # One that is larger than the limit is logged alone, and after what is answered meanwhile.
    assert gate.appended == [1, 5, 1, 1, 9]
    assert desk.order == [0, 1, 2, 3, 5, 4]


def slow(artefact: Artefact, entered: threading.Semaphore, go: threading.Semaphore) -> Artefact:
    """A model that says when it is asked, and waits until it may answer."""

    def score(made: Any) -> Any:
        entered.release()
        assert go.acquire(timeout=10)
        return artefact.score(made)

    return dataclasses.replace(artefact, score=score, reason_codes="none")


def test_nobody_waits_for_all_of_a_request_that_is_larger_than_a_group(
    artefact: Artefact, log: MemoryDecisions
) -> None:
    entered, go = threading.Semaphore(0), threading.Semaphore(0)
    decider = make_decider(log)(slow(artefact, entered, go))
    later = make_decider(log)(dataclasses.replace(artefact, release="loans:4", digest="sha256:4"))
    current = [decider]
    with grouped(lambda: current[0], limits=Limits(group_rows=5)) as (desk, worked):
        desk.ask(0, *[record(at) for at in range(12)])
        assert entered.acquire(timeout=10)
        desk.ask(1, *[record(at) for at in range(9)])
        desk.ask(2)
        desk.ask(3, record(3), record(4))
        current[0] = later
        go.release(50)
    # The small ones came between its slices, and by then another release answered; the large one
    # was decided by the release that began it, and logged as a whole.
    assert desk.order == [2, 3, 0, 1]
    assert {d.release for d in desk.decisions(0)} == {"loans:3"}
    assert {d.release for n in (1, 2, 3) for d in desk.decisions(n)} == {"loans:4"}
    assert [d.inputs["id"] for d in desk.decisions(0)] == list(range(1, 13))
    assert [d.inputs["id"] for d in desk.decisions(1)] == list(range(1, 10))
    assert all(log.get(d.id) == d for n in range(4) for d in desk.decisions(n))
    assert log.count("loans") == 12 + 9 + 1 + 2
    assert max(one.rows for one in worked) <= 5
    assert sum(one.rows for one in worked) == 24


@pytest.mark.parametrize("error", [ValueError("13"), StoreError("The disk is full.")])
def test_a_large_request_is_logged_as_a_whole_or_not_at_all(
    artefact: Artefact, gate: Gate, error: Exception
) -> None:
    gate.open.set()
    if isinstance(error, StoreError):
        gate.error = error
        decider = make_decider(gate)(artefact)
    else:  # in its last slice
        decider = make_decider(gate)(breaking(artefact, error))
    with grouped(decider, limits=Limits(group_rows=4)) as (desk, worked):
        desk.ask(1, *[record(at) for at in range(14)])
    assert desk.answers[1] is error
    assert gate.count("loans") == 0
    assert worked == []


@pytest.mark.parametrize("limits", [Limits(waiting_requests=3), Limits(waiting_rows=3)])
def test_what_is_too_much_is_refused_and_never_waits(
    artefact: Artefact, gate: Gate, limits: Limits
) -> None:
    with one_in_hand(gate, make_decider(gate)(artefact), limits=limits) as (desk, _):
        assert [desk.ask(number) for number in range(1, 6)] == [True] * 3 + [False] * 2
        assert desk.grouping.full
    assert desk.order == [0, 1, 2, 3]
    assert gate.count("loans") == 4


def test_if_the_log_fails_none_of_the_group_is_answered(artefact: Artefact, gate: Gate) -> None:
    with one_in_hand(gate, make_decider(gate)(artefact)) as (desk, worked):
        for number in range(1, 4):
            desk.ask(number)
        gate.error = StoreError("The disk is full.")
    assert all(isinstance(desk.answers[number], StoreError) for number in range(4))
    assert gate.count("loans") == 0
    assert worked == []


def breaking(artefact: Artefact, error: BaseException | None = None) -> Artefact:
    """A model that breaks on the amount 13, or answers no number, if no error is given."""

    def probability(made: Any) -> Any:
        found = np.array(artefact.score(made))
        bad = made["amount"].to_numpy() == 13
        if error and bad.any():
            raise error
        return np.where(bad, np.nan, found)

    return dataclasses.replace(artefact, score=probability)


class Panic(BaseException):
    """What a panic in an extension looks like."""


@pytest.mark.parametrize(
    "error", [ValueError("13"), InputError("13"), Panic("13"), SystemExit(3), None]
)
def test_a_record_that_breaks_the_model_fails_alone(
    artefact: Artefact, gate: Gate, error: BaseException | None
) -> None:
    decider = make_decider(gate)(breaking(artefact, error))
    with one_in_hand(gate, decider) as (desk, _):
        for number in (1, 13, 2):
            desk.ask(number)
    assert isinstance(desk.answers[13], BaseException)
    if error:
        assert desk.answers[13] is error
    assert desk.order == [0, 1, 13, 2]
    assert [desk.decisions(number)[0].inputs["id"] for number in (1, 2)] == [2, 3]
    assert {d.inputs["id"] for d in gate.scan("loans")} == {1, 2, 3}


def test_a_swap_never_mixes_releases_in_a_group(artefact: Artefact, gate: Gate) -> None:
    later = dataclasses.replace(artefact, release="loans:4", digest="sha256:four", threshold=0.9)
    current = [make_decider(gate)(artefact)]
    with one_in_hand(gate, lambda: current[0]) as (desk, _):
        desk.ask(1, record(1), record(2))
        desk.ask(2)
        current[0] = make_decider(gate)(later)
    # The first was begun by the one before; what waited was not.
    assert [d.release for d in desk.decisions(0)] == ["loans:3"]
    assert {d.release for n in (1, 2) for d in desk.decisions(n)} == {"loans:4"}


def test_records_are_read_again_if_the_next_release_has_another_contract(
    artefact: Artefact, gate: Gate
) -> None:
    narrow = dataclasses.replace(CONTRACT, version="2")
    later = dataclasses.replace(artefact, inputs=narrow, release="loans:4", digest="sha256:four")
    current = [make_decider(gate)(artefact)]
    answers: dict[str, Answer] = {}

    def read(contract: Any) -> list[dict[str, Any]]:
        assert contract is narrow
        raise InputError("no longer an input")

    with one_in_hand(gate, lambda: current[0]) as (desk, _):
        desk.grouping.ask(
            Request([record(1)], CONTRACT, read, 0.0, lambda a: answers.update(old=a))
        )
        desk.ask(2, contract=dataclasses.replace(narrow))
        current[0] = make_decider(gate)(later)
    assert isinstance(answers["old"], InputError)
    assert desk.decisions(2)[0].release == "loans:4"


def test_without_a_release_everybody_hears_why(decider: Decider) -> None:
    def nothing() -> Decider:
        raise IntegrityError("one bit is wrong")

    with grouped(nothing) as (desk, _):
        desk.ask(1)
        desk.ask(2)
    assert [str(desk.answers[n]) for n in (1, 2)] == ["one bit is wrong"] * 2


def test_closing_answers_what_waits_and_takes_on_nothing_more(
    artefact: Artefact, gate: Gate
) -> None:
    with one_in_hand(gate, make_decider(gate)(artefact)) as (desk, _):
        for number in range(1, 30):
            desk.ask(number)
    assert desk.order == list(range(30))
    assert not desk.ask(30)
    desk.grouping.close()


def test_an_ended_loop_does_not_end_the_thread(decider: Decider, log: MemoryDecisions) -> None:
    def ended(_: Callable[[], None]) -> None:
        raise RuntimeError("Event loop is closed")

    grouping = Grouping(lambda: Cast(decider), ended)
    desk = Desk(grouping)
    desk.ask(1)
    desk.ask(2)
    grouping.close()
    assert desk.answers == {}
    assert log.count("loans") == 2


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=12),
    limit=st.integers(1, 12),
    bad=st.integers(0, 11),
    exact=st.booleans(),
)
@example(sizes=[1, 3, 1, 2, 1], limit=2, bad=0, exact=False)  # the last one overtook the two rows
def test_whatever_stands_in_a_group_each_gets_its_own_answer_once(
    sizes: list[int], limit: int, bad: int, exact: bool
) -> None:
    """With the bits that it has alone, in its order, logged once; a broken one fails alone."""
    gate = Gate()
    artefact = dataclasses.replace(breaking(ARTEFACT, ValueError("13")), row_exact=exact)
    asked = {
        number: [
            record(100 * number + at, **({"amount": 13.0} if number == bad + 1 else {}))
            for at in range(size)
        ]
        for number, size in enumerate(sizes, start=1)
    }
    with one_in_hand(gate, make_decider(gate)(artefact), limits=Limits(group_rows=limit)) as (
        desk,
        _,
    ):
        for number, records in asked.items():
            assert desk.ask(number, *records)
    assert sorted(desk.order) == list(range(len(sizes) + 1))
    small = [number for number in desk.order if not number or sizes[number - 1] <= limit]
    assert small == sorted(small)
    good = {n: records for n, records in asked.items() if n != bad + 1}
    for number, records in good.items():
        alone = answer(artefact, artefact.frame(records))
        assert same([d.output for d in desk.decisions(number)], alone)
    assert (len(asked) == len(good)) or isinstance(desk.answers[bad + 1], ValueError)
    logged = sorted(d.inputs["id"] for d in gate.scan("loans"))
    assert logged == sorted([1, *(r["id"] for records in good.values() for r in records)])
