"""What inferring finds: a contract, and for each column how sure it is and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taxiway.core.contract import Column, Contract


@dataclass(frozen=True, slots=True)
class Guess:
    """One column: what it seems to be, how sure that is (0 to 1), and why."""

    column: Column
    confidence: float
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.column.name


@dataclass(frozen=True, slots=True)
class Draft:
    """A contract as data suggest it."""

    contract: Contract
    columns: tuple[Guess, ...]
    rows: int
    """How many rows were looked at."""
    whole: bool
    """Whether those were all."""
    notes: tuple[str, ...] = ()

    def found(self) -> dict[str, Any]:
        """The draft as plain data; no values of columns that may be personal."""
        return {
            "id": self.contract.id,
            "rows": self.rows,
            "whole": self.whole,
            "key": list(self.contract.key),
            "event_time": self.contract.event_time or None,
            "columns": [
                {
                    "name": guess.name,
                    "type": guess.column.type,
                    "confidence": round(guess.confidence, 2),
                    "reasons": list(guess.reasons),
                    **{name: value for name, value in _said(guess.column) if value},
                }
                for guess in self.columns
            ],
            "notes": list(self.notes),
        }


def _said(column: Column) -> list[tuple[str, Any]]:
    names = (
        "nullable", "key", "unique", "unit", "meaning", "format", "timezone", "minimum", "maximum",
        "pattern", "values", "sentinels", "personal", "protected", "proxy",
    )  # fmt: skip
    found = [(name, getattr(column, name)) for name in names]
    return [(name, list(v) if isinstance(v, tuple) else v) for name, v in found]
