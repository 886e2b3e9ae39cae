"""Personal data in columns: by what their values look like, and by what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from taxiway.core.contract import Contract
from taxiway.data.privacy.identifiers import (
    CHECKED,
    INSIDE,
    LIKE,
    RULES_HOLD,
    TOKENS,
    confirmed,
    recognised,
)
from taxiway.data.privacy.names import PROTECTED, named, words_of

SEEN_ROWS = 100_000
"""Rows of a column that are looked at, spread over all of them."""
INSIDE_ROWS = 500
FEWEST = 3
"""Rows that hold a mail address and so on from which on it is no slip."""
FEWEST_DISTINCT = 10
SHORTEST = 8
"""Characters of a number with check digits that stands in a text."""
AMBIGUOUS = frozenset({"ip address"})
"""What other things look like too: versions do, and there are few of them."""
WHOLE = 0.5
"""Share of rows from which on a column is of a kind, and does not only hold some."""
QUASI = frozenset({"postal code", "birth date", "age", "sex", "nationality", "marital status"})
"""What names nobody alone, and somebody together (Sweeney 2002, k-anonymity)."""
FLAGS = ["0", "1", "0.0", "1.0", "true", "false", "yes", "no", "y", "n", "t", "f"]
NUMBERS = frozenset({"card", "national id", "bank account", "phone"})
SMALLEST = 500
"""Numbers of such kinds are larger, if only some of them."""
DECIMAL = r"^\s*[+-]?\d*[.,]\d+([eE][+-]?\d+)?\s*$"
SURE, LIKELY = "sure", "likely"


@dataclass(frozen=True, slots=True)
class Personal:
    """A column that holds personal data, as far as can be told. No value of it is here."""

    column: str
    kind: str
    how: str
    """`values`, `name`, `values and name`, or `inside its texts`."""
    confidence: str
    """`sure`: the values say so. `likely`: only the name does, or some texts."""
    rows: int
    """Rows, of those looked at, whose value is of the kind; 0 if only the name says so."""
    examined: int
    marked: bool
    """Whether the contract says that it is personal."""
    says: str


@dataclass(frozen=True, slots=True)
class Privacy:
    """What was found in a table."""

    rows: int
    columns: int
    personal: tuple[Personal, ...]
    protected: tuple[tuple[str, str, bool], ...]
    """(column, attribute, whether the contract marks it)."""
    quasi_identifiers: tuple[str, ...]
    unique_rows: int
    """Rows that are alone with their values of the quasi-identifiers."""
    small_rows: int
    """Rows that share them with fewer than `SMALL` others."""

    @property
    def unmarked(self) -> tuple[Personal, ...]:
        """What the values say is personal, and the contract does not."""
        return tuple(one for one in self.personal if one.confidence == SURE and not one.marked)

    def found(self) -> dict[str, Any]:
        """Plain data, for machines and for evidence."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "personal": [asdict(one) for one in self.personal],
            "protected": [
                {"column": column, "attribute": attribute, "marked": marked}
                for column, attribute, marked in self.protected
            ],
            "quasi_identifiers": list(self.quasi_identifiers),
            "unique_rows": self.unique_rows,
            "small_rows": self.small_rows,
        }


SMALL = 5
"""Rows that share their quasi-identifiers below which they can be found out."""


def privacy(frame: pl.DataFrame, contract: Contract | None = None) -> Privacy:
    """Personal and protected columns of a frame, and how alone its rows stand.

    >>> frame = pl.DataFrame({"contact": [f"someone{n}@example.org" for n in range(20)]})
    >>> found = privacy(frame)
    >>> [(one.column, one.kind, one.confidence) for one in found.unmarked]
    [('contact', 'email', 'sure')]
    """
    marks = {c.name: (c.personal, c.protected) for c in contract.columns} if contract else {}
    personal = tuple(
        one
        for name in frame.columns
        if (one := _personal(frame.get_column(name), marked=marks.get(name, (False, False))[0]))
    )
    protected = tuple(
        (name, attribute, marks.get(name, (False, False))[1])
        for name in frame.columns
        if (attribute := protected_attribute(frame.get_column(name)))
    )
    quasi = [one.column for one in personal if one.kind in QUASI]
    quasi += [name for name, attribute, _ in protected if attribute in QUASI and name not in quasi]
    unique, small = _alone(frame, quasi)
    return Privacy(frame.height, frame.width, personal, protected, tuple(quasi), unique, small)


def protected_attribute(column: pl.Series) -> str | None:
    """The protected attribute that a column holds, by its name or by its values."""
    if attribute := named(column.name, PROTECTED):
        # A word such as "age" names other things too, in longer names.
        short = len(words_of(column.name)) <= 3
        return attribute if short else None
    if column.dtype in (pl.String, pl.Categorical):
        values = {str(v).strip().lower() for v in column.drop_nulls().unique().head(7)}
        if {"male", "female"} <= values and len(values) <= 6:
            return "sex"
    return None


def _personal(column: pl.Series, *, marked: bool) -> Personal | None:
    by_name = named(column.name)
    step = max(1, column.len() // SEEN_ROWS)
    seen = column.gather_every(step).drop_nulls()
    if held := of_values(seen):
        kind, rows, says = held.kind, held.rows, held.says
        whole = rows >= WHOLE * seen.len()
        how = "values and name" if by_name and whole else "values" if whole else "inside its texts"
        confidence = SURE if whole or (by_name and rows) or kind in CHECKED else LIKELY
        return Personal(column.name, kind, how, confidence, rows, seen.len(), marked, says)
    if by_name and seen.len() and not _contradicts(by_name, seen):
        says = f"its name says so ({' '.join(words_of(column.name))})"
        return Personal(column.name, by_name, "name", LIKELY, 0, seen.len(), marked, says)
    return None


def _contradicts(kind: str, seen: pl.Series) -> bool:
    """Whether values can't be what a name says, such as flags that something is there."""
    texts = {"person name", "email", "address"}
    if kind in texts and seen.dtype.is_numeric():
        return True
    if kind == "ip address" and seen.dtype.is_float():
        return True
    if kind in NUMBERS and seen.dtype.is_numeric() and float(seen.max()) < SMALLEST:  # type: ignore[arg-type]
        return True
    return seen.cast(pl.String).str.to_lowercase().is_in(FLAGS).all()


@dataclass(frozen=True, slots=True)
class Held:
    """What values are, or hold inside of texts."""

    kind: str
    rows: int
    """How many of them."""
    says: str


def of_values(seen: pl.Series) -> Held | None:
    """The kind of personal data that some values without nulls are, or hold; None if of none."""
    if seen.dtype.is_integer():
        whole = _numbers(seen)
        return _scheme(whole, seen.len()) if whole else None
    if seen.dtype != pl.String or not seen.len():
        return None
    return _scheme(_distinct(seen), seen.len()) or _inside(seen)


def _numbers(seen: pl.Series) -> list[str]:
    """Whole numbers as texts, with the zeros in front that numbers lose."""
    distinct = seen.unique(maintain_order=True).head(2_000)
    if distinct.len() < 0.5 * min(seen.len(), 2_000):
        return []
    texts = distinct.cast(pl.String)
    longest = int(texts.str.len_bytes().max())  # type: ignore[arg-type]
    return texts.str.zfill(longest).to_list() if longest >= 8 else []


def _distinct(seen: pl.Series) -> list[str]:
    return seen.unique(maintain_order=True).head(2_000).to_list()


def _scheme(values: Sequence[str], rows: int) -> Held | None:
    found = recognised(values)
    if found is None:
        return None
    says = (
        f"{found.valid:.0%} of its values have right check digits, of random ones"
        f" {found.by_chance:.1%}"
    )
    return Held(found.kind, round(found.valid * rows), says)


def _inside(seen: pl.Series) -> Held | None:
    """What stands in texts, alone or among other words; the most frequent kind."""
    best: Held | None = None
    every = seen.len()
    seen = seen.filter(~seen.str.contains(DECIMAL))  # whose decimals have any check digit
    for kind, pattern in INSIDE.items():
        holding = seen.filter(seen.str.contains(pattern))
        rows = holding.len()
        if kind in CHECKED and rows:
            looked = holding.head(INSIDE_ROWS).to_list()
            rows = round(rows * confirmed(kind, looked) / len(looked))
            # Of long numbers one in ten has the check digit of a card.
            rows = rows if rows >= 0.3 * holding.len() else 0
        if kind in LIKE and rows:
            like = seen.filter(seen.str.contains(LIKE[kind]))
            if like.str.contains(pattern).sum() < RULES_HOLD * like.len():
                continue
        few = kind in AMBIGUOUS and holding.n_unique() < min(FEWEST_DISTINCT, seen.len() // 2)
        if rows < FEWEST or few:
            continue
        if best is None or rows > best.rows:
            best = Held(kind, rows, f"{rows:,} of {every:,} values hold one")
    return best or _scheme_inside(seen)


def _scheme_inside(seen: pl.Series) -> Held | None:
    """A scheme that numbers follow which stand in texts."""
    tokens = seen.str.extract_all(TOKENS).list.eval(
        pl.element().filter(pl.element().str.len_bytes() >= SHORTEST)
    )
    holding = int((tokens.list.len() > 0).sum())
    if holding < FEWEST:
        return None
    return _scheme(_distinct(tokens.explode().drop_nulls()), holding)


def _alone(frame: pl.DataFrame, quasi: Sequence[str]) -> tuple[int, int]:
    if len(quasi) < 2 or not frame.height:
        return 0, 0
    sizes = frame.select(quasi).group_by(quasi).agg(pl.len().alias("\0rows"))["\0rows"]
    return int(sizes.filter(sizes == 1).sum()), int(sizes.filter(sizes < SMALL).sum())
