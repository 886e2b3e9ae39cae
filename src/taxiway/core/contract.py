"""The contract as a record: what each column is called, holds, means, and when it is known.

People write it as an Open Data Contract Standard file (`taxiway.data.odcs` reads it); everything
else, from the validation of a batch to the schema of the endpoint, is derived from this record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taxiway.core.digest import LATER, digest_of
from taxiway.core.errors import MissingError

TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
"""Logical types of the standard that a column can have. A timestamp is UTC, microseconds."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Limits are inclusive; `values`, if any, are the only ones allowed."""

    name: str
    type: str
    description: str = ""
    nullable: bool = False
    key: bool = False
    unique: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    pattern: str | None = None
    """A regular expression that has to be found in the text, without look-around."""
    minimum_length: int | None = None
    maximum_length: int | None = None
    values: tuple[str | int, ...] = ()
    unit: str | None = None
    known_at: str | None = None
    """The moment (of the contract's `moments`) when the value is known; None: the first one."""
    personal: bool = False
    protected: bool = False
    examples: tuple[str | int | float | bool, ...] = ()
    meaning: str | None = field(default=None, metadata={LATER: True})
    """The business term that the column stands for; columns of one meaning say the same."""
    sentinels: tuple[str | int | float, ...] | None = field(default=None, metadata={LATER: True})
    """Values that stand for none, such as -9999 or `unknown`: they are read as missing."""
    format: str | None = field(default=None, metadata={LATER: True})
    """How a date or a time is spelled in text, as `strftime` writes it; None: as ISO 8601 does."""
    timezone: str | None = field(default=None, metadata={LATER: True})
    """The zone of times that are written without an offset; None: each has its offset."""
    proxy: bool | None = field(default=None, metadata={LATER: True})
    """Whether it stands for a protected attribute, however it is called."""
    cost: float | None = field(default=None, metadata={LATER: True})
    """What it costs to have one value, in the currency of the charter's value case."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over the columns of one row that has to hold; where it is null it does."""

    name: str
    condition: str
    """SQL, such as `sched_arr_time > sched_dep_time OR overnight`."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns whose values, where they are there, are rows of another table."""

    columns: tuple[str, ...]
    table: str
    """What the other table is called."""
    to: tuple[str, ...]
    """Its columns, in the same order."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Columns, the order in which they become known, and the time that says when a row happened."""

    id: str
    version: str
    description: str
    table: str
    columns: tuple[Column, ...]
    moments: tuple[str, ...]
    """Moments in a row's life, first to last, such as (`scheduling`, `departure`, `arrival`)."""
    decision_at: str
    """The moment when the model has to answer: what is known later can't be an input."""
    event_time: str
    """The column that says when a row happened."""
    owner: str = ""
    freshness_hours: float | None = None
    minimum_rows: int = 1
    maximum_rows: int | None = field(default=None, metadata={LATER: True})
    rules: tuple[Rule, ...] | None = field(default=None, metadata={LATER: True})
    references: tuple[Reference, ...] | None = field(default=None, metadata={LATER: True})
    changes: str | None = field(default=None, metadata={LATER: True})
    """Which later versions are allowed: `none`, `compatible`, or None for any."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """The key columns, in the contract's order."""
        return tuple(c.name for c in self.columns if c.key)

    def column(self, name: str) -> Column:
        """The column of that name. Raises `MissingError` with the close match."""
        for column in self.columns:
            if column.name == name:
                return column
        raise MissingError.named(f"column in contract {self.id}", name, self.names)

    def known_at(self, name: str) -> str:
        """The moment when a column is known."""
        return self.column(name).known_at or self.moments[0]

    def is_known(self, name: str) -> bool:
        """Whether the column is known when the model has to answer."""
        return self.moments.index(self.known_at(name)) <= self.moments.index(self.decision_at)

    def only(self, names: Iterable[str]) -> Contract:
        """The contract of some of the columns, for instance of a model's inputs."""
        wanted = set(names)
        return dataclasses.replace(self, columns=tuple(c for c in self.columns if c.name in wanted))

    @property
    def digest(self) -> str:
        return digest_of(self)


def contract_from(document: Mapping[str, Any]) -> Contract:
    """A contract from the plain data that its canonical JSON holds."""

    def fields(plain: Mapping[str, Any]) -> dict[str, Any]:
        return {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}

    nested = {"columns": Column, "rules": Rule, "references": Reference}
    plain = fields(document)
    for name, kind in nested.items():
        if plain.get(name) is not None:
            plain[name] = tuple(kind(**fields(one)) for one in plain[name])
    return Contract(**plain)
