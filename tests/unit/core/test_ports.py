"""The desk: who acts, and what a change tells of itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.digest import digest_of
from taxiway.core.errors import ConflictError, RefusedError
from taxiway.core.people import Person
from taxiway.core.ports import Actor, Desk

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALICE = Actor("alice", ("owner", "developer"), lambda content: f"signed {content.decode()}")
MakeFact = Callable[..., Any]


@pytest.fixture
def desk() -> Desk:
    return Desk(
        record=MemoryRecord(),
        objects=MemoryObjects(),
        decisions=MemoryDecisions(),
        verify=lambda *_: True,
        now=lambda: NOW,
        new_id=lambda: "id-1",
        actor=ALICE,
    )


# Who acts


def test_nobody(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="Nobody is named who wants to sign") as caught:
        dataclasses.replace(desk, actor=None).acting("owner", to="sign")
    assert caught.value.todo
    assert "--as NAME" in caught.value.todo


def test_one_of_the_roles_is_enough(desk: Desk) -> None:
    assert desk.acting("developer", to="train") is ALICE
    assert desk.acting("engineer", "owner", to="promote") is ALICE
    assert desk.acting(to="look") is ALICE


def test_another_role(desk: Desk) -> None:
    with pytest.raises(
        RefusedError,
        match="alice may not sign: it takes the role validator or auditor, and alice has owner,"
        " developer",
    ):
        desk.acting("validator", "auditor", to="sign")


def test_no_role_at_all(desk: Desk) -> None:
    nobody = dataclasses.replace(desk, actor=Actor("eve", (), ALICE.sign))
    assert nobody.acting(to="look").name == "eve"
    with pytest.raises(RefusedError, match="and eve has none"):
        nobody.acting("owner", to="sign")


# What a change tells


def test_a_change_is_one_event_by_its_actor(desk: Desk, fact: MakeFact) -> None:
    one, two = fact(Person, "bob"), fact(Person, "carol")
    with desk.change("person.added", "bob", model="m") as change:
        change.add(one)
        change.add(two)
        change.details["roles"] = ["owner"]
    (event,) = desk.record.events()
    assert (event.at, event.actor, event.action) == (NOW, "alice", "person.added")
    assert (event.subject, event.model, event.details) == ("bob", "m", {"roles": ["owner"]})
    assert event.digest == digest_of([one, two])
    assert event.signature == f"signed {event.hash}"
    assert desk.record.find(Person) == [one, two]


def test_a_digest_that_is_told_goes_first(desk: Desk, fact: MakeFact) -> None:
    with desk.change("release.created", "m:1") as change:
        change.add(fact(Person))
        change.digest = "sha256:1"
    (event,) = desk.record.events()
    assert (event.digest, event.model) == ("sha256:1", None)


def test_what_is_replaced_is_told_as_it_became(desk: Desk, fact: MakeFact) -> None:
    before = fact(Person)
    after = dataclasses.replace(before, removed_at=NOW)
    with desk.change("person.added", "one") as change:
        change.add(before)
    with desk.change("person.removed", "one") as change:
        change.replace(before, after)
        assert change.facts == [after]
    assert [event.digest for event in desk.record.events()] == [
        digest_of([before]),
        digest_of([after]),
    ]


def test_without_an_actor_it_is_the_system_and_unsigned(desk: Desk) -> None:
    with dataclasses.replace(desk, actor=None).change("window.closed", "m/prod"):
        pass
    (event,) = desk.record.events()
    assert (event.actor, event.signature) == ("system", "")
    assert event.digest == digest_of([])


def test_the_time_is_that_of_the_end(desk: Desk) -> None:
    times = iter([NOW, NOW.replace(hour=13)])
    clocked = dataclasses.replace(desk, now=lambda: next(times))
    with clocked.change("thing.done", "m"):
        assert clocked.now() == NOW
    assert [event.at.hour for event in desk.record.events()] == [13]


def test_an_exception_leaves_nothing_behind(desk: Desk, fact: MakeFact) -> None:
    def fail() -> None:
        with desk.change("person.added", "one") as change:
            change.add(fact(Person))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert desk.record.find(Person) == []
    assert list(desk.record.events()) == []


def test_a_fact_that_was_refused_is_not_told(desk: Desk, fact: MakeFact) -> None:
    one = fact(Person)
    with desk.change("person.added", "one") as change:
        change.add(one)
        with pytest.raises(ConflictError, match="already"):
            change.add(one)
        assert change.facts == [one]
