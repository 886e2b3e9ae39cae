"""Columns whose values are never shown: what is personal, and texts that say which row it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from taxiway.core.contract import Contract
from taxiway.data.survey.counting import Column
from taxiway.data.survey.rows import BOOLEAN, TEXT

LOOKED_AT = 2_000
ENOUGH = 0.05
"""Share of the texts that look like something personal."""
LONG_TEXTS = 60
"""Characters, on average, from which on a text is somebody's own words."""

SHOWN_FROM = 5
"""Rows that have a value, before it is shown."""
FEW = 20
"""With no more values than that a column says nothing of anybody, whatever it is called."""

NAMES = re.compile(
    r"(^|_)(first|last|family|given|middle|full|user|customer|person|employee|patient|client)_?name"
    r"|surname|e_?mail|phone|mobile|fax_|street|address|iban|ssn|passport|birth|^name$"
    r"|(^|_)(dob|tax_?id|national_?id|social_security|card_?(no|number)|account_?(no|number))($|_)",
    re.IGNORECASE,
)
"""What columns of personal data are called."""

PATTERNS = {
    "a mail address": r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}",
    "a bank account": r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b",
    "a card number": r"\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3,4}\b",
    "a phone number": r"^(?:\+|00)[0-9][0-9 ()/.-]{6,}[0-9]$",
    "a national number": r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$",
    "an address of a computer": r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$",
}
"""What personal texts look like."""


def hidden_columns(
    columns: Mapping[str, Column], sample: pl.DataFrame, contract: Contract | None = None
) -> dict[str, str]:
    """Columns of which no value is shown, and why."""
    marked = {c.name for c in contract.columns if c.personal} if contract else set()
    reasons = {name: _reason(column, sample, name in marked) for name, column in columns.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(column: Column, sample: pl.DataFrame, marked: bool) -> str | None:
    if marked:
        return "personal, says the contract"
    if NAMES.search(_words(column.name)) and not _few(column):
        return "personal, by its name"
    if column.kind != TEXT:
        return None
    if column.nearly_all_differ:
        return "nearly every row has its own"
    texts = sample.get_column(column.name).drop_nulls().head(LOOKED_AT)
    for what, pattern in PATTERNS.items():
        if texts.len() and texts.str.contains(pattern).mean() >= ENOUGH:  # type: ignore[operator]
            return f"looks like {what}"
    if texts.len() and texts.str.len_chars().mean() >= LONG_TEXTS:  # type: ignore[operator]
        return "free text"
    if _mostly_once(column):
        return "most values stand in few rows"
    return None


def _mostly_once(column: Column) -> bool:
    """Whether a value stands for a handful of rows, as a name or a number of somebody does."""
    if column.distinct is None:
        return True
    return column.distinct > max(FEW, (column.rows - column.nulls) / SHOWN_FROM)


def _few(column: Column) -> bool:
    if column.kind == TEXT:
        return column.distinct is not None and column.distinct <= FEW
    return column.bins.few or column.kind == BOOLEAN


def _words(name: str) -> str:
    """Words of a name apart: `lastName` as `last_Name`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\W]+", "_", name)
