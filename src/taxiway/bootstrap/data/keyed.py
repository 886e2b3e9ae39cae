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
from taxiway.core.errors import RefusedError
from taxiway.core.evidence import FEATURES, Evidence
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
    pinned = opened.record.find(Evidence, subject=release.snapshot, kind=FEATURES)
    if not pinned or not isinstance(asked, Path) or not asked.is_file():
        yield asked
        return
    from taxiway.data.begun import note_of
    from taxiway.data.source import open_source

    source = open_source(asked)
    features = {name for view in pinned[-1].found["views"] for name in view["columns"]}
    if features & set(source.columns):
        yield asked
        return
    kept = out.absolute().with_name(f".{out.name}.features.parquet")
    if not (note_of(out).exists() and kept.exists()):
        _join(opened, release, pinned[-1], source, kept)
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
    catalogue = wired.definitions(project.folder / wired.FOLDER)
    asked = catalogue.set(pinned.found["set"])
    views = catalogue.used(asked)
    _require_pinned(release, pinned, asked, views)
    source, _ = mapped_source(
        opened, project, source, model=release.model, read_as=project.contract
    )
    rows = rows_of(source, project.contract, asked)
    made = training_set(rows, asked, views, partial(read_view, open_source=wired.open_any))
    with writing(kept, "features") as add:
        add(made.frame)


def _require_pinned(
    release: Release, pinned: Evidence, asked: FeatureSet, views: Sequence[FeatureView]
) -> None:
    now = {view.id: view.digest for view in views}
    columns = [name for view in pinned.found["views"] for name in view["columns"]]
    if now != pinned.digests or list(asked.columns) != columns:
        was = ", ".join(sorted(pinned.digests))
        raise RefusedError(
            f"{release.id} was trained on {was}, and the set {asked.name!r} of this project is"
            " another one now.",
            todo="Join its features yourself, from the definitions it was trained on, and score"
            " the result; or train again.",
        )
