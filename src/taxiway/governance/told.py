"""Whether the facts are those that the ledger tells of: none changed, added or removed by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from taxiway.core.digest import digest_of, utc_text
from taxiway.core.errors import StoreError, shortened
from taxiway.core.evidence import BOUND, Evidence, observed
from taxiway.core.facts import Alert, Deployment, Proposal, Release, Snapshot
from taxiway.core.ledger import Event
from taxiway.core.people import Deviation, SignOff
from taxiway.core.ports import Record
from taxiway.governance.tales import (
    CLOSED,
    HOW,
    SOMETIMES,
    TALES,
    WATCHED,
    WRITES,
    Fields,
    Tale,
    deployment,
    watched_of,
    window,
)

STRANGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a row that somebody wrote by hand may raise where it is read."""

UNREADABLE = (*STRANGE, StoreError)

SOON = timedelta(minutes=1)
"""A deployment is written when it begins; the database makes it wait for seconds at the most."""

PLACE = ("release", "environment")
"""What tells a deployment apart from most others."""

PENDING = ("open", "compared")
"""States of a proposal on which nobody has decided."""

Signed = Callable[[str, bytes, str], bool]
"""(person, content, signature) -> whether the signature is that person's."""


def untold(record: Record, events: Sequence[Event], signed: Signed) -> Iterator[str]:
    """Everything in the record that is not as the ledger tells it, each with its row."""
    for name, tale in TALES.items():
        yield from _guarded(name, _held(record, events, name, tale))
    yield from _guarded("deployment", _deployments(record, events))
    yield from _guarded("window", _windows(record, events))
    yield from _guarded("alert", _alerts(record))
    yield from _guarded("evidence", _evidence(record, events))
    yield from _guarded("digest", _digests(record))
    yield from _guarded("signature", _signatures(record, signed))


def event_text(event: Event) -> str:
    """An event by its number and what it says that happened."""
    return f"event {event.seq} ({event.action} of {shortened(event.subject, 80)})"


def _guarded(name: str, found: Iterator[str]) -> Iterator[str]:
    try:
        yield from found
    except UNREADABLE as error:
        yield f"a row ({name}) can't be held against the ledger: {_why(error)}"


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {shortened(error)}"


def _facts(
    record: Record, name: str, kind: type[Any], places: Sequence[Fields]
) -> tuple[list[Any], list[str]]:
    """All facts of a kind; where a row can't be read, those of each place, and what is wrong."""
    try:
        return record.find(kind), []
    except UNREADABLE as error:
        facts: list[Any] = []
        problems: list[str] = []
        for place in places:
            try:
                facts += record.find(kind, **place)
            except UNREADABLE as why:
                problems.append(f"{name} {' '.join(place.values())} can't be read: {_why(why)}")
        return facts, problems or [f"a {name} can't be read: {_why(error)}"]


def _held(record: Record, events: Sequence[Event], name: str, tale: Tale) -> Iterator[str]:
    """A kind of facts against its events: each told of, each there, each as it was left."""
    told: dict[str, list[tuple[Event, Fields]]] = {}
    for event in events:
        if event.action.startswith(tale.actions):
            try:
                said = tale.says(event)
            except STRANGE as error:
                yield f"{event_text(event)} does not say enough of its {name}: {_why(error)}"
            else:
                if said:
                    told.setdefault(said[0], []).append((event, said[1]))
    found, unreadable = _facts(record, name, tale.kind, [{"id": key} for key in told])
    yield from unreadable
    facts = {fact.id: fact for fact in found}
    for key, about in told.items():
        if key in facts:
            yield from _changed(record, f"{name} {key}", facts[key], about, tale)
        elif not unreadable:
            yield f"{name} {key} is gone: {event_text(about[-1][0])} tells of it"
    for key in facts:
        if key not in told:
            yield f"{name} {key} was written by hand: no event tells of it"


def _changed(
    record: Record, what: str, fact: Any, about: Sequence[tuple[Event, Fields]], tale: Tale
) -> Iterator[str]:
    """Where a fact is not as its events say: the newer text of two, then the digests."""
    said = {field: value for _, fields in about for field, value in fields.items()}
    differences = _differences(fact, said)
    if differences:
        yield f"{what} was changed by hand: {differences}"
        return
    for event, _ in about if tale.every else about[-1:]:
        ways = tale.digested(record, event, fact)
        if ways and event.digest not in {digest_of(way) for way in ways}:
            yield f"{what} was changed by hand: it is not what {event_text(event)} wrote"
            return


def _differences(fact: Any, said: Fields) -> str:
    return "; ".join(
        f"{field} is {_text(getattr(fact, field))}, the ledger says {_text(value)}"
        for field, value in said.items()
        if getattr(fact, field) != value
    )


def _text(value: object) -> str:
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    if isinstance(value, datetime):
        value = utc_text(value)
    return "empty" if value is None or value == "" else shortened(value, 80)


def _deployments(record: Record, events: Sequence[Event]) -> Iterator[str]:
    """Each promotion and rollback has its deployment, and each deployment one of them."""
    told = {event.seq: (event, deployment(event)) for event in events if event.action in HOW}
    places = [{key: said[key] for key in PLACE} for _, said in told.values()]
    found, unreadable = _facts(record, "deployment", Deployment, places)
    yield from unreadable
    if unreadable:
        return
    pairs, left = _paired(told, found)
    for seq, (event, said) in told.items():
        if seq not in pairs:
            yield f"the deployment of {event_text(event)} is gone"
        elif differences := _differences(pairs[seq], said):
            yield f"deployment {pairs[seq].id} was changed by hand: {differences}"
        elif abs(event.at - pairs[seq].since) > SOON:
            yield (
                f"deployment {pairs[seq].id} was changed by hand: it began at"
                f" {utc_text(pairs[seq].since)}, and {event_text(event)} is of {utc_text(event.at)}"
            )
    for one in left:
        what = f"deployment {one.id} ({one.release} in {one.environment})"
        yield f"{what} was written by hand: no event tells of it"
    yield from _ends([pairs[seq] for seq in told if seq in pairs])


def _paired(
    told: Mapping[int, tuple[Event, Fields]], found: Sequence[Deployment]
) -> tuple[dict[int, Deployment], list[Deployment]]:
    """The number of an event -> its deployment, and the deployments that are left.

    Those that are as their event says are found first, so that what was changed is what is left.
    """
    pairs: dict[int, Deployment] = {}
    left = list(found)
    for keys in (None, PLACE, ("environment",)):
        for seq, (event, said) in told.items():
            same = [d for d in left if all(getattr(d, k) == said[k] for k in keys or said)]
            if same and seq not in pairs:
                pairs[seq] = min(same, key=lambda d: abs(d.since - event.at))
                left.remove(pairs[seq])
    return pairs, left


def _ends(deployments: Sequence[Deployment]) -> Iterator[str]:
    """A champion ends when the next one begins, and the newest has no end."""
    places: dict[tuple[str, str], list[Deployment]] = defaultdict(list)
    for one in deployments:
        places[one.model, one.environment].append(one)
    for stays in places.values():
        for one, later in zip_longest(stays, stays[1:]):
            end = later.since if later else None
            if one.until != end:
                what = f"deployment {one.id} was changed by hand: it ended at {_text(one.until)}"
                yield f"{what}, the ledger says {_text(end)}"


def _windows(record: Record, events: Sequence[Event]) -> Iterator[str]:
    """Evidence, findings and alerts of closed windows, by the digest over all of them."""
    watched = watched_of(record)
    told: set[str] = set()
    for event in events:
        if event.action == CLOSED:
            written = list(window(event, watched))
            told |= {fact.id for fact in written}
            if not written or digest_of(written) != event.digest:
                there = shortened(", ".join(fact.id for fact in written)) or "nothing"
                yield (
                    f"what {event_text(event)} wrote was changed, added to or removed by hand:"
                    f" there is {there}"
                )
    for fact in watched.facts:
        if fact.id not in told:
            what = type(fact).__name__.lower()
            yield f"{what} {fact.id} was written by hand: no event tells of it"


def _alerts(record: Record) -> Iterator[str]:
    """An alert is answered by the proposal that it joined, and by nothing else."""
    proposals = {alert: one for one in record.find(Proposal) for alert in one.alerts}
    for alert in record.find(Alert):
        proposal = proposals.get(alert.id)
        if proposal is None:
            expected = "open"
        else:
            expected = "acknowledged" if proposal.state in PENDING else "closed"
        if alert.state != expected:
            where = f"proposal {proposal.id} is {proposal.state}" if proposal else "nobody answered"
            yield f"alert {alert.id} was changed by hand: it is {alert.state}, and {where}"


def _evidence(record: Record, events: Sequence[Event]) -> Iterator[str]:
    """Evidence has the content that its digest says, and an event of who observed it."""
    places = [{"subject": subject} for subject in dict.fromkeys(e.subject for e in events)]
    found, unreadable = _facts(record, "evidence", Evidence, places)
    yield from unreadable
    told = Counter(
        (kind, event.details.get("challenger", event.subject), event.actor)
        for event in events
        for kind in WRITES.get(event.action, ())
    )
    contents = {
        event.details["evidence"]: event.details["content"]
        for event in events
        if event.action == "release.rehearsed"
    }
    seen: Counter[tuple[str, str, str]] = Counter()
    for one in found:
        what = f"evidence {one.id} ({one.kind} of {shortened(one.subject, 80)})"
        if one.content != _content(one) or one.content != contents.get(one.id, one.content):
            yield f"{what} was changed by hand: its content is not what its digest says"
        place = (one.kind, one.subject, one.by)
        seen[place] += 1
        if one.kind not in WATCHED and seen[place] > told[place]:
            yield f"{what} was written by hand: no event tells of it"
    for kind, subject, by in told:
        place = (kind, subject, by)
        if kind not in SOMETIMES and not unreadable and seen[place] < told[place]:
            yield f"evidence ({kind} of {shortened(subject, 80)} by {by}) is gone"


def _content(one: Evidence) -> str:
    """The digest of what evidence says; empty where it says what can't be written down."""
    try:
        again = observed(
            one.kind,
            id=one.id,
            subject=one.subject,
            model=one.model,
            environment=one.environment,
            examined=one.examined,
            found=one.found,
            required=one.required,
            digests=one.digests,
            at=one.at,
            by=one.by,
        )
    except STRANGE:
        return ""
    return again.content


def _digests(record: Record) -> Iterator[str]:
    """Snapshots and releases have the digests that their evidence is bound to."""
    snapshots = {one.id: one for one in record.find(Snapshot)}
    bound: list[tuple[str, Any, dict[str, str]]] = [
        ("snapshot", one, {"data": one.data_digest, "contract": one.contract_digest})
        for one in snapshots.values()
    ]
    for one in record.find(Release):
        digests = {"model": one.digest, "snapshot": one.snapshot, "charter": one.charter_digest}
        bound.append(("release", one, digests))
        taken = snapshots.get(one.snapshot)
        if taken:
            same = {"data_digest": taken.data_digest, "contract_digest": taken.contract_digest}
            if differences := _differences(one, same):
                yield f"release {one.id} is not of its snapshot: {differences}"
    for name, fact, digests in bound:
        for evidence in record.find(Evidence, subject=fact.id):
            differing = [
                f"its {key} is {_text(digest)}, evidence {evidence.id} says {_text(said)}"
                for key, digest in digests.items()
                if evidence.kind in BOUND and (said := evidence.digests.get(key, digest)) != digest
            ]
            if differing:
                yield f"{name} {fact.id} was changed by hand: {'; '.join(differing)}"
                break


def _signatures(record: Record, signed: Signed) -> Iterator[str]:
    """Sign-offs and decided deviations carry the signatures of their people."""
    for given in record.find(SignOff):
        if not signed(given.person, given.payload(), given.signature):
            what = f"sign-off {given.id} ({given.check} of {given.release})"
            yield f"{what} does not carry the signature of {given.person}"
    for decided in record.find(Deviation):
        by, signature = decided.decided_by or "", decided.signature or ""
        if decided.state != "asked" and not signed(by, decided.payload(), signature):
            what = f"deviation {decided.id} ({decided.check} of {decided.release})"
            yield f"{what} does not carry the signature of {by or 'anybody'}"
