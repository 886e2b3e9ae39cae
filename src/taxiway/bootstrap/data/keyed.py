"""Wires rows of a batch that have keys only: the features of the release's set come to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.bootstrap.data import features as wired
from taxiway.bootstrap.data.joined import rows_of
from taxiway.bootstrap.data.meaning import mapped_source
from taxiway.bootstrap.reading import is_table, newest
from taxiway.core.errors import RefusedError
from taxiway.core.evidence import Evidence
from taxiway.core.facts import Release

if TYPE_CHECKING:
    from taxiway.bootstrap.opened import Opened
    from taxiway.bootstrap.reading import Asked
    from taxiway.data.features.view import FeatureSet, FeatureView
    from taxiway.data.source import Source


@contextmanager
def with_features(opened: Opened, release: Release, asked: Asked, out: Path) -> Iterator[Asked]:
    """The rows that are asked for; a copy beside OUT with features, if they have none of the set.

    The copy is kept until the batch is done, so that one that was cut off goes on with the same
    values. A release that was trained without features, or rows that bring them, cost nothing.
    """
    from taxiway.data.features.registry import joined_with

    pinned = joined_with(opened.record, release.snapshot)
    there = isinstance(asked, Path) and (asked.is_file() or is_table(asked))
    if pinned is None or not isinstance(asked, Path) or not there:
        yield asked
        return
    from taxiway.data.begun import note_of

    source = newest(asked)
    features = {name for view in pinned.found["views"] for name in view["columns"]}
    if features & set(source.columns):
        yield asked
        return
    kept = out.absolute().with_name(f".{out.name}.features.parquet")
    if not (note_of(out).exists() and kept.exists()):
        _join(opened, release, pinned, source, kept)
    try:
        yield kept
    finally:
        if not note_of(out).exists():  # nothing was begun, or all of it is done
            kept.unlink(missing_ok=True)


def _join(opened: Opened, release: Release, pinned: Evidence, source: Source, kept: Path) -> None:
    from taxiway.data.features.query import read_view
    from taxiway.data.features.training_set import training_set
    from taxiway.data.table import writing

    project = opened.project()
    asked, views = _pinned(opened, release, pinned, project.folder / wired.FOLDER)
    source, _ = mapped_source(
        opened, project, source, model=release.model, read_as=project.contract
    )
    rows = rows_of(source, project.contract, asked)
    made = training_set(rows, asked, views, partial(read_view, open_source=wired.open_any))
    with writing(kept, "features") as add:
        add(made.frame)


def _pinned(
    opened: Opened, release: Release, pinned: Evidence, folder: Path
) -> tuple[FeatureSet, Sequence[FeatureView]]:
    """The set that a release was trained on, with views that the project still defines so.

    The project's own set may be another one by now: that of the next release.
    """
    from taxiway.data.features.pinned import pinned_set
    from taxiway.data.features.registry import recorded

    catalogue = wired.definitions(folder)
    columns = [name for view in pinned.found["views"] for name in view["columns"]]
    told = pinned_set(pinned, recorded(opened.record), columns)
    # The record of early joins does not say by which columns.
    asked = told.asked if told is not None else catalogue.set(pinned.found["set"])
    used = [catalogue.views.get(part.view) for part in asked.parts]
    views = [view for view in used if view is not None]
    now = {view.id: view.digest for view in views}
    if now != pinned.digests or list(asked.columns) != columns:
        was = ", ".join(sorted(pinned.digests))
        raise RefusedError(
            f"{release.id} was trained on {was}, and what this project defines is another one now.",
            todo="Join its features yourself, from the definitions it was trained on, and score"
            " the result; or train again.",
        )
    return asked, views
