"""Whether the facts are those that the ledger tells of: none changed, added or removed by hand.

Each event holds the digests of the facts that were written with it, so the newest event about a
fact says what the fact has to be now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taxiway.core.digest import digest_of
from taxiway.core.errors import StoreError, shortened
from taxiway.core.ledger import Event, fact_name
from taxiway.core.ports import FACTS, Record

STRANGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a row that somebody wrote by hand may raise where it is read."""

UNREADABLE = (*STRANGE, StoreError)


def untold(record: Record, events: Sequence[Event]) -> Iterator[str]:
    """Every fact that is not as the ledger tells it, each named with its event."""
    told = {name: event for event in events for name in event.facts}
    for kind in FACTS:
        yield from _held(record, kind, told)


def event_text(event: Event) -> str:
    """An event by its number and what it says that happened."""
    return f"event {event.seq} ({event.action} of {shortened(event.subject, 80)})"


def _held(record: Record, kind: type[Any], told: Mapping[str, Event]) -> Iterator[str]:
    prefix = fact_name(kind, "")
    expected = {name: event for name, event in told.items() if name.startswith(prefix)}
    found, unreadable = _read(record, kind, [name.removeprefix(prefix) for name in expected])
    yield from unreadable.values()
    for name, fact in found.items():
        event = expected.get(name)
        if event is None:
            yield f"{name} was written by hand: no event tells of it"
        elif _digest(fact) != event.facts[name]:
            yield f"{name} was changed by hand: it is not what {event_text(event)} wrote"
    for name in expected.keys() - found.keys() - unreadable.keys():
        yield f"{name} is gone: {event_text(expected[name])} tells of it"


def _read(
    record: Record, kind: type[Any], ids: Sequence[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """All facts of a kind by name; where a row can't be read, the others, and what is wrong."""
    try:
        return {fact_name(kind, fact.id): fact for fact in record.find(kind)}, {}
    except UNREADABLE as error:
        why = shortened(error)
    found: dict[str, Any] = {}
    unreadable: dict[str, str] = {}
    for key in ids:
        name = fact_name(kind, key)
        try:
            found |= {fact_name(kind, one.id): one for one in record.find(kind, id=key)}
        except UNREADABLE as error:
            unreadable[name] = f"{name} was changed by hand and can't be read: {shortened(error)}"
    if not unreadable:
        name = fact_name(kind, "").strip()
        unreadable[""] = f"a {name} was written by hand and can't be read: {why}"
    return found, unreadable


def _digest(fact: object) -> str:
    """Empty for what can't be written down, and so never was."""
    try:
        return digest_of(fact)
    except STRANGE:
        return ""
