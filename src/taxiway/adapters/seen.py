"""What files held when they were read, in an SQLite file. It may be removed at any time.

Nothing rests on it: whatever is wrong with the file, it is as if nothing had been noted.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from taxiway.core.look import Look

TABLE = """
create table if not exists file (
    use text, path text, bytes int, modified_ns int, changed_ns int, inode int, device int,
    note text, primary key (use, path)
) without rowid
"""
AFTER = chr(ord(os.sep) + 1)
"""What sorts right behind everything that lies below a folder."""


class SeenFiles:
    """Notes about files, by their absolute path."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def known(self, use: str, below: Path) -> dict[str, tuple[Look, str]]:
        root = str(below)
        rows: list[tuple[str, int, int, int, int, int, str]] = []
        with suppress(sqlite3.Error, UnicodeError), self._open() as connection:
            rows = connection.execute(
                "select path, bytes, modified_ns, changed_ns, inode, device, note from file"
                " where use = ? and (path = ? or (path > ? and path < ?))",
                (use, root, root + os.sep, root + AFTER),
            ).fetchall()
        return {path: (Look(*look), note) for path, *look, note in rows}

    def note(self, use: str, notes: Mapping[str, tuple[Look, str]]) -> None:
        rows = [
            (use, path, at.bytes, at.modified_ns, at.changed_ns, at.inode, at.device, note)
            for path, (at, note) in notes.items()
        ]
        with suppress(sqlite3.Error, OverflowError, UnicodeError), self._open() as connection:
            connection.executemany(
                "insert or replace into file values (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            connection.commit()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connected()) as connection:
                yield connection
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError):  # it is no database any more
                self._file.unlink(missing_ok=True)
            raise

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=5)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = off")
        connection.execute(TABLE)
        return connection
