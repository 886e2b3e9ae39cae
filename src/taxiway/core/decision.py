"""Decisions and what turned out to be true."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring as _quoted
from typing import Any

from taxiway.core.digest import canonical_json
from taxiway.core.errors import InputError

SAMPLE = "sample"
"""The name of the rule by which chance makes a decision a case."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One logged prediction, with everything that is needed to make it again.

    `inputs` is the record as it was validated; `output` is what was answered:
    {prediction, probability, reasons}, or {prediction, reasons} of a number, and {review: {because:
    [rule]}} where a person has to decide (such a decision is a case, with the decision's id).
    `happened_at` is the contract's event time of the record, `at` the moment of the answer.
    """

    id: str
    model: str
    release: str
    release_digest: str
    environment: str
    channel: str
    """`http` or `batch`."""
    key: str
    """The record's key columns as canonical JSON; outcomes are joined on it."""
    happened_at: datetime
    at: datetime
    inputs: dict[str, Any]
    output: dict[str, Any]
    latency_us: int
    withheld: tuple[str, ...] = ()
    """Columns of the record that the log does not hold as they were: they are not in `inputs`, or a
    pseudonym stands there."""

    @property
    def because(self) -> tuple[str, ...]:
        """The rules for which a person has to decide; empty where the model's answer stands."""
        review = self.output.get("review")
        return tuple(review["because"]) if review else ()


def in_a_word(output: Mapping[str, Any]) -> str:
    """What an output answers: yes, no, or its number.

    >>> in_a_word({"prediction": True, "probability": 0.7}), in_a_word({"prediction": 12.5})
    ('yes', '12.5')
    """
    said = output["prediction"]
    if isinstance(said, bool):
        return "yes" if said else "no"
    return repr(said)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What turned out to be true for a key; joined to its decisions whenever they are asked for."""

    model: str
    key: str
    label: bool | float
    at: datetime
    """When it was added."""


def record_key(values: Mapping[str, Any], key: Sequence[str]) -> str:
    """The identity of a record: its key columns as canonical JSON. Outcomes join decisions on it.

    Values have the types of the contract: a timestamp is a time with its zone (written in UTC, with
    microseconds), never text, so that two ways of writing the same time are one key. Raises
    `InputError` naming the key columns that are not there, or hold nothing.

    >>> from datetime import UTC
    >>> record_key({"flight": 11, "at": datetime(2013, 3, 1, 5, tzinfo=UTC), "carrier": "UA"},
    ...            ["at", "flight"])
    '{"at":"2013-03-01T05:00:00.000000Z","flight":11}'
    """
    parts: list[str] = []
    for name in sorted(key):
        value = values.get(name)
        if value is None:
            parts.clear()
            break
        parts.append(key_part(name, value))
    if not parts:
        absent = ", ".join(name for name in key if values.get(name) is None)
        raise InputError(
            f"A record has no value in its key: {absent or 'the contract names no key column'}.",
            todo="Outcomes find their decision by the key; every record needs all of it.",
        )
    return f"{{{','.join(parts)}}}"


def key_part(name: str, value: Any) -> str:
    """How a key column with this value stands in every key that holds it.

    >>> key_part("flight", 11)
    '"flight":11'
    """
    # The two kinds that keys are made of, without an encoder: every decision has a key.
    if type(value) is str:
        return f"{_quoted(name)}:{_quoted(value)}"
    if type(value) is int:
        return f"{_quoted(name)}:{value}"
    return canonical_json({name: value}).decode()[1:-1]


def key_holds(key: str, values: Mapping[str, Any]) -> bool:
    """Whether a key holds these values: all of its columns or some.

    >>> key_holds('{"carrier":"UA","flight":11}', {"flight": 11})
    True
    >>> key_holds('{"carrier":"UA","flight":11}', {"flight": 1})
    False
    """
    if any(key_part(name, value) not in key for name, value in values.items()):
        return False
    known = json.loads(key)
    return all(
        name in known and key_part(name, known[name]) == key_part(name, value)
        for name, value in values.items()
    )
