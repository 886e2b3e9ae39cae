"""The ledger's event and its chain: who did what, when, to which digest.

Each event's hash covers the hash before it, so that a row which is changed, removed or moved breaks
the chain at its own place. It also covers the digests of the facts that were written with the
event, so that a fact which is changed, added or removed by hand is found as well. The actor signs
the hash.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taxiway.core.digest import digest_of

Sign = Callable[[bytes], str]
"""Signs bytes with the actor's key and answers base64."""

GENESIS = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has its place in the chain."""

    at: datetime
    actor: str
    action: str
    """`noun.verb` in the past: `release.created`, `deployment.promoted`, `person.added`."""
    subject: str
    model: str | None
    digest: str
    """Digest of the thing it happened to."""
    details: dict[str, Any]
    facts: dict[str, str] = field(default_factory=dict)
    """Digests of the facts as they were written, by `fact_name`; the store fills them in."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event in its place. `signature` is the actor's over `hash`, base64; empty: the system."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    model: str | None
    digest: str
    details: dict[str, Any]
    previous: str
    hash: str
    signature: str
    facts: dict[str, str] = field(default_factory=dict)


def chain_hash(seq: int, draft: Draft, previous: str) -> str:
    """The hash of an event at its place in the chain."""
    return digest_of(["taxiway/event/1", seq, previous, draft])


def chained(
    seq: int, draft: Draft, previous: str, facts: dict[str, str], sign: Sign | None
) -> Event:
    """The event in its place, telling of the facts that were written with it, and signed."""
    whole = dataclasses.replace(draft, facts=facts)
    hashed = chain_hash(seq, whole, previous)
    return Event(
        seq=seq,
        at=whole.at,
        actor=whole.actor,
        action=whole.action,
        subject=whole.subject,
        model=whole.model,
        digest=whole.digest,
        details=whole.details,
        previous=previous,
        hash=hashed,
        signature=sign(hashed.encode()) if sign else "",
        facts=facts,
    )


def draft_of(event: Event) -> Draft:
    """The event without its place."""
    return Draft(
        event.at,
        event.actor,
        event.action,
        event.subject,
        event.model,
        event.digest,
        event.details,
        event.facts,
    )


def fact_name(kind: type, id: str) -> str:
    """What the ledger calls a fact.

    >>> class SignOff: ...
    >>> fact_name(SignOff, "7")
    'sign-off 7'
    """
    return f"{re.sub('(?<!^)(?=[A-Z])', '-', kind.__name__).lower()} {id}"


def broken_links(events: Iterable[Event]) -> Iterator[tuple[int, str]]:
    """The places where the chain does not hold, each with what is wrong.

    An event that was edited is named by its own number; what comes after it is judged by the hashes
    that are written there, so that one edit is one finding.
    """
    previous, expected = GENESIS, 1
    for event in events:
        if event.seq < expected:
            yield event.seq, f"event {event.seq} stands after event {expected - 1}"
        elif event.seq != expected:
            missing = (
                f"{expected}" if event.seq == expected + 1 else f"{expected} to {event.seq - 1}"
            )
            yield event.seq, f"event {missing} is missing before event {event.seq}"
        elif event.previous != previous:
            yield event.seq, f"event {event.seq} does not follow event {event.seq - 1}"
        if chain_hash(event.seq, draft_of(event), event.previous) != event.hash:
            what = f"{event.action} of {event.subject} by {event.actor}"
            yield event.seq, f"event {event.seq} ({what}) was changed after it was written"
        previous, expected = event.hash, event.seq + 1
