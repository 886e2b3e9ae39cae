"""A charter as a project would write it, and desks to work at."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.charter import Charter
from taxiway.core.ports import Actor, Desk

DOCUMENT: dict[str, Any] = {
    "charter": 1,
    "name": "flight-delays",
    "kind": "classification",
    "purpose": {
        "decision": "Warn a passenger that a flight is likely to arrive late.",
        "permitted_uses": ["warnings at booking"],
        "forbidden_uses": ["rating of pilots"],
        "people_affected": "passengers",
        "limits": ["cancelled flights have no outcome"],
    },
    "owners": {
        "business": "flights-owner",
        "data": "flights-data",
        "development": "flights-developer",
        "engineering": "flights-engineer",
        "validation": "flights-validator",
    },
    "risk": {
        "is_model": True,
        "legal_class": "minimal",
        "effect_on_people": "indirect",
        "reversible": True,
        "automation": "advises",
        "decisions_per_month": 28000,
        "value_at_stake_per_month": 50000.0,
        "personal_data": False,
        "third_party": False,
        "foreseeable_misuse": "reading the score as a safety rating",
    },
    "value": {
        "currency": "USD",
        "per_decision": {"true_positive": 3.0, "false_positive": -1.0},
        "promised_per_month": 310.0,
        "baseline": "nobody is warned",
        "review": "2027-06-30",
    },
    "data": {"contract": "contracts/flights.yaml", "source": "data/flights.parquet"},
    "target": {"name": "late", "definition": "arr_delay > 15"},
    "training": {
        "bar": {"metric": "roc_auc", "at_least": 0.6},
        "slices": ["origin"],
        "no_protected_because": "flights are not people",
        "minimum_slice_rows": 50,
    },
    "deployment": {"threshold": 0.5},
    "oversight": {
        "who": "gate-planning",
        "how": "sees every warning beside the schedule",
        "stop": "taxiway rollback prod",
    },
    "monitoring": {
        "window": "month",
        "label_delay": "1d",
        "minimum_rows": 200,
        "escalation": "the business owner within a day",
    },
    "inventory": {
        "dependencies": ["the schedule feed"],
        "next_review": "2027-06-30",
        "approver": "flights-validator",
    },
}


CharterWith = Callable[..., Charter]


@pytest.fixture
def charter_with() -> CharterWith:
    """The charter with some answers of some sections changed: `charter_with(value={...})`."""

    def build(**changes: dict[str, Any]) -> Charter:
        document = {**DOCUMENT}
        for section, answers in changes.items():
            document[section] = {**document.get(section, {}), **answers}
        return Charter.model_validate(document)

    return build


@pytest.fixture
def charter(charter_with: CharterWith) -> Charter:
    return charter_with()


@pytest.fixture
def desk() -> Desk:
    """A desk in memory, on which nobody acts; ids count up, and it is always noon."""
    numbers = itertools.count(1)
    return Desk(
        record=MemoryRecord(),
        objects=MemoryObjects(),
        decisions=MemoryDecisions(),
        verify=lambda _key, _content, _signature: False,
        now=lambda: datetime(2013, 6, 1, 12, tzinfo=UTC),
        new_id=lambda: f"{next(numbers):06d}",
    )


@pytest.fixture
def engineer(desk: Desk) -> Desk:
    """The same desk, with an engineer at it."""
    actor = Actor("flights-engineer", ("engineer",), lambda content: f"signed {len(content)}")
    return dataclasses.replace(desk, actor=actor)
