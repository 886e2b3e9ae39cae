"""Rows from a contract alone: whatever it allows, drawn evenly, before there are any data."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError, Problem
from taxiway.data.column_types import DTYPES
from taxiway.data.source import NULLS

MISSING = 0.05
"""Share of missing values where they are allowed."""
ROUNDS = 20
"""How often rows are drawn again in place of those that break a rule."""
SPAN_DAYS = 365
UNBOUNDED = 1_000.0

Draw = Callable[[int], list[Any]]


def promised(
    contract: Contract, rows: int, *, seed: int, now: datetime, or_fewer: bool = False
) -> pl.DataFrame:
    """Rows that keep a contract, with its types.

    Times end at `now`. Raises `InputError` where no such rows can be drawn: too few values for a
    key, a pattern whose texts are of other lengths, rules that hardly any row keeps.
    """
    dice = random.Random(seed)  # noqa: S311 - made-up data, no secret

    def drawn() -> pl.DataFrame:
        return pl.DataFrame([_series(column, rows, dice, now) for column in contract.columns])

    return keeping(drawn, contract, rows, or_fewer=or_fewer)


def keeping(
    drawn: Callable[[], pl.DataFrame], contract: Contract, rows: int, *, or_fewer: bool = False
) -> pl.DataFrame:
    """As many of the rows that are drawn as are wanted, which keep what a contract says of several
    columns and of several rows. Raises `InputError` if too few do, or, where fewer will do, none.
    """
    kept: list[pl.DataFrame] = []
    found = 0
    conditions = [pl.sql_expr(rule.condition) for rule in contract.rules or ()]
    for _ in range(ROUNDS):
        some = drawn()
        if conditions:
            some = some.filter(pl.all_horizontal(one.fill_null(value=True) for one in conditions))
        kept.append(some)
        whole = _unique(pl.concat(kept), contract)
        found = whole.height
        if found >= rows:
            return whole.head(rows)
    if or_fewer and found:
        return whole
    what = "rules" if conditions else "key and unique columns"
    raise InputError(
        f"Only {found:,} of {rows:,} rows could be drawn that keep the {what} of {contract.id}.",
        todo=f"Ask for --rows {found} or fewer." if found else "Correct the contract's rules.",
    )


def _unique(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    wanted = [list(contract.key)] if contract.key else []
    wanted += [[c.name] for c in contract.columns if c.unique]
    for names in wanted:
        whole = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
        alone = pl.struct(names).is_first_distinct()
        rows = rows.filter(alone | ~whole)
    return rows


def _series(column: Column, rows: int, dice: random.Random, now: datetime) -> pl.Series:
    values = _draw(column, dice, now)(rows)
    if column.nullable and not column.key:
        values = [None if dice.random() < MISSING else value for value in values]
    return pl.Series(column.name, values, dtype=DTYPES[column.type], strict=False)


def _draw(column: Column, dice: random.Random, now: datetime) -> Draw:
    if column.values:
        return lambda rows: dice.choices(column.values, k=rows)
    if column.type == "boolean":
        return lambda rows: dice.choices([False, True], k=rows)
    if column.type in {"date", "timestamp"}:
        return _times(column, dice, now)
    if column.type == "string":
        return _texts(column, dice)
    return _numbers(column, dice)


def _numbers(column: Column, dice: random.Random) -> Draw:
    least, most = column.minimum, column.maximum
    low = float(least) if least is not None else 0.0 if most is None else float(most) - UNBOUNDED
    high = float(most) if most is not None else low + UNBOUNDED
    if column.type == "integer":
        first, last = math.ceil(low), math.floor(high)
        # Of a key, as many values as there may be rows.
        if (column.key or column.unique) and column.maximum is None:
            last = first + 10**9
        return lambda rows: [dice.randint(first, last) for _ in range(rows)]
    digits = max(0, 4 - math.floor(math.log10(max(high - low, 1e-9))))
    return lambda rows: [
        min(high, max(low, round(dice.uniform(low, high), digits))) for _ in range(rows)
    ]


def _times(column: Column, dice: random.Random, now: datetime) -> Draw:
    last = _time(column.maximum) if column.maximum is not None else now
    first = (
        _time(column.minimum) if column.minimum is not None else last - timedelta(days=SPAN_DAYS)
    )
    last = max(first, min(last, now))
    seconds = int((last - first).total_seconds())
    if column.type == "date":
        return lambda rows: [
            (first + timedelta(days=dice.randint(0, seconds // 86_400))).date() for _ in range(rows)
        ]
    return lambda rows: [first + timedelta(seconds=dice.randint(0, seconds)) for _ in range(rows)]


def _time(limit: float | str) -> datetime:
    text = str(limit)
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _texts(column: Column, dice: random.Random) -> Draw:
    least = column.minimum_length or 0
    most = column.maximum_length or max(12, least)
    if column.pattern is not None:
        return _patterned(column, dice, least, most if column.maximum_length else 1_000)
    if column.examples:
        return lambda rows: [_like(str(dice.choice(column.examples)), dice) for _ in range(rows)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    length = max(least, min(most, 8))
    return lambda rows: ["".join(dice.choices(letters, k=length)) for _ in range(rows)]


def _patterned(column: Column, dice: random.Random, least: int, most: int) -> Draw:
    from rstr import Rstr

    pattern = column.pattern or ""
    # `x*` may repeat a hundred times, which nobody wants to read.
    maker = Rstr(dice)

    def texts(rows: int) -> list[str]:
        found: list[str] = []
        for _ in range(rows * ROUNDS):
            text = maker.xeger(pattern)
            if least <= len(text) <= most:
                found.append(text)
                if len(found) == rows:
                    return found
        raise InputError(
            f"No texts can be drawn for column {column.name}.",
            [
                Problem(
                    "its pattern hardly gives a text of an allowed length",
                    pattern,
                    f"{least} to {most} characters",
                    column.name,
                )
            ],
        )

    return texts


def _like(text: str, dice: random.Random) -> str:
    """A text of the same shape: other digits and letters in their places."""
    lower = "abcdefghijklmnopqrstuvwxyz"
    like = "".join(
        dice.choice("0123456789")
        if c.isdigit()
        else dice.choice(lower.upper() if c.isupper() else lower)
        if c.isalpha() and c.isascii()
        else c
        for c in text
    )
    # Two letters may come out as what a file says where there is no value.
    return _like(text, dice) if like in NULLS and text else like


def shapes_like(values: pl.Series, rows: int, rng: np.random.Generator, fewest: int) -> list[str]:
    """Texts of the shapes that `fewest` values or more have, as often, with new characters."""
    dice = random.Random(int(rng.integers(2**32)))  # noqa: S311 - made-up data
    shapes = (
        values.str.replace_all(r"\p{Lu}", "A").str.replace_all(r"\p{Ll}", "a")
        .str.replace_all(r"\d", "0").alias("shape").value_counts(name="rows")
    )  # fmt: skip
    common = shapes.filter(pl.col("rows") >= fewest)
    if not common.height:
        lengths = int(values.str.len_chars().median() or 8)  # type: ignore[arg-type]
        common = pl.DataFrame({"shape": ["a" * max(1, lengths)], "rows": [1]})
    chosen = dice.choices(common["shape"].to_list(), common["rows"].to_list(), k=rows)
    return [_like(shape, dice) for shape in chosen]
