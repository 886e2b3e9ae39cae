"""Which fact lives in which table, and how its fields become columns and come back.

A field's annotation names its codec; a field with an annotation that is not in the table is a
programming error that the first use shows.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from taxiway.core.digest import canonical_json, utc_text, utc_time
from taxiway.core.evidence import Evidence
from taxiway.core.facts import (
    Alert,
    Consumer,
    Deployment,
    Developed,
    Finding,
    Model,
    Proposal,
    Release,
    Run,
    Snapshot,
)
from taxiway.core.people import Deviation, Handoff, Person, Resolution, Review, SignOff

Fact = TypeVar("Fact")

TABLES: Mapping[type, str] = {
    Person: "person",
    Model: "model",
    Developed: "developed",
    Snapshot: "snapshot",
    Run: "run",
    Release: "release",
    Deployment: "deployment",
    Consumer: "consumer",
    SignOff: "sign_off",
    Deviation: "deviation",
    Handoff: "handoff",
    Review: "review",
    Resolution: "resolution",
    Evidence: "evidence",
    Finding: "finding",
    Alert: "alert",
    Proposal: "proposal",
}

IMMUTABLE = (Snapshot, Release, SignOff, Resolution, Evidence, Finding, Developed)
"""Facts that never change once they are written; the database refuses it, too."""

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _same(value: Any) -> Any:
    return value


def _json(value: Any) -> str:
    return canonical_json(value).decode()


_CODECS: Mapping[str, Codec] = {
    "str": (_same, _same),
    "int": (_same, _same),
    "datetime": (utc_text, utc_time),
    "dict[str, Any]": (_json, json.loads),
    "dict[str, str]": (_json, json.loads),
    "tuple[str, ...]": (_json, lambda text: tuple(json.loads(text))),
}


def codecs(kind: type[Any]) -> dict[str, Codec]:
    """Field -> how it is written and read."""
    return _codecs(TABLES[kind])


@cache
def _codecs(table: str) -> dict[str, Codec]:
    kind = next(kind for kind, name in TABLES.items() if name == table)
    found = {}
    for field in dataclasses.fields(kind):
        annotation = str(field.type)
        write, read = _CODECS[annotation.removesuffix(" | None")]
        if annotation.endswith(" | None"):
            found[field.name] = (_or_none(write), _or_none(read))
        else:
            found[field.name] = (write, read)
    return found


def _or_none(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else call(value)


def encoded(fact: object) -> dict[str, Any]:
    """Column -> value of a fact."""
    return {name: write(getattr(fact, name)) for name, (write, _) in codecs(type(fact)).items()}


def encoded_field(kind: type, name: str, value: Any) -> Any:
    """One column's value, for a condition; None asks for rows that hold nothing there."""
    write, _ = codecs(kind)[name]
    return None if value is None else write(value)


def decoded(kind: type[Fact], row: tuple[Any, ...]) -> Fact:
    """The fact of a row whose columns are in the order of the fields."""
    reads = codecs(kind).values()
    return kind(*(read(value) for (_, read), value in zip(reads, row, strict=True)))
