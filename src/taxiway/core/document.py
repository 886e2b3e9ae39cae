"""A document that a person wrote, as plain data that still knows the line of everything in it.

Charter and contract are such documents. An adapter reads the file (`adapters.yaml_document`), a
step checks it with its pydantic model, and `problems_of` turns what pydantic found into problems
that name the line, the close match and an example.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from taxiway.core.errors import Problem, close_match, shortened

Place = tuple[str | int, ...]
"""Keys and list positions from the top of a document, such as `("schema", 0, "name")`."""

TYPE_NAMES = {
    "str": "text",
    "NoneType": "nothing",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "list": "a list",
    "dict": "a mapping",
}


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data and where they stand. `name` is the file as the person calls it."""

    data: Any
    lines: Mapping[Place, int] = field(default_factory=dict)
    """Line of each place, counted from 1: of its key in a mapping, of the item in a list."""
    name: str = "document"

    def line(self, place: Place) -> int | None:
        """The line of a place, or of the nearest place around it that is written down."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return None

    def where(self, place: Place) -> str:
        """Where a place is, for people.

        >>> Document({}, {("owners",): 7}, "taxiway.yaml").where(("owners", "data"))
        'taxiway.yaml:7 owners.data'
        """
        line = self.line(place)
        return f"{self.name}{f':{line}' if line else ''} {place_text(place)}".rstrip()


def place_text(place: Place) -> str:
    """A place as people write it.

    >>> place_text(("schema", 0, "properties", 3, "name"))
    'schema[0].properties[3].name'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def problems_of(
    document: Document, error: ValidationError, model: type[BaseModel]
) -> list[Problem]:
    """What pydantic found wrong with a document, one problem a place, in the order of the lines."""
    found: dict[Place, Problem] = {}
    for item in error.errors(include_url=False):
        place = _real_place(document.data, item["loc"], missing=item["type"] == "missing")
        problem = _problem(document, place, item, model)
        before = found.get(place)
        if before and before.expected and problem.expected and before.expected != problem.expected:
            # A union reports each of its members: either would do.
            both = f"{before.expected} or {problem.expected}"
            problem = Problem(
                before.what, before.found, both, before.where, before.todo or problem.todo
            )
        found[place] = problem
    ordered = sorted(found.items(), key=lambda entry: document.line(entry[0]) or 0)
    return [problem for _, problem in ordered]


def _problem(
    document: Document, place: Place, item: Mapping[str, Any], model: type[BaseModel]
) -> Problem:
    where, kind = document.where(place), item["type"]
    name = str(place[-1]) if place else document.name
    if kind == "missing":
        info = _field(model, place)
        return Problem(f"`{name}` is missing", where=where, todo=_advice(name, info))
    if kind == "extra_forbidden":
        known = _keys(model, place[:-1])
        match = close_match(name, known)
        todo = f"Did you mean `{match}`?" if match else f"Known: {shortened(', '.join(known))}."
        return Problem(f"`{shortened(name, 60)}` is not a known key", where=where, todo=todo)
    expected = _expected(item)
    what = str(item["msg"]).removeprefix("Value error, ")
    if expected:
        what = f"`{name}` is not what it should be"
    return Problem(
        what,
        found=_found(item["input"]) if expected else None,
        expected=expected,
        where=where,
        todo=_todo(kind, item["input"], _field(model, place)),
    )


def _expected(item: Mapping[str, Any]) -> str | None:
    """What would have been right, in plain words; None where the message itself says it best."""
    limits = item.get("ctx") or {}
    match item["type"]:
        case "string_pattern_mismatch":
            return f"text that matches {limits['pattern']}"
        case "string_too_short" | "string_too_long":
            bound = "at least" if "min_length" in limits else "at most"
            return f"{bound} {limits.get('min_length', limits.get('max_length'))} characters"
        case "too_short":
            return f"at least {limits['min_length']} of them"
        case "too_long":
            return f"at most {limits['max_length']} of them"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "a mapping of keys to values"
        case "string_type":
            return "text"
        case "bool_type" | "bool_parsing":
            return TYPE_NAMES["bool"]
        case "int_type" | "int_from_float":
            return TYPE_NAMES["int"]
        case "float_type":
            return f"{TYPE_NAMES['float']}, such as 0.2 for 20 %"
        case kind if kind.startswith("date_"):
            return "a date, such as 2027-06-30"
    return str(item["msg"]).partition("Input should be ")[2] or None


def _todo(kind: str, value: Any, info: FieldInfo | None) -> str | None:
    if kind == "string_type" and isinstance(value, bool | int | float):
        example = f" For instance: {_written(info.examples[0])}." if info and info.examples else ""
        return f'Text that looks like this stands in quotes: "{value}".{example}'
    if kind == "literal_error" and isinstance(value, str) and info:
        options = [o for o in _leaves(info.annotation) if isinstance(o, str)]
        match = close_match(value, options)
        return f"Did you mean `{match}`?" if match else None
    examples = list(info.examples or []) if info else []
    return f"For instance: {_written(examples[0])}." if examples else None


def _advice(name: str, info: FieldInfo | None) -> str | None:
    if info is None:
        return None
    says = info.description or ""
    if info.examples:
        says = f"{says} For instance `{name}: {_written(info.examples[0])}`.".strip()
    return says or None


def _written(example: Any) -> str:
    """An example as it would stand in the document."""
    return shortened(example if isinstance(example, str) else json.dumps(example, default=str))


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping | list):
        return TYPE_NAMES[type(value).__name__]
    # So short that the problem does not cut it once more, and count what was left of it.
    return repr(shortened(value, 150) if isinstance(value, str) else value)


def _real_place(data: Any, loc: Place, *, missing: bool) -> Place:
    """The place in the document: without the names of union members that pydantic puts between."""
    place: list[str | int] = []
    for at, step in enumerate(loc):
        in_mapping = isinstance(data, Mapping) and step in data
        if in_mapping or (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            data = data[step]
        elif not (missing and at == len(loc) - 1):
            continue
        place.append(step)
    return tuple(place)


def _leaves(annotation: Any) -> Iterator[Any]:
    """The types and literals in an annotation, through unions, lists, mappings and Annotated."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _leaves(argument)


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [t for t in _leaves(annotation) if isinstance(t, type) and issubclass(t, BaseModel)]


def _fields(models: list[type[BaseModel]]) -> dict[str, FieldInfo]:
    """Fields by the name that people write: the alias, where there is one."""
    return {
        info.alias or name: info for model in models for name, info in model.model_fields.items()
    }


def _field(model: type[BaseModel], place: Place) -> FieldInfo | None:
    """The field that a place belongs to."""
    models, info = [model], None
    for step in place:
        if isinstance(step, int):
            continue
        info = _fields(models).get(step)
        if info is None:
            return None
        models = _models(info.annotation)
    return info


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that are known at a place."""
    if not any(isinstance(step, str) for step in place):
        return list(_fields([model]))
    info = _field(model, place)
    return list(_fields(_models(info.annotation))) if info else []
