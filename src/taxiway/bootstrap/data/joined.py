"""Wires features into a project: its snapshot's rows joined as of their time, its versions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.data import features as wired
from taxiway.bootstrap.data.online import open_store
from taxiway.core.digest import digest_of
from taxiway.core.errors import InputError
from taxiway.core.evidence import FEATURE_PARITY, FEATURES, Evidence, observed

if TYPE_CHECKING:
    import polars as pl

    from taxiway.bootstrap.opened import Opened
    from taxiway.bootstrap.project import Project
    from taxiway.core.contract import Contract
    from taxiway.core.facts import Snapshot
    from taxiway.data.features.online import Lookup
    from taxiway.data.features.parity import Parity
    from taxiway.data.features.registry import Change
    from taxiway.data.features.view import Catalogue, FeatureSet, FeatureView
    from taxiway.data.source import Source


@dataclass(frozen=True, slots=True)
class Joined:
    """The rows of a project with its features, as a source, and what there is to say about it."""

    source: Source
    found: dict[str, Any]
    views: Sequence[FeatureView]
    folder: Path


@contextmanager
def joined(opened: Opened, project: Project, source: Source, name: str) -> Iterator[Joined]:
    """The rows of a source with the features of the charter's set, for as long as the block runs.

    Raises `RefusedError` if a view is not what was recorded under its version.
    """
    from taxiway.data.features import registry
    from taxiway.data.features.query import read_view
    from taxiway.data.features.training_set import training_set
    from taxiway.data.source import open_source

    folder = project.folder / wired.FOLDER
    catalogue = wired.definitions(folder)
    asked = catalogue.set(name)
    views = catalogue.used(asked)
    desk, contract = opened.desk, project.contract
    distinct = list({view.id: view for view in views}.values())
    known = registry.recorded(desk.record)
    mine = registry.plan(distinct, known, registry.uses(desk.record), "")
    registry.require_allowed(mine)
    rows = rows_of(source, contract, asked)
    made = training_set(rows, asked, views, partial(read_view, open_source=wired.open_any))
    known_at = contract.known_at(asked.time)
    found = {
        **made.found(),
        "time": asked.time,
        "time_known_at": known_at,
        "time_known": contract.is_known(asked.time),
        "entity_source": source.name,
    }
    with tempfile.TemporaryDirectory(prefix="taxiway-") as place:
        path = Path(place) / f"{Path(source.name).stem}.parquet"
        made.frame.write_parquet(path)
        yield Joined(open_source(path), found, distinct, folder)


def rows_of(source: Source, contract: Contract, asked: FeatureSet) -> pl.DataFrame:
    """The rows of a project's source; what its contract names is of the contract's types."""
    from taxiway.data.features.query import whole
    from taxiway.data.source import raw_frame, reading

    with reading(source):
        if not source.is_text:
            return raw_frame(source).collect()
        given = set(source.columns) - set(asked.columns)
        return whole(source.name, source, contract.only(given)).collect()


def remember(opened: Opened, snapshot: Snapshot, made: Joined) -> None:
    """Pins the versions of the views to a snapshot, and records those that are new."""
    from taxiway.data.features import registry

    desk = opened.desk
    actor = desk.acting(to="pin feature views")
    pinned = observed(
        FEATURES,
        id=desk.new_id(),
        subject=snapshot.id,
        model=snapshot.model,
        examined=made.found["rows"],
        found=made.found,
        digests={view.id: view.digest for view in made.views},
        at=desk.now(),
        by=actor.name,
    )
    before = registry.joined_with(desk.record, snapshot.id)
    if before is not None and before.content == pinned.content:
        return
    known = registry.recorded(desk.record)
    new = [view for view in made.views if view.id not in known]
    with desk.change("features.joined", snapshot.id, model=snapshot.model) as change:
        registry.record(desk, change, new, _called(opened, made.folder))
        change.add(pinned)
        change.details = {"set": made.found["set"], "views": [view.id for view in made.views]}


def require_pinned(opened: Opened, snapshot: Snapshot, name: str) -> None:
    """Raises `InputError` if a snapshot was not joined with the charter's feature set."""
    from taxiway.data.features.registry import joined_with

    pinned = joined_with(opened.record, snapshot.id)
    if pinned is None or pinned.found["set"] != name:
        raise InputError(
            f"The snapshot was taken without the feature set {name!r} that the charter asks for.",
            todo="Take a new one: taxiway data snapshot",
        )


@contextmanager
def lookup(
    opened: Opened, project: Project, name: str | None, store: str | None
) -> Iterator[Lookup]:
    """The look-up of a project's feature set, compiled once, for as long as the block runs."""
    from taxiway.data.features.online import compile_lookup

    catalogue = wired.definitions(project.folder / wired.FOLDER)
    data = project.file.sections.get("data")
    asked = wired.chosen(catalogue, name or (data.features if data else None))
    views = catalogue.used(asked)
    online = open_store(store, opened.root)
    with closing(online):
        wired.require_materialised(views, online)
        yield compile_lookup(asked, views, online)


def _called(opened: Opened, folder: Path) -> str:
    """A folder as the record calls it: by its way from the workspace, wherever that lies."""
    absolute = folder.resolve()
    root = opened.root.resolve()
    return str(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)


def plan(opened: Opened, catalogue: Catalogue, folder: Path) -> list[Change]:
    """What it means to record the views of a folder: what is new, refused, and who is hit."""
    from taxiway.data.features import registry

    record = opened.record
    views = catalogue.views.values()
    used = registry.uses(record)
    return registry.plan(views, registry.recorded(record), used, _called(opened, folder))


def apply(opened: Opened, catalogue: Catalogue, folder: Path, *, dry_run: bool) -> list[Change]:
    """Records the views of a folder."""
    from taxiway.data.features import registry

    views = list(catalogue.views.values())
    return registry.apply(opened.desk, views, _called(opened, folder), dry_run=dry_run)


def write_parity(opened: Opened, compared: Parity) -> list[Snapshot]:
    """Writes a comparison down about every snapshot of its set; answers which."""
    from taxiway.core.facts import Snapshot

    desk = opened.desk
    actor = desk.acting(to="write a comparison down")
    pinned = [
        e for e in desk.record.find(Evidence, kind=FEATURES) if e.found["set"] == compared.set
    ]
    views = {view.view: view.digest for view in compared.views}
    subjects = dict.fromkeys(
        e.subject for e in pinned if all(views.get(v) == d for v, d in e.digests.items())
    )
    if not subjects:
        raise InputError(
            f"No snapshot holds these versions of the feature set {compared.set!r}.",
            todo="Take one first: taxiway data snapshot, with the set in the charter's `data`.",
        )
    snapshots = [desk.record.get(Snapshot, subject) for subject in subjects]
    subject = digest_of(sorted(subjects))
    with desk.change("features.compared", subject, model=snapshots[-1].model) as change:
        for snapshot in snapshots:
            change.add(
                observed(
                    FEATURE_PARITY,
                    id=desk.new_id(),
                    subject=snapshot.id,
                    model=snapshot.model,
                    examined=compared.rows,
                    found=compared.found(),
                    digests=views,
                    at=desk.now(),
                    by=actor.name,
                )
            )
        change.details = {"set": compared.set, "rows": compared.rows, "equal": compared.equal}
    return snapshots
