"""An alert is closed by whoever was called, or an owner, who says what came of it."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.facts import Alert, Finding
from taxiway.core.ports import Actor, Desk
from taxiway.monitoring.alerts import alerts, close_alert

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FINDING = Finding("f", "m", "m:2", "prod", "guardrail", "x", "page", NOW, NOW, "it", {}, {}, NOW)
ALERT = Alert("a", "f", "m", "prod", "engineering", "eva", "open", NOW)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    ids = itertools.count(1)
    desk = Desk(
        record=MemoryRecord(),
        objects=MemoryObjects(tmp_path),
        decisions=MemoryDecisions(),
        verify=lambda *_: True,
        now=lambda: NOW,
        new_id=lambda: f"id-{next(ids)}",
    )
    with desk.change("window.closed", "m", model="m") as change:
        change.add(FINDING)
        change.add(ALERT)
    return desk


def acting(desk: Desk, name: str, *roles: str) -> Desk:
    return dataclasses.replace(desk, actor=Actor(name, roles, lambda _: "signed"))


@pytest.mark.parametrize(("name", "role"), [("eva", "engineer"), ("olga", "owner")])
def test_it_is_closed_with_its_event(desk: Desk, name: str, role: str) -> None:
    assert alerts(desk.record, "m") == [(ALERT, FINDING)]
    by = acting(desk, name, role)
    assert close_alert(by, "a", "looked at", dry_run=True).state == "closed"
    assert desk.record.get(Alert, "a") == ALERT
    closed = close_alert(by, "a", "looked at")
    assert (closed.state, closed.answered_by, closed.answered_at) == ("closed", name, NOW)
    assert desk.record.get(Alert, "a") == closed
    event = list(desk.record.events())[-1]
    assert (event.action, event.details["reason"]) == ("alert.closed", "looked at")
    assert alerts(desk.record) == []
    assert alerts(desk.record, every=True) == [(closed, FINDING)]
    with pytest.raises(RefusedError, match="is closed and can't become closed"):
        close_alert(by, "a", "again")


def test_others_may_not_and_nobody_without_a_reason(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="may not close alert a: it called eva"):
        close_alert(acting(desk, "vera", "validator"), "a", "looked at")
    with pytest.raises(InputError, match="--reason is empty"):
        close_alert(acting(desk, "eva", "engineer"), "a", " ")
    with pytest.raises(RefusedError, match="Nobody is named"):
        close_alert(desk, "a", "looked at")
    with pytest.raises(MissingError):
        close_alert(acting(desk, "eva", "engineer"), "b", "looked at")
