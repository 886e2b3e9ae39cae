"""Contracts in files of the Open Data Contract Standard, version 3, read into `core.contract`.

What the standard has no word for stands in `customProperties`: on the table `moments`,
`decision_at`, `event_time`, `minimum_rows`, `maximum_rows`, `freshness_hours` and `changes`; on a
column `unit`, `known_at`, `values`, `sentinels`, `personal`, `protected`, `proxy`, `cost` and
`timezone`.
Other keys of the standard are accepted and left alone. The contract of a model (`read_contract`) is
strict: a key that nobody knows is an error, and so is a limit that would not be held. A file of any
origin (`read_any`) may hold more than is held here, and is read with notes on what that is.
"""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from taxiway.core.contract import TYPES, Column, Contract
from taxiway.core.document import Document, Place, problems_of
from taxiway.core.errors import InputError, MissingError, Problem, close_match, shortened
from taxiway.data.additions import OfAnyTable, OfColumn, OfTable, Reading
from taxiway.data.contradictions import contradictions, is_of_type
from taxiway.data.quality import Held, hold, references_of
from taxiway.data.spelled import from_standard
from taxiway.data.standard import (
    Description,
    OpenDataContract,
    Options,
    Property,
    Table,
)

MOMENT = "recorded"
"""The one moment of a contract that names none."""
ISO = frozenset({"%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%.f%z", "%+"})
PHYSICAL = {
    **dict.fromkeys(
        ["varchar", "char", "text", "string", "nvarchar", "uuid", "character"], "string"
    ),
    **dict.fromkeys(["int", "integer", "bigint", "smallint", "long", "tinyint"], "integer"),
    **dict.fromkeys(
        ["double", "double precision", "float", "real", "decimal", "numeric", "number"], "number"
    ),
    **dict.fromkeys(["bool", "boolean"], "boolean"),
    "date": "date",
    **dict.fromkeys(["timestamp", "datetime", "timestamptz"], "timestamp"),
}
"""Physical type -> logical type, where a file names only the first."""

UNENFORCED = {
    "exclusive_minimum": "Write the smallest allowed value as `minimum`.",
    "exclusive_maximum": "Write the largest allowed value as `maximum`.",
    "multiple_of": "List the allowed values, or leave it out.",
}
"""Limits of the standard that would be believed and not be kept."""


@dataclass(frozen=True, slots=True)
class Read:
    """A contract from a file of any origin, and what of the file is not held."""

    contract: Contract
    notes: tuple[str, ...]
    tables: tuple[str, ...]
    """All tables of the file."""


def read_contract(document: Document) -> Contract:
    """The contract of a model in a document of the standard.

    Raises `InputError` with everything that is wrong: unknown and missing keys, wrong types, and
    contradictions, each with its line.
    """
    headline = f"{document.name} is not a contract that can be kept."
    try:
        file = OpenDataContract.model_validate(document.data)
    except ValidationError as error:
        raise InputError(headline, problems_of(document, error, OpenDataContract)) from None
    if len(file.tables) > 1:
        where = document.where(("schema", 1))
        problem = Problem("there is more than one table", where=where, todo="Keep the model's.")
        raise InputError(headline, [problem])
    reading = Reading(document, strict=True)
    contract = _table(file, 0, reading, OfTable)
    return _sound(headline, document, file, 0, reading, contract, for_model=True)


def read_any(document: Document, *, table: str | None = None) -> Read:
    """The contract of one table in a document of the standard, whoever wrote it.

    `table` names it where there are more. Raises `InputError` for what is no such document, and for
    contradictions.
    """
    headline = f"{document.name} is not a contract that can be held."
    file, notes = _leniently(document, headline)
    names = [one.name for one in file.tables]
    if table is None and len(names) > 1:
        raise InputError(
            f"{document.name} has {len(names)} tables.",
            todo=f"Say which one with --table: {shortened(', '.join(names))}.",
        )
    if table is not None and table not in names:
        raise MissingError.named(f"table in {document.name}", table, names)
    at = names.index(table) if table is not None else 0
    reading = Reading(document, strict=False)
    contract = _table(file, at, reading, OfAnyTable)
    contract = _sound(headline, document, file, at, reading, contract, for_model=False)
    return Read(contract, (*notes, *reading.notes), tuple(names))


def _leniently(document: Document, headline: str) -> tuple[OpenDataContract, list[str]]:
    """The file without the keys that nobody knows here, and a note for each."""
    data, notes = copy.deepcopy(document.data), []
    try:
        return OpenDataContract.model_validate(data), []
    except ValidationError as error:
        unknown = [e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"]
    for place in unknown:
        inner = data
        for step in place[:-1]:
            inner = inner[step]
        del inner[place[-1]]
        notes.append(f"{document.where(place)} is not known here, and left alone")
    try:
        return OpenDataContract.model_validate(data), notes
    except ValidationError as error:
        raise InputError(headline, problems_of(document, error, OpenDataContract)) from None


def _table(
    file: OpenDataContract, at: int, reading: Reading, ours_of: type[OfAnyTable]
) -> Contract | None:
    """The contract of a table; None if our properties of it can't be read."""
    table = file.tables[at]
    ours = reading.read(("schema", at), table.custom_properties, ours_of)
    columns = [
        column
        for number, item in enumerate(table.properties)
        if (column := _column(reading, at, number, item)) is not None
    ]
    if ours is None:
        return None
    held = Held({column.name: column for column in columns})
    references, unheld = references_of(table.relationships, table.name)
    for quality in table.quality:
        hold(quality, held)
    for item in table.properties:
        for quality in item.quality:
            hold(quality, held, item.name)
        more, not_held = references_of(item.relationships, table.name, item.name)
        references, unheld = references + more, unheld + not_held
    reading.notes += [*held.unheld, *unheld]
    moments = tuple(ours.moments) or (MOMENT,)
    return Contract(
        id=file.id,
        version=file.version,
        description=_description(file.description),
        table=table.name,
        columns=tuple(held.columns[c.name] for c in columns),
        moments=moments,
        decision_at=ours.decision_at or moments[0],
        event_time=ours.event_time or "",
        owner=_owner(file.team),
        freshness_hours=ours.freshness_hours or _freshness(file.sla_properties),
        minimum_rows=ours.minimum_rows if held.minimum_rows is None else held.minimum_rows,
        maximum_rows=ours.maximum_rows if held.maximum_rows is None else held.maximum_rows,
        rules=tuple(held.rules) or None,
        references=tuple(sorted(references, key=lambda one: one.columns)) or None,
        changes=ours.changes if ours.changes != "any" else None,
    )


def _sound(
    headline: str,
    document: Document,
    file: OpenDataContract,
    at: int,
    reading: Reading,
    contract: Contract | None,
    *,
    for_model: bool,
) -> Contract:
    """The contract, if nothing is wrong with it. Raises `InputError` with everything that is."""
    if contract is None:
        raise InputError(headline, reading.problems)
    place = partial(_place, file.tables[at], at)
    problems = reading.problems + [
        Problem(c.what, c.found, c.expected, document.where(place(contract, c.column, c.part)))
        for c in contradictions(contract, for_model=for_model)
    ]
    if problems:
        raise InputError(headline, problems)
    return contract


def _freshness(properties: Any) -> float | None:
    """Hours, of the service level that the standard calls freshness."""
    hours = {"h": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0, "days": 24.0}
    hours |= {"m": 1 / 60, "min": 1 / 60, "minutes": 1 / 60}
    for one in properties if isinstance(properties, list) else []:
        if isinstance(one, dict) and str(one.get("property", "")).lower() == "freshness":
            value, unit = one.get("value"), str(one.get("unit", "")).lower()
            if isinstance(value, int | float) and value > 0 and unit in hours:
                return value * hours[unit]
    return None


def _column(reading: Reading, table: int, at: int, item: Property) -> Column | None:
    """A column; None for one whose type has no word here (in a file of any origin)."""
    place: Place = ("schema", table, "properties", at)
    kind = item.logical_type or (None if reading.strict else _of_physical(item.physical_type))
    if kind not in TYPES:
        called = item.logical_type or item.physical_type or "no type"
        match = close_match(str(called), TYPES)
        todo = f"Did you mean `{match}`?" if match else f"Expected {', '.join(TYPES)}."
        what = f"column {item.name} ({called}) is not held"
        reading.unheld(what, (*place, "logicalType"), todo)
        return None
    options = item.logical_type_options
    for name, todo in UNENFORCED.items():
        if getattr(options, name) is not None and (reading.strict or name == "multiple_of"):
            what = f"`{to_camel(name)}` of column {item.name} would not be enforced"
            reading.unheld(what, (*place, "logicalTypeOptions", to_camel(name)), todo)
    if item.primary_key and item.required is False and reading.strict:
        where = reading.document.where((*place, "required"))
        what = f"column {item.name} is part of the key and not required"
        reading.problems.append(Problem(what, where=where, todo="A key is always there."))
    ours = reading.read(place, item.custom_properties, OfColumn) or OfColumn()
    low, high = options.minimum, options.maximum
    if not reading.strict:
        low = _just_inside(options.exclusive_minimum, kind, 1) if low is None else low
        high = _just_inside(options.exclusive_maximum, kind, -1) if high is None else high
    return Column(
        name=item.name,
        type=kind,
        description=item.description.strip(),
        nullable=not (item.required or item.primary_key),
        key=item.primary_key,
        unique=item.unique,
        minimum=low,
        maximum=high,
        pattern=options.pattern,
        minimum_length=options.min_length,
        maximum_length=options.max_length,
        values=(*ours.values, *(entry.value for entry in item.enum)),
        unit=ours.unit,
        known_at=ours.known_at,
        personal=ours.personal or _is_personal(item.classification),
        protected=ours.protected,
        examples=tuple(one for one in item.examples if is_of_type(one, kind) or reading.strict),
        meaning=item.business_name or None,
        sentinels=tuple(ours.sentinels) or None,
        format=_format(reading, place, item, kind),
        timezone=ours.timezone or _zone(options, kind),
        proxy=ours.proxy or None,
        cost=ours.cost,
    )


def _of_physical(physical: Any) -> str | None:
    """The logical type of a physical one, such as `VARCHAR(20)`."""
    word = re.match(r"[a-z]+(?: precision)?", str(physical or "").lower())
    return PHYSICAL.get(word[0]) if word else None


def _just_inside(limit: Any, kind: str, step: int) -> Any:
    """The limit that is part of what is allowed, from one that is not."""
    if not isinstance(limit, int | float) or isinstance(limit, bool):
        return None
    if kind == "integer":
        return math.floor(limit) + 1 if step > 0 else math.ceil(limit) - 1
    return math.nextafter(limit, step * math.inf)


def _is_personal(classification: Any) -> bool:
    return str(classification or "").lower() in {
        "pii",
        "personal",
        "personal data",
        "sensitive pii",
    }


def _format(reading: Reading, place: Place, item: Property, kind: str) -> str | None:
    """How a date or time is spelled, if it is not as ISO 8601 does."""
    given = item.logical_type_options.format
    if kind not in {"date", "timestamp"} or not isinstance(given, str):
        return None
    found = given if given.startswith("%") else from_standard(given)
    if found is None:
        what = f"`format` of column {item.name} is not understood"
        reading.unheld(what, (*place, "logicalTypeOptions", "format"), "Such as dd.MM.yyyy.")
    return None if found in ISO else found


def _zone(options: Options, kind: str) -> str | None:
    """The zone of times that say none of their own."""
    zone = options.default_timezone
    if kind != "timestamp" or not isinstance(zone, str) or options.timezone is True:
        return None
    return {"Etc/UTC": "UTC"}.get(zone, zone)


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


def _place(table: Table, number: int, contract: Contract, column: int | None, part: str) -> Place:
    """Where a part of a column (or of the table, if `column` is None) is written."""
    place: Place = ("schema", number)
    properties = table.custom_properties
    if column is not None:
        name, last = contract.columns[column].name, len(table.properties) - 1
        written = [at for at, item in enumerate(table.properties) if item.name == name]
        same = [at for at, c in enumerate(contract.columns) if c.name == name]
        at = written[same.index(column)] if written else last
        place = (*place, "properties", at)
        properties = table.properties[at].custom_properties
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
