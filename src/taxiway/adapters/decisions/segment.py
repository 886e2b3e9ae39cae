"""A segment: one SQLite file that one writer appends to, and everybody reads.

What decisions have in common (model, release, environment, channel) stands once, as a source. Times
are microseconds. Nothing is indexed but the id: a segment is small, and is closed into Parquet.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import quote

from taxiway.adapters.decisions.query import CASE, Found, Query, micros, moment
from taxiway.adapters.json_text import data, text
from taxiway.adapters.sqlite import BUSY_SECONDS
from taxiway.core.decided import Decided
from taxiway.core.decision import Decision
from taxiway.core.errors import IntegrityError, shortened

SCHEMA = """
CREATE TABLE source (
    number INTEGER PRIMARY KEY, model TEXT NOT NULL, release TEXT NOT NULL,
    release_digest TEXT NOT NULL, environment TEXT NOT NULL, channel TEXT NOT NULL,
    withheld TEXT NOT NULL,
    UNIQUE (model, release, release_digest, environment, channel, withheld)
);
CREATE TABLE decision (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source INTEGER NOT NULL, key TEXT NOT NULL,
    happened_at INTEGER NOT NULL, at INTEGER NOT NULL, inputs TEXT NOT NULL, output TEXT NOT NULL,
    latency_us INTEGER NOT NULL
);
CREATE TABLE segment (created_at INTEGER NOT NULL);
CREATE TABLE earlier (at INTEGER PRIMARY KEY);
"""
"""`earlier` holds the latest moments of answers that the log knew when the segment was made, one of
a day: several, as the latest may turn out to lie in the future."""

KEPT_DAYS = 10
DAY = 86_400_000_000
"""Microseconds."""

COLUMNS = "number, id, source, key, happened_at, at, inputs, output, latency_us"
Source = tuple[str, str, str, str, str, tuple[str, ...]]
"""Model, release, its digest, environment, channel, and the columns that are withheld."""
Row = tuple[int, str, int, str, int, int, str, str, int]


def connect(path: Path) -> sqlite3.Connection:
    """An existing segment. Raises `sqlite3.OperationalError` if it is not there."""
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def prepare(
    connection: sqlite3.Connection, protocol: int, *, created_at: datetime, earlier: Sequence[int]
) -> None:
    """Makes the tables of a new segment. Inside a transaction."""
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO segment VALUES (?)", (micros(created_at),))
    latest = sorted(set(earlier))[-KEPT_DAYS:]
    connection.executemany("INSERT INTO earlier VALUES (?)", [(at,) for at in latest])
    connection.execute(f"PRAGMA user_version={protocol}")


def sources_of(decisions: Sequence[Decision]) -> set[Source]:
    """What decisions have in common."""
    if isinstance(decisions, Decided):
        return {_source_of_all(decisions)}
    return set(map(source_of, decisions))


def _source_of_all(made: Decided) -> Source:
    return made.model, made.release, made.release_digest, made.environment, made.channel, ()


def source_of(decision: Decision) -> Source:
    """What a decision has in common with many."""
    return (
        decision.model,
        decision.release,
        decision.release_digest,
        decision.environment,
        decision.channel,
        decision.withheld,
    )


def sources(connection: sqlite3.Connection) -> dict[Source, int]:
    """Every source of the segment, with its number."""
    rows = connection.execute(
        "SELECT model, release, release_digest, environment, channel, withheld, number FROM source"
    ).fetchall()
    return {(*row[:5], tuple(json.loads(row[5]))): row[6] for row in rows}


def add_sources(connection: sqlite3.Connection, known: Collection[Source]) -> None:
    """Adds sources that the segment does not have. Inside a transaction."""
    connection.executemany(
        "INSERT OR IGNORE INTO source"
        " (model, release, release_digest, environment, channel, withheld)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        map(texts, known),
    )


def texts(source: Source) -> tuple[str, ...]:
    """A source as it is stored."""
    return (*source[:5], json.dumps(source[5]))


INSERT = (
    "INSERT INTO decision (id, source, key, happened_at, at, inputs, output, latency_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
"""A row as `packed` makes it."""


def packed(decisions: Sequence[Decision], known: Mapping[Source, int]) -> list[tuple[Any, ...]]:
    """Decisions as rows. Raises `ValueError` for what has no JSON or no time zone, `KeyError` for a
    source that is not known yet."""
    if isinstance(decisions, Decided):
        return _packed(decisions, known)
    times = {at: micros(at) for d in decisions for at in (d.at, d.happened_at)}
    return [
        (
            d.id,
            known[d.model, d.release, d.release_digest, d.environment, d.channel, d.withheld],
            d.key,
            times[d.happened_at],
            times[d.at],
            text(d.inputs),
            text(d.output),
            d.latency_us,
        )
        for d in decisions
    ]


def _packed(made: Decided, known: Mapping[Source, int]) -> list[tuple[Any, ...]]:
    times = {at: micros(at) for at in set(made.happened_at)}
    return list(
        zip(
            made.ids,
            repeat(known[_source_of_all(made)]),
            made.keys,
            [times[at] for at in made.happened_at],
            repeat(micros(made.at)),
            made.records.texts,
            made.texts,
            made.latencies_us,
            strict=False,  # what is repeated never ends
        )
    )


def unpacked(row: Row, names: Mapping[int, Source]) -> Decision:
    """A row as the decision that it was. Raises `IntegrityError` if it is none."""
    _, identity, source, key, happened_at, at, inputs, output, latency_us = row
    try:
        model, release, digest, environment, channel, withheld = names[source]
        return Decision(
            identity,
            model,
            release,
            digest,
            environment,
            channel,
            key,
            moment(happened_at),
            moment(at),
            data(inputs),
            data(output),
            latency_us,
            withheld,
        )
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise IntegrityError(
            f"Decision {identity!r} was changed by something else: {shortened(error)}.",
            todo="Restore the decision log from its backup.",
        ) from error


# Reading


def find(connection: sqlite3.Connection, query: Query) -> Found | None:
    """What the segment has of a query; None if nothing."""
    where, values, names = _where(connection, query)
    if not names:
        return None
    first, last = connection.execute(
        f"SELECT min(happened_at), max(happened_at) FROM decision WHERE {where}",  # noqa: S608 - constants, values bound
        values,
    ).fetchone()
    if first is None:
        return None
    order = "happened_at DESC, id DESC" if query.newest_first else "happened_at, id"
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM decision WHERE {where} ORDER BY {order}",  # noqa: S608 - constants, values bound
        values,
    )

    def read(_: int) -> Iterator[Decision]:
        for row in rows:
            if query.of_key(row[3]):
                yield unpacked(row, names)

    return Found((first, last), read)


def count(connection: sqlite3.Connection, query: Query) -> int:
    """How many decisions of a query the segment has."""
    where, values, names = _where(connection, query)
    if not names:
        return 0
    if query.key:
        keys = connection.execute(f"SELECT key FROM decision WHERE {where}", values)  # noqa: S608
        return sum(query.of_key(key) for (key,) in keys)
    found = connection.execute(f"SELECT count(*) FROM decision WHERE {where}", values)  # noqa: S608
    return int(found.fetchone()[0])


def of_ids(connection: sqlite3.Connection, first: str, last: str) -> list[Decision]:
    """Decisions with first <= id <= last, ordered by id."""
    names = {number: source for source, number in sources(connection).items()}
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM decision WHERE id BETWEEN ? AND ? ORDER BY id",  # noqa: S608
        (first, last),
    )
    return [unpacked(row, names) for row in rows]


def made_before(
    connection: sqlite3.Connection, model: str, at: int, now: int
) -> list[tuple[str, datetime]]:
    """Ids and moments of decisions of a model that are older, ordered by id.

    What was logged after a decision that is not older is not older either, whatever the clock said
    then. A moment that lies in the future says nothing.
    """
    numbers = _numbers(_sources_of(connection, model))
    if not numbers or mark(connection, now) >= at:
        return []
    rows = connection.execute(
        f"SELECT id, at FROM decision WHERE source IN ({numbers}) AND at < ?1"  # noqa: S608
        " AND number < ifnull((SELECT min(number) FROM decision WHERE at BETWEEN ?1 AND ?2),"
        " 9223372036854775807) ORDER BY id",
        (at, now),
    )
    return [(identity, moment(made)) for identity, made in rows]


def size(connection: sqlite3.Connection) -> tuple[int, int]:
    """When the segment was made, and how many rows it was given."""
    return connection.execute(  # type: ignore[no-any-return]
        "SELECT created_at, ifnull((SELECT max(number) FROM decision), 0) FROM segment"
    ).fetchone()


def mark(connection: sqlite3.Connection, now: int) -> int:
    """The latest moment that the log knew when the segment was made, and that is not to come."""
    (found,) = connection.execute("SELECT max(at) FROM earlier WHERE at <= ?", (now,)).fetchone()
    return found or 0


def newest(connection: sqlite3.Connection) -> list[int]:
    """The latest moments of answers that the segment knows, one of a day."""
    rows = connection.execute(
        "SELECT max(at) FROM (SELECT at FROM decision UNION ALL SELECT at FROM earlier)"
        " GROUP BY at / ? ORDER BY 1 DESC LIMIT ?",
        (DAY, KEPT_DAYS),
    ).fetchall()
    return [at for (at,) in rows]


def keys(connection: sqlite3.Connection, model: str) -> Iterator[tuple[str, str]]:
    """Id and key of every decision of a model."""
    numbers = _numbers(_sources_of(connection, model))
    return connection.execute(f"SELECT id, key FROM decision WHERE source IN ({numbers})")  # noqa: S608


def remove(connection: sqlite3.Connection, model: str, ids: Sequence[str], at_once: int) -> int:
    """Removes decisions of a model, overwritten in the file. What lies beside it is the caller's.

    In several transactions: whoever decides meanwhile does not wait long.
    """
    numbers = _numbers(_sources_of(connection, model))
    connection.execute("PRAGMA secure_delete=ON")
    removed = 0
    for start in range(0, len(ids), at_once):
        connection.execute("BEGIN IMMEDIATE")
        try:
            removed += connection.executemany(
                f"DELETE FROM decision WHERE id = ? AND source IN ({numbers})",  # noqa: S608
                [(one,) for one in ids[start : start + at_once]],
            ).rowcount
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return removed


def _sources_of(connection: sqlite3.Connection, model: str) -> dict[int, Source]:
    return {number: source for source, number in sources(connection).items() if source[0] == model}


def _numbers(known: Mapping[int, Source]) -> str:
    return ", ".join(map(str, known))


def _where(
    connection: sqlite3.Connection, query: Query
) -> tuple[str, list[Any], dict[int, Source]]:
    """Clauses with their values, and the sources that are meant."""
    names = {
        number: source
        for number, source in _sources_of(connection, query.model).items()
        if query.release in {None, source[1]} and query.environment in {None, source[3]}
    }
    clauses, values = [f"source IN ({_numbers(names)})"], []
    for clause, at in (("happened_at >= ?", query.start), ("happened_at < ?", query.end)):
        if at is not None:
            clauses.append(clause)
            values.append(micros(at))
    for part in query.key_parts:  # what has to stand there; the rest is asked of what is found
        clauses.append("instr(key, ?) > 0")
        values.append(part)  # type: ignore[arg-type]
    if query.positive is not None:
        clauses.append(f"json_extract(output, '$.prediction') = {int(query.positive)}")
    if query.cases:
        clauses.append(f"instr(output, '{CASE}') > 0")
    return " AND ".join(clauses), values, names
