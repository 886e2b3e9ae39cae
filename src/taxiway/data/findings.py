"""What validation finds: failures with counts and samples, and the verdict over a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from taxiway.core.errors import Problem


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule of one column that does not hold, how often, and a few of the values.

    `samples` are `{"row": number from 1, "value": text}`; values of personal columns stay out.
    A failure of the whole source (a missing column, too few rows) has `rows` 0.
    """

    column: str
    rule: str
    rows: int
    expected: str
    samples: tuple[dict[str, Any], ...] = ()

    def problem(self) -> Problem:
        """The failure as a problem of an error."""
        values = ", ".join(f"{s['value']} (row {s['row']})" for s in self.samples)
        count = f" in {self.rows} {'row' if self.rows == 1 else 'rows'}" if self.rows else ""
        what = f"{self.rule}{count}"
        return Problem(what, values or None, self.expected, self.column or None)


@dataclass(frozen=True, slots=True)
class Labels:
    """How many rows have the label, and the smallest and the largest of them (false and true)."""

    rows: int = 0
    low: bool | float | None = None
    high: bool | float | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """A source held against its contract, every row of it. It passed if nothing failed."""

    rows: int
    failed_rows: int
    failures: tuple[Failure, ...]
    extra_columns: tuple[str, ...]
    first_time: datetime | date | None
    last_time: datetime | date | None
    columns: int
    notes: tuple[str, ...] = ()
    """What is allowed and worth a look: a column with one value, a target with one class."""
    labels: Labels | None = None
    seconds: float = field(default=0.0, compare=False)
    """How long the pass took; the same rows found the same, however long it took."""

    @property
    def rows_per_second(self) -> int:
        return round(self.rows / self.seconds) if self.seconds else 0

    @property
    def passed(self) -> bool:
        return not self.failures and self.rows > 0

    def found(self) -> dict[str, Any]:
        """What the evidence of validation holds (`core.evidence.VALIDATION`)."""
        return {
            "failed_rows": self.failed_rows,
            "failures": [
                {
                    "column": f.column,
                    "rule": f.rule,
                    "rows": f.rows,
                    "expected": f.expected,
                    "samples": list(f.samples),
                }
                for f in self.failures
            ],
            "columns": self.columns,
            "extra_columns": list(self.extra_columns),
            "notes": list(self.notes),
        }
