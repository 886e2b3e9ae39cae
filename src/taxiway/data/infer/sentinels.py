"""Sentinels: values such as -9999, `unknown` or 1900-01-01 that stand for none."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl

CLEAR = frozenset([
    "null", "(null)", "<null>", "nan", "n/a", "#n/a", "n.a.", "unknown", "unk", "missing",
    "undefined", "?", "unbekannt", "inconnu", "desconocido", "#null!", "#value!", "#ref!",
    "#div/0!", "not_available", "not_known", "<na>", "\\n",
])  # fmt: skip
"""Texts that stand for none in any column, in small letters, spaces as underscores."""
AMONG_OTHERS = CLEAR | frozenset(["na", "none", "nil", "-", "--", "---", ".", "tbd", "inf", "-inf"])
"""Texts that do among numbers and dates."""
NINES = tuple(sign * (10**n - 1) for n in range(2, 11) for sign in (1, -1))
NUMBERS = (*NINES, -1, -9, -32768, 32767, -2147483648, 2147483647, 1e20, -1e20, 1e30, 9.96921e36)
DAYS = frozenset(
    date(*day)
    for day in [
        (1, 1, 1), (1000, 1, 1), (1582, 10, 15), (1753, 1, 1), (1899, 12, 30), (1899, 12, 31),
        (1900, 1, 1), (1901, 1, 1), (1970, 1, 1), (2099, 12, 31), (2199, 12, 31), (2999, 12, 31),
        (3000, 1, 1), (4712, 12, 31), (9999, 12, 31), (9999, 1, 1),
    ]
)  # fmt: skip


def folded(text: pl.Series) -> pl.Series:
    """Texts as the tables here spell them."""
    return text.str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", "_")


def texts_in(texts: pl.Series, known: frozenset[str]) -> pl.Series:
    """Which of the texts stand for none."""
    return folded(texts).is_in(sorted(known))


def among_numbers(values: pl.Series, counts: pl.Series) -> list[tuple[float, int, str]]:
    """Numbers that stand for none, with their count and why; the values are distinct.

    A number of nines or a bound of a type counts when it stands far from all others, farther than
    these are from each other; -1 when it is the only one below zero and often there.
    """
    found: list[tuple[float, int, str]] = []
    candidates = values.is_in(pl.Series(NUMBERS, dtype=pl.Float64()).implode())
    rest, weights = values.filter(~candidates), counts.filter(~candidates)
    if rest.len() < 3 or not candidates.any():
        return found
    low, high = rest.min(), rest.max()
    assert isinstance(low, int | float) and isinstance(high, int | float)  # noqa: S101, PT018
    spread = _spread(rest, weights) or abs(high) or 1.0
    rows = int(counts.sum())
    pairs = zip(values.filter(candidates), counts.filter(candidates), strict=True)
    for value, count in pairs:
        gap = low - value if value < low else value - high
        if value in {-1, -9}:
            if low >= 0 and count >= max(5, rows * 0.002):
                found.append((value, count, "the only value below zero"))
        elif low <= value <= high:
            continue
        elif (count >= 2 and gap > spread and (abs(value) >= 999 or count >= rows * 0.005)) or (
            count == 1 and abs(value) >= 9999 and gap > 10 * spread
        ):
            found.append((value, count, f"far from all others, {low:g} to {high:g}"))
    return found


def _spread(values: pl.Series, counts: pl.Series) -> float:
    """How far apart all but the outermost hundredth of the rows are."""
    order = values.arg_sort()
    share = counts.gather(order).cum_sum() / counts.sum()
    ordered = values.gather(order)
    inner = ordered.filter((share >= 0.005) & (share.shift(1).fill_null(0) <= 0.995))
    if inner.is_empty():
        return 0.0
    return float(inner.max() - inner.min())  # type: ignore[operator, arg-type]


def among_days(values: pl.Series, counts: pl.Series) -> list[tuple[str, int, str]]:
    """Dates or times that stand for none, as text; the values are distinct."""
    days = values.dt.date() if isinstance(values.dtype, pl.Datetime) else values
    known = days.is_in(sorted(DAYS)) & (
        (values.dt.hour() == 0) if isinstance(values.dtype, pl.Datetime) else pl.Series([True])
    )
    rest = days.filter(~known)
    if rest.len() < 3 or not known.any():
        return []
    low, high = rest.min(), rest.max()
    assert isinstance(low, date) and isinstance(high, date)  # noqa: S101, PT018
    spread = max((high - low).days, 30)
    steps = rest.cast(pl.Date()).unique().sort().diff().drop_nulls().dt.total_days()
    step = int(steps.max() or 0)  # type: ignore[arg-type]
    found: list[tuple[str, int, str]] = []
    for value, day, count in zip(
        values.filter(known), days.filter(known), counts.filter(known), strict=True
    ):
        gap = (low - day).days if day < low else (day - high).days
        # The first of a column of years or months is one step before the next: no sentinel.
        often = gap > max(2 * step, 1) and count >= max(5, int(counts.sum()) * 0.01)
        if gap > spread or often:
            found.append((_text(value), count, f"far from all others, {low} to {high}"))
    return found


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
