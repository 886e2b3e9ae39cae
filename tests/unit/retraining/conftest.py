"""A desk in memory with a champion, people with real keys, and alerts that ask for a retraining."""

from __future__ import annotations

import base64
import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.charter import Charter, Owners
from taxiway.core.facts import Alert, Deployment, Finding
from taxiway.core.operation import Retraining
from taxiway.core.people import Person
from taxiway.core.ports import Actor, Desk

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
PEOPLE = {
    "flights-owner": ("owner",),
    "flights-developer": ("developer",),
    "flights-engineer": ("engineer",),
    "flights-validator": ("validator",),
}

At = Callable[[str], Desk]
Raise = Callable[..., Alert]


@pytest.fixture
def charter() -> Charter:
    """Only what retraining reads of a charter."""
    partly: Any = Charter.model_construct
    made: Charter = partly(
        name="flight-delays",
        owners=Owners(
            business="flights-owner",
            development="flights-developer",
            engineering="flights-engineer",
        ),
        retraining=Retraining(triggers=["performance"], decided_by="business"),
    )
    return made


def verify(public_key: str, content: bytes, signature: str) -> bool:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
    try:
        key.verify(base64.b64decode(signature), content)
    except InvalidSignature:
        return False
    return True


@pytest.fixture
def at() -> At:
    """The desk, with the named person at it: `at("flights-owner")`."""
    numbers, minutes = itertools.count(1), itertools.count()
    keys = {name: Ed25519PrivateKey.generate() for name in PEOPLE}
    desk = Desk(
        record=MemoryRecord(),
        objects=MemoryObjects(),
        decisions=MemoryDecisions(),
        verify=verify,
        now=lambda: NOON + timedelta(minutes=next(minutes)),
        new_id=lambda: f"{next(numbers):06d}",
    )
    with desk.change("workspace.made", "here") as change:
        for name, roles in PEOPLE.items():
            public = base64.b64encode(keys[name].public_key().public_bytes_raw()).decode()
            change.add(Person(name, roles, public, NOON))
        change.add(champion("flight-delays:1"))

    def sits(name: str) -> Desk:
        def sign(content: bytes) -> str:
            return base64.b64encode(keys[name].sign(content)).decode()

        return dataclasses.replace(desk, actor=Actor(name, PEOPLE[name], sign))

    return sits


def champion(release: str) -> Deployment:
    return Deployment(
        id=f"deployment of {release}",
        model="flight-delays",
        environment="prod",
        role="champion",
        release=release,
        release_digest="sha256:0",
        evidence_digest="sha256:0",
        sign_offs=(),
        replaces=None,
        how="promotion",
        since=NOON,
        by="flights-engineer",
    )


@pytest.fixture
def raise_alert(at: At) -> Raise:
    """An open alert about a finding: `raise_alert(kind="performance")`."""
    desk = at("flights-engineer")

    def raised(kind: str = "performance", month: int = 3) -> Alert:
        finding = Finding(
            id=desk.new_id(),
            model="flight-delays",
            release="flight-delays:1",
            environment="prod",
            kind=kind,
            subject="roc_auc",
            severity="page",
            window_start=datetime(2013, month, 1, tzinfo=UTC),
            window_end=datetime(2013, month + 1, 1, tzinfo=UTC),
            what=f"{kind} of month {month} fell",
            found={},
            required={},
            at=NOON,
        )
        alert = Alert(
            desk.new_id(),
            finding.id,
            "flight-delays",
            "prod",
            "development",
            "flights-developer",
            "open",
            NOON,
        )
        with desk.change("window.closed", "march") as change:
            change.add(finding)
            change.add(alert)
        return alert

    return raised


@pytest.fixture
def replace_champion(at: At) -> Callable[[str], None]:
    """Another release becomes champion: `replace_champion("flight-delays:9")`."""

    def replace(release: str) -> None:
        desk = at("flights-engineer")
        [before] = desk.record.find(Deployment, environment="prod", until=None)
        with desk.change("deployment.promoted", release) as change:
            change.replace(before, dataclasses.replace(before, until=NOON))
            change.add(champion(release))

    return replace
