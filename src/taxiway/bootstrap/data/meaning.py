"""Wires `data reconcile` and `data resolve`: sources, the project's contract, and the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.extras import extras
from taxiway.core.digest import digest_of
from taxiway.core.errors import InputError, RefusedError
from taxiway.core.evidence import RECONCILIATION, observed

if TYPE_CHECKING:
    import polars as pl

    from taxiway.bootstrap.opened import Opened
    from taxiway.bootstrap.project import Project
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.contract import Contract
    from taxiway.core.people import Resolution
    from taxiway.data.mapping import Mapped
    from taxiway.data.reconcile.columns import Table
    from taxiway.data.reconcile.finding import Reconciliation
    from taxiway.data.source import Source

OnRows = Callable[[str], Callable[[int], None]]


def reconcile_sources(
    asked: Sequence[str],
    project: Project | None,
    *,
    on_rows: OnRows,
    query: str | None = None,
) -> Reconciliation:
    """What is found between sources; inside a project, its own source is the first one unless two
    are named. `query` says what to read of a database."""
    with extras():
        from taxiway.data.reconcile.tables import reconcile

        own = None if project is None else own_path(project)
        places = list(asked)
        if len(places) < 2 and own is not None and own not in map(_resolved, places):
            places.insert(0, str(own))
        names = _names(places)
        tables = [
            _table(place, name, project, query) for place, name in zip(places, names, strict=True)
        ]
        return reconcile(tables, on_rows=on_rows)


def own_path(project: Project) -> Path | None:
    """Where the project's own source lies, if the charter says so."""
    data = project.file.sections.get("data")
    return None if data is None else project.path(data.source).resolve()


def _resolved(place: str) -> Path | None:
    """The file or folder that a place is; None for a URL."""
    return None if "://" in place else Path(place).resolve()


def _names(places: Sequence[str]) -> list[str]:
    """Names that tell the sources apart: of the file, and of as many folders as it takes."""
    parts = [
        PurePath(_resolved(place) or place.split("?", 1)[0].split("@")[-1]).parts
        for place in places
    ]
    for count in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(one[-count:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    raise InputError("A source can't be reconciled with itself.", todo="Name two files.")


def _table(place: str, name: str, project: Project | None, query: str | None) -> Table:
    from taxiway.bootstrap.data.sources import OBJECTS, opened
    from taxiway.data.reconcile.columns import Table

    database = "://" in place and not place.lower().startswith((*OBJECTS, "file://"))
    source = opened(place, query=query if database else None)
    contract = _contract_of(_resolved(place), project)
    personal = {c.name for c in contract.columns if c.personal} if contract else set()
    return Table(
        name,
        tuple(source.columns),
        partial(_batches, source),
        held_digest(source, contract),
        frozenset(personal),
    )


def _batches(source: Source) -> Iterator[pl.DataFrame]:
    from taxiway.data.source import ROW, batches

    return (batch.drop(ROW) for batch in batches(source))


def _contract_of(path: Path | None, project: Project | None) -> Contract | None:
    """The project's contract, for the project's own source."""
    if project is None or path is None or path.resolve() != own_path(project):
        return None
    return project.contract_or_none


def held_digest(source: Source, contract: Contract | None) -> str:
    """What a source is said to hold: its contract, or its columns and their types."""
    if contract is not None:
        return contract.digest
    return digest_of([[name, str(dtype)] for name, dtype in source.schema.items()])


def record_reconciliation(workspace: Workspace, project: Project, found: Reconciliation) -> None:
    """Writes what was found as evidence about the project's model."""
    desk, model = workspace.desk, project.charter.name
    actor = desk.acting("owner", "developer", "engineer", to="record what was reconciled")
    own = own_path(project)
    ours = next(
        (
            name
            for name in found.tables
            if own is not None and tuple(name.split("/")) == own.parts[-len(name.split("/")) :]
        ),
        None,
    )
    evidence = observed(
        RECONCILIATION,
        id=desk.new_id(),
        subject=model,
        model=model,
        examined=found.rows,
        found={**found.found(), "own": ours},
        digests={},
        at=desk.now(),
        by=actor.name,
    )
    with desk.change("data.reconciled", model, model=model) as change:
        change.add(evidence)
        change.digest = evidence.content
        change.details = {
            "tables": list(found.tables),
            "findings": [finding.id for finding in found.findings],
        }


def settled(
    workspace: Workspace, project: Project, found: Reconciliation
) -> dict[str, tuple[str, str]]:
    """Finding -> (why it is open, or empty text if it is settled; who settled it)."""
    from taxiway.governance.meaning import resolutions, why_open

    contract = project.contract_or_none
    signed = resolutions(workspace.record, workspace.desk.verify, project.charter.name)
    answers = {}
    for finding in found.findings:
        one = signed.get(finding.id)
        # What the tables hold is part of the finding's contents.
        why = why_open({**finding.found(), "own": None}, one, contract.digest if contract else None)
        answers[finding.id] = (why, one[0].person if one else "")
    return answers


def resolve(
    workspace: Workspace,
    project: Project,
    finding: str,
    *,
    decision: str,
    steps: Sequence[str],
    reason: str,
    dry_run: bool,
) -> Resolution:
    """Signs what becomes of a finding of the project's model."""
    from taxiway.governance.meaning import find_finding, resolve

    model = project.charter.name
    known = find_finding(workspace.record, model, finding)
    mapping = None
    if decision == "map":
        with extras():
            from taxiway.data.mapping import Mapped, step_of

            proposed = known["mapping"] or {
                "table": known["right"]["table"],
                "column": known["right"]["column"],
            }
            parts = tuple(step_of(text) for text in steps)
            mapping = Mapped(proposed["table"], proposed["column"], parts).found()
    return resolve(
        workspace.desk,
        model,
        known,
        decision=decision,
        mapping=mapping,
        reason=reason,
        dry_run=dry_run,
    )


def mapped_source(
    opened: Opened,
    project: Project | None,
    source: Source,
    *,
    model: str | None = None,
    read_as: Contract | None = None,
) -> tuple[Source, list[dict[str, Any]]]:
    """A source with the signed mappings done to its rows, and what they are, for lineage.

    They are those of `model`, without it of the project's. `read_as` is the contract that a file
    is read by which may lie elsewhere than the table of that name did. Raises `RefusedError` if a
    signature that would change the rows does not hold any more: neither the rows as they are nor
    the mapped ones are what somebody agreed to.
    """
    from taxiway.data.mapping import mapping_from
    from taxiway.governance.meaning import resolutions

    own = project.charter.name if project and project.file.charter else None
    model = model or own
    if model is None:  # there is no model yet that somebody could have signed for
        return source, []
    signed = resolutions(opened.record, opened.desk.verify, model)
    contract = _contract_of(source.path, project) if model == own else None
    held = {held_digest(source, contract), *([read_as.digest] if read_as else [])}
    chosen: list[tuple[Resolution, Mapped]] = []
    void = []
    for one, why in signed.values():
        if one.mapping is None or not _is_called(source.path, one.mapping["table"]):
            continue
        mapping = mapping_from(one.mapping)
        if not mapping.changes:
            continue
        expected = one.tables.get(mapping.table)
        if why or expected not in held:
            void.append((one, why or "what the source is said to hold has changed"))
        chosen.append((one, mapping))
    if void:
        raise RefusedError(
            f"{source.name} can't be read: {len(void)} signed mappings do not hold any more, such"
            f" as that of {void[0][0].person} for finding {void[0][0].finding}: {void[0][1]}.",
            todo="Reconcile again, and settle what is found: taxiway data reconcile, then taxiway"
            " data resolve.",
        )
    if not chosen:
        return source, []
    from taxiway.data.mapped import mapped_rows

    lineage = [
        {
            "resolution": one.id,
            "finding": one.finding,
            "by": one.person,
            "says": mapping.says,
            "mapping": mapping.found(),
        }
        for one, mapping in chosen
    ]
    return mapped_rows(source, [mapping for _, mapping in chosen]), lineage


def _is_called(path: Path, table: str) -> bool:
    parts = table.split("/")
    return list(path.resolve().parts[-len(parts) :]) == parts
