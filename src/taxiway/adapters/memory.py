"""The ports in memory: fakes that keep the same rules as the real ones, for tests and trials."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from taxiway.adapters.decisions import conflicting
from taxiway.adapters.hashing import algorithm
from taxiway.adapters.hashing import digest as digest_by
from taxiway.adapters.tables import IMMUTABLE, TABLES, decoded, encoded, encoded_field
from taxiway.core.decision import Decision, Outcome, key_holds
from taxiway.core.digest import PREFIX, digest_of, utc_text
from taxiway.core.errors import ConflictError, IntegrityError, MissingError, RefusedError
from taxiway.core.facts import Deployment, Developed, Release
from taxiway.core.ledger import GENESIS, Draft, Event, Sign, chained, fact_name
from taxiway.core.look import Look
from taxiway.core.moves import DEPLOYMENT
from taxiway.core.people import SignOff
from taxiway.core.ports import Change, Stored

Fact = TypeVar("Fact")


class _Change:
    """Works on copies; the record takes them over when the block ends well."""

    def __init__(
        self, facts: dict[type, dict[str, Any]], events: list[Event], sign: Sign | None
    ) -> None:
        self.facts, self.events, self._sign = facts, events, sign
        self.untold: dict[str, str] = {}
        """Digests of what was written since the last event."""

    def add(self, fact: object) -> None:
        known = self.facts[type(fact)]
        identity: str = fact.id  # type: ignore[attr-defined]
        if identity in known:
            raise ConflictError(f"There is already a {_named(type(fact))} {identity!r}.")
        _rules(self.facts, fact)
        known[identity] = _stored(fact)
        self.untold[fact_name(type(fact), identity)] = digest_of(fact)

    def replace(self, before: Fact, after: Fact) -> None:
        kind = type(before)
        if kind in IMMUTABLE:
            raise RefusedError(f"A {_named(kind)} never changes.")
        identity: str = before.id  # type: ignore[attr-defined]
        known = self.facts[kind]
        if identity not in known or encoded(known[identity]) != encoded(before):
            raise ConflictError(f"Somebody else changed {_named(kind)} {identity!r} first.")
        others = {**self.facts, kind: {i: fact for i, fact in known.items() if i != identity}}
        _rules(others, after)
        known[identity] = _stored(after)  # at the place that it had
        self.untold[fact_name(kind, identity)] = digest_of(after)

    def log(self, draft: Draft) -> Event:
        seq = len(self.events) + 1
        previous = self.events[-1].hash if self.events else GENESIS
        event = chained(seq, draft, previous, self.untold, self._sign)
        self.untold = {}
        self.events.append(event)
        return event


def _named(kind: type) -> str:
    return TABLES[kind].replace("_", "-")


def _stored(fact: Fact) -> Fact:
    """The fact as a database would give it back: what can't be written is not kept here either."""
    return decoded(type(fact), tuple(encoded(fact).values()))


def _rules(facts: dict[type, dict[str, Any]], fact: object) -> None:
    """What the database's triggers and unique indexes say."""
    if isinstance(fact, SignOff) and fact.line >= 2:
        own = facts[Developed].values()
        if any(d.model == fact.model and d.person == fact.person for d in own):
            raise RefusedError(
                "a developer of the model can't sign its second or third line checks"
            )
    if isinstance(fact, Deployment) and fact.until is None and fact.role in DEPLOYMENT:
        place = (fact.model, fact.environment)
        for other in facts[Deployment].values():
            there = other.until is None and other.role in DEPLOYMENT and other.id != fact.id
            if not there or (other.model, other.environment) != place:
                continue
            if other.role == fact.role or other.release == fact.release:
                raise ConflictError(
                    f"{place[0]} already has {other.release} as {other.role} in {place[1]}."
                )
    if isinstance(fact, Release) and any(
        (r.model, r.number) == (fact.model, fact.number) for r in facts[Release].values()
    ):
        raise ConflictError(f"{fact.model} already has a release {fact.number}.")


class MemoryRecord:
    """A record that lives as long as the object."""

    def __init__(self) -> None:
        self._facts: dict[type, dict[str, Any]] = {kind: {} for kind in TABLES}
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self._mine = threading.local()

    @property
    def _change(self) -> _Change | None:
        """The transaction that this thread is in: it reads what it wrote, and nobody else does."""
        return getattr(self._mine, "change", None)

    def get(self, kind: type[Fact], id: str) -> Fact:
        facts = self._change.facts if self._change else self._facts
        try:
            fact: Fact = facts[kind][id]
        except KeyError:
            raise MissingError.named(_named(kind), id, facts[kind]) from None
        return fact

    def find(self, kind: type[Fact], /, **equal: Any) -> list[Fact]:
        wanted = {name: encoded_field(kind, name, value) for name, value in equal.items()}
        facts = self._change.facts if self._change else self._facts
        return [
            fact
            for fact in facts[kind].values()
            if all(
                encoded_field(kind, name, getattr(fact, name)) == value
                for name, value in wanted.items()
            )
        ]

    def events(self, *, until: datetime | None = None) -> Iterator[Event]:
        for event in list(self._change.events if self._change else self._events):
            if until is None or event.at <= until:
                yield event

    @contextmanager
    def transaction(self, sign: Sign | None) -> Iterator[Change]:
        with self._lock:
            change = _Change(
                {kind: dict(facts) for kind, facts in self._facts.items()},
                list(self._events),
                sign,
            )
            self._mine.change = change
            try:
                yield change
            finally:
                self._mine.change = None
            if change.untold:
                raise RefusedError("A change without an event in the ledger is not written.")
            self._facts, self._events = change.facts, change.events

    def close(self) -> None:
        """Nothing to let go of."""


class MemoryObjects:
    """Objects in a dictionary; `path` writes a file into a folder of its own."""

    def __init__(self, folder: Path | None = None) -> None:
        self._objects: dict[str, bytes] = {}
        self._put: dict[str, datetime] = {}
        self._folder = folder

    def put(self, content: bytes, *, by: str = PREFIX, synced: bool = True) -> str:
        name = digest_by(content, by)
        self._objects.setdefault(name, content)
        self._put[name] = datetime.now(UTC)
        return name

    def put_file(
        self,
        path: Path,
        span: tuple[int, int] | None = None,
        *,
        by: str = PREFIX,
        synced: bool = True,
    ) -> str:
        content = path.read_bytes()
        return self.put(content[span[0] : sum(span)] if span else content, by=by)

    def get(self, digest: str) -> bytes:
        if digest not in self._objects:
            raise MissingError.named("object", digest, self._objects)
        content = self._objects[digest]
        found = digest_by(content, algorithm(digest))
        if found != digest:
            raise IntegrityError(f"Object {digest} is not what was stored: {found}.")
        return content

    def path(self, digest: str) -> Path:
        content = self.get(digest)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="taxiway-objects-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / digest.replace(":", "-")
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o444)
        return path

    def has(self, digest: str) -> bool:
        return digest in self._objects

    def absent(self, digests: Iterable[str]) -> set[str]:
        return set(digests) - self._objects.keys()

    def listed(self) -> Iterator[Stored]:
        for digest, content in list(self._objects.items()):
            yield Stored(digest, len(content), self._put[digest])

    def remove(self, digest: str, *, before: datetime) -> int:
        if digest not in self._objects or self._put[digest] >= before:
            return 0
        del self._put[digest]
        return len(self._objects.pop(digest))


class MemorySeen:
    """What files held, for as long as the object lives."""

    def __init__(self) -> None:
        self._notes: dict[str, dict[str, tuple[Look, str]]] = {}

    def known(self, use: str, below: Path) -> dict[str, tuple[Look, str]]:
        notes, root = self._notes.get(use, {}), str(below)
        return {p: note for p, note in notes.items() if p == root or p.startswith(root + os.sep)}

    def note(self, use: str, notes: Mapping[str, tuple[Look, str]]) -> None:
        self._notes.setdefault(use, {}).update(notes)


class MemoryDecisions:
    """A decision log that lives as long as the object."""

    def __init__(self) -> None:
        self._decisions: dict[str, Decision] = {}
        self._outcomes: dict[tuple[str, str], Outcome] = {}
        self._lock = threading.Lock()

    def append(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:  # what can't be written is not kept here either
            json.dumps([decision.inputs, decision.output], allow_nan=False)
            utc_text(decision.happened_at), utc_text(decision.at)
        with self._lock:
            new = {d.id: d for d in decisions}
            if len(new) < len(decisions) or new.keys() & self._decisions.keys():
                raise ConflictError("A decision with this id is already in the log.")
            self._decisions |= new

    def append_frame(self, decisions: Any) -> None:
        names = [field.name for field in dataclasses.fields(Decision)]
        texts = ("inputs", "output", "withheld")
        rows = decisions.select(names).iter_rows(named=True)
        read = [
            row | {n: json.loads(row[n]) for n in texts if isinstance(row[n], str)} for row in rows
        ]
        self.append([Decision(**{**row, "withheld": tuple(row["withheld"])}) for row in read])

    def get(self, id: str) -> Decision:
        if id not in self._decisions:
            raise MissingError.named("decision", id, self._decisions)
        return self._decisions[id]

    def scan(
        self,
        model: str,
        *,
        environment: str | None = None,
        release: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        key: Mapping[str, Any] | None = None,
        positive: bool | None = None,
        cases: bool = False,
        newest_first: bool = False,
    ) -> Iterator[Decision]:
        found = [
            d
            for d in self._decisions.values()
            if d.model == model
            and environment in {None, d.environment}
            and release in {None, d.release}
            and (start is None or d.happened_at >= start)
            and (end is None or d.happened_at < end)
            and (not key or key_holds(d.key, key))
            and positive in {None, d.output.get("prediction")}
            and (d.because or not cases)
        ]
        yield from sorted(found, key=lambda d: (d.happened_at, d.id), reverse=newest_first)

    def between(self, first: str, last: str) -> list[Decision]:
        found = [d for d in self._decisions.values() if first <= d.id <= last]
        return sorted(found, key=lambda d: d.id)

    def made_before(self, model: str, moment: datetime) -> Iterator[tuple[str, datetime]]:
        found, newest, now = [], datetime.min.replace(tzinfo=UTC), datetime.now(UTC)
        for d in self._decisions.values():  # in the order in which they came
            newest = max(newest, d.at) if d.at <= now else newest
            if d.model == model and max(d.at, newest) < moment:
                found.append((d.id, d.at))
        yield from sorted(found)

    def count(self, model: str, **where: Any) -> int:
        return sum(1 for _ in self.scan(model, **where))

    def remove(
        self, model: str, ids: Iterable[str], *, key: Mapping[str, Any] | None = None
    ) -> tuple[int, int]:
        with self._lock:
            wanted = set(ids)
            gone = {
                d.id: d for d in self._decisions.values() if d.id in wanted and d.model == model
            }
            left = {d.id: d for d in self._decisions.values() if d.id not in gone}
            kept = {d.key for d in left.values() if d.model == model}
            orphans = {d.key for d in gone.values()} - kept
            outcomes = {
                place: outcome
                for place, outcome in self._outcomes.items()
                if place[0] != model
                or not (place[1] in orphans or (key and key_holds(place[1], key)))
            }
            removed = len(gone), len(self._outcomes) - len(outcomes)
            self._decisions, self._outcomes = left, outcomes
        return removed

    def add_outcomes(self, outcomes: Iterable[Outcome]) -> tuple[int, int]:
        with self._lock:
            merged, added, known = dict(self._outcomes), 0, 0
            conflicts = []
            for outcome in outcomes:
                place = (outcome.model, outcome.key)
                if place not in merged:
                    merged[place] = outcome
                    added += 1
                elif merged[place].label == outcome.label:
                    known += 1
                else:
                    conflicts.append(outcome.key)
            if conflicts:
                raise conflicting(conflicts)
            self._outcomes = merged
        return added, known

    def outcomes(self, model: str) -> dict[str, bool | float]:
        return {key: o.label for (of, key), o in self._outcomes.items() if of == model}

    def close(self) -> None:
        """Nothing to let go of."""
