"""From protocol 1, in which decisions and outcomes stood in one file."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from taxiway.adapters.decisions import segment
from taxiway.adapters.decisions.catalogue import PROTOCOL, transaction
from taxiway.adapters.json_text import data
from taxiway.adapters.sqlite import write_ahead
from taxiway.core.decision import Decision
from taxiway.core.digest import utc_time

if TYPE_CHECKING:
    from taxiway.adapters.decisions.writer import Place

NAME = "protocol-1"
"""The segment that the old file's decisions go to."""
AT_ONCE = 10_000
PLAIN = ("id", "model", "release", "release_digest", "environment", "channel", "key")


def upgrade(old: sqlite3.Connection, place: Place) -> None:
    """Moves decisions into a segment; of later ones nothing has to be moved. Inside the transaction
    that raises the file's protocol: cut off before its end, it is done again from the beginning.
    """
    if old.execute("PRAGMA user_version").fetchone() != (1,):
        return
    place.folder.mkdir(parents=True, exist_ok=True)
    path = place.path(NAME)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    rows = old.execute(
        f"SELECT {', '.join(PLAIN)}, happened_at, at, inputs, output, latency_us FROM decision"  # noqa: S608 - constants
        " ORDER BY at, id"
    )
    new = sqlite3.connect(path, isolation_level=None)
    try:
        write_ahead(new)
        with transaction(new):
            segment.prepare(new, PROTOCOL, created_at=place.now(), earlier=())
            while taken := rows.fetchmany(AT_ONCE):
                found = [_decision(*row) for row in taken]
                segment.add_sources(new, {segment.source_of(one) for one in found})
                new.executemany(segment.INSERT, segment.packed(found, segment.sources(new)))
    finally:
        new.close()
    old.execute("DROP TABLE decision")


def _decision(*row: Any) -> Decision:
    *plain, happened_at, at, inputs, output, latency_us = row
    return Decision(
        **dict(zip(PLAIN, plain, strict=True)),
        happened_at=utc_time(happened_at),
        at=utc_time(at),
        inputs=data(inputs),
        output=data(output),
        latency_us=latency_us,
    )
