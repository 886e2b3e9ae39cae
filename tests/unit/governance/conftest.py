"""A workspace in memory with its people and real keys, a model, a snapshot and a release; and a
case in which every automatic check passes."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.ed25519 import verify
from taxiway.adapters.keyring import FolderKeys
from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.check import Case
from taxiway.core.evidence import Evidence, observed
from taxiway.core.facts import Developed, Model, Release, Snapshot
from taxiway.core.people import Binding, Person
from taxiway.core.ports import Actor, Desk
from taxiway.governance.people import add_person

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOLDEN = Path(__file__).parents[2] / "golden" / "evidence-1.json"
BINDING = Binding("sha256:m", "sha256:d", "sha256:e")
RELEASE = Release(
    id="flight-delays:1",
    model="flight-delays",
    number=1,
    digest="sha256:m",
    run="run-1",
    snapshot="sha256:s",
    data_digest="sha256:d",
    charter_digest="sha256:c",
    contract_digest="sha256:k",
    author="flights-developer",
    signature="",
    at=NOW,
)
MODEL = Model(
    id="flight-delays",
    kind="classification",
    tier="low",
    charter_digest="sha256:c",
    project="flights",
    owners={
        "business": "flights-owner",
        "data": "flights-data",
        "development": "flights-developer",
        "engineering": "flights-engineer",
        "validation": "flights-validator",
    },
    at=NOW,
    by="flights-owner",
)
SNAPSHOT = Snapshot(
    id="sha256:s",
    model="flight-delays",
    contract_digest="sha256:k",
    data_digest="sha256:d",
    profile_digest="sha256:p",
    source="flights.parquet",
    rows=50000,
    first_time=None,
    last_time=None,
    at=NOW,
    by="flights-data",
)
PEOPLE = {
    "flights-owner": ("owner",),
    "flights-data": ("owner",),
    "flights-developer": ("developer", "validator"),
    "flights-engineer": ("engineer",),
    "flights-validator": ("validator",),
    "flights-auditor": ("auditor",),
}
"""The developer holds the role validator too: the rule of independence has to look at more."""


class Office:
    """A workspace in memory; `desk(name)` is somebody's place in it."""

    def __init__(self, folder: Path) -> None:
        self.record = MemoryRecord()
        self.keys = FolderKeys(folder)
        self.now = NOW
        self.verify = verify
        self._ids = itertools.count(1)
        self._objects, self._decisions = MemoryObjects(folder / "objects"), MemoryDecisions()

    def desk(self, name: str | None = None) -> Desk:
        actor = None
        if name is not None:
            roles = self.record.get(Person, name).roles
            actor = Actor(name, roles, lambda content: self.keys.sign(name, content))
        return Desk(
            record=self.record,
            objects=self._objects,
            decisions=self._decisions,
            verify=verify,
            now=lambda: self.now,
            new_id=lambda: f"id-{next(self._ids):06}",
            actor=actor,
        )

    def actions(self) -> list[str]:
        return [event.action for event in self.record.events()]


@pytest.fixture
def empty_office(tmp_path: Path) -> Office:
    return Office(tmp_path / "keys")


@pytest.fixture
def office(empty_office: Office) -> Office:
    office = empty_office
    for name, roles in PEOPLE.items():
        first = name == "flights-owner"
        add_person(office.desk(None if first else "flights-owner"), office.keys, name, roles)
    desk = office.desk("flights-owner")
    developed = Developed(
        "flight-delays/flights-developer", "flight-delays", "flights-developer", NOW
    )
    with desk.change("model.planned", "flight-delays", model="flight-delays") as change:
        for fact in (MODEL, SNAPSHOT, RELEASE, developed):
            change.add(fact)
    return office


@pytest.fixture
def release() -> Release:
    return RELEASE


@pytest.fixture
def binding() -> Binding:
    return BINDING


@pytest.fixture
def good() -> dict[str, Evidence]:
    """Evidence of every kind, as it is when all is well."""
    subjects = {"data.provenance": "sha256:s", "data.validation": "sha256:s"}
    return {
        kind: observed(
            kind,
            id=kind,
            subject=subjects.get(kind, "flight-delays:1"),
            model="flight-delays",
            at=NOW,
            by="flights-developer",
            **fields,
        )
        for kind, fields in json.loads(GOLDEN.read_text()).items()
    }


@pytest.fixture
def case(good: dict[str, Evidence]) -> Case:
    """A release that runs in prod, of which everything is known and nothing is wrong."""
    return Case(
        model="flight-delays",
        release="flight-delays:1",
        kind="classification",
        tier="low",
        environment="prod",
        now=NOW,
        binding=BINDING,
        deployed=True,
        evidence=good,
        deployed_at=NOW - timedelta(days=3),
    )


Changed = Callable[..., Case]


@pytest.fixture
def changed(case: Case) -> Changed:
    """The case with one value of its evidence replaced, or left out with `...`."""

    def change(kind: str, path: str, value: Any, **fields: Any) -> Case:
        before = case.evidence[kind]
        plain = json.loads(
            json.dumps(
                {"found": before.found, "required": before.required, "digests": before.digests}
            )
        )
        *way, last = path.split(".")
        place = plain
        for step in way:
            place = place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value
        after = dataclasses.replace(before, **plain)
        return dataclasses.replace(case, evidence={**case.evidence, kind: after}, **fields)

    return change
