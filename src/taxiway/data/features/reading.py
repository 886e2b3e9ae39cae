"""Reads the definitions of a folder, and says everything that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from taxiway.core.contract import Contract
from taxiway.core.document import Document, problems_of
from taxiway.core.errors import InputError, Problem, TaxiwayError, close_match
from taxiway.data.features.definition import PartOf, SetFile, ViewFile, Written
from taxiway.data.features.view import (
    FOREVER,
    Catalogue,
    Feature,
    FeatureSet,
    FeatureView,
    Part,
    ReadFrom,
    microseconds,
)

ReadContract = Callable[[Path], Contract]
Model = TypeVar("Model", bound=Written)
MAXIMUM_CODE = 1_000_000


def read_catalogue(documents: Iterable[tuple[Path, Document]], contract: ReadContract) -> Catalogue:
    """All views and sets. Raises `InputError` with everything that is wrong in any file.

    A name and version that two files define is an error, and so is a feature that a set would have
    under one name twice.
    """
    problems: list[Problem] = []
    views: dict[str, FeatureView] = {}
    sets: dict[str, FeatureSet] = {}
    files: dict[str, str] = {}
    asked: list[tuple[Document, SetFile]] = []
    for path, document in documents:
        form = _form(document, problems)
        if isinstance(form, ViewFile):
            view = _view(path, document, form, contract, problems)
            if _new(f"{form.feature_view}@{form.version}", document, files, problems) and view:
                views[view.id] = view
        elif form and _new(f"set {form.feature_set}", document, files, problems):
            asked.append((document, form))
    for document, form in asked:
        parts = [
            _part(document, (at, of), views, files, problems) for at, of in enumerate(form.views)
        ]
        whole = tuple(part for part in parts if part)
        sets[form.feature_set] = FeatureSet(form.feature_set, form.time, whole)
        problems += _collisions(document, sets[form.feature_set])
    if problems:
        raise InputError("The definitions of features can't be used.", problems)
    return Catalogue(views, sets)


def _form(document: Document, problems: list[Problem]) -> ViewFile | SetFile | None:
    data = document.data
    if isinstance(data, dict) and "feature_set" in data:
        return _valid(document, SetFile, problems)
    if isinstance(data, dict) and "feature_view" in data:
        return _valid(document, ViewFile, problems)
    problems.append(
        Problem(
            "it defines neither a view nor a set",
            where=document.name,
            todo="Begin it with `feature_view: NAME` or `feature_set: NAME`.",
        )
    )
    return None


def _valid(document: Document, model: type[Model], problems: list[Problem]) -> Model | None:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems += problems_of(document, error, model)
        return None


def _new(id: str, document: Document, files: dict[str, str], problems: list[Problem]) -> bool:
    if id in files:
        problems.append(
            Problem(
                f"{id} is defined already, in {files[id]}",
                where=document.name,
                todo="Give it another name, or the next version.",
            )
        )
        return False
    files[id] = document.name
    return True


def _view(
    path: Path, document: Document, form: ViewFile, contract: ReadContract, problems: list[Problem]
) -> FeatureView | None:
    before = len(problems)
    problems += _contradictions(document, form)
    sources: dict[str, ReadFrom] = {}
    for name, source in form.sources.items():
        data = source.data if "://" in source.data else str(path.parent / source.data)
        try:
            sources[name] = ReadFrom(data, contract(path.parent / source.contract), source.query)
        except TaxiwayError as error:
            place = document.where(("sources", name, "contract"))
            problems.append(Problem(error.headline, where=place, todo=error.todo))
            problems += error.problems
    code = _code(path, document, form, problems)
    if len(problems) > before:
        return None
    return FeatureView(
        name=form.feature_view,
        version=form.version,
        owner=form.owner,
        description=form.description,
        entity_key=tuple(form.entity_key.items()),
        event_time=form.event_time,
        known_at=form.known_at,
        delay=microseconds(form.delay) if form.delay else 0,
        ttl=None if form.ttl == FOREVER else microseconds(form.ttl),
        features=tuple(
            Feature(name, of.type, of.unit, of.description) for name, of in form.features.items()
        ),
        sql=form.sql,
        code=code,
        sources=sources,
    )


def _contradictions(document: Document, form: ViewFile) -> list[Problem]:
    """What no single key can say is wrong."""
    problems = []

    def wrong(place: tuple[str, ...], what: str, todo: str) -> None:
        problems.append(Problem(what, where=document.where(place), todo=todo))

    if (form.known_at is None) == (form.delay is None):
        wrong(
            ("known_at",),
            "it has to say when a value is known: `known_at` or `delay`, one of them",
            "For instance `delay: 0s` for a value that is known at the moment of its event.",
        )
    if (form.sql is None) == (form.polars is None):
        wrong(("sql",), "it has to have a query: `sql` or `polars`, one of them", "")
    for name in form.features.keys() & {*form.entity_key, form.event_time, form.known_at}:
        wrong(
            ("features", name),
            f"{name!r} is its key or time, and a feature",
            "Give the feature a name of its own in the query.",
        )
    for name, of in form.entity_key.items():
        if of == "number":
            wrong(("entity_key", name), "a number with decimals is no key", "Cast it in the query.")
    return problems


def _code(path: Path, document: Document, form: ViewFile, problems: list[Problem]) -> str | None:
    if form.polars is None:
        return None
    file, where = path.parent / form.polars, document.where(("polars",))
    if not file.is_file() or file.stat().st_size > MAXIMUM_CODE:
        what = f"there is no Python file {form.polars} of at most 1 MB"
        problems.append(Problem(what, where=where))
        return None
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        problems.append(Problem(f"{form.polars} is not UTF-8", where=where))
        return None


def _part(
    document: Document,
    asked: tuple[int, PartOf],
    views: Mapping[str, FeatureView],
    defined: Container[str],
    problems: list[Problem],
) -> Part | None:
    at, of = asked
    place = ("views", at)
    view = views.get(of.view)
    if view is None and of.view in defined:
        return None  # what is wrong with it is said already
    if view is None:
        problems.append(
            Problem(
                f"there is no view {of.view}",
                where=document.where(place),
                todo=_near(of.view, views),
            )
        )
        return None
    names = view.names if of.features is None else tuple(of.features)
    for kind, wanted, known in (("feature", names, view.names), ("key", tuple(of.on), view.keys)):
        problems += [
            Problem(
                f"{view.id} has no {kind} {name!r}",
                where=document.where(place),
                todo=_near(name, known),
            )
            for name in wanted
            if name not in known
        ]
    on = tuple((key, of.on.get(key, key)) for key in view.keys)
    return Part(view.id, names, on, of.prefix)


def _near(name: str, known: Collection[str]) -> str:
    match = close_match(name, known)
    if match:
        return f"Did you mean {match!r}?"
    return f"Known: {', '.join(known)}." if known else "There is none that can be used."


def _collisions(document: Document, asked: FeatureSet) -> Sequence[Problem]:
    """Names that the set would have twice, or that those who ask already use."""
    taken: dict[str, str] = dict.fromkeys((*asked.keys, asked.time), "the rows that ask")
    problems = []
    for at, part in enumerate(asked.parts):
        for name in part.columns:
            if name in taken:
                problems.append(
                    Problem(
                        f"{part.view} gives {name!r}, and so do {taken[name]}",
                        where=document.where(("views", at)),
                        todo="Leave one out, or give one a `prefix`.",
                    )
                )
            taken.setdefault(name, part.view)
    return problems
