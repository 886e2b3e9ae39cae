"""What every SQLite file of taxiway has in common: how long it waits, and its write-ahead log."""

from __future__ import annotations

import sqlite3
import time

BUSY_SECONDS = 10.0
"""How long one writer waits for another."""


def write_ahead(connection: sqlite3.Connection) -> None:
    """Switches a file to the write-ahead log, which it then keeps: readers and a writer at once.

    SQLite does not wait for a lock here as it does everywhere else, and several processes may open
    a new workspace at the same moment.
    Source: https://www.sqlite.org/c3ref/busy_handler.html
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
