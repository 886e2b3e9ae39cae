"""Decisions and what turned out to be true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Decision:
    """One logged prediction, with everything that is needed to make it again.

    `inputs` is the record as it was validated; `output` is what was answered:
    {prediction, probability, reasons}. `happened_at` is the contract's event time of the record,
    `at` the moment of the answer.
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What turned out to be true for a key; joined to its decisions whenever they are asked for."""

    model: str
    key: str
    label: bool | float
    at: datetime
    """When it was added."""
