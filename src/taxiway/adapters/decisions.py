"""The decision log in SQLite: what `append` has returned from is on disk."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from taxiway.adapters.json_text import data, text
from taxiway.adapters.sqlite import BUSY_SECONDS, write_ahead
from taxiway.core.decision import Decision, Outcome, key_holds, key_part
from taxiway.core.digest import utc_text, utc_time
from taxiway.core.errors import (
    ConflictError,
    IntegrityError,
    MissingError,
    Problem,
    StoreError,
    shortened,
)

PROTOCOL = 1
"""In `PRAGMA user_version`. To change the tables: raise it, and upgrade the old one on opening."""

SCHEMA = """
CREATE TABLE decision (
    id TEXT PRIMARY KEY, model TEXT NOT NULL, release TEXT NOT NULL, release_digest TEXT NOT NULL,
    environment TEXT NOT NULL, channel TEXT NOT NULL, key TEXT NOT NULL,
    happened_at TEXT NOT NULL, at TEXT NOT NULL, inputs TEXT NOT NULL, output TEXT NOT NULL,
    latency_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX decision_by_time ON decision (model, environment, happened_at);
CREATE TABLE outcome (
    model TEXT NOT NULL, key TEXT NOT NULL, label REAL NOT NULL, boolean INTEGER NOT NULL,
    at TEXT NOT NULL, PRIMARY KEY (model, key)
) WITHOUT ROWID;
"""
FIELDS = tuple(field.name for field in dataclasses.fields(Decision))
COLUMNS = ", ".join(FIELDS)
SPAN = ("environment", "release", "start", "end")
REMOVED_ROWS = 5_000
"""Rows that are removed in one transaction: whoever decides meanwhile does not wait long."""


class SqliteDecisions:
    """One file, many threads and processes; each append is one synced transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._errors():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                write_ahead(self._connection)
                self._connection.execute("PRAGMA synchronous=FULL")
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        with self._transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={PROTOCOL}")
        if version > PROTOCOL:
            raise StoreError(
                f"{self._path} was written by a newer taxiway (protocol {version}; this one knows"
                f" {PROTOCOL}).",
                todo="Upgrade taxiway; an older one must not write here.",
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise ConflictError(
                f"A decision with this id is already in the log: {error}."
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"The decision log {self._path} can't be used: {error}.",
                todo="Check the disk's space and the file's permissions; nothing was half-written.",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def append(self, decisions: Sequence[Decision]) -> None:
        # Few: what is decided together is answered at once, and rows of a file share their times.
        moments = {moment for d in decisions for moment in (d.at, d.happened_at)}
        texts = {moment: utc_text(moment) for moment in moments}
        rows = [
            (
                d.id,
                d.model,
                d.release,
                d.release_digest,
                d.environment,
                d.channel,
                d.key,
                texts[d.happened_at],
                texts[d.at],
                text(d.inputs),
                text(d.output),
                d.latency_us,
            )
            for d in decisions
        ]
        with self._transaction() as connection:
            connection.executemany(
                f"INSERT INTO decision ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
                rows,
            )

    def get(self, id: str) -> Decision:
        with self._lock, self._errors():
            row = self._connection.execute(
                f"SELECT {COLUMNS} FROM decision WHERE id = ?",  # noqa: S608 - a constant
                (id,),
            ).fetchone()
        if row is None:
            raise MissingError(
                f"No decision {id!r} is in the log.",
                todo="Its id is in the answer that was given, and in what `taxiway score` wrote.",
            )
        return _decision(row)

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
        newest_first: bool = False,
    ) -> Iterator[Decision]:
        where, values = _where(model, environment, release, start, end)
        for name, value in (key or {}).items():  # what has to stand there; the rest is below
            where += " AND instr(key, ?) > 0"
            values.append(key_part(name, value))
        if positive is not None:
            where += f" AND json_extract(output, '$.prediction') = {int(positive)}"
        order = "happened_at DESC, id DESC" if newest_first else "happened_at, id"
        for row in self._read(
            f"SELECT {COLUMNS} FROM decision WHERE {where} ORDER BY {order}",  # noqa: S608 - constants, values bound
            values,
        ):
            decision = _decision(row)
            if not key or key_holds(decision.key, key):
                yield decision

    def between(self, first: str, last: str) -> list[Decision]:
        with self._lock, self._errors():
            rows = self._connection.execute(
                f"SELECT {COLUMNS} FROM decision WHERE id BETWEEN ? AND ? ORDER BY id",  # noqa: S608 - a constant
                (first, last),
            ).fetchall()
        return [_decision(row) for row in rows]

    def made_before(self, model: str, moment: datetime) -> Iterator[tuple[str, datetime]]:
        for identity, at in self._read(
            "SELECT id, at FROM decision WHERE model = ? AND at < ? ORDER BY id",
            [model, utc_text(moment)],
        ):
            yield identity, utc_time(at)

    def _read(self, query: str, values: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Rows by a reader of its own: a long scan neither waits for writers nor holds them up."""
        with self._errors():
            reader = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
            try:
                yield from reader.execute(query, values)
            finally:
                reader.close()

    def count(self, model: str, **where: Any) -> int:
        where.pop("newest_first", None)
        if where.get("key") or where.get("positive") is not None:
            return sum(1 for _ in self.scan(model, **where))
        given = dict.fromkeys(SPAN) | where
        clause, values = _where(model, *(given[name] for name in SPAN))
        with self._lock, self._errors():
            row = self._connection.execute(
                f"SELECT count(*) FROM decision WHERE {clause}",  # noqa: S608 - constants, values bound
                values,
            ).fetchone()
        return int(row[0])

    def remove(
        self, model: str, ids: Iterable[str], *, key: Mapping[str, Any] | None = None
    ) -> tuple[int, int]:
        named = [(model, identity) for identity in ids]
        removed = 0
        with self._lock, self._errors():
            # What is deleted is overwritten, in the file and in what lies beside it.
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.execute("PRAGMA temp_store=MEMORY")
        # Outcomes first: should it end here, the decisions still say which outcomes are theirs.
        with self._transaction() as connection:
            outcomes = _remove_outcomes(connection, model, named, key)
        for start in range(0, len(named), REMOVED_ROWS):
            with self._transaction() as connection:
                removed += connection.executemany(
                    "DELETE FROM decision WHERE model = ? AND id = ?",
                    named[start : start + REMOVED_ROWS],
                ).rowcount
        with self._lock, self._errors():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed, outcomes

    def add_outcomes(self, outcomes: Iterable[Outcome]) -> tuple[int, int]:
        added = known = 0
        conflicts = []
        with self._transaction() as connection:
            for outcome in outcomes:
                label = float(outcome.label)
                done = connection.execute(
                    "INSERT INTO outcome VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (
                        outcome.model,
                        outcome.key,
                        label,
                        isinstance(outcome.label, bool),
                        utc_text(outcome.at),
                    ),
                )
                if done.rowcount:
                    added += 1
                    continue
                before = connection.execute(
                    "SELECT label FROM outcome WHERE model = ? AND key = ?",
                    (outcome.model, outcome.key),
                ).fetchone()[0]
                if before == label:
                    known += 1
                else:
                    conflicts.append(outcome.key)
            if conflicts:
                raise conflicting(conflicts)
        return added, known

    def outcomes(self, model: str) -> dict[str, bool | float]:
        with self._lock, self._errors():
            rows = self._connection.execute(
                "SELECT key, label, boolean FROM outcome WHERE model = ?", (model,)
            ).fetchall()
        return {key: bool(label) if boolean else label for key, label, boolean in rows}

    def close(self) -> None:
        self._connection.close()


def _remove_outcomes(
    connection: sqlite3.Connection,
    model: str,
    named: Sequence[tuple[str, str]],
    key: Mapping[str, Any] | None,
) -> int:
    """The outcomes that go with decisions, and those whose key holds some values."""
    connection.execute("DROP TABLE IF EXISTS temp.leaving")
    connection.execute("CREATE TEMP TABLE leaving (model TEXT, id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT OR IGNORE INTO leaving VALUES (?, ?)", named)
    removed = connection.execute(
        "DELETE FROM outcome WHERE model = ?1"
        " AND key IN (SELECT key FROM decision JOIN leaving USING (model, id))"
        " AND key NOT IN (SELECT key FROM decision"
        "  WHERE model = ?1 AND id NOT IN (SELECT id FROM leaving))",
        (model,),
    ).rowcount
    connection.execute("DROP TABLE temp.leaving")
    if key:
        known = connection.execute("SELECT key FROM outcome WHERE model = ?", (model,)).fetchall()
        removed += connection.executemany(
            "DELETE FROM outcome WHERE model = ? AND key = ?",
            [(model, one) for (one,) in known if key_holds(one, key)],
        ).rowcount
    return removed


def _where(
    model: str,
    environment: str | None,
    release: str | None,
    start: datetime | None,
    end: datetime | None,
) -> tuple[str, list[str]]:
    clauses, values = ["model = ?"], [model]
    for clause, value in (
        ("environment = ?", environment),
        ("release = ?", release),
        ("happened_at >= ?", utc_text(start) if start else None),
        ("happened_at < ?", utc_text(end) if end else None),
    ):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    return " AND ".join(clauses), values


def _decision(row: tuple[Any, ...]) -> Decision:
    named = dict(zip(FIELDS, row, strict=True))
    try:
        for name in ("happened_at", "at"):
            named[name] = utc_time(named[name])
        for name in ("inputs", "output"):
            named[name] = data(named[name])
    except (TypeError, ValueError) as error:
        raise IntegrityError(
            f"Decision {named['id']!r} was changed by something else: {shortened(error)}.",
            todo="Restore the decision log from its backup.",
        ) from error
    return Decision(**named)


def conflicting(keys: Sequence[str]) -> ConflictError:
    """The error for outcomes that contradict those that are known."""
    many = "outcome contradicts" if len(keys) == 1 else "outcomes contradict"
    return ConflictError(
        f"{len(keys)} {many} what is known; nothing was added.",
        [Problem("another label is known", where=key) for key in keys],
        todo="Correct the file; a known outcome is not overwritten.",
    )
