"""The record in a database, over the plain DB-API: SQLite now, written for one more dialect later.

The rules that must not be broken are in the database itself, as constraints and triggers, so that
they hold for every program that opens it. Migrations are Alembic's; it is imported only when the
database is new or behind.
"""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from taxiway.adapters.sqlite import BUSY_SECONDS
from taxiway.adapters.tables import IMMUTABLE, TABLES, codecs, decoded, encoded, encoded_field
from taxiway.core.digest import canonical_json, digest_of, utc_text, utc_time
from taxiway.core.errors import (
    ConflictError,
    IntegrityError,
    MissingError,
    Problem,
    RefusedError,
    StoreError,
    TaxiwayError,
)
from taxiway.core.ledger import GENESIS, Draft, Event, Sign, chained, fact_name
from taxiway.core.ports import Change

Fact = TypeVar("Fact")

REVISION = "0004"
"""The newest migration; a database that is behind is migrated when it is opened."""
HEAD_FILE = "ledger.head"

EVENT_COLUMNS = (
    "seq, at, actor, action, subject, model, digest, details, previous, hash, signature, facts"
)


def open_record(path: Path) -> SqlRecord:
    """The record in a SQLite file, made or migrated first if it has to be."""
    migrate(path)
    return SqlRecord(path)


def revision_of(path: Path) -> str | None:
    """The migration that a database is at; None for one that is not there yet."""
    if not path.exists():
        return None
    with _errors(path), _connected(path) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
    return str(row[0]) if row else None


def migrate(path: Path) -> None:
    """Brings a database to `REVISION`. Raises `StoreError` if a newer taxiway made it."""
    at = revision_of(path)
    if at == REVISION:
        return
    if at is not None and at > REVISION:
        raise StoreError(
            f"{path} was written by a newer taxiway (revision {at}; this one knows {REVISION}).",
            todo="Upgrade taxiway; an older one must not write here.",
        )
    from taxiway.adapters.migrations.upgrade import upgrade

    with _errors(path):
        upgrade(path)


def read_head(path: Path) -> tuple[int, str] | None:
    """Number and hash of the event that a head file names; None if there is no such file.

    Raises `IntegrityError` if it is not as `SqlRecord` writes it.
    """
    import json

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        match json.loads(content):
            case {"protocol": 1, "seq": int(seq), "hash": str(hashed)}:
                return seq, hashed
    except (ValueError, RecursionError):
        pass
    problem = Problem(
        "it does not name an event",
        found=content[:200].decode(errors="replace"),
        expected='{"hash":"sha256:…","protocol":1,"seq":N}',
    )
    raise IntegrityError(
        f"The head of the ledger in {path} can't be read.",
        [problem],
        todo="Compare it with the copy that is kept elsewhere. The next change of the record writes"
        " it anew.",
    )


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turns what SQLite says into errors that say what to do."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise _broken_rule(error) from error
    except sqlite3.DatabaseError as error:
        raise _store_error(path, error) from error


def _broken_rule(error: sqlite3.IntegrityError) -> TaxiwayError:
    text = str(error)
    if text.startswith("UNIQUE constraint failed"):
        if "deployment.model" in text:
            return ConflictError(
                "Somebody else changed who runs in this environment first; nothing was written."
            )
        table = re.sub(r".*: (\w+)\..*", r"\1", text)
        return ConflictError(f"The record already holds this {table.replace('_', '-')} ({text}).")
    return RefusedError(f"The record refuses it: {text}.")


def _store_error(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    text = str(error)
    hints = (
        ("locked", "Somebody else is writing for a long time; try again."),
        ("readonly", "The file or its folder can't be written; check permissions and the disk."),
        ("full", "Free some space and run it again; nothing half-written was kept."),
        ("disk I/O", "The disk may be full or failing; nothing half-written was kept."),
        ("unable to open", "Check that the folder exists and can be read and written."),
        ("not a database", "Restore the file from its backup."),
        ("malformed", "Restore the file from its backup."),
    )
    todo = next((hint for word, hint in hints if word in text), None)
    return StoreError(f"The record in {path} can't be used: {text}.", todo=todo)


class SqlRecord:
    """The record in one SQLite file. One connection for each thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    @property
    def head_file(self) -> Path:
        """Number and hash of the newest event, kept beside the database."""
        return self._path.with_name(HEAD_FILE)

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        here = self._identity()
        if found is not None and self._local.identity != here:
            # The file was put back from a backup, or moved: what is open is no longer the record.
            with self._lock:
                self._opened.remove(found)
            found.close()
            found = self._local.connection = None
        if found is None:
            # Transactions are ours to begin; each thread has its own connection, closed by `close`.
            found = sqlite3.connect(
                self._path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                found.execute("PRAGMA synchronous=FULL")
                found.execute("PRAGMA foreign_keys=ON")
            except sqlite3.Error:
                found.close()
                raise
            self._local.connection, self._local.identity = found, here
            with self._lock:
                self._opened.append(found)
        return found

    def _identity(self) -> tuple[int, int]:
        """Which file lies at the path; it is never made here, as SQLite would do."""
        try:
            there = self._path.stat()
        except OSError as error:
            raise sqlite3.OperationalError("unable to open database file") from error
        return there.st_dev, there.st_ino

    def get(self, kind: type[Fact], id: str) -> Fact:
        found = self.find(kind, id=id)
        if found:
            return found[0]
        with _errors(self._path):
            known = self._connection().execute(
                f"SELECT id FROM {TABLES[kind]} ORDER BY rowid DESC LIMIT 1000"  # noqa: S608 - from our table of names
            )
            names = [row[0] for row in known]
        raise MissingError.named(TABLES[kind].replace("_", "-"), id, names)

    def find(self, kind: type[Fact], /, **equal: Any) -> list[Fact]:
        clauses, values = [], []
        for name, value in equal.items():
            # `IS` finds None, too. The quotes are needed: a sign-off has a column `check`.
            clauses.append(f'"{name}" IS ?')
            values.append(encoded_field(kind, name, value))
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        columns = ", ".join(f'"{c}"' for c in codecs(kind))
        statement = f"SELECT {columns} FROM {TABLES[kind]}{where} ORDER BY rowid"  # noqa: S608 - names of ours, values bound
        with _errors(self._path):
            rows = self._connection().execute(statement, values).fetchall()
        return [decoded(kind, row) for row in rows]

    def events(self, *, until: datetime | None = None) -> Iterator[Event]:
        statement = f"SELECT {EVENT_COLUMNS} FROM ledger"  # noqa: S608 - a constant
        values = []
        if until is not None:
            statement += " WHERE at <= ?"
            values.append(utc_text(until))
        with _errors(self._path):
            cursor = self._connection().execute(statement + " ORDER BY seq", values)
            for row in cursor:
                yield _event(row)

    @contextmanager
    def transaction(self, sign: Sign | None) -> Iterator[Change]:
        with _errors(self._path):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            change = _SqlChange(self._path, connection, sign)
            try:
                yield change
                change.require_event()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        if change.event is not None:
            self._write_head(change.event)

    def _write_head(self, event: Event) -> None:
        content = canonical_json({"protocol": 1, "seq": event.seq, "hash": event.hash})
        # The chain itself is committed, so nothing here may fail the change: a head that is behind
        # the chain is legal (see verify_ledger).
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".head-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.head_file)
            finally:
                Path(name).unlink(missing_ok=True)

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()


class _SqlChange:
    """The writes of one transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection, sign: Sign | None) -> None:
        self._path = path
        self._connection = connection
        self._sign = sign
        self._untold: dict[str, str] = {}
        """Digests of what was written since the last event."""
        self.event: Event | None = None

    def require_event(self) -> None:
        """Raises `RefusedError` if something was written and no event told of it."""
        if self._untold:
            raise RefusedError("A change without an event in the ledger is not written.")

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs a statement; what the database refuses is refused where it was asked for."""
        with _errors(self._path):
            return self._connection.execute(statement, values)

    def add(self, fact: object) -> None:
        row = encoded(fact)
        columns = ", ".join(f'"{c}"' for c in row)
        marks = ", ".join("?" * len(row))
        statement = f"INSERT INTO {TABLES[type(fact)]} ({columns}) VALUES ({marks})"  # noqa: S608 - names of ours
        self._execute(statement, list(row.values()))
        self._untold[fact_name(type(fact), row["id"])] = digest_of(fact)

    def replace(self, before: Fact, after: Fact) -> None:
        kind = type(before)
        if kind in IMMUTABLE:
            raise RefusedError(f"A {TABLES[kind]} never changes.")
        old, new = encoded(before), encoded(after)
        setting = ", ".join(f'"{c}" = ?' for c in new)
        # `IS` compares NULLs as equal, which `=` does not.
        same = " AND ".join(f'"{c}" IS ?' for c in old)
        statement = f"UPDATE {TABLES[kind]} SET {setting} WHERE {same}"  # noqa: S608 - names of ours
        done = self._execute(statement, [*new.values(), *old.values()])
        if done.rowcount != 1:
            raise ConflictError(
                f"Somebody else changed {TABLES[kind]} {old['id']!r} first; nothing was written.",
                todo="Look at it again, and decide anew.",
            )
        self._untold[fact_name(kind, new["id"])] = digest_of(after)

    def log(self, draft: Draft) -> Event:
        newest = "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1"
        last = self._execute(newest).fetchone()
        seq, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        event = chained(seq, draft, previous, self._untold, self._sign)
        self._untold = {}
        self._execute(
            f"INSERT INTO ledger ({EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            (
                seq,
                utc_text(draft.at),
                draft.actor,
                draft.action,
                draft.subject,
                draft.model,
                draft.digest,
                canonical_json(draft.details).decode(),
                previous,
                event.hash,
                event.signature,
                canonical_json(event.facts).decode(),
            ),
        )
        self.event = event
        return event


def _event(row: tuple[Any, ...]) -> Event:
    import json

    seq, at, actor, action, subject, model, digest, details, previous, hashed, signature, facts = (
        row
    )
    return Event(
        seq=seq,
        at=utc_time(at),
        actor=actor,
        action=action,
        subject=subject,
        model=model,
        digest=digest,
        details=json.loads(details),
        previous=previous,
        hash=hashed,
        signature=signature,
        facts=json.loads(facts),
    )
