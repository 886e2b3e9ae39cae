"""Opens whatever people name as a source: files and folders, Delta tables, objects, databases."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.extras import extras
from taxiway.core.errors import InputError

if TYPE_CHECKING:
    from taxiway.core.contract import Contract
    from taxiway.data.source import Source

OBJECTS = ("s3://", "s3a://", "gs://", "az://", "abfs://", "abfss://")
TABLE = re.compile(r'[\w"]+(\.[\w"]+){0,2}')
"""What stands for a whole table where a query could stand."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known beforehand of a source that is text; what is None is found out."""

    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    nulls: tuple[str, ...] | None = None

    def given(self) -> dict[str, Any]:
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in plain.items() if value is not None}


def opened(
    asked: str | Path,
    *,
    query: str | None = None,
    told: Told | None = None,
    contract: Contract | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Source:
    """The source that is asked for.

    A file (CSV with any usual delimiter, Parquet, Arrow; packed with gzip, bzip2, xz or zip too),
    a folder or a pattern of such files, a Delta table in its folder, an object or prefix in a store
    (`s3://bucket/name`), or a database's URL with a `query` (or the name of a table).

    What is not on this machine, packed, or in another encoding is copied first, into a folder that
    goes when the process ends. `on_rows` is told of rows that a database gives. A `contract` says
    which of the numbers that SQLite keeps are booleans. Raises `InputError` for what can't be read
    as a table; `MissingError`, `RefusedError` or `StoreError` for a store that does not give it.
    """
    told, text = told or Told(), str(asked)
    with extras():
        if text.lower().startswith(OBJECTS):
            _no_query(query)
            return _object(text, told)
        if "://" in text and not text.startswith("file://"):
            return _database(text, query, contract, on_rows)
        _no_query(query)
        path = Path(text.removeprefix("file://"))
        if (path / "_delta_log").is_dir():
            return _delta(str(path.absolute()), path)
        from taxiway.data.source import open_source

        return open_source(path, **told.given())


def _no_query(query: str | None) -> None:
    if query is not None:
        raise InputError(
            "A query needs the URL of a database.",
            todo="For instance postgresql://user@host:5432/name; leave --query out for a file.",
        )


def _object(url: str, told: Told) -> Source:
    from taxiway.adapters import object_source
    from taxiway.data.source import open_source
    from taxiway.data.source.plain import new_place

    called = object_source.shown(url)
    if object_source.has_table(url):
        return _delta(url, Path(called.rpartition("/")[2] or called), called)
    folder = new_place("objects")
    folder.mkdir()
    copies = object_source.fetched(url, folder)
    path = copies[0] if len(copies) == 1 else folder
    source = open_source(path, **told.given())
    return dataclasses.replace(source, called=called)


def _delta(uri: str, path: Path, called: str = "") -> Source:
    from taxiway.adapters import delta
    from taxiway.data.source import Source, reading

    if called:
        from taxiway.adapters.object_source import options

        table = delta.pinned(uri, storage_options=options())
    else:
        table = delta.pinned(path)
    scan = table.rows()
    note = f"version {table.version()} of the table is read"
    source = Source(
        path, "delta", scan.collect_schema(), scan=lambda: scan, called=called, notes=(note,)
    )
    with reading(source):
        is_empty = not scan.head(1).collect().height
    if is_empty:
        name = called or str(path)
        raise InputError(f"{name} has columns and no rows in version {table.version()}.")
    return source


def _database(
    database: str, query: str | None, contract: Contract | None, on_rows: Callable[[int], None]
) -> Source:
    """Rows of a query, kept as text in a file: they are read more than once, and asked for once."""
    from taxiway.adapters import sql_source
    from taxiway.data.source import Source, open_source
    from taxiway.data.source.plain import new_place
    from taxiway.data.table import writing

    url = sql_source.url_of(database)
    called = sql_source.shown(url)
    if not query:
        raise InputError(
            f"{called} is a database, and no query says what to read of it.",
            todo="Add --query 'SELECT ...', or the name of a table.",
        )
    if TABLE.fullmatch(query.strip()):
        query = f"SELECT * FROM {query.strip()}"  # noqa: S608 - it is a name, or their own query
    kept, rows = new_place("rows.parquet"), 0
    kinds: dict[str, set[type]] = {}
    with writing(kept, "rows") as add:
        for frame in sql_source.batches(url, query, contract, ordered=False, kinds=kinds):
            add(frame)
            rows += frame.height
            on_rows(frame.height)
        if not rows:
            raise InputError(f"The query gave no rows from {called}.")
    schema = open_source(kept).schema
    return Source(kept, "sql", schema, called=called, declared=sql_source.declared(kinds))
