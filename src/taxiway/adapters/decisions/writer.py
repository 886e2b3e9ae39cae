"""Who writes which segment.

A process that answers has a segment of its own: SQLite lets one write at a time, and those who wait
sleep, so two processes in one file take turns badly (docs/adr/0013-a-segment-for-each-writer.md).
The lock on a segment ends with its process, however that ends; the next writer goes on with it.

The ids of a batch follow from its job, and two processes may work on one job. So batches share a
segment, where an id can stand once for all of them.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from taxiway.adapters.decisions import segment
from taxiway.adapters.decisions.catalogue import (
    PROTOCOL,
    require_known,
    store_errors,
    transaction,
)
from taxiway.adapters.decisions.locks import FileLock, held
from taxiway.adapters.decisions.query import micros
from taxiway.adapters.ids import new_id
from taxiway.adapters.sqlite import BUSY_SECONDS, write_ahead
from taxiway.core.decision import Decision
from taxiway.core.errors import StoreError

BATCH = "batch"
"""What the names of segments begin with that batches share, and the channel of what goes there."""

SEGMENT_ROWS = 200_000
SEGMENT_SECONDS = 24 * 3600.0
"""A segment that has that many rows, or is that old, gets no more; it waits to be closed."""

CHECKPOINT_BYTES = 4 << 20
"""How long the write-ahead log gets before it is copied into the file, off the deciding thread."""
TICK_SECONDS = 0.25
"""How often a segment that is written is looked after. What was appended without waiting for the
disk is on it by then."""
IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where segments lie, and what a new one has to know."""

    folder: Path
    now: Callable[[], datetime]
    newest: Callable[[], Sequence[int]]
    """The latest moments of answers in the log."""
    closed: Callable[[], set[str]]
    """Names of the segments that are closed."""

    def path(self, name: str) -> Path:
        """The file of a segment."""
        return self.folder / f"{name}.db"

    def lock(self, name: str) -> Path:
        """The lock of a segment."""
        return self.folder / f"{name}.lock"

    def names(self) -> list[str]:
        """The segments that are there, oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.db"))


def due(created_at: int, rows: int, now: datetime) -> bool:
    """Whether a segment gets no more rows."""
    # The clock may have gone back, so that it seems to be of tomorrow: then it is due as well.
    return rows >= SEGMENT_ROWS or abs(micros(now) - created_at) / 1e6 >= SEGMENT_SECONDS


class OpenSegment:
    """A segment with the lock on it, able to be appended to."""

    def __init__(self, place: Place, name: str, lock: FileLock) -> None:
        self.name, self.path, self._lock = name, place.path(name), lock
        self._connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            write_ahead(self._connection)
            self._connection.execute("PRAGMA synchronous=FULL")
            self._durable = True
            if not self._version():
                with transaction(self._connection):
                    if not self._version():
                        segment.prepare(
                            self._connection,
                            PROTOCOL,
                            created_at=place.now(),
                            earlier=place.newest(),
                        )
            require_known(self.path, self._version())
            self._known = segment.sources(self._connection)
            self._created_at, self._rows = segment.size(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def append(self, decisions: Sequence[Decision], *, durable: bool) -> None:
        """One transaction; on disk when this returns, if it is to be durable."""
        if durable is not self._durable:
            self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        known = self._known
        try:
            rows = segment.packed(decisions, known)
        except KeyError:  # a source that is new here
            rows = None
        with transaction(self._connection) as connection:
            if rows is None:
                segment.add_sources(connection, segment.sources_of(decisions))
                known = segment.sources(connection)
                rows = segment.packed(decisions, known)
            connection.executemany(segment.INSERT, rows)
        self._known = known
        self._rows += len(rows)

    def own_checkpoints(self) -> None:
        """From now on somebody else copies the write-ahead log into the file."""
        self._connection.execute("PRAGMA wal_autocheckpoint=0")

    def due(self, now: datetime) -> bool:
        """Whether it gets no more rows."""
        return due(self._created_at, self._rows, now)

    def close(self) -> None:
        """Lets go of the file; whoever comes next may have it."""
        self._connection.close()
        self._lock.release()


def _opened(place: Place, name: str, lock: FileLock) -> OpenSegment:
    try:
        return OpenSegment(place, name, lock)
    except BaseException:
        lock.release()
        raise


class Writer:
    """Appends to the segment of this process, and keeps it: copies, syncs, begins a new one."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._segment: OpenSegment | None = None
        self._changed, self._ended = threading.Event(), threading.Event()
        self._unsynced = False
        self._broken: str | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Makes sure that there is a segment, so that the first append need not."""
        with self._lock, store_errors(self._place.folder):
            self._opened()

    def _opened(self) -> OpenSegment:
        if self._segment is None:
            if self._ended.is_set():
                raise sqlite3.ProgrammingError("Cannot operate on a closed database")
            self._segment = self._adopted() or self._new()
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="decision-log", daemon=True)
            self._thread.start()
        return self._segment

    def _adopted(self) -> OpenSegment | None:
        """A segment that nobody writes any more, because its writer has ended or was killed."""
        names = self._place.names()
        closed = self._place.closed() if names else set()
        for name in names:
            if name.startswith(BATCH) or name in closed:
                continue
            lock = FileLock.take(self._place.lock(name))
            if lock is None:
                continue
            if not self._place.path(name).exists():  # closed meanwhile
                lock.release(remove=True)
                continue
            found = _opened(self._place, name, lock)
            if name not in self._place.closed() and not found.due(self._place.now()):
                found.own_checkpoints()
                return found
            found.close()
        return None

    def _new(self) -> OpenSegment:
        self._place.folder.mkdir(parents=True, exist_ok=True)
        name = new_id()
        lock = FileLock.wait(self._place.lock(name), BUSY_SECONDS, what="making this segment")
        made = _opened(self._place, name, lock)
        made.own_checkpoints()
        return made

    def append(self, decisions: Sequence[Decision], *, durable: bool) -> None:
        """Appends to the own segment."""
        with self._lock, store_errors(self._segment.path if self._segment else self._place.folder):
            if self._broken and not durable:
                raise OSError(self._broken)
            self._opened().append(decisions, durable=durable)
            self._unsynced = not durable
        if not self._changed.is_set():
            self._changed.set()

    # What is done beside the deciding thread

    def _keep(self) -> None:
        while not self._ended.is_set():
            self._changed.wait(IDLE_SECONDS)
            self._ended.wait(TICK_SECONDS)
            self._changed.clear()
            try:
                with store_errors(self._place.folder):
                    self._tend()
            except StoreError:
                continue  # whoever appends next hears of it, and it is tried again

    def _tend(self) -> None:
        open_ = self._segment
        if open_ is None:
            return
        wal = open_.path.with_name(f"{open_.path.name}-wal")
        if self._unsynced:
            self._sync(wal)
        if wal.exists() and wal.stat().st_size >= CHECKPOINT_BYTES:
            copier = segment.connect(open_.path)
            try:
                copier.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                copier.close()
        if open_.due(self._place.now()):
            fresh = self._new()
            with self._lock:
                if self._segment is open_:
                    self._segment, fresh = fresh, open_
            fresh.close()

    def _sync(self, wal: Path) -> None:
        """Brings on the disk what was appended without waiting for it."""
        with self._lock:
            self._unsynced = False
        try:
            descriptor = os.open(wal, os.O_RDONLY)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._broken = f"what was appended can't be brought on the disk: {error}"
            raise
        self._broken = None

    def let_go(self) -> None:
        """Lets go of the segment; the next append takes one again."""
        with self._lock:
            if self._segment is not None:
                self._segment.close()
                self._segment = None

    def close(self) -> None:
        """Lets go of the segment for good."""
        self._ended.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()
        self.let_go()


class BatchWriter:
    """Appends to the segment that batches share.

    Whoever has looked what a batch has decided holds that segment, as all do who write it, and so
    nothing of the batch is closed before the last of them lets go.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._segment: OpenSegment | None = None

    def hold(self) -> None:
        """Keeps what is there where it is, until `let_go`."""
        with self._lock:
            self._held()

    def _held(self) -> OpenSegment:
        if self._segment is None:
            with store_errors(self._place.folder):
                self._place.folder.mkdir(parents=True, exist_ok=True)
                choosing = self._place.folder / f"{BATCH}.lock"
                with held(choosing, BUSY_SECONDS, what="choosing the segment of a batch"):
                    self._segment = self._newest() or self._new()
        return self._segment

    def _newest(self) -> OpenSegment | None:
        names = [name for name in self._place.names() if name.startswith(BATCH)]
        if not names or names[-1] in self._place.closed():
            return None
        lock = FileLock.take(self._place.lock(names[-1]), shared=True)
        if lock is None:  # it is being closed
            return None
        if not self._place.path(names[-1]).exists():
            lock.release(remove=True)
            return None
        return _opened(self._place, names[-1], lock)

    def _new(self) -> OpenSegment:
        name = f"{BATCH}-{new_id()}"
        what = "making this segment"
        lock = FileLock.wait(self._place.lock(name), BUSY_SECONDS, what=what, shared=True)
        return _opened(self._place, name, lock)

    def append(self, decisions: Sequence[Decision]) -> None:
        """Appends in turns with other batches."""
        with self._lock:
            open_ = self._held()
            with store_errors(open_.path):
                open_.append(decisions, durable=True)

    def let_go(self) -> None:
        """Lets go of it."""
        with self._lock:
            if self._segment is not None:
                self._segment.close()
            self._segment = None
