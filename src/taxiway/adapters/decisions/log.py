"""The decision log of a workspace: open segments in SQLite, closed ones in Parquet, read as one."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from taxiway.adapters.decisions import outcomes, segment
from taxiway.adapters.decisions.catalogue import Catalogue, ClosedFile, store_errors
from taxiway.adapters.decisions.locks import held
from taxiway.adapters.decisions.query import MovedError, Query, merged, micros, position
from taxiway.adapters.decisions.upgrade import upgrade
from taxiway.adapters.decisions.writer import BATCH, BatchWriter, Place, Writer, due
from taxiway.core.decision import Decision, Outcome
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.core.ports import Clock

if TYPE_CHECKING:
    import polars as pl

    from taxiway.adapters.decisions.closing import Closed

Answer = TypeVar("Answer")

CLOSING_SECONDS = 120.0
"""How long a removal waits for segments that are being closed."""


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that holds decisions, as of one moment."""

    open: Sequence[sqlite3.Connection]
    """A reader of each open segment, inside a transaction."""
    files: Sequence[ClosedFile]


@dataclass(frozen=True, slots=True)
class Buffered:
    """A log in which what was appended outlives the process at once, and a loss of power within a
    second. A full disk is told at once all the same."""

    log: DecisionLog

    def append(self, decisions: Sequence[Decision]) -> None:
        """Appends without waiting for the disk."""
        self.log.append(decisions, durable=False)

    def append_frame(self, decisions: Any) -> None:
        """As the log's: a batch has nobody who waits."""
        self.log.append_frame(decisions)

    def between(self, first: str, last: str) -> list[Decision]:
        """As the log's."""
        return self.log.between(first, last)


class DecisionLog:
    """`decisions.db` with the outcomes, and beside it the folder `decisions` with the segments.

    What `append` has returned from is on disk. Many threads and processes may use one log.
    """

    def __init__(self, path: Path, now: Clock = utc_now) -> None:
        self.path = path
        self.folder = path.with_suffix("")
        self.closed_folder = self.folder / "closed"
        self._now = now
        self._place = Place(self.folder / "open", now, self._newest, self._closed)
        self._catalogue = Catalogue(path, lambda old: upgrade(old, self._place))
        self._writer = Writer(self._place)
        self._batches = BatchWriter(self._place)

    # Writing

    def open(self) -> None:
        """Gets ready to append, so that the first one takes no longer than the others."""
        self._writer.open()

    def append(self, decisions: Sequence[Decision], *, durable: bool = True) -> None:
        """As the port says. What need not be durable outlives the process at once, and a loss of
        power within a second."""
        if not decisions:
            return
        if decisions[0].channel == BATCH:
            self._batches.append(decisions)
        else:
            self._writer.append(decisions, durable=durable)

    def append_frame(self, decisions: Any) -> None:
        from taxiway.adapters.decisions.frames import append

        if not decisions.height:
            return
        now = micros(self._now())
        earlier = [moment for moment in self._newest() if moment <= now]
        with self._sources() as sources:
            append(
                decisions,
                self.closed_folder,
                self._catalogue,
                newest=max(earlier, default=0),
                open_=sources.open,
                alone=lambda: self._alone(CLOSING_SECONDS),
            )

    def buffered(self) -> Buffered:
        """The log for those who need not wait for the disk."""
        return Buffered(self)

    def let_go(self) -> None:
        """Lets go of what this log writes, so that it can be closed; the next append goes on."""
        self._writer.let_go()
        self._batches.let_go()

    def close(self) -> None:
        self._writer.close()
        self._batches.let_go()
        self._catalogue.close()

    def _newest(self) -> list[int]:
        """The latest moments of answers that the log knows."""
        with self._sources() as sources:
            known = [self._catalogue.newest(), *map(segment.newest, sources.open)]
        return [moment for moments in known for moment in moments]

    def _closed(self) -> set[str]:
        return self._catalogue.closed_segments()

    # Reading

    @contextmanager
    def _sources(self, files: Callable[[], list[ClosedFile]] = list) -> Iterator[Sources]:
        with ExitStack() as stack:
            opened: dict[str, sqlite3.Connection] = {}
            for name in self._place.names():
                connection = self._reader(name)
                if connection is not None:
                    opened[name] = connection
                    stack.callback(connection.close)
            # Asked behind the segments: what is closed since is read where it was.
            closed = self._catalogue.closed_segments()
            yield Sources([c for name, c in opened.items() if name not in closed], files())

    def _reader(self, name: str) -> sqlite3.Connection | None:
        """A segment as it is now; None if it is not one yet, or not there any more."""
        path = self._place.path(name)
        with store_errors(path):
            try:
                connection = segment.connect(path)
                connection.execute("BEGIN")
                (version,) = connection.execute("PRAGMA user_version").fetchone()
            except sqlite3.OperationalError:
                if path.exists():
                    raise
                return None
            if not version:
                connection.close()
                return None
            return connection

    def _steady(self, look: Callable[[], Answer]) -> Answer:
        """What a look gives, taken again if a file is replaced meanwhile."""
        while True:
            try:
                return look()
            except MovedError as error:
                self._require_moved(error)

    def _require_moved(self, error: MovedError) -> None:
        """Raises `IntegrityError` if the file was not replaced but is missing."""
        path = Path(str(error))
        if any(self.closed_folder / file.path == path for file in self._catalogue.files()):
            raise IntegrityError(
                f"The decision log lacks its file {path}.", todo="Restore it from its backup."
            ) from None

    def get(self, id: str) -> Decision:
        found = self._steady(lambda: self._between(id, id))
        if not found:
            raise MissingError(
                f"No decision {id!r} is in the log.",
                todo="Its id is in the answer that was given, and in what `taxiway score` wrote.",
            )
        return found[0]

    def between(self, first: str, last: str) -> list[Decision]:
        self._batches.hold()
        return self._steady(lambda: self._between(first, last))

    def _between(self, first: str, last: str) -> list[Decision]:
        with self._sources(lambda: self._catalogue.files_of_ids(first, last)) as sources:
            with store_errors(self.path):
                parts = [segment.of_ids(one, first, last) for one in sources.open]
            if sources.files:
                from taxiway.adapters.decisions import parquet

                parts += [
                    parquet.of_ids(self.closed_folder, file, first, last) for file in sources.files
                ]
        return list(heapq.merge(*parts, key=attrgetter("id")))

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
        query = Query(model, environment, release, start, end, key, positive, cases, newest_first)
        last = None
        while True:
            try:
                for decision in self._scan(query):
                    here = position(decision)
                    # Behind a file that was replaced: what was given is not given again.
                    if last is None or (here < last if newest_first else here > last):
                        last = here
                        yield decision
                return
            except MovedError as error:
                self._require_moved(error)

    def _scan(self, query: Query) -> Iterator[Decision]:
        with (
            self._sources(lambda: self._catalogue.files(query)) as sources,
            store_errors(self.path),
        ):
            found = [segment.find(one, query) for one in sources.open]
            if sources.files:
                from taxiway.adapters.decisions import parquet

                found += [parquet.find(self.closed_folder, file, query) for file in sources.files]
            yield from merged([one for one in found if one], newest_first=query.newest_first)

    def count(self, model: str, **where: Any) -> int:
        query = Query(model, **where)
        return self._steady(lambda: self._count(query))

    def _count(self, query: Query) -> int:
        with (
            self._sources(lambda: self._catalogue.files(query)) as sources,
            store_errors(self.path),
        ):
            rows = sum(segment.count(one, query) for one in sources.open)
            if sources.files:
                from taxiway.adapters.decisions import parquet

                rows += sum(
                    parquet.count(self.closed_folder, file, query) for file in sources.files
                )
        return rows

    def made_before(self, model: str, moment: datetime) -> Iterator[tuple[str, datetime]]:
        yield from self._steady(lambda: self._made_before(model, moment))

    def _made_before(self, model: str, moment: datetime) -> list[tuple[str, datetime]]:
        at, now = micros(moment), micros(self._now())
        with (
            self._sources(lambda: self._catalogue.files_made_before(model, moment)) as sources,
            store_errors(self.path),
        ):
            parts = [segment.made_before(one, model, at, now) for one in sources.open]
            if sources.files:
                from taxiway.adapters.decisions import parquet

                parts += [
                    parquet.made_before(self.closed_folder, file, at) for file in sources.files
                ]
        return list(heapq.merge(*parts, key=itemgetter(0)))

    @contextmanager
    def frame(self) -> Iterator[pl.LazyFrame]:
        """All decisions as one frame, to be read while the block runs."""
        from taxiway.adapters.decisions.view import view

        with self._sources(self._catalogue.files) as sources, store_errors(self.path):
            yield view(sources, self.closed_folder, micros(self._now()))

    # Outcomes

    def add_outcomes(self, outcomes_: Iterable[Outcome]) -> tuple[int, int]:
        with self._catalogue.changing() as connection:
            return outcomes.add(connection, outcomes_)

    def outcomes(self, model: str) -> dict[str, bool | float]:
        with self._catalogue.reading() as connection:
            return outcomes.labels(connection, model)

    # Closing and removing

    def due(self) -> bool:
        """Whether there is a segment that is full or old; its writer may still have it."""
        with self._sources() as sources:
            return any(due(*segment.size(one), self._now()) for one in sources.open)

    def close_segments(
        self,
        *,
        only_due: bool = False,
        dry_run: bool = False,
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> Closed:
        """Moves what nobody writes any more into Parquet files: all of it, or what is full or old.

        Raises `ConflictError` if another process is at it.
        """
        from taxiway.adapters.decisions.closing import close_segments

        with self._alone(0.0):
            return close_segments(
                self._place,
                self._catalogue,
                self.closed_folder,
                only_due=only_due,
                dry_run=dry_run,
                on_rows=on_rows,
            )

    def remove(
        self, model: str, ids: Iterable[str], *, key: Mapping[str, Any] | None = None
    ) -> tuple[int, int]:
        from taxiway.adapters.decisions.removal import remove

        with self._alone(CLOSING_SECONDS), self._sources(self._catalogue.files) as sources:
            for one in sources.open:
                one.execute("ROLLBACK")
            return remove(self._catalogue, self.closed_folder, sources, model, list(ids), key)

    @contextmanager
    def _alone(self, seconds: float) -> Iterator[None]:
        """Nobody else closes segments or removes decisions meanwhile."""
        with store_errors(self.folder):
            self.folder.mkdir(exist_ok=True)
        with held(self.folder / "closing.lock", seconds, what="closing segments of this log"):
            yield
