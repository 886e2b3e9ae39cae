"""Wires features: the definitions of a folder, their sources, the online store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.adapters.yaml_document import read_document
from taxiway.bootstrap.data.online import require_held, require_same
from taxiway.bootstrap.data.sources import opened
from taxiway.bootstrap.extras import extras
from taxiway.core.errors import InputError, MissingError
from taxiway.core.ports import OnlineFeatures

if TYPE_CHECKING:
    import polars as pl

    from taxiway.core.contract import Contract
    from taxiway.data.features.parity import Parity
    from taxiway.data.features.training_set import TrainingSet
    from taxiway.data.features.view import Catalogue, FeatureSet, FeatureView, ReadFrom
    from taxiway.data.source import Source

FOLDER = "features"


def definitions(folder: Path) -> Catalogue:
    """The views and sets in the YAML files of a folder."""
    from taxiway.data.features.reading import read_catalogue

    if not folder.is_dir():
        raise MissingError(
            f"There is no folder {folder} with feature views.",
            todo="Name it with --views, or see docs/data/features.md for a first one.",
        )
    files = sorted(path for kind in ("*.yaml", "*.yml") for path in folder.glob(kind))
    if not files:
        raise MissingError(f"{folder} holds no YAML file.", todo="See docs/data/features.md.")
    with extras():
        return read_catalogue(((file, read_document(file)) for file in files), cache(_contract))


def _contract(path: Path) -> Contract:
    """Whoever wrote it: when a view's rows are known is said by the view."""
    from taxiway.data.odcs import read_any

    return read_any(read_document(path)).contract


def chosen(
    catalogue: Catalogue, name: str | None, views: Sequence[str] = (), time: str | None = None
) -> FeatureSet:
    """The set of that name, one of the views that are named, or the only set there is."""
    from taxiway.data.features.view import FeatureSet, Part

    if name and views:
        raise InputError("Name a set or views, not both.")
    if views:
        parts = []
        for asked in views:
            view = catalogue.view(asked)
            parts.append(Part(view.id, view.names, tuple((key, key) for key in view.keys)))
        return FeatureSet("views named", time or catalogue.view(views[0]).event_time, tuple(parts))
    if name is None:
        if len(catalogue.sets) != 1:
            known = ", ".join(catalogue.sets) or "none"
            raise MissingError(f"Which feature set? There is: {known}.", todo="Name it with --set.")
        name = next(iter(catalogue.sets))
    found = catalogue.set(name)
    return replace(found, time=time) if time else found


def open_any(named: ReadFrom) -> Source:
    """What a definition names."""
    return opened(named.data, query=named.query, contract=named.contract)


def build(
    catalogue: Catalogue,
    asked: FeatureSet,
    entities: str,
    out: Path | None,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
) -> TrainingSet:
    """The training set of a table of entity rows, written to `out` if it is named."""
    with extras():
        from taxiway.data.features.query import read_view
        from taxiway.data.features.training_set import training_set
        from taxiway.data.table import require_writable, writing

        if out is not None:
            require_writable(out, overwrite=overwrite)
        views = catalogue.used(asked)
        frame = entity_rows(opened(entities), asked, views)
        made = training_set(frame, asked, views, partial(read_view, open_source=open_any))
        if out is not None and not dry_run:
            with writing(out, "features") as add:
                add(made.frame)
        return made


def entity_rows(source: Source, asked: FeatureSet, views: Sequence[FeatureView]) -> pl.DataFrame:
    """The rows that ask. Of a file that is text, keys and time become what the views ask for."""
    import polars as pl

    from taxiway.data.column_types import from_text
    from taxiway.data.features.training_set import require_columns
    from taxiway.data.source import raw_frame, reading

    with reading(source):
        frame = raw_frame(source).collect()
    require_columns(frame, asked)
    if not source.is_text:
        return frame
    types = {asked.time: "timestamp"}
    for part, view in zip(asked.parts, views, strict=True):
        types |= {column: dict(view.entity_key)[key] for key, column in part.on}
    read = frame.with_columns(from_text(pl.col(name), of).alias(name) for name, of in types.items())
    for name, of in types.items():
        if lost := read[name].null_count() - frame[name].null_count():
            raise InputError(f"{lost:,} values of {name!r} in {source.name} are no {of}.")
    return read


# Online


def materialise(
    views: Sequence[FeatureView],
    store: OnlineFeatures,
    *,
    at: datetime,
    dry_run: bool = False,
) -> list[dict[str, Any]]:
    """Writes what is newest at a moment, and lets readers see all of it at once."""
    with extras():
        from taxiway.data.features.online import newest
        from taxiway.data.features.query import read_view

        distinct = list({view.id: view for view in views}.values())
        require_same({view.id: view.digest for view in distinct}, store)
        made: dict[str, tuple[int, dict[str, Any]]] = {}
        told = []
        for view in distinct:
            found = newest(view, read_view(view, open_any), at)
            about = {"digest": view.digest, "as_of": at.isoformat(), "keys": found.rows}
            told.append({"view": view.id, **about})
            if not dry_run:
                made[view.id] = (store.write(view.id, found.texts), about)
        if not dry_run:
            store.switch(made)
        return told


def get(
    catalogue: Catalogue,
    asked: FeatureSet,
    store: OnlineFeatures,
    given: Sequence[str],
    at: datetime,
) -> dict[str, Any]:
    """The features of a set for keys such as `tailnum=N14228`."""
    with extras():
        from taxiway.data.features.online import compile_lookup

        views = catalogue.used(asked)
        require_materialised(views, store)
        return compile_lookup(asked, views, store)(_keys(asked, views, given), at)


def require_materialised(views: Sequence[FeatureView], store: OnlineFeatures) -> None:
    """Raises what stands between these views and the store."""
    require_held({view.id: view.digest for view in views}, store)


def _keys(asked: FeatureSet, views: Sequence[FeatureView], given: Sequence[str]) -> dict[str, Any]:
    types = {
        column: dict(view.entity_key)[key]
        for part, view in zip(asked.parts, views, strict=True)
        for key, column in part.on
    }
    keys: dict[str, Any] = {}
    for pair in given:
        name, sign, text = pair.partition("=")
        if not sign or name not in types:
            raise InputError(
                f"{pair!r} is no key.",
                todo=f"A key looks like NAME=VALUE; names: {', '.join(types)}.",
            )
        keys[name] = _key_value(name, types[name], text)
    return keys


def _key_value(name: str, of: str, text: str) -> Any:
    try:
        match of:
            case "integer":
                return int(text)
            case "boolean":
                return {"true": True, "false": False}[text]
            case "date":
                return date.fromisoformat(text)
            case "timestamp":
                at = datetime.fromisoformat(text)
                return at if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, KeyError):
        raise InputError(f"{name}={text} is no {of}.") from None
    return text


def parity(catalogue: Catalogue, asked: FeatureSet, store: OnlineFeatures, *, rows: int) -> Parity:
    """Keys of each view, answered by the online store and by the as-of join."""
    with extras():
        from taxiway.data.features.parity import compare
        from taxiway.data.features.query import read_view

        views = catalogue.used(asked)
        require_materialised(views, store)
        return compare(asked, views, store, partial(read_view, open_source=open_any), rows=rows)
