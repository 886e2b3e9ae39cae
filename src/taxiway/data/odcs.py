"""Contracts in files of the Open Data Contract Standard, version 3, read into `core.contract`.

What the standard has no word for stands in `customProperties`: on the table `moments`,
`decision_at`, `event_time`, `minimum_rows` and `freshness_hours`; on a column `unit`, `known_at`,
`values`, `personal` and `protected`. Other keys of the standard are accepted and left alone; a key
that nobody knows is an error, and so is a limit that would not be enforced.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError
from pydantic.alias_generators import to_camel

from taxiway.core.contract import Column, Contract
from taxiway.core.document import Document, Place, problems_of
from taxiway.core.errors import InputError, Problem, close_match
from taxiway.data.contradictions import contradictions
from taxiway.data.standard import (
    CustomProperty,
    Description,
    Name,
    OpenDataContract,
    Property,
    Table,
)

UNENFORCED = {
    "exclusive_minimum": "Write the smallest allowed value as `minimum`.",
    "exclusive_maximum": "Write the largest allowed value as `maximum`.",
    "multiple_of": "List the allowed values, or leave it out.",
}
"""Limits of the standard that would be believed and not be kept."""


class _Ours(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfTable(_Ours):
    """Our properties of the table."""

    moments: list[Name] = Field(
        min_length=1,
        description="Moments in a row's life, first to last.",
        examples=[["scheduling", "departure", "arrival"]],
    )
    decision_at: Name = Field(
        description="The moment when the model has to answer.", examples=["scheduling"]
    )
    event_time: Name = Field(
        description="The column that says when a row happened.", examples=["time_hour"]
    )
    minimum_rows: int = Field(1, ge=1)
    freshness_hours: float | None = Field(None, gt=0)


class OfColumn(_Ours):
    """Our properties of a column."""

    unit: str | None = None
    known_at: Name | None = None
    values: list[str | StrictInt] = Field([], description="The only values allowed.")
    personal: bool = False
    protected: bool = False


Ours = TypeVar("Ours", bound=_Ours)


def read_contract(document: Document) -> Contract:
    """The contract in a document of the standard.

    Raises `InputError` with everything that is wrong: unknown and missing keys, wrong types, and
    contradictions, each with its line.
    """
    headline = f"{document.name} is not a contract that can be kept."
    try:
        file = OpenDataContract.model_validate(document.data)
    except ValidationError as error:
        raise InputError(headline, problems_of(document, error, OpenDataContract)) from None
    table, reading = file.tables[0], _Reading(document)
    ours = reading.read(("schema", 0), table.custom_properties, OfTable)
    columns = [_column(reading, at, item) for at, item in enumerate(table.properties)]
    if ours is None:
        raise InputError(headline, reading.problems)
    contract = Contract(
        id=file.id,
        version=file.version,
        description=_description(file.description),
        table=table.name,
        columns=tuple(columns),
        moments=tuple(ours.moments),
        decision_at=ours.decision_at,
        event_time=ours.event_time,
        owner=_owner(file.team),
        freshness_hours=ours.freshness_hours,
        minimum_rows=ours.minimum_rows,
    )
    problems = reading.problems + [
        Problem(c.what, c.found, c.expected, document.where(_place(table, c.column, c.part)))
        for c in contradictions(contract)
    ]
    if problems:
        raise InputError(headline, problems)
    return contract


class _Reading:
    """Reads custom properties, and gathers what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def read(
        self, place: Place, properties: list[CustomProperty], model: type[Ours]
    ) -> Ours | None:
        """Our properties at a place; None if they can't be read."""
        known = list(model.model_fields)
        data: dict[str, Any] = {}
        lines: dict[Place, int] = {}
        here = (*place, "customProperties")
        for at, item in enumerate(properties):
            where = self.document.where((*here, at))
            if item.property in data:
                self.problems.append(Problem(f"`{item.property}` is there twice", where=where))
            elif item.property in known:
                data[item.property] = item.value
                lines[(item.property,)] = self.document.line((*here, at)) or 0
            elif match := close_match(item.property, known):
                # A property that others use may stand here; one that was meant for us must count.
                todo = f"Did you mean `{match}`?"
                self.problems.append(
                    Problem(f"`{item.property}` is not a known property", where=where, todo=todo)
                )
        lines[()] = self.document.line(here) or 0
        try:
            return model.model_validate(data)
        except ValidationError as error:
            inner = Document(data, lines, self.document.name)
            self.problems += problems_of(inner, error, model)
            return None


def _column(reading: _Reading, at: int, item: Property) -> Column:
    place: Place = ("schema", 0, "properties", at)
    options = item.logical_type_options
    for name, todo in UNENFORCED.items():
        if getattr(options, name) is not None:
            where = reading.document.where((*place, "logicalTypeOptions", to_camel(name)))
            what = f"`{to_camel(name)}` of column {item.name} would not be enforced"
            reading.problems.append(Problem(what, where=where, todo=todo))
    if item.primary_key and item.required is False:
        where = reading.document.where((*place, "required"))
        what = f"column {item.name} is part of the key and not required"
        reading.problems.append(Problem(what, where=where, todo="A key is always there."))
    ours = reading.read(place, item.custom_properties, OfColumn) or OfColumn()
    return Column(
        name=item.name,
        type=item.logical_type,
        description=item.description.strip(),
        nullable=not (item.required or item.primary_key),
        key=item.primary_key,
        unique=item.unique,
        minimum=options.minimum,
        maximum=options.maximum,
        pattern=options.pattern,
        minimum_length=options.min_length,
        maximum_length=options.max_length,
        values=(*ours.values, *(entry.value for entry in item.enum)),
        unit=ours.unit,
        known_at=ours.known_at,
        personal=ours.personal,
        protected=ours.protected,
        examples=tuple(item.examples),
    )


def _description(description: Description) -> str:
    parts = {
        "": description.purpose,
        "Limitations: ": description.limitations,
        "Usage: ": description.usage,
    }
    return "\n".join(f"{label}{text.strip()}" for label, text in parts.items() if text)


def _owner(team: Any) -> str:
    """The team's member with the role of the owner. Version 3.1 moved the members one level in."""
    members = team.get("members") if isinstance(team, dict) else team
    for member in members if isinstance(members, list) else []:
        if isinstance(member, dict) and str(member.get("role", "")).lower() in {
            "owner",
            "data owner",
        }:
            return str(member.get("username", ""))
    return ""


def _place(table: Table, column: int | None, part: str) -> Place:
    """Where a part of a column (or of the table, if `column` is None) is written."""
    place: Place = ("schema", 0)
    properties = table.custom_properties
    if column is not None:
        place = (*place, "properties", column)
        properties = table.properties[column].custom_properties
    for at, item in enumerate(properties):
        if item.property == part:
            return (*place, "customProperties", at)
    standard = {
        "minimum_length": "minLength",
        "maximum_length": "maxLength",
        "nullable": "required",
        "key": "properties",
    }.get(part, part)
    if standard in {"minimum", "maximum", "pattern", "minLength", "maxLength"}:
        return (*place, "logicalTypeOptions", standard)
    return (*place, standard)
