"""Wires `data check`: a source, its contract, and the tables that the contract refers to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.data.sources import Told, opened
from taxiway.bootstrap.extras import extras
from taxiway.core.errors import InputError, MissingError, shortened
from taxiway.core.kind import CLASSIFICATION, KINDS

if TYPE_CHECKING:
    import polars as pl

    from taxiway.bootstrap.project import Project
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.contract import Contract, Reference
    from taxiway.data.findings import Validation
    from taxiway.data.source import Source
    from taxiway.data.table import Commit


@dataclass(frozen=True, slots=True)
class Checked:
    """A source held against a contract."""

    source: str
    contract: str
    validation: Validation
    notes: tuple[str, ...] = ()
    """What was found out about the source, and what of the contract's file is not held."""
    quarantined: int = 0
    """How many rows were set aside."""

    def found(self) -> dict[str, Any]:
        """Plain data, for machines."""
        found = self.validation
        fields = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
        return {
            "source": self.source,
            "contract": self.contract,
            "passed": found.passed,
            **fields,
            "rows_per_second": found.rows_per_second,
            "quarantined": self.quarantined,
            "about": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be read beside the contract."""

    source: str
    query: str | None = None
    told: Told | None = None
    others: tuple[str, ...] = ()
    """Tables that the contract refers to, each as NAME=SOURCE."""
    quarantine: Path | None = None
    """Where rows that break the contract are written, with their reasons."""
    overwrite: bool = False


def check_file(
    asked: Asked,
    contract: Path,
    *,
    table: str | None = None,
    as_of: datetime | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Checked:
    """Holds a source against a contract in a file, without any project."""
    from taxiway.bootstrap.data.contracts import read

    with extras():
        held = read(contract, table=table)
        source = opened(
            asked.source,
            query=asked.query,
            told=asked.told,
            contract=held.contract,
            on_rows=lambda _: None,
        )
        return check(source, held.contract, asked, as_of=as_of, on_rows=on_rows, notes=held.notes)


def check_project(
    workspace: Workspace,
    project: Project,
    asked: Asked | None = None,
    *,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Checked:
    """Holds a source, the charter's if none is named, against the contract of a project."""
    with extras():
        from taxiway.bootstrap.data.meaning import mapped_source

        wanted = asked or Asked("")
        contract, target = project.contract, project.file.sections.get("target")
        if wanted.source:
            source = opened(wanted.source, query=wanted.query, told=wanted.told, contract=contract)
        else:
            source = project.source(None)
        source, _ = mapped_source(workspace, project, source, read_as=contract)
        return check(
            source,
            contract,
            wanted,
            as_of=workspace.desk.now(),
            target=target.definition if target else None,
            label=KINDS[project.file.sections.get("kind", CLASSIFICATION.name)].label,
            on_rows=on_rows,
        )


def check(
    source: Source,
    contract: Contract,
    asked: Asked,
    *,
    as_of: datetime | None = None,
    target: str | None = None,
    label: str = "boolean",
    on_rows: Callable[[int], None] = lambda _: None,
    notes: tuple[str, ...] = (),
) -> Checked:
    """Holds every row of a source against a contract; rows that break it go to the quarantine."""
    from taxiway.data.table import require_writable
    from taxiway.data.validation import examine

    if asked.quarantine is not None:
        require_writable(asked.quarantine, overwrite=asked.overwrite)
        if asked.quarantine.resolve() in {p.resolve() for p in (source.path, *source.parts)}:
            raise InputError(f"{asked.quarantine} is what is checked; choose another name.")
    known = _known(contract, asked.others)
    validation, marks = examine(
        source, contract, on_rows=on_rows, as_of=as_of, target=target, label=label, known=known
    )
    aside = 0
    if asked.quarantine is not None and validation.failed_rows:
        aside = _set_aside(source, contract, marks, known, asked.quarantine)
    return Checked(source.name, contract.id, validation, (*source.notes, *notes), aside)


def _set_aside(
    source: Source, contract: Contract, marks: Any, known: Mapping[Any, pl.Series], path: Path
) -> int:
    from taxiway.data.quarantine import portions
    from taxiway.data.table import is_delta, writing

    commit: Commit | None = None
    if is_delta(path):
        from taxiway.adapters import delta

        commit = delta.write
    rows = 0
    with writing(path, "quarantine", commit=commit) as add:
        for portion in portions(source, contract, marks, known):
            if portion.broken.height:
                add(portion.broken)
                rows += portion.broken.height
    return rows


def _known(contract: Contract, others: tuple[str, ...]) -> dict[Reference, pl.Series]:
    """What the contract's references are held against, as far as it was named.

    Raises `InputError` for a table that the contract does not refer to, or without the columns.
    """
    named: dict[str, str] = {}
    for text in others:
        name, mark, place = text.partition("=")
        if not mark or not name or not place:
            raise InputError(
                f"{shortened(text, 80)!r} is no table; expected NAME=SOURCE, such as"
                " planes=data/planes.csv."
            )
        named[name] = place
    references = contract.references or ()
    tables = sorted({one.table for one in references})
    for name in named:
        if name not in tables:
            raise MissingError.named(f"table that contract {contract.id} refers to", name, tables)
    return {
        one: _rows_of(one, contract, named[one.table]) for one in references if one.table in named
    }


def _rows_of(one: Reference, contract: Contract, place: str) -> pl.Series:
    """Hashes of the rows of another table, read as the columns that refer to it are."""
    from taxiway.data.rules import rows_for
    from taxiway.data.source import raw_frame, reading
    from taxiway.data.source.rows import value_in

    other = opened(place)
    gone = [name for name in one.to if name not in other.schema]
    if gone:
        raise InputError(
            f"{other.name} has no column {', '.join(gone)}, which contract {contract.id} refers to."
        )
    values = [
        value_in(other, dataclasses.replace(contract.column(name), name=to)).alias(name)
        for name, to in zip(one.columns, one.to, strict=True)
    ]
    with reading(other):
        return rows_for(one, raw_frame(other).select(values))
