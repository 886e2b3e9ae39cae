"""Wires `data show` of whatever people name as a source, and of a snapshot's rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.data.sources import opened
from taxiway.bootstrap.extras import extras
from taxiway.core.digest import short

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.contract import Contract
    from taxiway.core.facts import Snapshot
    from taxiway.data.survey.rows import Rows


@dataclass(frozen=True, slots=True)
class Shown:
    """What a source holds: aggregates, and no value of a personal column."""

    source: str
    rows: int
    columns: list[dict[str, Any]]
    repeated: float | None
    """Share of the rows that were there before; None where there is no column to say so."""

    def found(self) -> dict[str, Any]:
        """For machines."""
        return {
            "source": self.source,
            "rows": self.rows,
            "repeated_rows": self.repeated,
            "columns": self.columns,
        }

    def page(self) -> str:
        """A page of one file."""
        from taxiway.data.survey.page import page

        return page(self.source, self.rows, self.columns, repeated=self.repeated)


def _unwatched(_: int) -> None:
    """Rows that nobody counts."""


def show_source(
    asked: str,
    *,
    query: str | None = None,
    contract: Contract | None = None,
    on_rows: Callable[[int], None] = _unwatched,
) -> Shown:
    """One pass over a source; text is read as the contract says, if it knows the columns."""
    with extras():
        from taxiway.data.survey.rows import rows_of_source

        source = opened(asked, query=query)
        return _shown(rows_of_source(source, contract), contract, on_rows)


def show_snapshot(
    workspace: Workspace,
    snapshot: Snapshot,
    *,
    contract: Contract | None = None,
    on_rows: Callable[[int], None] = _unwatched,
) -> Shown:
    """One pass over the rows of a snapshot."""
    with extras():
        from taxiway.data.snapshot import scan_snapshot
        from taxiway.data.survey.rows import rows_of_scan

        scan = scan_snapshot(workspace.objects, snapshot)
        return _shown(rows_of_scan(scan, f"snapshot {short(snapshot.id)}"), contract, on_rows)


def _shown(rows: Rows, contract: Contract | None, on_rows: Callable[[int], None]) -> Shown:
    from taxiway.data.survey.hidden import hidden_columns
    from taxiway.data.survey.summary import summaries
    from taxiway.data.survey.survey import survey

    found = survey(rows, on_rows=on_rows)
    hidden = hidden_columns(found.columns, found.sample, contract)
    told = found.equal.rows()
    repeated = found.equal.repeated() if len(told) else None
    return Shown(rows.name, found.rows, summaries(found, hidden), repeated)
