"""The record: facts and the ledger, in every adapter."""

from __future__ import annotations

import base64
import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from taxiway.adapters.ed25519 import verify
from taxiway.adapters.keyring import FolderKeys
from taxiway.adapters.tables import IMMUTABLE, TABLES
from taxiway.core.digest import digest_of
from taxiway.core.errors import ConflictError, MissingError, RefusedError
from taxiway.core.facts import Deployment, Developed, Model, Release, Run
from taxiway.core.ledger import GENESIS, Draft, broken_links
from taxiway.core.people import Person, SignOff
from taxiway.core.ports import FACTS, Record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MakeFact = Callable[..., Any]
MakeDraft = Callable[..., Draft]
Write = Callable[..., None]

kinds = pytest.mark.parametrize("kind", TABLES, ids=TABLES.values())
changing = [kind for kind in TABLES if kind not in IMMUTABLE]


def ids(facts: list[Any]) -> list[str]:
    return [one.id for one in facts]


# get and find


def test_facts_come_in_the_order_they_were_added(
    record: Record, fact: MakeFact, write: Write
) -> None:
    for name in ("carol", "alice", "bob"):
        write(fact(Person, name))
    assert ids(record.find(Person)) == ["carol", "alice", "bob"]
    assert record.find(Model) == []


def test_a_fact_that_changed_keeps_its_place(
    record: Record, fact: MakeFact, write: Write, swap: Write
) -> None:
    alice, bob = fact(Person, "alice"), fact(Person, "bob")
    write(alice, bob)
    swap(alice, dataclasses.replace(alice, removed_at=NOW))
    assert ids(record.find(Person)) == ["alice", "bob"]


@kinds
def test_get(record: Record, fact: MakeFact, write: Write, kind: type[Any]) -> None:
    one, two = fact(kind, "one"), fact(kind, "two", full=True)
    if kind is Release:
        two = dataclasses.replace(two, number=2)
    write(one, two)
    assert record.get(kind, "one") == one
    assert record.get(kind, "two") == two


def test_get_names_the_close_match(record: Record, fact: MakeFact, write: Write) -> None:
    write(fact(Person, "flights-owner"), fact(Person, "flights-validator"))
    with pytest.raises(
        MissingError, match=r"No person named 'flights-onwer'\. Did you mean 'flights-owner'"
    ):
        record.get(Person, "flights-onwer")


def test_get_without_a_match_names_what_is_there(
    record: Record, fact: MakeFact, write: Write
) -> None:
    write(fact(SignOff, "one"))
    with pytest.raises(MissingError, match=r"No sign-off named 'zzzzzz'\. Known: one"):
        record.get(SignOff, "zzzzzz")


def test_get_from_nothing(record: Record) -> None:
    with pytest.raises(MissingError, match="There is no sign-off yet"):
        record.get(SignOff, "one")


@kinds
def test_every_field_finds(record: Record, fact: MakeFact, write: Write, kind: type[Any]) -> None:
    full = fact(kind, full=True)
    write(full)
    for field in dataclasses.fields(kind):
        value = getattr(full, field.name)
        assert record.find(kind, **{field.name: value}) == [full], field.name
        other: Any = {str: "other", int: 7, datetime: NOW + timedelta(days=1)}.get(type(value))
        if other is not None:
            assert record.find(kind, **{field.name: other}) == [], field.name


@kinds
def test_none_finds_what_was_left_out(
    record: Record, fact: MakeFact, write: Write, kind: type[Any]
) -> None:
    bare, full = fact(kind, "bare"), fact(kind, "full", full=True)
    if kind is Release:
        full = dataclasses.replace(full, number=2)
    write(bare, full)
    for field in dataclasses.fields(kind):
        optional = str(field.type).endswith(" | None")
        assert record.find(kind, **{field.name: None}) == ([bare] if optional else []), field.name


def test_all_fields_have_to_be_equal(record: Record, fact: MakeFact, write: Write) -> None:
    a, b = fact(Run, "a", model="m", state="started"), fact(Run, "b", model="m", state="failed")
    write(a, b)
    assert record.find(Run, model="m") == [a, b]
    assert record.find(Run, model="m", state="failed") == [b]
    assert record.find(Run, model="n", state="failed") == []
    assert record.find(Run, state="failed", release=None) == [b]


def test_a_time_finds_itself_in_any_zone(record: Record, fact: MakeFact, write: Write) -> None:
    east = timezone(timedelta(hours=9))
    write(fact(Person, "alice", added_at=NOW.astimezone(east)))
    assert ids(record.find(Person, added_at=NOW)) == ["alice"]
    assert record.get(Person, "alice").added_at == NOW


def test_a_field_that_is_not_there(record: Record) -> None:
    for value in (None, "x"):
        with pytest.raises(KeyError, match="colour"):
            record.find(Person, colour=value)


# What may be added


@kinds
def test_an_id_exists_once(record: Record, fact: MakeFact, draft: MakeDraft, kind: Any) -> None:
    first, again = fact(kind), fact(kind)
    if kind is Release:
        again = dataclasses.replace(again, number=2)
    if kind is Deployment:
        again = dataclasses.replace(again, environment="another")
    with record.transaction(None) as change:
        change.add(first)
        # Refused where it was asked for, so that a use case can go on.
        with pytest.raises(ConflictError, match="already"):
            change.add(again)
        change.log(draft())
    assert record.find(kind) == [first]


@pytest.mark.parametrize("line", [2, 3])
def test_a_developer_can_t_sign_the_second_and_third_line(
    record: Record, fact: MakeFact, write: Write, line: int
) -> None:
    write(fact(Developed, model="m", person="dora"))
    with pytest.raises(RefusedError, match="a developer of the model can't sign its second or"):
        write(fact(SignOff, model="m", person="dora", line=line))
    assert record.find(SignOff) == []
    allowed = [
        fact(SignOff, "first line", model="m", person="dora", line=1),
        fact(SignOff, "another model", model="n", person="dora", line=line),
        fact(SignOff, "another person", model="m", person="vera", line=line),
    ]
    write(*allowed)
    assert record.find(SignOff) == allowed


def test_the_rule_holds_within_one_change(record: Record, fact: MakeFact, write: Write) -> None:
    with pytest.raises(RefusedError, match="a developer of the model can't sign"):
        write(
            fact(Developed, model="m", person="dora"),
            fact(SignOff, model="m", person="dora", line=2),
        )
    assert record.find(Developed) == []


def champion(fact: MakeFact, id: str, **fields: Any) -> Deployment:
    given = {"model": "m", "environment": "prod", "role": "champion", **fields}
    made: Deployment = fact(Deployment, id, **given)
    return made


def test_one_champion(record: Record, fact: MakeFact, write: Write) -> None:
    write(champion(fact, "a"))
    with pytest.raises(ConflictError, match=r"nothing was written|already has"):
        write(champion(fact, "b"))
    assert ids(record.find(Deployment)) == ["a"]
    write(
        champion(fact, "another environment", environment="qa"),
        champion(fact, "another model", model="n"),
        champion(fact, "another role", role="challenger", release="m:2"),
        champion(fact, "and one more", role="canary", release="m:3", share=10),
        champion(fact, "one that has gone", until=NOW),
    )
    assert len(record.find(Deployment)) == 6


@pytest.mark.parametrize("role", ["champion", "canary", "challenger"])
def test_one_release_a_role_and_one_role_a_release(
    record: Record, fact: MakeFact, write: Write, role: str
) -> None:
    there = [
        champion(fact, name, role=name, release=f"m:{number}")
        for number, name in enumerate(("champion", "canary", "challenger"))
    ]
    write(*there)
    (own,) = (one for one in there if one.role == role)
    for other in (
        champion(fact, "another release", role=role, release="m:9"),
        champion(fact, "in another role, too", role="canary", release=own.release),
    ):
        with pytest.raises(ConflictError, match=r"nothing was written|already has"):
            write(other)
    assert record.find(Deployment) == there


def test_a_champion_goes_and_the_next_comes_in_one_change(
    record: Record, fact: MakeFact, write: Write, draft: MakeDraft
) -> None:
    old = champion(fact, "old")
    write(old)
    with record.transaction(None) as change:
        change.replace(old, dataclasses.replace(old, until=NOW))
        change.add(champion(fact, "new"))
        change.log(draft())
    assert ids(record.find(Deployment, until=None)) == ["new"]


def test_a_change_can_t_make_a_second_champion(
    record: Record, fact: MakeFact, write: Write, draft: MakeDraft
) -> None:
    gone = champion(fact, "gone", until=NOW)
    write(gone, champion(fact, "here"))
    with record.transaction(None) as change:
        with pytest.raises(ConflictError, match=r"nothing was written|already has"):
            change.replace(gone, dataclasses.replace(gone, until=None))
        change.log(draft())
    assert record.find(Deployment, until=None) == [champion(fact, "here")]
    assert record.get(Deployment, "gone") == gone


def test_a_release_number_exists_once(record: Record, fact: MakeFact, write: Write) -> None:
    write(fact(Release, "m:1", model="m", number=1))
    with pytest.raises(ConflictError, match="already"):
        write(fact(Release, "other", model="m", number=1))
    write(fact(Release, "m:2", model="m", number=2), fact(Release, "n:1", model="n", number=1))
    assert ids(record.find(Release)) == ["m:1", "m:2", "n:1"]


# Changes


def test_a_change_is_compared_and_set(
    record: Record, fact: MakeFact, write: Write, swap: Write
) -> None:
    started = fact(Run, state="started")
    write(started)
    finished = dataclasses.replace(started, state="finished", metrics={"roc_auc": 0.7})
    failed = dataclasses.replace(started, state="failed", error="no memory")
    swap(started, finished)
    with pytest.raises(ConflictError, match="Somebody else changed run 'one' first"):
        swap(started, failed)
    assert record.find(Run) == [finished]
    assert len(list(record.events())) == 2


@pytest.mark.parametrize(
    "fields",
    [{"removed_at": NOW}, {"roles": ("owner",)}, {"public_key": "other"}, {"id": "nobody"}],
)
def test_every_field_is_compared(
    record: Record, fact: MakeFact, write: Write, swap: Write, fields: dict[str, Any]
) -> None:
    write(fact(Person))
    stale = fact(Person, **fields)
    with pytest.raises(ConflictError, match="Somebody else changed person"):
        swap(stale, dataclasses.replace(stale, public_key="mine"))
    assert record.find(Person) == [fact(Person)]


@pytest.mark.parametrize("kind", changing, ids=lambda kind: TABLES[kind])
def test_what_may_change_changes(
    record: Record, fact: MakeFact, write: Write, swap: Write, kind: type[Any]
) -> None:
    bare, full = fact(kind), fact(kind, full=True)
    write(bare)
    swap(bare, full)
    assert record.find(kind) == [full]


@pytest.mark.parametrize("kind", IMMUTABLE, ids=lambda kind: TABLES[kind])
def test_what_never_changes_is_refused(
    record: Record, fact: MakeFact, write: Write, swap: Write, kind: type[Any]
) -> None:
    one = fact(kind)
    write(one)
    with pytest.raises(RefusedError, match="never changes"):
        swap(one, fact(kind, full=True, model="other"))
    assert record.find(kind) == [one]


# Transactions


def test_a_write_without_an_event_is_refused(
    record: Record, fact: MakeFact, write: Write, draft: MakeDraft
) -> None:
    with (
        pytest.raises(RefusedError, match="A change without an event in the ledger"),
        record.transaction(None) as change,
    ):
        change.add(fact(Person))
    alice = fact(Person, "alice")
    write(alice)
    with (
        pytest.raises(RefusedError, match="A change without an event in the ledger"),
        record.transaction(None) as change,
    ):
        change.replace(alice, dataclasses.replace(alice, removed_at=NOW))
    assert record.find(Person) == [alice]
    assert len(list(record.events())) == 1


def test_an_event_needs_no_facts_and_an_empty_change_no_event(
    record: Record, draft: MakeDraft
) -> None:
    with record.transaction(None) as change:
        change.log(draft())
    with record.transaction(None):
        pass
    assert len(list(record.events())) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing_behind(
    record: Record, fact: MakeFact, write: Write, draft: MakeDraft, error: type[BaseException]
) -> None:
    alice = fact(Person, "alice")
    write(alice)

    def change_and_fail() -> None:
        with record.transaction(None) as change:
            change.add(fact(Person, "bob"))
            change.replace(alice, dataclasses.replace(alice, removed_at=NOW))
            change.log(draft())
            raise error("stop")

    with pytest.raises(error, match="stop"):
        change_and_fail()
    assert record.find(Person) == [alice]
    assert len(list(record.events())) == 1
    write(fact(Person, "carol"))  # and the record goes on
    assert ids(record.find(Person)) == ["alice", "carol"]


def test_a_key_that_can_t_sign_leaves_nothing_behind(
    record: Record, fact: MakeFact, draft: MakeDraft
) -> None:
    def sign(_: bytes) -> str:
        raise RefusedError("The key can be read by others.")

    def change_unsigned() -> None:
        with record.transaction(sign) as change:
            change.add(fact(Person))
            change.log(draft())

    with pytest.raises(RefusedError, match="can be read by others"):
        change_unsigned()
    assert record.find(Person) == []
    assert list(record.events()) == []


def test_a_change_reads_what_it_wrote_and_nobody_else_does(
    record: Record, fact: MakeFact, draft: MakeDraft
) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append((record.find(Person), list(record.events())))

    def look_from_elsewhere() -> None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    with record.transaction(None) as change:
        change.add(fact(Person))
        change.log(draft())
        assert record.get(Person, "one") == fact(Person)
        look()
        look_from_elsewhere()
    look_from_elsewhere()
    assert [(len(people), len(events)) for people, events in seen] == [(1, 1), (0, 0), (1, 1)]


def test_what_can_t_be_written_is_refused(record: Record, fact: MakeFact, write: Write) -> None:
    for bad, why in (
        (fact(Run, parameters={"c": float("nan")}), "not JSON compliant"),
        (fact(Person, added_at=NOW.replace(tzinfo=None)), "without a time zone"),
    ):
        with pytest.raises(ValueError, match=why):
            write(bad)
        assert record.find(type(bad)) == []


# The ledger


def test_events_are_chained(record: Record, draft: MakeDraft) -> None:
    logged = []
    for name in ("a", "b"):
        with record.transaction(None) as change:
            logged += [change.log(draft(name)), change.log(draft(name, model="m"))]
    assert list(record.events()) == logged
    assert [e.seq for e in logged] == [1, 2, 3, 4]
    assert [e.previous for e in logged] == [GENESIS, *(e.hash for e in logged[:-1])]
    assert list(broken_links(record.events())) == []


def test_an_event_is_what_was_logged(record: Record, draft: MakeDraft) -> None:
    details = {"é": ["\u2028", 1.5, None, {"deep": True}], "n": 10**30}
    given = draft("s", model="m", details=details, at=NOW + timedelta(microseconds=1))
    with record.transaction(None) as change:
        change.log(given)
    (event,) = record.events()
    assert {f.name: getattr(event, f.name) for f in dataclasses.fields(given)} == {
        f.name: getattr(given, f.name) for f in dataclasses.fields(given)
    }


def test_the_actor_signs_the_hash(record: Record, draft: MakeDraft, tmp_path: Any) -> None:
    keys = FolderKeys(tmp_path / "signing")
    public = keys.create("alice")
    with record.transaction(lambda content: keys.sign("alice", content)) as change:
        change.log(draft())
    with record.transaction(None) as change:
        change.log(draft())
    signed, unsigned = record.events()
    assert verify(public, signed.hash.encode(), signed.signature)
    assert len(base64.b64decode(signed.signature)) == 64
    assert unsigned.signature == ""


def test_an_event_holds_the_digests_of_what_was_written_with_it(
    record: Record, fact: MakeFact, draft: MakeDraft
) -> None:
    alice, bob = fact(Person, "alice"), fact(Person, "bob")
    gone = dataclasses.replace(alice, removed_at=NOW)
    with record.transaction(None) as change:
        change.add(alice)
        change.add(bob)
        first = change.log(draft())
        change.replace(alice, gone)
        second = change.log(draft())
        third = change.log(draft())
    assert first.facts == {"person alice": digest_of(alice), "person bob": digest_of(bob)}
    assert second.facts == {"person alice": digest_of(gone)}
    assert third.facts == {}
    assert list(record.events()) == [first, second, third]
    assert list(broken_links(record.events())) == []


def test_what_no_event_tells_of_is_refused_though_one_came_before(
    record: Record, fact: MakeFact, draft: MakeDraft
) -> None:
    def write_after_the_event() -> None:
        with record.transaction(None) as change:
            change.log(draft())
            change.add(fact(Person, "alice"))

    with pytest.raises(RefusedError, match="A change without an event in the ledger"):
        write_after_the_event()
    assert record.find(Person) == []
    assert list(record.events()) == []


def test_the_ports_know_every_kind_of_fact_that_is_kept() -> None:
    assert set(FACTS) == set(TABLES)


def test_events_until_a_time_and_including_it(record: Record, draft: MakeDraft) -> None:
    hours = [NOW + timedelta(hours=h) for h in range(3)]
    for at in hours:
        with record.transaction(None) as change:
            change.log(draft(at=at))
    east = timezone(timedelta(hours=9))

    def count(until: datetime | None) -> int:
        return len(list(record.events(until=until)))

    assert [count(at) for at in hours] == [1, 2, 3]
    assert [count(at.astimezone(east)) for at in hours] == [1, 2, 3]
    assert count(hours[0] - timedelta(microseconds=1)) == 0
    assert count(None) == 3


# Two at once


def test_of_two_threads_that_promote_at_once_one_wins(
    record: Record, fact: MakeFact, draft: MakeDraft
) -> None:
    places, answers = [f"place-{n}" for n in range(10)], []
    together = threading.Barrier(2)

    def promote(who: str) -> None:
        for place in places:
            together.wait()
            try:
                with record.transaction(None) as change:
                    change.add(champion(fact, f"{who} in {place}", environment=place))
                    change.log(draft(place, actor=who))
                answers.append((place, "won"))
            except ConflictError:
                answers.append((place, "lost"))

    threads = [threading.Thread(target=promote, args=(who,)) for who in ("alice", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(place, how) for place in places for how in ("lost", "won")]
    events = list(record.events())
    assert [event.subject for event in events] == places
    assert list(broken_links(events)) == []
    for event, deployed in zip(events, record.find(Deployment), strict=True):
        assert deployed.id == f"{event.actor} in {event.subject}"


def test_threads_that_write_lose_nothing(record: Record, fact: MakeFact, draft: MakeDraft) -> None:
    def work(who: int) -> None:
        for n in range(10):
            with record.transaction(None) as change:
                change.add(fact(Person, f"{who}-{n}"))
                change.log(draft(f"{who}-{n}"))

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = list(record.events())
    assert [event.subject for event in events] == ids(record.find(Person))
    assert sorted(ids(record.find(Person))) == sorted(
        f"{w}-{n}" for w in range(4) for n in range(10)
    )
    assert list(broken_links(events)) == []
