"""Contracts as files of the Open Data Contract Standard, version 3.1.

A contract that was read from a file is written back into what that file held: what is not known
here (servers, prices, the words of other tools) stays as it was, and in its place. So does what
is known and says the same as before, however the file spells it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import yaml

from taxiway.core.contract import Column, Contract, Reference, Rule
from taxiway.core.document import Document
from taxiway.core.errors import InputError, MissingError
from taxiway.data.odcs import MOMENT, read_any
from taxiway.data.quality import ENGINE
from taxiway.data.spelled import to_standard

VERSION = "v3.1.0"

NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

Plain = dict[str, Any]


def document_of(contract: Contract, like: Mapping[str, Any] | None = None) -> Plain:
    """A contract as the plain data of a file; with what another file says beyond it."""
    document: Plain = copy.deepcopy(dict(like or {}))
    document.setdefault("apiVersion", VERSION)
    document.setdefault("kind", "DataContract")
    document["id"], document["version"] = contract.id, contract.version
    document.setdefault("status", "draft")
    if contract.description and like is None:
        document["description"] = {"purpose": contract.description}
    if contract.owner and like is None:
        document["team"] = {"members": [{"username": contract.owner, "role": "owner"}]}
    tables = document.setdefault("schema", [])
    table = next((one for one in tables if one.get("name") == contract.table), None)
    if table is None:
        table = {"name": contract.table}
        tables.append(table)
    _write_table(contract, table, _as_read(like, contract.table))
    return document


def _as_read(like: Mapping[str, Any] | None, table: str) -> Contract | None:
    """What another file says of a table, if it says anything."""
    with suppress(InputError, MissingError):
        return read_any(Document(dict(like), {}, ""), table=table).contract if like else None
    return None


def yaml_text(document: Mapping[str, Any]) -> str:
    """The text of a file, its keys in their order.

    >>> print(yaml_text({"id": "trips", "code": "001", "open": False}), end="")
    id: trips
    code: '001'
    open: false
    """
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Never aliases: a file for people has none."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    """Text that a reader of YAML 1.2 would take for a number is quoted; PyYAML asks 1.1."""
    style = "'" if NUMBER.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _write_table(contract: Contract, table: Plain, read: Contract | None) -> None:
    listed = table.get("properties") or []
    before = {one.get("name"): one for one in listed}
    same = set(read.columns) if read else set()
    known = [
        before[column.name] if column in same else _write_column(column, before.get(column.name))
        for column in contract.columns
    ]
    moments = list(contract.moments) if contract.moments != (MOMENT,) else None
    ours = {
        "moments": moments,
        "decision_at": contract.decision_at if moments else None,
        "event_time": contract.event_time or None,
        "minimum_rows": contract.minimum_rows if contract.minimum_rows != 1 else None,
        "maximum_rows": contract.maximum_rows,
        "freshness_hours": contract.freshness_hours,
        "changes": contract.changes,
    }
    if read:
        same_as = {name: getattr(contract, name) == getattr(read, name) for name in ours}
        ours = {name: value for name, value in ours.items() if not same_as[name]}
    _customise(table, ours)
    if not read or read.rules != contract.rules:
        _set(table, "quality", [*_others(table), *map(_rule, contract.rules or ())])
    # What was read as no column (a list, a record, a time of day) is another tool's, and stays.
    names = set(contract.names) | (set(read.names) if read else set())
    others = [one for one in listed if one.get("name") not in names]
    table["properties"] = _in_place(known, listed, others if read else [])
    if not read or read.references != contract.references:
        _write_references(contract, table)


def _in_place(known: list[Plain], listed: list[Plain], others: list[Plain]) -> list[Plain]:
    """Columns and others, each where it stood if the columns are still in their order."""
    names = [one["name"] for one in known]
    before = [one["name"] for one in listed if one.get("name") in names]
    if names[: len(before)] != before:
        return [*known, *others]
    left = {one["name"]: one for one in known}
    stood = [one if one in others else left.pop(one.get("name"), None) for one in listed]
    return [*(one for one in stood if one is not None), *left.values()]


def _write_references(contract: Contract, table: Plain) -> None:
    wide = [_reference(contract, one) for one in contract.references or () if len(one.columns) > 1]
    _set(table, "relationships", wide or None)
    for column in table["properties"]:
        narrow = [
            {"type": "foreignKey", "to": f"{one.table}.{one.to[0]}"}
            for one in contract.references or ()
            if one.columns == (column["name"],)
        ]
        _set(column, "relationships", narrow or None)


def _others(table: Plain) -> Iterator[Plain]:
    """Rules that are no conditions of ours: they are the file's own words for other things."""
    from taxiway.data.quality import COUNTED

    for rule in table.get("quality") or []:
        ours = rule.get("engine") == ENGINE
        counted = rule.get("type") == "sql" and COUNTED.fullmatch(str(rule.get("query", "")))
        if not ours and not counted:
            yield rule


def _rule(rule: Rule) -> Plain:
    written = {"name": rule.name, "type": "custom", "engine": ENGINE}
    described = {"description": rule.description} if rule.description else {}
    return {**written, **described, "implementation": rule.condition}


def _reference(contract: Contract, one: Reference) -> Plain:
    return {
        "type": "foreignKey",
        "from": [f"{contract.table}.{name}" for name in one.columns],
        "to": [f"{one.table}.{name}" for name in one.to],
    }


def _write_column(column: Column, before: Plain | None) -> Plain:
    written = {"name": column.name, "logicalType": column.type, **(before or {})}
    written["logicalType"] = column.type
    _set(written, "businessName", column.meaning)
    _set(written, "description", column.description or None)
    _set(written, "primaryKey", column.key or None)
    _set(written, "required", (not column.nullable) or None)
    _set(written, "unique", column.unique or None)
    options = dict(written.get("logicalTypeOptions") or {})
    for name, value in {
        "minimum": column.minimum,
        "maximum": column.maximum,
        "pattern": column.pattern,
        "minLength": column.minimum_length,
        "maxLength": column.maximum_length,
        "format": to_standard(column.format) if column.format else None,
        "timezone": False if column.timezone else None,
        "defaultTimezone": column.timezone,
    }.items():
        _set(options, name, value)
    for name in ("exclusiveMinimum", "exclusiveMaximum"):
        options.pop(name, None)  # read as the limit that is just inside
    _set(written, "logicalTypeOptions", options or None)
    _set(written, "examples", list(column.examples) or None)
    _set(written, "classification", "personal" if column.personal else _class(written))
    listed = list(column.values) if not written.get("enum") else None
    _customise(
        written,
        {
            "unit": column.unit,
            "known_at": column.known_at,
            "values": listed or None,
            "sentinels": list(column.sentinels) if column.sentinels else None,
            "personal": column.personal or None,
            "protected": column.protected or None,
            "proxy": column.proxy,
            "cost": column.cost,
        },
    )
    return written


def _class(written: Plain) -> Any:
    found = written.get("classification")
    return None if found == "personal" else found


def _customise(written: Plain, ours: Mapping[str, Any]) -> None:
    """Puts our properties among those of others, each in its place if it is there already."""
    kept = []
    left = {name: value for name, value in ours.items() if value is not None}
    for one in written.get("customProperties") or []:
        name = one.get("property")
        if name not in ours:
            kept.append(one)
        elif name in left:
            kept.append({**one, "value": left.pop(name)})
    kept += [{"property": name, "value": value} for name, value in left.items()]
    _set(written, "customProperties", kept or None)


def _set(written: Plain, name: str, value: Any) -> None:
    if value is None or value == []:
        written.pop(name, None)
    else:
        written[name] = value
