"""How dates and times are spelled in text: the formats that are known, and which of them hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

DATES = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y",
    "%Y%m%d", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y",
    "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d. %B %Y", "%Y.%m.%d",
)  # fmt: skip
CLOCKS = ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
OFFSETS = ("%z", " %z")
SHORT = "%y"
MIXED_UP = {
    "%d/%m/%Y": "%m/%d/%Y",
    "%d-%m-%Y": "%m-%d-%Y",
    "%d/%m/%y": "%m/%d/%y",
}
"""Day first, and the same with the month first: values may be read both ways."""
LEAST, MOST = 1000, 9999
"""A year with fewer digits was meant to be another one."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How dates or times are spelled, and for which share of the values that holds."""

    type: str
    format: str | None
    share: float
    offset: bool = False
    """Whether each has its offset from UTC."""
    ambiguous: bool = False
    """Whether day and month could as well be the other way round."""


def spellings(texts: pl.Series, counts: pl.Series) -> list[Spelling]:
    """The formats that at least one value has, the one of most values first."""
    rows = int(counts.sum())
    # A date has digits and is short; text that is neither is not tried against all formats.
    likely = texts.str.contains(r"\d") & texts.str.len_chars().is_between(6, 40)
    if not rows or int(counts.filter(likely).sum()) < rows / 2:
        return []
    some = texts.filter(likely).head(200)
    found = []
    for kind, written, offset in _formats(some):
        parsed = parse(texts, kind, written, offset=offset)
        share = int(counts.filter(parsed.is_not_null()).sum()) / rows
        if share:
            found.append(Spelling(kind, written, share, offset))
    found.sort(key=lambda one: -one.share)
    return _settled(found, texts)


def _formats(some: pl.Series) -> Iterator[tuple[str, str | None, bool]]:
    """Those that a few of the values have: a cheap look before all are read."""
    if some.is_empty():
        return
    clock = some.str.contains(":").any()
    if clock and _any(some, "timestamp", "%+", offset=True):
        yield "timestamp", None, True
    for day in DATES:
        if _any(some, "date", day):
            yield "date", day, False
        if not clock:
            continue
        for joint in (" ", "T"):
            for time in CLOCKS:
                if joint == "T" and "%p" in time:
                    continue
                whole = f"{day}{joint}{time}"
                if _any(some, "timestamp", whole):
                    yield "timestamp", whole, False
                for offset in OFFSETS:
                    if _any(some, "timestamp", whole + offset, offset=True):
                        yield "timestamp", whole + offset, True


def _any(some: pl.Series, type: str, format: str, *, offset: bool = False) -> bool:
    return parse(some, type, format, offset=offset).is_not_null().any()


def parse(texts: pl.Series, type: str, format: str | None, *, offset: bool = False) -> pl.Series:
    """The dates or times of texts in a format; null where that is not theirs."""
    if format == "%Y%m%d":
        texts = texts.set(~texts.str.contains(r"^\d{8}$"), None)
    zone = "UTC" if offset else None
    try:
        if type == "date":
            parsed = texts.str.to_date(format, strict=False)
        else:
            parsed = texts.str.to_datetime(
                format or "%+", time_unit="us", time_zone=zone, strict=False
            )
    except pl.exceptions.PolarsError:
        return pl.repeat(None, len(texts), dtype=pl.Date(), eager=True)
    years = parsed.dt.year()
    low, high = (1900, 2100) if format == "%Y%m%d" else (LEAST, MOST)
    return parsed.set(~years.is_between(low, high), None)


def _settled(found: list[Spelling], texts: pl.Series) -> list[Spelling]:
    """Of day first and month first, where both hold, the one that the values speak for."""
    by_format = {one.format: one for one in found}
    dropped = set()
    for written, one in list(by_format.items()):
        swapped = _month_first(written or "")
        other = by_format.get(swapped)
        if swapped is None or other is None:
            continue
        if abs(one.share - other.share) > 0.001:
            dropped.add(min(one, other, key=lambda o: o.share).format)
            continue
        read = [parse(texts, o.type, o.format, offset=o.offset).dt.day() for o in (one, other)]
        days, months = (days.n_unique() for days in read)
        # Reports of the first of each month have one day; twelve values of both say nothing.
        keep, drop = (other, one) if months == 1 < days else (one, other)
        by_format[keep.format] = replace(keep, ambiguous=1 not in {days, months} or days == months)
        dropped.add(drop.format)
    return [one for written, one in by_format.items() if written not in dropped]


def _month_first(format: str) -> str | None:
    swapped = (format.replace(a, b) for a, b in MIXED_UP.items() if a in format)
    return next(swapped, None)


def in_many(found: Sequence[Spelling]) -> bool:
    """Whether the values are dates or times, and no one format is that of all.

    >>> in_many([Spelling("date", "%Y-%m-%d", 0.5), Spelling("date", "%d.%m.%Y", 0.5)])
    True
    """
    return len(found) > 1 and found[0].share < 0.995 and sum(one.share for one in found) > 0.95
