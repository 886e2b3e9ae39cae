"""Who may get which role in an environment, and what ends when somebody does."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.check import FlightCheck, Status, Verdict
from taxiway.core.errors import ConflictError, RefusedError
from taxiway.core.facts import Alert, Deployment, Finding, Release
from taxiway.core.moves import CANARY, CHALLENGER, CHAMPION
from taxiway.core.people import Binding
from taxiway.core.ports import Actor, Desk
from taxiway.release.promotion import Wanted, promote, rollback, standing, withdraw

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def release(number: int) -> Release:
    d = f"sha256:{number}"
    return Release(f"m:{number}", "m", number, d, "r", "s", "d", "c", "k", "dev", "", NOW)


class Way:
    """A model's way through its environments, by one engineer."""

    def __init__(self, folder: Path) -> None:
        ids = itertools.count(1)
        self.desk = Desk(
            record=MemoryRecord(),
            objects=MemoryObjects(folder),
            decisions=MemoryDecisions(),
            verify=lambda *_: True,
            now=lambda: NOW,
            new_id=lambda: f"id-{next(ids)}",
            actor=Actor("eva", ("engineer",), lambda _: "signed"),
        )

    def go(self, number: int, environment: str, role: str = CHAMPION, **more: Any) -> Deployment:
        clear = more.pop("clear", True)
        one = release(number)
        verdict = Verdict("DP-01", Status.PASSED if clear else Status.FAILED, why="", examined=1)
        checked = FlightCheck(
            "m",
            one.id,
            environment,
            "low",
            Binding(one.digest, "d", "e"),
            (verdict,),
            frozenset({"DP-01"}),
            NOW,
        )
        dry_run = more.pop("dry_run", False)
        return promote(
            self.desk,
            one,
            Wanted(environment, role, **more),
            check=lambda: checked,
            sound=lambda: None,
            sign_offs=list,
            dry_run=dry_run,
        )

    def roles(self, environment: str) -> dict[str, str]:
        return {role: d.release for role, d in standing(self.desk, "m", environment).items()}

    def actions(self) -> list[str]:
        return [event.action for event in self.desk.record.events()]


@pytest.fixture
def way(tmp_path: Path) -> Way:
    """Release 1 is the champion everywhere; 2 and 3 are in qa."""
    way = Way(tmp_path)
    for number, environment in itertools.product((2, 3, 1), ("dev", "qa")):
        way.go(number, environment)
    way.go(1, "prod")
    return way


def test_each_role_is_one_release_s(way: Way) -> None:
    way.go(2, "prod", CANARY, share=10)
    way.go(3, "prod", CHALLENGER)
    assert way.roles("prod") == {CHAMPION: "m:1", CANARY: "m:2", CHALLENGER: "m:3"}
    with pytest.raises(
        RefusedError, match=r"m:2 is the canary at 10 % in prod.*one at a time"
    ) as no:
        way.go(3, "prod", CANARY, share=5)
    assert no.value.todo == "End it first: taxiway withdraw prod --canary --reason …"


def test_a_canary_needs_a_clear_flight_check_and_a_shadow_does_not(way: Way) -> None:
    with pytest.raises(RefusedError, match="1 of 1 required checks are not clear"):
        way.go(2, "prod", CANARY, share=10, clear=False)
    assert way.go(2, "prod", CHALLENGER, clear=False).evidence_digest == "e"
    assert way.roles("prod") == {CHAMPION: "m:1", CHALLENGER: "m:2"}


def test_nobody_leaves_out_an_environment_and_a_shadow_in_it_does_not_count(way: Way) -> None:
    way.go(4, "dev")
    for role, more in ((CANARY, {"share": 10}), (CHALLENGER, {})):
        with pytest.raises(RefusedError, match="it was never in qa"):
            way.go(4, "prod", role, **more)
    way.go(4, "qa", CHALLENGER)
    with pytest.raises(RefusedError, match="it was never in qa"):
        way.go(4, "prod", CHALLENGER)


def test_without_a_champion_there_is_nothing_to_stand_beside(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="there is no champion beside it"):
        Way(tmp_path).go(1, "dev", CANARY, share=10)


def test_a_canary_that_becomes_the_champion_is_no_canary_any_more(way: Way) -> None:
    way.go(2, "prod", CANARY, share=10)
    promoted = way.go(2, "prod")
    assert way.roles("prod") == {CHAMPION: "m:2"}
    assert promoted.replaces == "m:1"
    ended = way.desk.record.find(Deployment, role=CANARY)
    assert [one.until for one in ended] == [NOW]
    with pytest.raises(RefusedError, match="m:2 is already the champion in prod"):
        way.go(2, "prod")
    with pytest.raises(RefusedError, match="is champion and can't become canary"):
        way.go(2, "prod", CANARY, share=10)


def test_a_challenger_may_become_a_canary_and_a_canary_no_challenger(way: Way) -> None:
    way.go(2, "prod", CHALLENGER)
    way.go(2, "prod", CANARY, share=10)
    assert way.roles("prod") == {CHAMPION: "m:1", CANARY: "m:2"}
    with pytest.raises(RefusedError, match="is canary and can't become challenger"):
        way.go(2, "prod", CHALLENGER)


def test_another_share_is_the_same_deployment(way: Way) -> None:
    first = way.go(2, "prod", CANARY, share=10)
    before = way.actions()
    assert way.go(2, "prod", CANARY, share=25, dry_run=True).share == 25
    assert way.actions() == before
    grown = way.go(2, "prod", CANARY, share=25)
    assert grown == dataclasses.replace(first, share=25)
    assert standing(way.desk, "m", "prod")[CANARY] == grown
    event = list(way.desk.record.events())[-1]
    assert (event.action, event.details["share"], event.details["before"]) == (
        "deployment.shared",
        25,
        10,
    )
    with pytest.raises(RefusedError, match="already the canary at 25 %"):
        way.go(2, "prod", CANARY, share=25)


def test_a_rollback_to_a_release_that_came_back_as_canary_ends_the_canary(way: Way) -> None:
    way.go(2, "prod")
    way.go(1, "prod", CANARY, share=10)
    rollback(
        way.desk,
        "m",
        "prod",
        reason="",
        find_release=lambda name: release(int(name[-1])),
        sound=lambda _: None,
    )
    assert way.roles("prod") == {CHAMPION: "m:1"}


def test_a_withdrawal_ends_a_role_with_its_event_and_its_findings(way: Way) -> None:
    canary = way.go(2, "prod", CANARY, share=10)
    finding = Finding(
        "f", "m", "m:2", "prod", "guardrail", "failures", "page", NOW, NOW, "bad", {}, {}, NOW
    )
    alert = Alert("a", "f", "m", "prod", "engineering", "eva", "open", NOW)
    nobody = dataclasses.replace(way.desk, actor=None)
    before = way.actions()
    withdraw(nobody, canary, reason="bad", findings=[finding, alert], dry_run=True)
    assert way.actions() == before
    withdraw(nobody, canary, reason="bad", findings=[finding, alert])
    assert way.roles("prod") == {CHAMPION: "m:1"}
    assert way.desk.record.find(Alert) == [alert]
    event = list(way.desk.record.events())[-1]
    assert (event.actor, event.action) == ("system", "deployment.withdrawn")
    assert set(event.facts) == {f"deployment {canary.id}", "finding f", "alert a"}
    with pytest.raises(ConflictError):
        withdraw(nobody, canary, reason="bad")


def test_a_champion_is_never_withdrawn(way: Way) -> None:
    with pytest.raises(RefusedError, match="m:1 in prod is champion and can't become withdrawn"):
        withdraw(way.desk, standing(way.desk, "m", "prod")[CHAMPION], reason="")
