"""A complete charter, ways to change it, and its plan."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from taxiway.adapters.yaml_document import read_document
from taxiway.charter.plan import Plan, make_plan
from taxiway.charter.reading import CharterFile, read_charter_file
from taxiway.core.contract import Column, Contract

COMPLETE: dict[str, Any] = {
    "charter": 1,
    "name": "flight-delays",
    "kind": "classification",
    "purpose": {
        "decision": "Warn that a flight is likely to arrive late.",
        "permitted_uses": ["planning of gates"],
        "forbidden_uses": ["rating of crews"],
        "people_affected": "passengers who see the warning",
        "limits": ["knows one airport"],
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
        "value_at_stake_per_month": 60000,
        "personal_data": False,
        "third_party": False,
        "foreseeable_misuse": "reading the score as a rating",
    },
    "value": {
        "currency": "USD",
        "per_decision": {"true_positive": 30, "false_positive": -10},
        "promised_per_month": 25000,
        "baseline": "nobody is warned",
        "review": "2027-06-30",
    },
    "data": {
        "contract": "contracts/flights.yaml",
        "source": "data/flights.parquet",
        "production": "data/schedule.parquet",
    },
    "target": {"name": "late", "definition": "arr_delay > 15"},
    "training": {
        "bar": {"metric": "roc_auc", "at_least": 0.62},
        "slices": ["origin"],
        "no_protected_because": "no person is in the data",
    },
    "deployment": {"retention_days": 200},
    "oversight": {"who": "gate-planning", "how": "sees all warnings", "stop": "a switch"},
    "monitoring": {"escalation": "the owner within a day"},
    "inventory": {
        "dependencies": ["the schedule"],
        "next_review": "2027-06-30",
        "approver": "flights-validator",
    },
}

CONTRACT = Contract(
    id="flights",
    version="1.0.0",
    description="",
    table="flights",
    columns=(
        Column("flight", "string", key=True),
        Column("time_hour", "timestamp"),
        Column("origin", "string"),
        Column("arr_delay", "number", nullable=True, known_at="arrival"),
    ),
    moments=("scheduling", "arrival"),
    decision_at="scheduling",
    event_time="time_hour",
)

TODAY = date(2026, 7, 1)

Planned = Callable[..., Plan]
Written = Callable[..., CharterFile]


def changed(places: dict[str, Any]) -> dict[str, Any]:
    """The complete charter with other answers: {"owners.validation": None} takes one away."""
    document = copy.deepcopy(COMPLETE)
    for place, value in places.items():
        *path, last = place.split(".")
        section = document
        for step in path:
            section = section.setdefault(step, {})
        if value is None:
            section.pop(last, None)
        else:
            section[last] = value
    return document


@pytest.fixture
def complete() -> dict[str, Any]:
    """The complete charter as plain data."""
    return changed({})


@pytest.fixture
def contract() -> Contract:
    """The contract of the complete charter."""
    return CONTRACT


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """A charter file with changed answers, or with a text of its own."""

    def write(places: dict[str, Any] | None = None, *, text: str | None = None) -> CharterFile:
        path = tmp_path / "taxiway.yaml"
        content = text if text is not None else yaml.safe_dump(changed(places or {}))
        path.write_text(content, encoding="utf-8")
        return read_charter_file(read_document(path))

    return write


@pytest.fixture
def planned(written: Written) -> Planned:
    """The plan of a charter with changed answers; every file is there, unless told otherwise."""

    def plan(places: dict[str, Any] | None = None, **others: Any) -> Plan:
        known: dict[str, Any] = {"contract": CONTRACT, "today": TODAY, "exists": lambda _: True}
        return make_plan(written(places), **{**known, **others})

    return plan
