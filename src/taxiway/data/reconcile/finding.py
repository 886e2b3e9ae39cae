"""What was found: joins, findings with their evidence, and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from taxiway.core.digest import digest_of, short
from taxiway.data.mapping import Mapped

KINDS = {
    "unit": "the same name in another unit",
    "mixed": "two units in one column",
    "coding": "the same values in other words",
    "spelling": "the same values, spelled otherwise",
    "meaning": "the same name with another meaning",
    "synonym": "another name for the same",
    "sentinel": "a value that stands for nothing",
    "clock": "another clock or time zone",
    "shifted": "rows whose values stand in other columns",
    "grain": "another grain",
    "key": "keys that only nearly match",
    "differs": "values that do not agree",
}
"""Kind of finding -> what it is."""

HIGH = frozenset({"unit", "mixed", "coding", "meaning", "sentinel", "clock", "shifted"})
"""Kinds that make numbers wrong without a sound; the others are seen when they are used."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column of a table; of all of them if `column` is empty."""

    table: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.column} of {self.table}" if self.column else self.table


@dataclass(frozen=True, slots=True)
class Finding:
    """Two columns that do not say the same in the same way, until a person has settled it."""

    kind: str
    left: Place
    right: Place
    says: str
    """In plain words."""
    confidence: float
    evidence: dict[str, Any]
    mapping: Mapped | None
    """What would settle it; None if the data have to be corrected at their source."""
    contracts: tuple[str, str]
    """Digests of what the two tables are said to hold."""

    @property
    def id(self) -> str:
        """The same for the same kind of finding about the same columns."""
        about = [self.kind, str(self.left), str(self.right)]
        return short(digest_of(["taxiway/meaning/1", *about]))[:8]

    @property
    def content(self) -> str:
        """The digest that a resolution is bound to: the kind, the columns, the mapping, and what
        the tables are said to hold."""
        mapping = self.mapping.found() if self.mapping else None
        return digest_of([self.kind, str(self.left), str(self.right), mapping, self.contracts])

    @property
    def severity(self) -> str:
        return "high" if self.kind in HIGH else "medium"

    def found(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "id": self.id,
            "content": self.content,
            "kind": self.kind,
            "what": KINDS[self.kind],
            "severity": self.severity,
            "confidence": round(self.confidence, 2),
            "left": {"table": self.left.table, "column": self.left.column},
            "right": {"table": self.right.table, "column": self.right.column},
            "says": self.says,
            "evidence": self.evidence,
            "mapping": self.mapping.found() if self.mapping else None,
            "contracts": list(self.contracts),
        }


@dataclass(frozen=True, slots=True)
class Join:
    """How rows of two tables match."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    how: str
    """`1:1`, `1:n`, `n:1`, `n:m`, or `order` for the order of the rows."""
    exact: tuple[float, float]
    """The share of each side's rows whose key the other side has, letter by letter."""
    near: tuple[float, float]
    """The same, without regard to spelling."""
    steps: tuple[str, ...]
    """What the spelling takes."""
    keys: int
    """Keys of the sample that match."""

    def found(self) -> dict[str, Any]:
        return {
            "left": list(self.left),
            "right": list(self.right),
            "how": self.how,
            "exact": [round(share, 4) for share in self.exact],
            "near": [round(share, 4) for share in self.near],
            "steps": list(self.steps),
            "keys": self.keys,
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """What was found between two tables."""

    left: str
    right: str
    rows: tuple[int, int]
    matched: int
    """Rows that were compared."""
    joins: tuple[Join, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    """Columns of the same name that say the same."""
    unseen: tuple[str, ...] = ()
    """Columns of the same name of which nothing could be told."""

    def found(self) -> dict[str, Any]:
        return {
            "left": self.left,
            "right": self.right,
            "rows": list(self.rows),
            "matched": self.matched,
            "joins": [join.found() for join in self.joins],
            "same": list(self.same),
            "unseen": list(self.unseen),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was found between all tables."""

    tables: tuple[str, ...]
    contracts: dict[str, str]
    rows: int
    pairs: tuple[Pair, ...] = field(default=())
    seconds: float = 0.0

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for pair in self.pairs for finding in pair.findings)

    def found(self) -> dict[str, Any]:
        """As plain data: what `--json` prints and evidence holds."""
        return {
            "tables": list(self.tables),
            "contracts": self.contracts,
            "rows": self.rows,
            "pairs": [pair.found() for pair in self.pairs],
            "findings": [finding.found() for finding in self.findings],
        }
