"""Drafts a contract: a look at a sample of the rows, and then all rows held against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.data.findings import Failure
from taxiway.data.infer.guessing import ROOM, guess
from taxiway.data.infer.keys import event_time_of, key_of
from taxiway.data.infer.look import look_at
from taxiway.data.infer.names import words_of
from taxiway.data.infer.record import Draft, Guess
from taxiway.data.source import ROW, Source, batches, raw_frame, reading
from taxiway.data.validation import validate

ROWS = 100_000
SLICES = 20
MOMENT = "recorded"
"""The one moment of a draft: when values become known is for people to say."""


def _nothing(rows: int) -> None:
    """Progress that nobody watches."""


def draft(
    source: Source,
    *,
    rows: int = ROWS,
    whole: bool | None = None,
    id: str | None = None,
    on_rows: Callable[[int], None] = _nothing,
) -> Draft:
    """What a source seems to promise.

    At most some `rows`, spread over it, are looked at; then, if `whole` (the default where values
    are text, as a type must be that of each), all rows are held against the draft, and what does
    not hold is taken back.
    """
    sample, every = _sample(source, rows)
    beside = frozenset(tuple(words_of(name)) for name in source.columns)
    guesses = [
        guess(
            look_at(sample[name], decimal=source.decimal, beside=beside),
            declared=source.declared.get(name),
            is_text=source.is_text,
        )
        for name in source.columns
    ]
    key = key_of(sample, guesses)
    guesses = [_in_key(g, key) if g.name in key else g for g in guesses]
    made = _contract(source, guesses, id)
    seen = sample.height
    if (source.is_text if whole is None else whole) and not every:
        guesses, seen = _held(source, made, guesses, on_rows)
        made, every = _contract(source, guesses, id), True
    return Draft(made, tuple(guesses), seen, every, source.notes)


def _sample(source: Source, rows: int) -> tuple[pl.DataFrame, bool]:
    """Rows from all over a source, and whether those are all."""
    if source.format == "csv":
        return _thinned(batches(source), rows)
    frame = raw_frame(source)
    with reading(source):
        count = frame.select(pl.len()).collect().item()
        if count <= rows:
            return frame.collect(), True
        size = -(-rows // SLICES)
        starts = [(count - size) * at // (SLICES - 1) for at in range(SLICES)]
        return pl.concat([frame.slice(start, size).collect() for start in starts]), False


def _thinned(read: Iterator[pl.DataFrame], rows: int) -> tuple[pl.DataFrame, bool]:
    """Each so many of the rows, so that they are at most some; rows come as they stand."""
    kept: list[pl.DataFrame] = []
    step, count, total = 1, 0, 0
    for batch in read:
        first = (-total) % step
        total += batch.height
        some = batch.drop(ROW)
        some = some if step == 1 else some.slice(first).gather_every(step)
        kept.append(some)
        count += some.height
        while count > 2 * rows:
            together = pl.concat(kept).gather_every(2)
            kept, count, step = [together], together.height, step * 2
    sample = pl.concat(kept)
    return sample, step == 1


def _in_key(found: Guess, key: tuple[str, ...]) -> Guess:
    column = replace(found.column, key=True, nullable=False)
    if len(key) > 1:
        why = f"part of the key: with {', '.join(key)} no row is twice"
        return replace(found, column=column, reasons=(*found.reasons, why))
    reasons = found.reasons
    if column.type == "integer" and column.maximum is not None:
        # The next row has the next number: the largest of today is no limit.
        column = replace(column, maximum=None)
        reasons = tuple(one for one in reasons if not one.endswith(ROOM))
    return replace(found, column=column, reasons=(*reasons, "the key: no value is there twice"))


def _contract(source: Source, guesses: list[Guess], id: str | None) -> Contract:
    called = id or _called(source)
    return Contract(
        id=called,
        version="0.1.0",
        description=f"Drafted from {source.name}.",
        table=called,
        columns=tuple(g.column for g in guesses),
        moments=(MOMENT,),
        decision_at=MOMENT,
        event_time=event_time_of(guesses),
    )


def _called(source: Source) -> str:
    stem = source.name.rstrip("/").rpartition("/")[2].partition(".")[0]
    return re.sub(r"\W+", "-", stem).strip("-").lower() or "data"


def _held(
    source: Source, made: Contract, guesses: list[Guess], on_rows: Callable[[int], None]
) -> tuple[list[Guess], int]:
    """The guesses that all rows bear out; others are taken back as far as they have to be."""
    found = validate(source, made, on_rows=on_rows)
    failed: dict[str, list[Failure]] = {}
    for failure in found.failures:
        for name in failure.column.split(", ") if failure.rule in REPEATED else [failure.column]:
            failed.setdefault(name, []).append(failure)
    return [_taken_back(g, failed.get(g.name, []), found.rows) for g in guesses], found.rows


REPEATED = frozenset({"the key repeats", "is there more than once"})


def _taken_back(found: Guess, failures: list[Failure], rows: int) -> Guess:
    for failure in failures:
        change = UNDONE.get(failure.rule)
        if change is None:
            continue
        column = change(found.column, failure, rows)
        why = f"taken back, as {failure.rows:,} of all {rows:,} rows: {failure.rule}"
        if failure.rule == "is of another type" and column.type == found.column.type:
            why = f"{failure.rows:,} of all {rows:,} rows are of another type"
        found = replace(
            found,
            column=column,
            confidence=min(found.confidence, 0.6),
            reasons=(*found.reasons, why),
        )
    return found


def _retyped(column: Column, failure: Failure, rows: int) -> Column:
    """Text where more than a few rows are of another type."""
    if failure.rows <= rows * 0.02:
        return column
    return Column(column.name, "string", nullable=column.nullable, personal=column.personal)


UNDONE: dict[str, Callable[[Column, Failure, int], Column]] = {
    "is missing": lambda c, _, __: replace(c, nullable=True, key=False),
    "is of another type": _retyped,
    "is too small": lambda c, _, __: replace(c, minimum=None),
    "is too large": lambda c, _, __: replace(c, maximum=None),
    "is not an allowed value": lambda c, _, __: replace(c, values=()),
    "does not match its pattern": lambda c, _, __: replace(c, pattern=None),
    "the key repeats": lambda c, _, __: replace(c, key=False),
    "is there more than once": lambda c, _, __: replace(c, unique=False),
}
"""Rule that does not hold -> the column without it."""
