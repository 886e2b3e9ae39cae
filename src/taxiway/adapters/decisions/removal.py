"""Removal: decisions leave the log so that they can't be read from its files again."""

from __future__ import annotations

import bisect
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.adapters.decisions import outcomes, segment
from taxiway.adapters.decisions.catalogue import Catalogue, ClosedFile, store_errors
from taxiway.adapters.sqlite import BUSY_SECONDS
from taxiway.core.errors import StoreError

if TYPE_CHECKING:
    from taxiway.adapters.decisions.log import Sources

REMOVED_ROWS = 5_000
"""Rows that are removed in one transaction: whoever decides meanwhile does not wait long."""


def remove(
    catalogue: Catalogue,
    folder: Path,
    sources: Sources,
    model: str,
    ids: Sequence[str],
    key: Mapping[str, Any] | None,
) -> tuple[int, int]:
    """Removes decisions of a model with their outcomes. The caller holds the lock on closing."""
    wanted = sorted(set(ids))
    files = [file for file in sources.files if file.model == model]
    with store_errors(catalogue.path):
        orphans = _orphans(sources.open, folder, files, model, set(wanted))
        # Outcomes first: should it end here, the decisions still say which outcomes are theirs.
        with catalogue.changing() as connection:
            connection.execute("PRAGMA secure_delete=ON")
            gone = outcomes.remove(connection, model, orphans, key)
        with catalogue.reading() as connection:
            _truncate(connection)
        removed = 0
        for open_ in sources.open:
            removed += segment.remove(open_, model, wanted, REMOVED_ROWS)
            _truncate(open_)
    for file in files:
        removed += _from_file(catalogue, folder, file, wanted)
    return removed, gone


def _orphans(
    opened: Sequence[sqlite3.Connection],
    folder: Path,
    files: Sequence[ClosedFile],
    model: str,
    ids: set[str],
) -> set[str]:
    """Keys of the decisions that go, and that no decision has which stays."""
    if not ids:
        return set()
    leaving = {key for one, key in _keys(opened, folder, files, model) if one in ids}
    staying = {
        key for one, key in _keys(opened, folder, files, model) if key in leaving and one not in ids
    }
    return leaving - staying


def _keys(
    opened: Sequence[sqlite3.Connection], folder: Path, files: Sequence[ClosedFile], model: str
) -> Iterator[tuple[str, str]]:
    for one in opened:
        yield from segment.keys(one, model)
    if files:
        from taxiway.adapters.decisions import parquet

        for file in files:
            yield from parquet.keys(folder, file)


def _truncate(connection: sqlite3.Connection) -> None:
    """Empties the write-ahead log, in which rows lie as they were. Raises `StoreError` if somebody
    reads on and on."""
    deadline = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            raise StoreError(
                "The decisions are removed, but a program that reads the log keeps a copy alive.",
                todo="End it (an export, a replay), and ask for the removal again.",
            )
        time.sleep(0.05)


def _from_file(catalogue: Catalogue, folder: Path, file: ClosedFile, ids: Sequence[str]) -> int:
    """Rewrites a file without some decisions."""
    from taxiway.adapters.decisions import parquet

    first = bisect.bisect_left(ids, file.first_id)
    last = bisect.bisect_right(ids, file.last_id)
    if first == last:
        return 0
    left, gone = parquet.without(folder, file, ids[first:last])
    if left is not file:
        catalogue.replace([left] if left else [], remove=[file])
        (folder / file.path).unlink()
    return gone
