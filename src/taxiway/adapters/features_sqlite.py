"""The online features in a SQLite file: the embedded store.

    live: view -> the generation that readers see      made: every generation that was begun
    rows: (generation, key) -> row

A look-up is one statement, so that it sees one state of the file; a switch is one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from taxiway.adapters.sqlite import BUSY_SECONDS, write_ahead
from taxiway.core.errors import ConflictError, InputError, StoreError

PROTOCOL = 1
"""Raise it when a table changes its meaning, and move what an older file holds on opening."""
BATCH = 20_000
MATERIALISE = "Fill it with: taxiway data features materialise"
TABLES = f"""
CREATE TABLE IF NOT EXISTS made (generation INTEGER PRIMARY KEY AUTOINCREMENT, view TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS live (
  view TEXT PRIMARY KEY, generation INTEGER NOT NULL, about TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (
  generation INTEGER, key TEXT, row TEXT NOT NULL, PRIMARY KEY (generation, key)) WITHOUT ROWID;
PRAGMA user_version = {PROTOCOL};
"""
BEGUN = "INSERT INTO made (view) VALUES (?) RETURNING generation"
ROW = (
    "(SELECT row FROM rows WHERE generation = (SELECT generation FROM live WHERE view = ?)"
    " AND key = ?)"
)


class SqliteFeatures:
    """The online features of one file. It may be used by the threads of a process in turns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.absolute().parent.is_dir():
            raise InputError(f"There is no folder {path.absolute().parent} for {path.name}.")
        try:
            self._file = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            found = self._file.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                write_ahead(self._file)
                with self._transaction():
                    for statement in TABLES.strip().split(";\n"):
                        self._file.execute(statement)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        if found not in {0, PROTOCOL}:
            self._file.close()
            raise StoreError(
                f"{path} is not an online store that this taxiway reads: it says {found}, and"
                f" {PROTOCOL} was expected.",
                todo="Update taxiway, or materialise into another file.",
            )

    def write(self, view: str, rows: Iterable[tuple[str, str]]) -> int:
        left = iter(rows)
        try:
            made = int(self._file.execute(BEGUN, (view,)).fetchone()[0])
            while some := [(made, key, row) for key, row in islice(left, BATCH)]:
                with self._transaction():
                    self._file.executemany("INSERT INTO rows VALUES (?, ?, ?)", some)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return made

    def switch(self, made: Mapping[str, tuple[int, Mapping[str, Any]]]) -> None:
        try:
            with self._transaction():
                beaten = self._beaten(made)
                self._file.executemany(
                    "INSERT OR REPLACE INTO live VALUES (?, ?, ?)",
                    [
                        (view, number, json.dumps(about))
                        for view, (number, about) in made.items()
                        if not beaten
                    ],
                )
            self._remove([n for n, _ in made.values()] if beaten else self._replaced(made))
        except sqlite3.Error as error:
            raise self._failed(error) from error
        if beaten:
            raise ConflictError(
                f"{beaten} was materialised by somebody else in the meantime; nothing was switched."
            )

    def _beaten(self, made: Mapping[str, tuple[int, Mapping[str, Any]]]) -> str | None:
        """A view of which a newer generation was switched to, and removed this one."""
        for view, (number, _) in made.items():
            there = self._file.execute("SELECT 1 FROM made WHERE generation = ?", (number,))
            if there.fetchone() is None:
                return view
        return None

    def _replaced(self, made: Mapping[str, tuple[int, Mapping[str, Any]]]) -> list[int]:
        """Older generations, those too that somebody began and never finished."""
        older = "SELECT generation FROM made WHERE view = ? AND generation < ?"
        return [
            generation
            for view, (number, _) in made.items()
            for (generation,) in self._file.execute(older, (view, number)).fetchall()
        ]

    def _remove(self, generations: Iterable[int]) -> None:
        for generation in generations:
            with self._transaction():
                self._file.execute("DELETE FROM made WHERE generation = ?", (generation,))
                self._file.execute("DELETE FROM rows WHERE generation = ?", (generation,))

    def about(self, view: str) -> dict[str, Any] | None:
        try:
            found = self._file.execute("SELECT about FROM live WHERE view = ?", (view,)).fetchone()
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return json.loads(found[0]) if found else None

    def lookup(self, views: Sequence[str]) -> Callable[[Sequence[str]], Sequence[str | None]]:
        ask, names = self._file.execute, tuple(views)
        distinct = tuple(dict.fromkeys(names))
        held = f"(SELECT count(*) FROM live WHERE view IN ({', '.join('?' * len(distinct))}))"  # noqa: S608 - marks alone
        statement = f"SELECT {', '.join([ROW] * len(names))}, {held}"

        def fetch(keys: Sequence[str]) -> Sequence[str | None]:
            asked = [word for pair in zip(names, keys, strict=True) for word in pair]
            try:
                row = ask(statement, (*asked, *distinct)).fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from error
            found: Sequence[str | None] = row[:-1]
            if row[-1] < len(distinct):
                lost = ", ".join(view for view in distinct if self.about(view) is None)
                raise StoreError(
                    f"The online store {self._path} does not hold {lost}.", todo=MATERIALISE
                )
            return found

        return fetch

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def _failed(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            f"The online store {self._path} can't be used: {error}.",
            todo="Check its disk and its permissions; what readers saw before is whole.",
        )
