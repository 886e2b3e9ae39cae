"""Training sets: every row of a frame with the features that were known at its time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from taxiway.core.errors import InputError, IntegrityError, Problem, close_match
from taxiway.data.features.asof import (
    Entities,
    by_position,
    compile_entities,
    gather,
    match,
)
from taxiway.data.features.query import Read
from taxiway.data.features.view import FeatureSet, FeatureView, Part


@dataclass(frozen=True, slots=True)
class Told:
    """How far a view answered."""

    view: str
    digest: str
    features: tuple[str, ...]
    columns: tuple[str, ...]
    """What the set calls them."""
    on: tuple[tuple[str, str], ...]
    """Key column of the view -> column of whoever asks."""
    view_rows: int
    without_key: int
    without_time: int
    tied: int
    """Rows of the view that only their values told apart: one key, both times the same."""
    found: int
    expired: int
    """Rows that asked, and got nothing since the newest value was too old."""
    unknown: int
    """Rows that asked, and got nothing since nothing was known yet."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The frame, in its order, with the columns of the set behind its own."""

    set: str
    frame: pl.DataFrame
    told: tuple[Told, ...]

    def found(self) -> dict[str, Any]:
        """What evidence holds of it."""
        views = [
            {
                **asdict(told),
                "features": list(told.features),
                "columns": list(told.columns),
                "on": dict(told.on),
            }
            for told in self.told
        ]
        return {"set": self.set, "rows": self.frame.height, "views": views}


def training_set(
    entities: pl.DataFrame,
    asked: FeatureSet,
    views: Sequence[FeatureView],
    read: Callable[[FeatureView], Read],
) -> TrainingSet:
    """The rows of `entities`, each with the newest values that were known at its time.

    `views` are those of the set's parts. Raises `InputError` if columns are missing or collide, and
    `IntegrityError` should a row ever be lost or added.
    """
    require_columns(entities, asked)
    compiled: dict[tuple[str, ...], Entities] = {}
    for part in asked.parts:
        on = _asked_columns(part)
        if on not in compiled:
            compiled[on] = compile_entities(by_position(entities, on), entities[asked.time])

    def answers_of(view: FeatureView) -> list[tuple[int, pl.DataFrame, Told]]:
        rows = read(view)
        return [
            (at, *_answer(part, view, compiled[_asked_columns(part)], rows))
            for at, part in enumerate(asked.parts)
            if part.view == view.id
        ]

    distinct = list({view.id: view for view in views}.values())
    with ThreadPoolExecutor(min(len(distinct), os.cpu_count() or 1)) as pool:
        answers = sorted((one for some in pool.map(answers_of, distinct) for one in some), key=_at)
    frames = [columns for _, columns, _ in answers]
    frame = pl.concat([entities, *frames], how="horizontal")
    if any(each.height != entities.height for each in (frame, *frames)):
        raise IntegrityError(
            f"The join made {frame.height:,} rows of {entities.height:,}; nothing was kept."
        )
    return TrainingSet(asked.name, frame, tuple(told for _, _, told in answers))


def require_columns(entities: pl.DataFrame, asked: FeatureSet) -> None:
    """Raises `InputError` with every column that is missing, or would be there twice."""
    problems = []
    for name in (asked.time, *asked.keys):
        if name not in entities.columns:
            near = close_match(name, entities.columns)
            todo = f"Did you mean {near!r}?" if near else None
            problems.append(Problem(f"there is no column {name!r}", todo=todo))
    problems += [
        Problem(f"the column {name!r} is there already", todo="Give the view a `prefix`.")
        for name in asked.columns
        if name in entities.columns
    ]
    if problems:
        raise InputError(f"The rows can't be asked for the features of {asked.name!r}.", problems)


def _asked_columns(part: Part) -> tuple[str, ...]:
    return tuple(asked for _, asked in part.on)


def _answer(
    part: Part, view: FeatureView, entities: Entities, read: Read
) -> tuple[pl.DataFrame, Told]:
    matched = match(entities, read.values, view.ttl)
    taken = read.values.features.select(part.features)
    told = Told(
        view=view.id,
        digest=view.digest,
        features=part.features,
        columns=part.columns,
        on=part.on,
        view_rows=read.rows,
        without_key=read.without_key,
        without_time=read.without_time,
        tied=matched.tied,
        found=matched.found,
        expired=matched.expired,
        unknown=entities.rows - matched.found - matched.expired,
    )
    names = dict(zip(part.features, part.columns, strict=True))
    return gather(taken, matched.rows).rename(names), told


def _at(answer: tuple[int, pl.DataFrame, Told]) -> int:
    return answer[0]
