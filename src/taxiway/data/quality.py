"""Quality rules and relationships of the standard, as far as a contract here can hold them.

A rule becomes a part of the contract (a column that is required or unique, allowed values,
sentinels, numbers of rows) or a condition over the columns of a row. What can't be held is named,
so that nobody believes that it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from taxiway.core.contract import Column, Reference, Rule
from taxiway.data.standard import Quality, Relationship

ENGINE = "taxiway"
"""Whose words the implementation of a custom rule is in."""
COUNTED = re.compile(
    r"\s*SELECT\s+COUNT\s*\(\s*(?:\*|1)\s*\)\s+FROM\s+\S+(?:\s+(?:AS\s+)?\w+)?\s+WHERE\s+(.+?);?\s*",
    re.IGNORECASE | re.DOTALL,
)
"""A query that counts the rows which break a rule."""


@dataclass
class Held:
    """What the rules of a table came to."""

    columns: dict[str, Column]
    minimum_rows: int | None = None
    maximum_rows: int | None = None
    rules: list[Rule] = field(default_factory=list)
    unheld: list[str] = field(default_factory=list)
    """What is not held, for people."""


def hold(quality: Quality, held: Held, column: str | None = None) -> None:
    """Adds a rule of a table, or of one of its columns."""
    metric = quality.metric or quality.rule
    name = quality.name or metric or quality.description or f"rule {len(held.rules) + 1}"
    if quality.type == "custom" and quality.engine == ENGINE:
        held.rules.append(Rule(name, str(quality.implementation), quality.description or ""))
        return
    if quality.type == "text":
        return
    if quality.type == "sql" and quality.query and _none_allowed(quality):
        counted = COUNTED.fullmatch(quality.query)
        if counted:
            # A row for which the query's condition is null is not counted: it breaks nothing.
            rule = Rule(name, f"NOT ({counted[1]})", quality.description or "")
            held.rules.append(rule)
            return
    known = METRICS.get(str(metric)) if quality.type in {None, "library"} else None
    if known is None or not known(quality, held, column):
        place = f" of column {column}" if column else ""
        held.unheld.append(f"the quality rule `{name}`{place} is not held against the data")


def _none_allowed(quality: Quality) -> bool:
    """Whether no row may break the rule."""
    limits = (quality.must_be, quality.must_be_less_or_equal_to)
    return 0 in limits or quality.must_be_less_than == 1


def _rows(quality: Quality, held: Held, column: str | None) -> bool:
    low, high = quality.must_be_greater_or_equal_to, quality.must_be_less_or_equal_to
    if quality.must_be_greater_than is not None:
        low = math.floor(quality.must_be_greater_than) + 1
    if quality.must_be_less_than is not None:
        high = math.ceil(quality.must_be_less_than) - 1
    if quality.must_be_between:
        low, high = quality.must_be_between[0], quality.must_be_between[-1]
    if isinstance(quality.must_be, int):
        low = high = quality.must_be
    if column is not None or (low is None and high is None):
        return False
    held.minimum_rows = math.ceil(low) if low is not None else held.minimum_rows
    held.maximum_rows = math.floor(high) if high is not None else held.maximum_rows
    return True


def _changed(
    change: Callable[[Column, dict[str, Any]], Column | None],
) -> Callable[[Quality, Held, str | None], bool]:
    """A metric that says something of a column of which no row may break it."""

    def hold_it(quality: Quality, held: Held, column: str | None) -> bool:
        if column not in held.columns or not _none_allowed(quality):
            return False
        made = change(held.columns[column], quality.arguments or {})
        if made is None:
            return False
        held.columns[column] = made
        return True

    return hold_it


def _invalid(column: Column, arguments: dict[str, Any]) -> Column | None:
    values, pattern = arguments.get("validValues"), arguments.get("pattern")
    if isinstance(values, list) and values and not column.values:
        return replace(column, values=tuple(values))
    if isinstance(pattern, str) and column.pattern in {None, pattern}:
        return replace(column, pattern=pattern)
    return None


def _missing(column: Column, arguments: dict[str, Any]) -> Column:
    listed = tuple(v for v in arguments.get("missingValues") or () if v not in {None, ""})
    return replace(column, nullable=False, sentinels=(column.sentinels or listed) or None)


METRICS: dict[str, Callable[[Quality, Held, str | None], bool]] = {
    "rowCount": _rows,
    "nullValues": _changed(lambda column, _: replace(column, nullable=False)),
    "missingValues": _changed(_missing),
    "duplicateValues": _changed(lambda column, _: replace(column, unique=True)),
    "duplicateCount": _changed(lambda column, _: replace(column, unique=True)),
    "invalidValues": _changed(_invalid),
    "validValues": _changed(_invalid),
}
"""Metric of the standard's library -> what it makes of a contract."""


def references_of(
    relationships: Sequence[Relationship], table: str, column: str | None = None
) -> tuple[list[Reference], list[str]]:
    """References to other tables, and what is none that can be held."""
    found, unheld = [], []
    for one in relationships:
        begins = [column] if column else [_last(p) for p in _listed(one.from_)]
        ends = [_split(part) for part in _listed(one.to)]
        tables = {name for name, _ in ends}
        if one.type not in {None, "foreignKey"} or len(begins) != len(ends) or len(tables) != 1:
            unheld.append(f"the relationship of {column or table} to {one.to} is not held")
            continue
        names = tuple(str(name) for name in begins)
        found.append(Reference(names, tables.pop(), tuple(name for _, name in ends)))
    return found, unheld


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _last(path: str) -> str:
    return _split(path)[1]


def _split(path: str) -> tuple[str, str]:
    """Table and column of `table.column`, or of `file#/schema/table/properties/column`."""
    if "/" in path:
        parts = [part for part in re.split("[/#]", path) if part]
        return (parts[-3] if len(parts) > 2 else ""), parts[-1]
    table, _, column = path.rpartition(".")
    return table, column
