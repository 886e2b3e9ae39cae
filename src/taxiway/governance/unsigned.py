"""What may happen on nobody's behalf, and what an event about it may tell of.

A timer closes windows and cases that are due, the guardrail of an endpoint takes a canary off, and
the endpoint writes down whom it turned away, and what people made of a case, who have signed the
review itself. Nothing of that gives anybody anything: whoever can write can call people so, or end
a canary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from taxiway.core.errors import shortened
from taxiway.core.facts import Deployment
from taxiway.core.ledger import Event
from taxiway.core.moves import CANARY
from taxiway.core.ports import Record
from taxiway.governance.told import UNREADABLE, event_text

SYSTEM = "system"

UNSIGNED: Mapping[str, tuple[str, ...]] = {
    "window.closed": ("evidence monitoring.", "finding ", "alert "),
    "deployment.withdrawn": ("deployment ", "finding ", "alert "),
    "cases.expired": ("review ", "finding ", "alert "),
    "case.taken": ("review ",),
    "case.decided": ("review ",),
    "consumer.refused": (),
}
"""Action -> how the names of the facts begin that its event may tell of."""


def unsigned_problems(event: Event) -> Iterator[str]:
    """What an event of the system may not be, or may not tell of."""
    what = event_text(event)
    if event.action not in UNSIGNED or event.signature:
        yield f"{what} is signed by nobody; only {', '.join(UNSIGNED)} may be"
    elif beyond := [n for n in event.facts if not n.startswith(UNSIGNED[event.action])]:
        yield f"{what} is signed by nobody, and tells of {shortened(', '.join(beyond))}"


def ended_problems(record: Record, events: Sequence[Event]) -> Iterator[str]:
    """Deployments that the system may not have ended, or has not ended: all but canaries."""
    for event in events:
        if event.actor == SYSTEM and event.action == "deployment.withdrawn":
            for name in event.facts:
                if name.startswith("deployment ") and not _is_ended_canary(record, name):
                    yield f"{event_text(event)} is signed by nobody, and {name} is no ended canary"


def _is_ended_canary(record: Record, name: str) -> bool:
    try:
        found = record.find(Deployment, id=name.removeprefix("deployment "))
    except UNREADABLE:
        return False
    return all(one.role == CANARY and one.until is not None for one in found)
