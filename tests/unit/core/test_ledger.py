"""The chain: whatever is changed, removed or moved in it is found, at its own place."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxiway.core.digest import digest_of
from taxiway.core.ledger import GENESIS, Draft, Event, broken_links, chain_hash, draft_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HASHED = [f.name for f in dataclasses.fields(Event) if f.name != "signature"]

few = settings(max_examples=40)
words = st.text(max_size=12)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32) | words
drafts = st.builds(
    Draft,
    at=st.integers(0, 10**9).map(lambda s: NOW + timedelta(seconds=s)),
    actor=words,
    action=words,
    subject=words,
    model=words | st.none(),
    digest=words,
    details=st.dictionaries(words, values.filter(lambda v: v not in {float("inf"), -float("inf")})),
)


def chained(given_drafts: list[Draft]) -> list[Event]:
    events: list[Event] = []
    for seq, draft in enumerate(given_drafts, start=1):
        previous = events[-1].hash if events else GENESIS
        events.append(event_of(seq, draft, previous))
    return events


def event_of(seq: int, draft: Draft, previous: str) -> Event:
    fields = {f.name: getattr(draft, f.name) for f in dataclasses.fields(draft)}
    hashed = chain_hash(seq, draft, previous)
    return Event(seq=seq, **fields, previous=previous, hash=hashed, signature="")


chains = st.lists(drafts, min_size=1, max_size=6).map(chained)
longer = st.lists(drafts, min_size=2, max_size=6).map(chained)


def changed(event: Event, field: str, data: st.DataObject) -> Event:
    """The event with another value in one field."""
    before: Any = getattr(event, field)
    others: dict[str, st.SearchStrategy[Any]] = {
        "seq": st.integers(-3, 20),
        "at": st.integers(1, 10**6).map(lambda us: before + timedelta(microseconds=us)),
        "details": st.dictionaries(words, st.integers() | words),
        "model": words | st.none(),
    }
    after = data.draw(others.get(field, words))
    assume(digest_of(after) != digest_of(before))
    return dataclasses.replace(event, **{field: after})


def broken(events: list[Event]) -> list[int]:
    return [seq for seq, _ in broken_links(events)]


@few
@given(events=chains)
def test_a_whole_chain(events: list[Event]) -> None:
    assert broken(events) == []
    assert broken([]) == []


@few
@given(events=chains)
def test_a_chain_that_is_shorter_at_its_end_is_whole(events: list[Event]) -> None:
    """So that its newest event is kept beside it, too (`ledger.head`)."""
    assert broken(events[:-1]) == []


@pytest.mark.parametrize("field", HASHED)
@few
@given(events=chains, data=st.data())
def test_any_edit_is_found(field: str, events: list[Event], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(events) - 1))
    edited = [*events[:at], changed(events[at], field, data), *events[at + 1 :]]
    found = broken(edited)
    assert found
    if field not in {"seq", "hash", "previous"}:
        assert found == [events[at].seq]  # named once, by its own number


@few
@given(events=longer, data=st.data())
def test_an_edit_with_its_hash_made_anew_breaks_what_follows(
    events: list[Event], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(events) - 2))
    forged = changed(events[at], "actor", data)
    forged = event_of(forged.seq, draft_of(forged), forged.previous)
    assert broken([*events[:at], forged, *events[at + 1 :]]) == [events[at + 1].seq]


@few
@given(events=longer, data=st.data())
def test_any_removal_is_found_and_says_what_is_missing(
    events: list[Event], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(events) - 2))
    end = data.draw(st.integers(start + 1, len(events) - 1))
    ((seq, what),) = broken_links(events[:start] + events[end:])
    assert seq == end + 1
    missing = f"{start + 1}" if end == start + 1 else f"{start + 1} to {end}"
    assert what == f"event {missing} is missing before event {seq}"


@few
@given(events=longer, data=st.data())
def test_any_two_that_changed_places_are_found(events: list[Event], data: st.DataObject) -> None:
    one = data.draw(st.integers(0, len(events) - 2))
    other = data.draw(st.integers(one + 1, len(events) - 1))
    events[one], events[other] = events[other], events[one]
    assert broken(events)


@few
@given(events=longer, data=st.data())
def test_any_two_that_changed_places_and_numbers_are_found(
    events: list[Event], data: st.DataObject
) -> None:
    one = data.draw(st.integers(0, len(events) - 2))
    other = data.draw(st.integers(one + 1, len(events) - 1))
    a, b = events[one], events[other]
    events[one] = dataclasses.replace(b, seq=a.seq, previous=a.previous)
    events[other] = dataclasses.replace(a, seq=b.seq, previous=b.previous)
    assert broken(events)


@few
@given(events=chains, data=st.data())
def test_one_that_is_there_twice_is_found(events: list[Event], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(events) - 1))
    assert broken([*events[: at + 1], *events[at:]])


def test_texts() -> None:
    drafts = [Draft(NOW, "alice", "thing.done", f"t{n}", None, "", {}) for n in range(5)]
    a, b, c, d, e = chained(drafts)
    assert list(broken_links([a, b, dataclasses.replace(c, actor="mallory"), d, e])) == [
        (3, "event 3 (thing.done of t2 by mallory) was changed after it was written")
    ]
    assert list(broken_links([a, d, e])) == [(4, "event 2 to 3 is missing before event 4")]
    stranger = event_of(3, draft_of(c), GENESIS)
    assert list(broken_links([a, b, stranger])) == [(3, "event 3 does not follow event 2")]
    assert list(broken_links([a, b, b])) == [(2, "event 2 stands after event 2")]
    zero = event_of(0, draft_of(a), GENESIS)
    assert list(broken_links([zero, a])) == [
        (0, "event 0 stands after event 0"),
        (1, "event 1 does not follow event 0"),
    ]


def test_the_hash_is_of_the_moment_not_of_how_it_is_written() -> None:
    east = timezone(timedelta(hours=9))
    one = Draft(NOW, "a", "b", "c", None, "", {"x": (1, 2)})
    other = dataclasses.replace(one, at=NOW.astimezone(east), details={"x": [1, 2]})
    assert chain_hash(1, one, GENESIS) == chain_hash(1, other, GENESIS)


def test_the_draft_of_an_event() -> None:
    draft = Draft(NOW, "a", "b", "c", "m", "sha256:0", {"x": 1})
    assert draft_of(event_of(7, draft, GENESIS)) == draft
