"""Rows of a SQL query, streamed with a cursor that stays with the server.

What a database holds becomes text, value by value, as a CSV file would spell it: the contract is
then held against it by the same strict reading. The password of a URL is never in what is shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, Problem, StoreError, close_match, shortened

PASSWORD = "TAXIWAY_DATABASE_PASSWORD"  # noqa: S105 - the name of a variable
"""Holds the password for a URL that has none."""
FETCHED_ROWS = 65_536
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""What is understood by a URL that names no driver."""

WRITERS: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
    Decimal: lambda value: format(value, "f"),
    datetime: datetime.isoformat,
    date: date.isoformat,
    UUID: str,
}
"""Type of a value -> how it is spelled."""
LOGICAL: dict[frozenset[type], str] = {
    frozenset({str}): "string",
    frozenset({UUID}): "string",
    frozenset({bool}): "boolean",
    frozenset({int}): "integer",
    frozenset({float}): "number",
    frozenset({Decimal}): "number",
    frozenset({date}): "date",
    frozenset({datetime}): "timestamp",
}
"""Types of the values of a column -> what the database declares it to be."""
TEXTS = {str, UUID}
"""Types that a string column may hold: a number may have lost its leading zeros."""


def declared(kinds: Mapping[str, set[type]]) -> dict[str, str]:
    """The logical types of columns, where the database has one for them."""
    found = {name: LOGICAL.get(frozenset(some - {type(None)})) for name, some in kinds.items()}
    return {name: type_ for name, type_ in found.items() if type_ is not None}


def url_of(given: str) -> URL:
    """A database URL, with the password of the environment if it has none.

    Raises `InputError` that doesn't repeat it.
    """
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise InputError(
            "The database URL can't be read (it is not shown here: it may hold a password).",
            todo="Write it as postgresql://user@host:5432/name, or sqlite:///path/to/file.db.",
        ) from None
    if url.drivername in DRIVERS:
        url = url.set(drivername=DRIVERS[url.drivername])
    if url.password is None and url.host and os.environ.get(PASSWORD):
        url = url.set(password=os.environ[PASSWORD])
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise InputError(f"There is no SQLite file {url.database}.")
    return url


def shown(url: URL) -> str:
    """A database for people's eyes and for files: no password, and no options.

    >>> shown(make_url("postgresql+psycopg://reader:secret@db:5432/bank?sslpassword=secret"))
    'postgresql://reader@db:5432/bank'
    """
    bare = url.set(drivername=url.get_backend_name(), query={})
    return URL.create(
        bare.drivername, bare.username, None, bare.host, bare.port, bare.database
    ).render_as_string()


def batches(
    url: URL,
    query: str,
    contract: Contract | None,
    *,
    ordered: bool = True,
    kinds: dict[str, set[type]] | None = None,
) -> Iterator[pl.DataFrame]:
    """The rows of a query as text, ordered by the contract's key, some ten thousand at a time.

    The query is read as a subquery, in a transaction that may not write; `kinds` gathers the types
    of values that the database gave for each column. Raises `InputError` for a query that can't be
    used, `StoreError` for a database that can't be reached, or goes away.
    """
    inner = query.strip().rstrip(";").rstrip()
    with _connected(url) as connection:
        quoted = connection.dialect.identifier_preparer.quote
        wrapped = f"SELECT * FROM (\n{inner}\n) AS taxiway_rows"  # noqa: S608 - it is a query
        names = list(connection.execute(_plain(f"{wrapped} WHERE 1 = 0")).keys())
        _require_once(names)
        if ordered and contract is not None:
            _require_key(names, contract)
            wrapped += f" ORDER BY {', '.join(quoted(name) for name in contract.key)}"
        rows = connection.execute(
            _plain(wrapped),
            execution_options={"stream_results": True, "max_row_buffer": FETCHED_ROWS},
        )
        wanted = {c.name: c.type for c in contract.columns} if contract is not None else {}
        cursor: Any = rows.cursor
        try:
            for chunk in rows.partitions(FETCHED_ROWS):
                columns = list(zip(names, zip(*chunk, strict=True), strict=True))
                _require_texts(columns, wanted)
                if kinds is not None:
                    for name, values in columns:
                        kinds.setdefault(name, set()).update(map(type, values))
                yield pl.DataFrame(
                    [
                        pl.Series(name, _texts(values, wanted.get(name)), dtype=pl.String())
                        for name, values in columns
                    ]
                )
        finally:
            if cursor is not None:  # a connection that went away leaves it open
                cursor.close()


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    """A connection that may only read. Its errors are ours, without the statement and the URL."""
    try:
        engine = create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        raise InputError(
            f"{url.drivername} is no kind of database that is known here.",
            todo="Expected postgresql, sqlite, or another one that SQLAlchemy and an installed"
            " driver know.",
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    options = {"postgresql": {"postgresql_readonly": True}}.get(engine.dialect.name, {})
    try:
        with engine.connect() as connection:
            yield connection.execution_options(**options)
    except DBAPIError as error:
        said = _said(error, url)
        if error.connection_invalidated or "connect" in said.lower():
            raise StoreError(
                f"{shown(url)} can't be reached: {said}.", todo="Check the URL and the network."
            ) from None
        raise InputError(f"{shown(url)} does not take the query: {said}.") from None
    except SQLAlchemyError as error:
        raise InputError(f"{shown(url)} can't be used: {_said(error, url)}.") from None
    finally:
        engine.dispose()


def _said(error: SQLAlchemyError, url: URL) -> str:
    """The first line of what a driver says, should it ever say a secret, without it."""
    line = str(getattr(error, "orig", error)).strip().partition("\n")[0].rstrip(".")
    secrets = [url.password, *(v for v in url.query.values() if isinstance(v, str))]
    for secret in secrets:
        if secret:
            line = line.replace(secret, "***")
    return shortened(line)


def _plain(query: str) -> Any:
    """A statement in which a colon is a colon, and no parameter."""
    return text(query.replace(":", "\\:"))


def _require_once(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"The query has columns twice: {shortened(', '.join(twice))}.")


def _require_key(names: Sequence[str], contract: Contract) -> None:
    absent = [name for name in contract.key if name not in names]
    if absent:
        raise InputError(
            "The query's rows can't be put in order: columns of the contract's key are not there.",
            [
                Problem(
                    "is not there",
                    expected="a column of the key"
                    + (f"; the query has `{near}`" if (near := close_match(name, names)) else ""),
                    where=name,
                )
                for name in absent
            ],
            todo="Rows are ordered by the key, so that a row keeps its number; SELECT all of it.",
        )


def _require_texts(columns: Sequence[tuple[str, Sequence[Any]]], wanted: Mapping[str, str]) -> None:
    """Raises `InputError` with every column of a type that is not written as text."""
    odd = {
        name: sorted(kind.__name__ for kind in kinds)
        for name, values in columns
        if (kinds := _kinds(values) - (TEXTS if wanted.get(name) == "string" else WRITERS.keys()))
    }
    if not odd:
        return
    todo = "CAST it in the query, or leave it out."
    problems = [
        f"Column {name} of the query holds {', '.join(found)}; expected"
        f" {'text' if wanted.get(name) == 'string' else 'text, numbers, booleans or times'}."
        for name, found in odd.items()
    ]
    if len(problems) == 1:
        raise InputError(problems[0], todo=todo)
    raise InputError(
        f"{len(odd)} columns of the query can't be read.",
        [Problem(one.removesuffix(".")) for one in problems],
        todo=todo,
    )


def _kinds(values: Sequence[Any]) -> set[type]:
    return set(map(type, values)) - {type(None)}


def _texts(values: Sequence[Any], wanted: str | None) -> list[str | None]:
    """The values of a column as text."""
    kinds = _kinds(values)
    if wanted == "boolean" and kinds == {int}:  # SQLite has no booleans
        bits = {0: "false", 1: "true"}
        return [None if v is None else bits.get(v, str(v)) for v in values]
    if kinds <= {str}:
        return list(values)
    return [None if v is None else WRITERS[type(v)](v) for v in values]
