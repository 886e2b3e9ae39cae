"""The rows of a feature view: its query over sources that are read by their contracts."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.data.column_types import DTYPES, from_values
from taxiway.data.features.asof import Values, by_position, clock
from taxiway.data.features.view import FeatureView, ReadFrom
from taxiway.data.source import Source, raw_frame, typed

STATEMENT = re.compile(r"\s*(?:--[^\n]*\n\s*)*(select|with)\b", re.IGNORECASE)
ELSEWHERE = re.compile(r"\bread_\w+\s*\(", re.IGNORECASE)

Open = Callable[[ReadFrom], Source]
"""Opens what a definition names."""


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of a view, and what was left out of them."""

    values: Values
    rows: int
    without_key: int
    without_time: int


def query(view: FeatureView, frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """The rows that a view asks for, not yet typed. Raises `InputError` where it can't be asked."""
    try:
        return _sql(view, frames) if view.sql is not None else _code(view, frames)
    except pl.exceptions.PolarsError as error:
        raise _wrong(view, error) from None


def _sql(view: FeatureView, frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    text = view.sql or ""
    if not STATEMENT.match(text):
        raise InputError(f"The query of {view.id} has to be one SELECT (or WITH … SELECT).")
    if ELSEWHERE.search(text):
        raise InputError(
            f"The query of {view.id} reads a file that is none of its sources.",
            todo="Name the file and its contract under `sources`, and select from that name.",
        )
    return pl.SQLContext(dict(frames), register_globals=False).execute(text)


def _code(view: FeatureView, frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    module = types.ModuleType(f"taxiway_view_{view.name}")
    try:
        exec(compile(view.code or "", view.id, "exec"), module.__dict__)  # noqa: S102 - the project's own code, digested as it is executed
        frame = module.frame(dict(frames))
    except pl.exceptions.PolarsError:
        raise
    except Exception as error:
        raise InputError(
            f"The code of {view.id} can't be run: {type(error).__name__}: {error}.",
            todo="It defines `frame(sources)`: {name: LazyFrame} -> LazyFrame.",
        ) from error
    if not isinstance(frame, pl.LazyFrame | pl.DataFrame):
        found = type(frame).__name__
        raise InputError(f"`frame` of {view.id} gives {found}, and a LazyFrame was expected.")
    return frame.lazy()


def read_view(view: FeatureView, open_source: Open) -> Read:
    """The rows of a view, typed, with both of their times.

    Raises `InputError` with all that stands in the way: a column that the query does not give, one
    of another type, values of a source that are not what its contract says, or a value that was
    known before it happened.
    """
    frames = {
        name: whole(f"{view.id}, source {name}", open_source(source), source.contract)
        for name, source in view.sources.items()
    }
    lazy = query(view, frames)
    try:
        schema = lazy.collect_schema()
        wanted = _wanted(view, schema)
        frame = lazy.select(wanted).collect()
    except pl.exceptions.PolarsError as error:
        raise _wrong(view, error) from None
    return _timed(view, frame, schema)


def whole(what: str, source: Source, contract: Contract) -> pl.LazyFrame:
    """A source by its contract. Values that are not of their column's type are an error here."""
    raw = raw_frame(source)
    there = contract.only(source.columns)
    missing = [c for c in contract.names if c not in source.columns]
    if not there.columns:
        raise InputError(f"{source.name} has no column of the contract {contract.id}.")
    values = typed(source, there)
    suspect = [
        (column.name, value)
        for column, value in zip(there.columns, values, strict=True)
        if source.schema[column.name] != DTYPES[column.type]
        and not (source.is_text and column.type == "string")
    ]
    if suspect:
        lost = raw.select(
            (pl.col(column).is_not_null() & value.is_null()).sum().alias(column)
            for column, value in suspect
        ).collect(engine="streaming")
        problems = [
            Problem(
                f"{rows:,} values of {column!r} are no {contract.column(column).type}",
                where=source.name,
            )
            for column, rows in lost.row(0, named=True).items()
            if rows
        ]
        if problems:
            raise InputError(
                f"{what} can't be read by its contract: nothing is coerced silently.",
                problems,
                todo="See `taxiway data check` for the rows; correct them, or the contract.",
            )
    empty = [pl.lit(None, DTYPES[contract.column(c).type]).alias(c) for c in missing]
    return raw.select(values).with_columns(empty)


def _wanted(view: FeatureView, schema: pl.Schema) -> list[pl.Expr]:
    """The columns of a view, of their types."""
    times = [view.event_time, *([view.known_at] if view.known_at else [])]
    needed = [*view.keys, *times, *view.names]
    problems = []
    for column in dict.fromkeys(needed):
        if column not in schema:
            match = close_match(column, schema.names())
            hint = f"Did you mean {match!r}?" if match else f"It gives {', '.join(schema.names())}."
            problems.append(Problem(f"the query gives no column {column!r}", todo=shortened(hint)))
    problems += [
        Problem(f"the column {column!r} is of another type", str(schema[column]), promised)
        for column, promised in {**dict(view.entity_key), **view.types}.items()
        if column in schema and not _fits(schema[column], promised)
    ]
    problems += [
        Problem(f"{column!r} is no time", str(schema[column]), "a timestamp or a date")
        for column in times
        if column in schema and not isinstance(schema[column], pl.Datetime | pl.Date)
    ]
    if problems:
        raise InputError(f"The query of {view.id} does not give what the view promises.", problems)
    return [pl.col(column) for column in dict.fromkeys(needed)]


def _fits(found: pl.DataType, type: str) -> bool:
    """Whether values of a polars type can be values of a contract type."""
    match type:
        case "number":
            return found.is_numeric()
        case "integer":
            return found.is_integer() or found == pl.Null
        case "string":
            return found in {pl.String, pl.Null} or isinstance(found, pl.Categorical | pl.Enum)
        case "timestamp":
            return isinstance(found, pl.Datetime) or found == pl.Null
    return found in {DTYPES[type], pl.Null}


def _timed(view: FeatureView, frame: pl.DataFrame, schema: pl.Schema) -> Read:
    rows = frame.height
    keyed = frame.drop_nulls(view.keys)
    times = [view.event_time, *([view.known_at] if view.known_at else [])]
    whole = keyed.drop_nulls(times)
    event = clock(whole[view.event_time]).to_numpy()
    known = clock(whole[view.known_at], up=True).to_numpy() if view.known_at else event + view.delay
    early = int((known < event).sum())
    if early:
        raise InputError(
            f"{view.id} says of {early:,} of {rows:,} rows that they were known before they"
            " happened.",
            todo="`known_at` is when a value became known. Of a forecast, the event is its issue.",
        )
    features = whole.select(_typed(f.name, schema[f.name], f.type) for f in view.features)
    changed = [
        Problem(f"{lost:,} values of {name!r} are no {view.types[name]}")
        for name in view.names
        if (lost := features[name].null_count() - whole[name].null_count())
    ]
    if changed:
        raise InputError(f"{view.id} gives values that are not of the type it promises.", changed)
    keys, steady = by_position(whole, view.keys), view.known_at is None
    values = Values(keys, event, np.asarray(known, np.int64), features, steady)
    return Read(values, rows, rows - keyed.height, keyed.height - whole.height)


def _typed(name: str, found: pl.DataType, type: str) -> pl.Expr:
    raw = pl.col(name)
    if type == "timestamp" and isinstance(found, pl.Datetime) and found.time_zone is None:
        return from_values(
            raw.dt.replace_time_zone("UTC"), pl.Datetime(found.time_unit, "UTC"), type
        ).alias(name)
    return from_values(raw, found, type).alias(name)


def _wrong(view: FeatureView, error: Exception) -> InputError:
    said = str(error).strip().split("\n", 1)[0]
    return InputError(f"The query of {view.id} can't be asked: {shortened(said)}.")
