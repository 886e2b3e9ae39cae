"""Validation: every row of a source held against the contract, in one pass over the file.

Memory does not grow with the rows, but for one 64-bit hash of the key a row and one bit. Hashes of
different keys that happen to be equal would be a false alarm, never a miss; up to six million rows
the odds are below one in a million.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from typing import Any

import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import close_match, shortened
from taxiway.data.column_types import is_sentinel, schema_of
from taxiway.data.findings import Failure, Validation
from taxiway.data.in_order import in_order
from taxiway.data.label import defined
from taxiway.data.rules import Known, Rule, raw_name, rules_of
from taxiway.data.source import ROW, WIDE, Source, batches, rows_of_other_width, typed
from taxiway.data.tally import (
    SAMPLE_CHARACTERS,
    SAMPLES,
    Marks,
    Tally,
    hold,
    labels_in,
    notice,
    shown_value,
)

HASH_PARTS = 8


def _nothing(rows: int) -> None:
    """Progress that nobody watches."""


def validate(
    source: Source,
    contract: Contract,
    *,
    on_rows: Callable[[int], None] = _nothing,
    as_of: datetime | None = None,
    target: str | None = None,
    label: str = "boolean",
    known: Known | None = None,
) -> Validation:
    """What a source says against its contract: all failures with counts and samples.

    `as_of` is the time against which freshness is held (None: it is not asked for); `target` is the
    definition of the label and `label` its type, to see whether it ever differs; `known` is what
    references to other tables are held against: one that is not in it was not checked, which is a
    failure. `on_rows` is told of every batch. Raises `InputError` for a source or a definition that
    can't be read at all.
    """
    return examine(
        source, contract, on_rows=on_rows, as_of=as_of, target=target, label=label, known=known
    )[0]


def examine(
    source: Source,
    contract: Contract,
    *,
    on_rows: Callable[[int], None] = _nothing,
    as_of: datetime | None = None,
    target: str | None = None,
    label: str = "boolean",
    known: Known | None = None,
) -> tuple[Validation, Marks]:
    """As `validate`, and which rows it is that break the contract."""
    began = perf_counter()
    rules = rules_of(contract, source, known)
    present = [c for c in contract.columns if c.name in source.schema]
    answer = _target(target, label, source, contract)
    uniques = _uniques(contract, source)
    absent = _absent(present, source)
    seen = Tally(hashes={columns: [] for columns in uniques})
    read = [
        ROW,
        *(pl.col(c.name).alias(raw_name(c.name)) for c in present),
        *typed(source, contract),
    ]

    def look(raw: pl.DataFrame) -> Tally:
        batch = raw.select(read)
        own = Tally(rows=batch.height, hashes={columns: [] for columns in uniques})
        hold(batch, rules, own)
        # What has held two values already needs no more look.
        constant = present if not seen.rows else [c for c in present if c.name in seen.constant]
        notice(batch, contract.event_time, constant, own)
        if absent:
            counts = batch.select(absent.values()).sum().row(0)
            own.sentinels = dict(zip(absent, counts, strict=True))
        if answer is not None:
            own.labels = labels_in(batch.select(answer.alias("label")).to_series())
        if source.format == "csv" and len(source.columns) > 1:
            own.may_be_short = raw.get_column(source.columns[-1]).null_count() > 0
        return own

    # Each thread holds a batch; of a thousand columns one is half a gigabyte.
    workers = 1 if len(source.columns) >= WIDE else None
    for own in in_order(look, batches(source), workers=workers):
        seen.add(own)
        on_rows(own.rows)
    found, marks = _conclude(
        source, contract, rules, seen, as_of=as_of, target=target, known=known or {}
    )
    return replace(found, seconds=perf_counter() - began), marks


def _absent(present: list[Column], source: Source) -> dict[str, pl.Expr]:
    """Column -> whether its value is one that stands for none."""
    found = {}
    for column in present:
        if column.sentinels:
            found_as = None if source.is_text else source.schema[column.name]
            raw = pl.col(raw_name(column.name))
            listed = is_sentinel(column, raw, found_as, decimal=source.decimal)
            found[column.name] = listed.alias(column.name)
    return found


def _uniques(contract: Contract, source: Source) -> list[tuple[str, ...]]:
    """The column sets that have to be unique, as far as the source has them."""
    wanted = [contract.key] if contract.key else []
    wanted += [(c.name,) for c in contract.columns if c.unique and (c.name,) != contract.key]
    return [columns for columns in wanted if all(name in source.schema for name in columns)]


def _target(target: str | None, label: str, source: Source, contract: Contract) -> pl.Expr | None:
    if target is None:
        return None
    answer = defined(target, schema_of(contract), label)
    there = all(name in source.schema for name in answer.meta.root_names())
    return answer if there else None


def _conclude(
    source: Source,
    contract: Contract,
    rules: list[Rule],
    seen: Tally,
    *,
    as_of: datetime | None,
    target: str | None,
    known: Known,
) -> tuple[Validation, Marks]:
    failures = [_missing(c, source) for c in contract.columns if c.name not in source.schema]
    failures += [
        _of_type(
            Failure(rule.where, rule.name, count, rule.expected, tuple(seen.samples[at])),
            source,
        )
        for at, rule in enumerate(rules)
        if (count := seen.broken.get(at))
    ]
    failed = pl.concat(seen.failed) if seen.failed else pl.Series([], dtype=pl.Boolean)
    repeated = {}
    for columns, hashes in seen.hashes.items():
        twice = _twice(hashes)
        if count := int(twice.sum()):
            failures.append(_repeated(source, contract, columns, twice, count))
            failed = failed | twice
            repeated[columns] = twice
    short = list(rows_of_other_width(source)) if seen.may_be_short else []
    if short:
        failures.append(_short(source, short))
        failed = failed.scatter([row - 1 for row, _ in short], True)
    failures += _of_source(contract, seen, as_of)
    failures += _unasked(contract, source, known)
    named = set(contract.names)
    validation = Validation(
        rows=seen.rows,
        failed_rows=int(failed.sum()),
        failures=tuple(failures),
        extra_columns=tuple(n for n in source.columns if n not in named),
        first_time=seen.first_time,
        last_time=seen.last_time,
        columns=len(contract.columns),
        notes=tuple(_notes(contract, seen, target)),
        labels=seen.labels if target else None,
    )
    return validation, Marks(failed, repeated, dict(short))


def _twice(hashes: list[pl.Series]) -> pl.Series:
    """True where a hash is there more than once; a row without one is never.

    Looked for in some parts of all numbers at a time, so that the search needs little beside the
    hashes themselves.
    """

    def twice(part: int) -> pl.Series:
        some = pl.concat([h.filter(h // (2**64 // HASH_PARTS) == part) for h in hashes]).sort()
        return some.filter(some == some.shift(1)).unique()

    if not hashes:
        return pl.Series([], dtype=pl.Boolean)
    repeated = pl.concat(in_order(twice, range(HASH_PARTS)))
    if repeated.is_empty():
        return pl.repeat(value=False, n=sum(map(len, hashes)), eager=True)
    return pl.concat(hashes).is_in(repeated.implode()).fill_null(value=False)


def _missing(column: Column, source: Source) -> Failure:
    match = close_match(column.name, source.columns)
    hint = f"; the source has `{match}`" if match else ""
    return Failure(
        column.name, "the column is not there", 0, f"a column of type {column.type}{hint}"
    )


def _of_type(failure: Failure, source: Source) -> Failure:
    """A wrong type of a typed column says which type it is."""
    if failure.rule != "is of another type" or source.is_text:
        return failure
    found = source.schema[failure.column]
    return replace(failure, expected=f"{failure.expected}, in a column that is {found}")


def _repeated(
    source: Source, contract: Contract, columns: tuple[str, ...], twice: pl.Series, count: int
) -> Failure:
    rows = (twice.arg_true().head(SAMPLES) + 1).to_list()
    what = "the key repeats" if columns == contract.key else "is there more than once"
    return Failure(
        ", ".join(columns),
        what,
        count,
        "each value once" if len(columns) == 1 else "each combination once",
        tuple(_reread(source, contract, columns, rows)),
    )


def _reread(
    source: Source, contract: Contract, columns: tuple[str, ...], rows: list[int]
) -> list[dict[str, Any]]:
    """The values of a few rows. Only a source that has failed is opened again for them."""
    personal = any(contract.column(name).personal for name in columns)
    samples: list[dict[str, Any]] = []
    for batch in batches(source):
        for row, *values in batch.filter(pl.col(ROW).is_in(rows)).select(ROW, *columns).iter_rows():
            shown = "(personal)" if personal else shortened(", ".join(map(str, values)), 120)
            samples.append({"row": row, "value": shown})
        if len(samples) == len(rows):
            break
    return samples


def _short(source: Source, rows: list[tuple[int, int]]) -> Failure:
    samples = tuple({"row": row, "value": f"{fields} fields"} for row, fields in rows[:SAMPLES])
    return Failure("", "the row is cut off", len(rows), f"{len(source.columns)} fields", samples)


def _of_source(contract: Contract, seen: Tally, as_of: datetime | None) -> list[Failure]:
    failures = []
    if seen.rows < contract.minimum_rows:
        expected = f"at least {contract.minimum_rows} rows, and there are {seen.rows}"
        failures.append(Failure("", "there are too few rows", 0, expected))
    if contract.maximum_rows is not None and seen.rows > contract.maximum_rows:
        expected = f"at most {contract.maximum_rows} rows, and there are {seen.rows}"
        failures.append(Failure("", "there are too many rows", 0, expected))
    if seen.last_time is not None and as_of is not None:
        last = _moment(seen.last_time)
        if is_stale(contract, last, as_of):
            expected = (
                f"a last row of at most {contract.freshness_hours:g} hours before"
                f" {as_of:%Y-%m-%d %H:%M} UTC, and it is of {last:%Y-%m-%d %H:%M}"
            )
            failures.append(Failure(contract.event_time, "the data are stale", 0, expected))
    return failures


def _moment(last: datetime | date) -> datetime:
    """A time, or the end of a day."""
    if isinstance(last, datetime):
        return last
    return datetime.combine(last, time.max, UTC)


def is_stale(contract: Contract, last: datetime | None, as_of: datetime) -> bool:
    """Whether the newest row is older than the contract allows at a moment."""
    if contract.freshness_hours is None or last is None:
        return False
    return as_of - last > timedelta(hours=contract.freshness_hours)


def _unasked(contract: Contract, source: Source, known: Known) -> Iterator[Failure]:
    """What could not be held against the rows, which no one may take for held."""
    for one in contract.references or ():
        if one not in known:
            expected = f"the rows of {one.table}, to hold {', '.join(one.columns)} against"
            yield Failure(", ".join(one.columns), "was not checked", 0, expected)
    for rule in contract.rules or ():
        read = defined(rule.condition, schema_of(contract)).meta.root_names()
        gone = [name for name in read if name not in source.schema]
        if gone:
            what = f"`{shortened(rule.name, 80)}` was not checked"
            yield Failure("", what, 0, f"the columns {', '.join(gone)}")


def _notes(contract: Contract, seen: Tally, target: str | None) -> list[str]:
    notes = []
    columns = {column.name: column for column in contract.columns}
    if seen.rows > 1:
        for name, value in seen.constant.items():
            shown = shown_value(value.to_list()[0], columns[name])
            notes.append(f"column {name} holds one value in all rows: {shown}")
    notes += [
        f"column {name}: {_listed(columns[name])} stands for none in {count:,} rows"
        for name, count in seen.sentinels.items()
        if count
    ]
    if target and seen.labels.low == seen.labels.high:
        one = "class" if isinstance(seen.labels.low, bool) else "value"
        what = "no label at all" if not seen.labels.rows else f"only one {one}"
        notes.append(f"the target `{shortened(target, SAMPLE_CHARACTERS)}` has {what}")
    return notes


def _listed(column: Column) -> str:
    return shortened(" or ".join(repr(value) for value in column.sentinels or ()))
