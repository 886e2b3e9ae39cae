"""The ports: what the steps need from the world, as small Protocols.

Every adapter of a port passes the same contract tests, the in-memory fakes too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from taxiway.core.decision import Decision, Outcome
from taxiway.core.digest import PREFIX, digest_of
from taxiway.core.errors import RefusedError
from taxiway.core.evidence import Evidence
from taxiway.core.facts import (
    Alert,
    Consumer,
    Deployment,
    Developed,
    Finding,
    Model,
    Proposal,
    Release,
    Run,
    Snapshot,
)
from taxiway.core.ledger import Draft, Event, Sign
from taxiway.core.look import Look
from taxiway.core.people import Deviation, Handoff, Person, Resolution, Review, SignOff

Fact = TypeVar("Fact")

Clock = Callable[[], datetime]
"""Tells the time, in UTC."""

NewId = Callable[[], str]
"""A fresh identifier that sorts by time."""

NewIds = Callable[[int], Sequence[str]]
"""So many of them, in their order."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The person on whose behalf something is done, able to sign."""

    name: str
    roles: tuple[str, ...]
    sign: Sign


FACTS: tuple[type, ...] = (
    Person,
    Model,
    Developed,
    Snapshot,
    Run,
    Release,
    Deployment,
    Consumer,
    SignOff,
    Deviation,
    Handoff,
    Review,
    Resolution,
    Evidence,
    Finding,
    Alert,
    Proposal,
)
"""Every kind of fact that a record keeps."""


class Change(Protocol):
    """One transaction: facts and the event that tells of them, all or nothing."""

    def add(self, fact: object) -> None:
        """A new fact. Raises `ConflictError` if its id exists, `RefusedError` if a rule of the
        database says no."""

    def replace(self, before: Fact, after: Fact) -> None:
        """The fact `before` becomes `after`. Raises `ConflictError` if it is no longer `before`."""

    def log(self, draft: Draft) -> Event:
        """The event of this change, chained and signed. It holds the digest of every fact that was
        added or replaced since the event before it; what is written after the last event is
        refused."""


class Record(Protocol):
    """Where facts and the ledger live.

    Facts are the dataclasses of `core.facts`, `core.people` and `core.evidence`, told apart by
    their class and found by equality on their fields, oldest first.
    """

    def get(self, kind: type[Fact], id: str) -> Fact:
        """The fact with this id. Raises `MissingError` with the close match."""

    def find(self, kind: type[Fact], /, **equal: Any) -> list[Fact]:
        """All facts whose fields equal these values, in the order they were added."""

    def events(self, *, until: datetime | None = None) -> Iterator[Event]:
        """The ledger in its order, up to and including a time."""

    def transaction(self, sign: Sign | None) -> AbstractContextManager[Change]:
        """A change that is committed when the block ends well.

        Writes that no event tells of are refused when it ends; an exception leaves nothing behind.
        """

    def close(self) -> None:
        """Lets go of the store."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is there: its size, and when it was last put."""

    digest: str
    bytes: int
    at: datetime


class Objects(Protocol):
    """Content-addressed bytes. What is read is verified; what is written is there whole or not.

    `by` is the prefix of the digest that is asked for, which names how it is made.
    """

    def put(self, content: bytes, *, by: str = PREFIX, synced: bool = True) -> str:
        """Stores bytes and answers their digest.

        Storing them again changes nothing but the time when they were last put. Without `synced`
        they are in the system's hands when this returns: a process that is killed loses nothing, a
        machine that loses power may.
        """

    def put_file(
        self,
        path: Path,
        span: tuple[int, int] | None = None,
        *,
        by: str = PREFIX,
        synced: bool = True,
    ) -> str:
        """Stores a file's content, or (offset, bytes) of it, and answers its digest. It is read
        once, and written whether it is there or not."""

    def get(self, digest: str) -> bytes:
        """The bytes. Raises `MissingError`, or `IntegrityError` if they are not what was stored."""

    def path(self, digest: str) -> Path:
        """A local, read-only file with the verified bytes, for libraries that want a path."""

    def has(self, digest: str) -> bool:
        """Whether the object is there; does not verify it."""

    def absent(self, digests: Iterable[str]) -> set[str]:
        """Those of the digests that are not there, in as few looks as the store needs."""

    def listed(self) -> Iterator[Stored]:
        """Every object that is there, in no order."""

    def remove(self, digest: str, *, before: datetime) -> int:
        """Removes an object that was last put before a moment; answers the bytes that are free.

        An object that is gone, or was put again meanwhile, is left alone: 0.
        """


class Seen(Protocol):
    """What files held when they were read, so that a file that looks the same isn't read again.

    A cache: what it lost, or can't read, is unknown, and nothing fails because of it.
    """

    def known(self, use: str, below: Path) -> dict[str, tuple[Look, str]]:
        """Absolute path -> how the file looked, and what was noted: of one file, or of all that lie
        below a folder. `use` tells notes of one kind from another."""

    def note(self, use: str, notes: Mapping[str, tuple[Look, str]]) -> None:
        """Notes what files held."""


class Logs(Protocol):
    """What whoever decides needs of the decision log."""

    def append(self, decisions: Sequence[Decision]) -> None:
        """As `Decisions.append`."""

    def append_frame(self, decisions: Any) -> None:
        """As `Decisions.append_frame`."""

    def between(self, first: str, last: str) -> list[Decision]:
        """As `Decisions.between`."""


class Decisions(Protocol):
    """The decision log of a workspace. What `append` has returned from is on disk."""

    def append(self, decisions: Sequence[Decision]) -> None:
        """Makes decisions durable, all or none. Those of one call have one channel.

        Raises `ConflictError` if this log has written the id, or any has for a batch; `StoreError`
        if it can't write.
        """

    def append_frame(self, decisions: Any) -> None:
        """Makes decisions of a batch durable, all or none, from a polars frame.

        Its columns are the fields of a decision, with `inputs` as a struct or as JSON text,
        `output` and `withheld` as JSON text, and the output's `prediction` and `probability`;
        model, environment and the moment of the answer are one.
        Raises `ConflictError` if an id is already there, `StoreError` if it can't write.
        """

    def get(self, id: str) -> Decision:
        """One decision. Raises `MissingError`."""

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
        """Decisions with start <= happened_at < end, ordered by happened_at, then id.

        `key` asks for those whose key holds these values (plain data, as decisions hold them), all
        of the key or a part; `positive` for those that predicted so; `cases` for those on which a
        person decides.
        """

    def between(self, first: str, last: str) -> list[Decision]:
        """Decisions with first <= id <= last, ordered by id; of a batch, none is written elsewhere
        until the log is closed."""

    def made_before(self, model: str, moment: datetime) -> Iterator[tuple[str, datetime]]:
        """Id and moment of the answer of every decision that was made before, ordered by id.

        A decision that was logged behind a later one is no older than that, whatever the clock
        said. A moment in the future says nothing of others.
        """

    def remove(
        self, model: str, ids: Iterable[str], *, key: Mapping[str, Any] | None = None
    ) -> tuple[int, int]:
        """Removes decisions of a model, and answers how many (decisions, outcomes) are gone.

        With them goes every outcome that they were the last decision for, and, if a key is given,
        every outcome whose key holds these values. What is gone can't be read from the disk again.
        A removal that was cut off is finished by asking for it again.
        """

    def count(self, model: str, **where: Any) -> int:
        """How many decisions `scan` would give for the same arguments."""

    def add_outcomes(self, outcomes: Iterable[Outcome]) -> tuple[int, int]:
        """Stores outcomes; answers (added, already known with the same label).

        Raises `ConflictError` if a key is already known with another label.
        """

    def outcomes(self, model: str) -> dict[str, bool | float]:
        """Key -> label for a model."""

    def close(self) -> None:
        """Lets go of the store."""


class OnlineFeatures(Protocol):
    """The newest features by key, as text. A view's rows are those of one materialisation, and
    what was switched together is seen together: old or new, whole, whatever was killed between.
    """

    def write(self, view: str, rows: Iterable[tuple[str, str]]) -> int:
        """Stores rows (key, row) that nobody sees yet; answers the number of the generation."""

    def switch(self, made: Mapping[str, tuple[int, Mapping[str, Any]]]) -> None:
        """From now on readers see these generations {view: (generation, what to tell of it)}.

        What they replace is removed. Raises `ConflictError` if a newer one was switched to since.
        """

    def about(self, view: str) -> dict[str, Any] | None:
        """What was told of the generation that readers see; None if there is none."""

    def lookup(self, views: Sequence[str]) -> Callable[[Sequence[str]], Sequence[str | None]]:
        """A function from one key for each view to their rows, all read at one moment.

        It raises `StoreError` if a view was never materialised, or is lost: that is not the same as
        a key of which nothing is known.
        """

    def close(self) -> None:
        """Lets go of the store."""


class Keys(Protocol):
    """The private keys of the people who use this machine."""

    def create(self, name: str) -> str:
        """A new Ed25519 key for a name; answers the public key, base64. Raises `ConflictError`."""

    def names(self) -> list[str]:
        """Whose keys are here."""

    def sign(self, name: str, content: bytes) -> str:
        """Signs with a person's key. Raises `MissingError` if it is not on this machine."""


Verify = Callable[[str, bytes, str], bool]
"""(public key, content, signature) -> whether the signature holds."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a use case works with: the ports, the time, and on whose behalf it acts."""

    record: Record
    objects: Objects
    decisions: Decisions
    verify: Verify
    now: Clock
    new_id: NewId
    actor: Actor | None = None

    def acting(self, *roles: str, to: str) -> Actor:
        """The actor, who has to hold one of the roles (any, if none is named).

        `to` says what for. Raises `RefusedError`: nothing is done on behalf of nobody.
        """
        if self.actor is None:
            raise RefusedError(
                f"Nobody is named who wants to {to}.",
                todo="Say who acts with --as NAME (or TAXIWAY_ACTOR); `taxiway people add` makes"
                " people and their keys.",
            )
        if roles and not set(roles) & set(self.actor.roles):
            raise RefusedError(
                f"{self.actor.name} may not {to}: it takes the role {' or '.join(roles)},"
                f" and {self.actor.name} has {', '.join(self.actor.roles) or 'none'}."
            )
        return self.actor

    @contextmanager
    def change(self, action: str, subject: str, *, model: str | None = None) -> Iterator[Telling]:
        """One transaction that ends with its event: `with desk.change(...) as c: c.add(fact)`.

        The event's digest and details are those that the block sets on `c`; the actor signs it. An
        exception in the block leaves nothing behind.
        """
        with self.record.transaction(self.actor.sign if self.actor else None) as change:
            telling = Telling(change)
            yield telling
            change.log(
                Draft(
                    at=self.now(),
                    actor=self.actor.name if self.actor else "system",
                    action=action,
                    subject=subject,
                    model=model,
                    digest=telling.digest or digest_of(telling.facts),
                    details=telling.details,
                )
            )


class Telling:
    """A change that gathers what its event will say."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self.facts: list[object] = []
        self.details: dict[str, Any] = {}
        self.digest = ""

    def add(self, fact: object) -> None:
        self._change.add(fact)
        self.facts.append(fact)

    def replace(self, before: Fact, after: Fact) -> None:
        self._change.replace(before, after)
        self.facts.append(after)
