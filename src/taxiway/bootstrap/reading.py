"""Wires what a batch reads: a file, a version of a Delta table, or the rows of a SQL query."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.core.digest import PREFIX, digest_of, short
from taxiway.core.errors import ConflictError, InputError

if TYPE_CHECKING:
    import polars as pl

    from taxiway.core.contract import Contract
    from taxiway.data.begun import Begun
    from taxiway.data.source import Source

Asked = Path | tuple[str, str]
"""A file or folder; or the URL of a database and a query."""


def _always() -> None:
    """What can't change needs no look."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows that stay the same, in the same order, until the batch is done."""

    source: Source
    asked: str
    """What was asked for; no secret in it."""
    pin: str
    """What of it is read."""
    digest: str
    """Of the rows: what a job is known by."""
    require_unchanged: Callable[[], None] = _always


@contextmanager
def reading(
    asked: Asked,
    out: Path,
    contract: Contract,
    before: Begun | None,
    *,
    told: Callable[[int], None],
) -> Iterator[Reading]:
    """What is asked for, opened; what a batch for the same OUT had begun to read is read again.

    `told` hears of rows that a database gave.
    """
    if isinstance(asked, Path):
        yield _table(asked, before) if is_table(asked) else _file(asked)
    else:
        with _rows(*asked, out, contract, before, told) as found:
            yield found


def is_table(path: Path) -> bool:
    """Whether a path is the folder of a Delta table."""
    return (path / "_delta_log").is_dir()


def newest(path: Path) -> Source:
    """A file, or a Delta table as it is now."""
    from taxiway.data.source import open_source

    return _table(path, None).source if is_table(path) else open_source(path)


def _file(path: Path) -> Reading:
    from taxiway.data.source import fingerprint, open_source, require_unchanged

    opened, known = open_source(path), fingerprint(path)
    look = partial(require_unchanged, path, known)
    return Reading(opened, str(path.absolute()), known.digest, known.digest, look)


def _table(folder: Path, before: Begun | None) -> Reading:
    """The newest version of a Delta table, or the one that was begun."""
    from taxiway.adapters.delta import pinned
    from taxiway.data.source import Source

    asked = str(folder.absolute())
    version = int(before.pin) if before and before.asked == asked else None
    table = pinned(folder, version)
    scan = table.rows()
    if not scan.head(1).collect().height:
        raise InputError(f"{folder} has columns and no rows in version {table.version()}.")
    source = Source(folder, "delta", scan.collect_schema(), scan=lambda: scan)
    return Reading(source, asked, str(table.version()), table.digest)


@contextmanager
def _rows(
    database: str,
    query: str,
    out: Path,
    contract: Contract,
    before: Begun | None,
    told: Callable[[int], None],
) -> Iterator[Reading]:
    """The rows of a query, kept beside OUT from the first fetch until OUT is there."""
    from taxiway.adapters import sql_source
    from taxiway.data.begun import note_of
    from taxiway.data.source import Source, fingerprint, open_source

    url = sql_source.url_of(database)
    called = sql_source.shown(url)
    asked = f"{called} {digest_of(query)}"
    kept = kept_of(out, asked)
    if before is None or before.asked != asked:
        fetched = sql_source.batches(url, query, contract)
        digest = _keep(fetched, kept, called, told)
        pin = f"{fingerprint(kept).digest} {digest}"
    else:
        pin = before.pin
    whole, _, digest = pin.partition(" ")
    if not kept.exists() or fingerprint(kept).digest != whole:
        raise ConflictError(
            f"The rows that {called} had given are no longer in {kept.name} as they were read.",
            todo=f"To begin anew with the rows of now, remove {note_of(out).name} beside OUT.",
        )
    try:
        schema = open_source(kept).schema
        yield Reading(Source(kept, "sql", schema, called=called), asked, pin, digest)
    finally:
        if not note_of(out).exists():  # nothing was begun, or all of it is done
            kept.unlink(missing_ok=True)


def kept_of(out: Path, asked: str) -> Path:
    """Where the rows of a query are kept."""
    return out.absolute().with_name(f".{out.name}.{short(digest_of(asked))}.parquet")


def _keep(
    fetched: Iterator[pl.DataFrame], kept: Path, called: str, told: Callable[[int], None]
) -> str:
    """Writes rows as they come, and answers the digest of their text."""
    from taxiway.data.table import writing

    digest, rows = hashlib.sha256(), 0
    with writing(kept, "rows") as add:
        for frame in fetched:
            if not rows:
                digest.update(",".join(frame.columns).encode())
            # Text is quoted and null is not: the same bytes are the same rows, in any version.
            text = frame.write_csv(include_header=False, quote_style="non_numeric")
            digest.update(text.encode())
            add(frame)
            rows += frame.height
            told(frame.height)
        if not rows:
            raise InputError(f"The query gave no rows from {called}.")
    return PREFIX + digest.hexdigest()
