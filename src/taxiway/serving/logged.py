"""What the decision log holds, for people: found by key, and as a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

from taxiway.core.contract import Column, Contract
from taxiway.core.decision import Decision
from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, MissingError, Problem

CHUNK_ROWS = 20_000
"""Decisions that are handed on at a time."""

COLUMNS: Mapping[str, Callable[[Decision], Any]] = {
    "decision": lambda d: d.id,
    "model": lambda d: d.model,
    "release": lambda d: d.release,
    "environment": lambda d: d.environment,
    "channel": lambda d: d.channel,
    "key": lambda d: d.key,
    "happened_at": lambda d: d.happened_at,
    "at": lambda d: d.at,
    "prediction": lambda d: d.output["prediction"],
    "probability": lambda d: d.output.get("probability"),
    "reasons": lambda d: json.dumps(d.output["reasons"], ensure_ascii=False),
    "review": lambda d: json.dumps(d.because),
    "inputs": lambda d: json.dumps(d.inputs, ensure_ascii=False),
    "latency_us": lambda d: d.latency_us,
}
"""A table of decisions: inputs and reasons are JSON text, as releases differ in their columns."""

SPELLINGS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2027-03-01",
    "timestamp": "a time with its offset, such as 2027-03-01T10:00:00Z",
}


def table(decisions: Iterable[Decision]) -> Iterator[dict[str, list[Any]]]:
    """Decisions as the columns of a table, some thousand at a time; once even if there is none."""
    waiting = iter(decisions)
    chunk = list(islice(waiting, CHUNK_ROWS))
    while True:
        yield {name: [value(d) for d in chunk] for name, value in COLUMNS.items()}
        chunk = list(islice(waiting, CHUNK_ROWS))
        if not chunk:
            return


def key_values(texts: Sequence[str], contract: Contract) -> dict[str, Any]:
    """A key, or a part of one, as decisions hold it, from what people write of it.

    Each text is `name=value` or a JSON object. Raises `MissingError` for a column that is not in
    the key, and `InputError` with every value that is not of its column's type.
    """
    given: dict[str, Any] = {}
    for text in texts:
        given |= _object(text) if text.startswith("{") else _pair(text)
    values, problems = {}, []
    for name, value in given.items():
        if name not in contract.key:
            raise MissingError.named("key column", name, contract.key)
        column = contract.column(name)
        try:
            values[name] = _plain(value, column)
        except (TypeError, ValueError):
            expected = SPELLINGS[column.type]
            problems.append(Problem("is no value of it", repr(value), expected, name))
    if problems:
        raise InputError("The key can't be looked for.", problems)
    return values


def _pair(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(
            f"{text!r} is no key; expected name=value, or a JSON object.",
            todo="For instance: --key flight=11 --key carrier=UA",
        )
    return {name: value}


def _object(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError as error:
        raise InputError(f"The key is not JSON: {error}.") from None
    return dict(read)


def _plain(value: Any, column: Column) -> Any:
    """A value as the log holds those of its column. Raises `TypeError` or `ValueError`."""
    written = value if isinstance(value, str) else json.dumps(value)
    match column.type:
        case "integer":
            return int(written)
        case "number":
            return float(written)
        case "boolean":
            return ["false", "true"].index(written.lower()) == 1
        case "date":
            return date.fromisoformat(written).isoformat()
        case "timestamp":
            return utc_text(datetime.fromisoformat(written))
    if not isinstance(value, str):
        raise TypeError
    return value
