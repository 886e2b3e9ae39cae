"""The ledger for auditors: whether it is whole, signed, and tells of the facts as they are.

Four things have to hold: each event follows the one before it; its actor signed it; the head that
is kept beside the ledger is in it; and the facts are those that the events tell of (`told`). What
lies beyond that is said in docs/roles/validator.md: who has all the keys and the head can write a
new history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from taxiway.core.errors import shortened
from taxiway.core.evidence import LEDGER, Evidence, observed
from taxiway.core.facts import Release
from taxiway.core.ledger import GENESIS, Event, broken_links
from taxiway.core.people import Person
from taxiway.core.ports import Desk, Record, Verify
from taxiway.governance.cases import forged
from taxiway.governance.told import STRANGE, UNREADABLE, event_text, untold
from taxiway.governance.unsigned import SYSTEM, ended_problems, unsigned_problems

Signed = Callable[[str, bytes, str], bool]
"""(person, content, signature) -> whether the signature is that person's."""

Keys = dict[str, set[str]]
"""Person -> the public keys that are known of them."""

LOOKS = 3
"""How often to look while somebody writes: events and facts can't be read at one moment."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest event when the record was last written, as it is kept beside the ledger."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a walk along the ledger found."""

    events: int
    head: str
    """Hash of the newest event."""
    problems: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.problems


def verify_ledger(record: Record, verify: Verify, *, head: Head | None) -> LedgerReport:
    """Walks the ledger and holds it against its head and the facts. Says all that is wrong.

    `head` has to be read before: one that is behind the ledger is legal, one that is ahead is not.
    Never raises for what it finds in a row.
    """
    for _ in range(LOOKS):
        events, unreadable = _read(record)
        keys = _keys(record, events)

        def signed(person: str, content: bytes, signature: str, keys: Keys = keys) -> bool:
            return any(verify(key, content, signature) for key in keys.get(person, ()))

        problems = [
            *_chain_problems(events),
            *_signature_problems(events, keys, signed),
            *_head_problems(head, events, whole=not unreadable),
            *(unreadable or [*untold(record, events), *ended_problems(record, events)]),
            *_forged(record, signed),
        ]
        if not problems or _read(record) == (events, unreadable):
            break
    return LedgerReport(len(events), events[-1].hash if events else GENESIS, tuple(problems))


def ledger_evidence(desk: Desk, report: LedgerReport, *, release: Release) -> Evidence:
    """Evidence LEDGER, at this moment, for the flight check of a release."""
    return observed(
        LEDGER,
        id=desk.new_id(),
        subject=release.id,
        model=release.model,
        examined=report.events,
        found={"problems": list(report.problems), "head": report.head},
        at=desk.now(),
        by=SYSTEM,
    )


def events_shown(
    record: Record,
    *,
    as_of: datetime | None = None,
    model: str | None = None,
    subject: str | None = None,
) -> list[Event]:
    """The events up to a moment, oldest first; of one model, or about one subject."""
    return [
        event
        for event in record.events(until=as_of)
        if model in {None, event.model} and subject in {None, event.subject}
    ]


def _read(record: Record) -> tuple[list[Event], list[str]]:
    """The events, and what kept from reading on."""
    events: list[Event] = []
    try:
        for event in record.events():
            _require_types(event)
            events.append(event)
    except UNREADABLE as error:
        where = f"after event {events[-1].seq}" if events else "from its start"
        why = f"the ledger can't be read {where} ({shortened(error)})"
        return events, [f"{why}; neither the rest of it nor the facts were looked at"]
    return events, []


def _require_types(event: Event) -> None:
    """Raises `TypeError` for what no event was ever written with."""
    texts = (event.actor, event.action, event.subject, event.model or "", event.digest)
    for value in (*texts, event.previous, event.hash, event.signature):
        if not isinstance(value, str):
            raise TypeError(f"event {event.seq} holds {value!r} where a text belongs")
    mappings: tuple[object, ...] = (event.details, event.facts)
    if not all(isinstance(one, dict) for one in mappings):
        raise TypeError(f"event {event.seq} holds details or facts that have no names")


def _chain_problems(events: Sequence[Event]) -> Iterator[str]:
    at = 0

    def passing() -> Iterator[Event]:
        nonlocal at
        for event in events:
            at = event.seq
            yield event

    try:
        for _, what in broken_links(passing()):
            yield what
    except STRANGE as error:
        yield (
            f"event {at} was changed after it was written: it can't be hashed"
            f" ({shortened(error)}), and the chain was not followed any further"
        )


def _signature_problems(events: Sequence[Event], keys: Keys, signed: Signed) -> Iterator[str]:
    """Events that their actor did not sign, or had no right to write."""
    owners: set[str] = set()
    removed: dict[str, int] = {}
    for event in events:
        actor, what = event.actor, event_text(event)
        if actor == SYSTEM:
            yield from unsigned_problems(event)
        elif actor not in keys:
            yield f"{what} is by {actor}, whom nobody added"
        elif not signed(actor, event.hash.encode(), event.signature):
            yield f"{what} does not carry the signature of {actor}"
        elif actor in removed:
            yield f"{what} is by {actor}, whom event {removed[actor]} had removed"
        elif event.action.startswith("person.") and actor not in (owners or {event.subject}):
            # The first person of a workspace adds themselves (`governance.people.add_person`).
            yield f"{what} takes an owner, and {actor} is none"
        if event.action == "person.added" and "owner" in str(event.details.get("roles")):
            owners.add(event.subject)
        elif event.action == "person.removed":
            removed.setdefault(event.subject, event.seq)


def _forged(record: Record, signed: Signed) -> Iterator[str]:
    """Reviews that whoever took or decided them did not sign."""
    try:
        yield from forged(record, signed)
    except UNREADABLE:
        """`untold` names the row."""


def _keys(record: Record, events: Sequence[Event]) -> Keys:
    """Everybody's public keys, as the ledger and as the record say them.

    Where the two differ, `untold` says so, once; a signature is held against both.
    """
    keys: Keys = {}
    for event in events:
        if event.action == "person.added":
            keys.setdefault(event.subject, set()).add(str(event.details.get("public_key")))
    try:
        for person in record.find(Person):
            keys.setdefault(person.id, set()).add(str(person.public_key))
    except UNREADABLE:
        """`untold` names the row."""
    return keys


def _head_problems(head: Head | None, events: Sequence[Event], *, whole: bool) -> Iterator[str]:
    """Whether the event that the head names is where it was."""
    last = events[-1].seq if events else 0
    if head is None:
        if events:
            yield "no head is kept beside the ledger, so nobody can say whether its end is there"
    elif head.seq > last:
        if whole:
            yield (
                f"the ledger ends with event {last}, and the head kept beside it names event"
                f" {head.seq}: the end was cut off"
            )
    elif any(event.seq == head.seq and event.hash != head.hash for event in events):
        yield f"event {head.seq} is not the one that the head kept beside the ledger names"
