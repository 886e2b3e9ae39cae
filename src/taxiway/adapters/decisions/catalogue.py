"""`decisions.db`: the outcomes, and the list of what is closed. Every process opens it.

The list is what makes closing one step: a segment is read from its SQLite file until the list says
that it is closed, and from then on from the Parquet files that were listed in the same transaction.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from taxiway.adapters.decisions.query import Query, micros
from taxiway.adapters.decisions.segment import DAY, KEPT_DAYS
from taxiway.adapters.sqlite import BUSY_SECONDS, write_ahead
from taxiway.core.errors import ConflictError, StoreError

PROTOCOL = 4
"""In `PRAGMA user_version` of this file and of every segment. To change the tables, or the columns
of closed files: raise it, and upgrade the old ones on opening. From 3 on, closed files have
`predicted`; from 4 on, those of a batch have a column for each input instead of `inputs`."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS outcome (
    model TEXT NOT NULL, key TEXT NOT NULL, label REAL NOT NULL, boolean INTEGER NOT NULL,
    at TEXT NOT NULL, PRIMARY KEY (model, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS closed_segment (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS closed_file (
    path TEXT PRIMARY KEY, model TEXT NOT NULL, environment TEXT NOT NULL, rows INTEGER NOT NULL,
    first_id TEXT NOT NULL, last_id TEXT NOT NULL, first_happened_at INTEGER NOT NULL,
    last_happened_at INTEGER NOT NULL, first_made_at INTEGER NOT NULL, last_made_at INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """A Parquet file of decisions of one model in one environment, made on one day."""

    path: str
    """Below the folder of closed files."""
    model: str
    environment: str
    rows: int
    first_id: str
    last_id: str
    first_happened_at: int
    last_happened_at: int
    first_made_at: int
    last_made_at: int

    @property
    def happened(self) -> tuple[int, int]:
        """Between which times its decisions happened."""
        return self.first_happened_at, self.last_happened_at


FIELDS = ", ".join(field.name for field in fields(ClosedFile))


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """What SQLite and the system say of a store, as errors of ours."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConflictError(f"A decision with this id is already in the log: {error}.") from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise StoreError(
            f"The decision log {path} can't be used: {error}.",
            todo="Check the disk's space and the file's permissions; nothing was half-written.",
        ) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All that the block writes, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def require_known(path: Path, version: int) -> None:
    """Raises `StoreError` for a file of a newer protocol."""
    if version > PROTOCOL:
        raise StoreError(
            f"{path} was written by a newer taxiway (protocol {version}; this one knows"
            f" {PROTOCOL}).",
            todo="Upgrade taxiway; an older one must not write here.",
        )


class Catalogue:
    """The file, opened; one connection for all threads of the process."""

    def __init__(self, path: Path, upgrade: Any) -> None:
        self.path = path
        self._lock = threading.Lock()
        with store_errors(path):
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                write_ahead(self._connection)
                self._connection.execute("PRAGMA synchronous=FULL")
                self._prepare(upgrade)
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self, upgrade: Any) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version < PROTOCOL:
            with transaction(self._connection):
                (version,) = self._connection.execute("PRAGMA user_version").fetchone()
                if version < PROTOCOL:
                    if version:
                        upgrade(self._connection)
                    for statement in SCHEMA.split(";"):
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version={PROTOCOL}")
        require_known(self.path, version)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._lock, store_errors(self.path), transaction(self._connection) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for a statement or two."""
        with self._lock, store_errors(self.path):
            yield self._connection

    def closed_segments(self) -> set[str]:
        """Names of the segments that are in Parquet files now."""
        with self.reading() as connection:
            return {name for (name,) in connection.execute("SELECT name FROM closed_segment")}

    def files(self, query: Query | None = None) -> list[ClosedFile]:
        """Closed files: all, or those that may hold decisions of a query."""
        found = self._files("1") if query is None else self._files("model = ?", query.model)
        return [
            file
            for file in found
            if query is None
            or (query.environment in {None, file.environment} and query.touches(file.happened))
        ]

    def files_of_ids(self, first: str, last: str) -> list[ClosedFile]:
        """Closed files that may hold decisions with first <= id <= last."""
        return self._files("first_id <= ? AND last_id >= ?", last, first)

    def files_made_before(self, model: str, moment: Any) -> list[ClosedFile]:
        """Closed files with decisions of a model that were made before."""
        return self._files("model = ? AND first_made_at < ?", model, micros(moment))

    def _files(self, where: str, *values: Any) -> list[ClosedFile]:
        with self.reading() as connection:
            rows = connection.execute(
                f"SELECT {FIELDS} FROM closed_file WHERE {where} ORDER BY path",  # noqa: S608 - constants, values bound
                values,
            ).fetchall()
        return [ClosedFile(*row) for row in rows]

    def newest(self) -> list[int]:
        """The latest moments of answers in closed files, one of a day."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT max(last_made_at) FROM closed_file GROUP BY last_made_at / ?"
                " ORDER BY 1 DESC LIMIT ?",
                (DAY, KEPT_DAYS),
            ).fetchall()
        return [at for (at,) in rows]

    def replace(
        self,
        add: Sequence[ClosedFile],
        *,
        remove: Sequence[ClosedFile] = (),
        segment: str | None = None,
    ) -> None:
        """In one step: these files hold what those did, or what a segment did."""
        with self.changing() as connection:
            connection.executemany(
                "DELETE FROM closed_file WHERE path = ?", [(file.path,) for file in remove]
            )
            connection.executemany(
                f"INSERT INTO closed_file ({FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
                [astuple(file) for file in add],
            )
            if segment is not None:
                connection.execute("INSERT INTO closed_segment VALUES (?)", (segment,))

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()
