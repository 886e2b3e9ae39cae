"""Examples: a record that the contract would take, made of the examples that it gives."""

from __future__ import annotations

from typing import Any

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError
from taxiway.serving.records import read_records

PLAIN: dict[str, tuple[Any, ...]] = {
    "string": ("text",),
    "integer": (1, 0),
    "number": (1.0, 0.0),
    "boolean": (True,),
    "date": ("2026-01-31",),
    "timestamp": ("2026-01-31T08:00:00.000000Z",),
}
"""Contract type -> values to try where a column gives no example."""


def example_record(contract: Contract) -> dict[str, Any] | None:
    """A record that holds the contract; None if a column would need an example, and has none."""
    record = {}
    for column in contract.columns:
        value = next((v for v in _candidates(column) if _holds(contract, column, v)), None)
        if value is None and not column.nullable:
            return None
        record[column.name] = value
    return record


def _candidates(column: Column) -> tuple[Any, ...]:
    limits = tuple(one for one in (column.minimum, column.maximum) if one is not None)
    if column.type == "timestamp":
        limits = tuple(f"{one}Z" if str(one)[-1:].isdigit() else one for one in limits)
    if column.type == "integer":
        limits = tuple(int(one) for one in limits)
    return (*column.examples, *column.values, *limits, *PLAIN[column.type])


def _holds(contract: Contract, column: Column, value: Any) -> bool:
    try:
        read_records({column.name: value}, contract.only([column.name]))
    except InputError:
        return False
    return True
