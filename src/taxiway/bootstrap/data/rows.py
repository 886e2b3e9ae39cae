"""Rows for what looks at whole tables: a source, typed by its contract or by a draft of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.bootstrap.data.sources import opened
from taxiway.bootstrap.extras import extras
from taxiway.bootstrap.project import project_here
from taxiway.core.errors import InputError, MissingError
from taxiway.core.kind import KINDS

if TYPE_CHECKING:
    import polars as pl

    from taxiway.bootstrap.project import Project
    from taxiway.core.contract import Contract
    from taxiway.data.source import Source

MOST_ROWS = 500_000
"""Rows that are looked at; of more, some that are spread over all of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants looked at."""

    source: str | None = None
    """A file, folder, object or database; None: the project's."""
    query: str | None = None
    contract: Path | None = None
    project: Path | None = None
    target: str | None = None
    """A column, or a condition over columns; None: the project's."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with their types."""

    frame: pl.DataFrame
    contract: Contract | None
    """What people wrote; None if the types were drafted from the values."""
    typed: Contract
    """What they wrote, or the draft."""
    called: str
    whole: int
    """How many rows the source has."""
    label: pl.Series | None
    target_columns: tuple[str, ...]
    """The columns that make the label."""
    project: Project | None
    notes: tuple[str, ...]


def rows_of(
    asked: Asked,
    *,
    labelled: bool = True,
    sentinels: bool = False,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Rows:
    """The rows that somebody asks about, and their label if it is known.

    With `sentinels`, these are values as any others, not missing ones.

    Raises `InputError` for a source that can't be read as its contract says, and, if they have to
    be `labelled`, without a target.
    """
    with extras():
        from taxiway.data.infer import draft
        from taxiway.data.source import open_source

        project = project_here(asked.project)
        if asked.source is None and project is None:
            raise InputError(
                "No source was named, and there is no project here.",
                todo="Name a file, for instance data/flights.parquet.",
            )
        if asked.source is not None:
            source = opened(asked.source, query=asked.query, on_rows=on_rows)
        else:
            assert project is not None  # noqa: S101 - it was looked for above
            source = open_source(project.path(project.charter.data.source))
        contract, notes = _contract(asked, project, source.columns)
        typed = contract or draft(source, on_rows=on_rows).contract
        frame, whole = _read(source, _with_sentinels(typed) if sentinels else typed)
        if whole > frame.height:
            notes = (*notes, f"{frame.height:,} of {whole:,} rows were looked at")
        target = asked.target
        if target is None and project is not None and contract is not None:
            target = project.charter.target.definition
        kind = KINDS[project.charter.kind].label if project else "boolean"
        label, columns = _label(frame, target, kind) if target else (None, ())
        if labelled and label is None:
            raise InputError(
                "No target was named.",
                todo="Add --target COLUMN, or a condition such as --target \"status = 'late'\".",
            )
        return Rows(
            frame,
            contract,
            typed,
            source.name,
            whole,
            label,
            columns,
            project,
            (*source.notes, *notes),
        )


def contract_of(asked: Asked) -> Contract:
    """The contract that was named, or the project's. Raises `InputError` if there is none."""
    project = project_here(asked.project)
    found, _ = _contract(dataclasses.replace(asked, source=None), project, [])
    if found is None:
        raise InputError(
            "No contract was named, and there is no project here.",
            todo="Add --contract FILE; `taxiway data infer` drafts one from data.",
        )
    return found


def _contract(
    asked: Asked, project: Project | None, columns: list[str]
) -> tuple[Contract | None, tuple[str, ...]]:
    """The contract that people wrote for these columns, if there is one."""
    from taxiway.bootstrap.data.contracts import read

    if asked.contract is not None:
        # As `data check` reads it: a draft, or a file of other tools, has no moments of decision.
        named = read(asked.contract)
        return named.contract, named.notes
    if project is None:
        return None, ("types were drafted from the values: no contract was named",)
    contract = project.contract
    if asked.source is None or set(contract.names) & set(columns):
        return contract, ()
    return None, ("types were drafted from the values: the project's contract has other columns",)


def _with_sentinels(typed: Contract) -> Contract:
    columns = tuple(dataclasses.replace(column, sentinels=None) for column in typed.columns)
    return dataclasses.replace(typed, columns=columns)


def _read(source: Source, typed: Contract) -> tuple[pl.DataFrame, int]:
    import polars as pl

    from taxiway.data.source import read_source

    rows = read_source(source, typed.only(source.columns))
    whole = int(rows.select(pl.len()).collect(engine="streaming").item())
    every = max(1, -(-whole // MOST_ROWS))
    return rows.gather_every(every).collect(engine="streaming"), whole


def _label(frame: pl.DataFrame, target: str, kind: str) -> tuple[pl.Series, tuple[str, ...]]:
    """The label that a column or a condition makes, and the columns that make it."""
    from taxiway.data.label import defined, label

    if target in frame.columns:
        return frame.get_column(target), (target,)
    if target.isidentifier():
        raise MissingError.named("column", target, frame.columns)
    roots = set(defined(target, frame.schema, kind).meta.root_names())
    return label(frame, target, kind), tuple(name for name in frame.columns if name in roots)
