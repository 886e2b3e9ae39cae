"""Handoffs: offered by the owner who gives, answered by the owner who takes."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.facts import Model, Release
from taxiway.core.people import Handoff
from taxiway.governance.handoff import accept, handoff_evidence, handoffs, offer, send_back

GIVER = {
    "data": "flights-data",
    "release": "flights-developer",
    "running": "flights-engineer",
}
TAKER = {
    "data": "flights-developer",
    "release": "flights-engineer",
    "running": "flights-owner",
}
SUBJECT = {"data": "sha256:s", "release": "flight-delays:1", "running": "flight-delays:1"}


def offered(office: Any, stage: str, **fields: Any) -> Handoff:
    given: dict[str, Any] = {"summary": "all there", "due": office.now + timedelta(days=7)}
    return offer(office.desk(GIVER[stage]), stage, SUBJECT[stage], **(given | fields))


@pytest.mark.parametrize("stage", GIVER)
def test_offered_then_accepted(office: Any, release: Release, stage: str) -> None:
    one = offered(office, stage)
    assert (one.state, one.offered_by) == ("offered", GIVER[stage])
    office.now += timedelta(hours=2)
    accepted = accept(office.desk(TAKER[stage]), one.id)
    assert (accepted.state, accepted.answered_by) == ("accepted", TAKER[stage])
    found = handoff_evidence(office.desk(), release)
    assert found.examined == 1
    assert found.found[stage] == {
        "state": "accepted",
        "by": TAKER[stage],
        "at": "2026-11-23T14:00:00.000000Z",
        "reason": None,
    }
    assert office.actions()[-2:] == ["handoff.offered", "handoff.accepted"]


def test_returned_with_a_reason_then_offered_again(office: Any, release: Release) -> None:
    first = offered(office, "release")
    with pytest.raises(InputError, match="Say why the handoff is returned"):
        send_back(office.desk("flights-engineer"), first.id, " ")
    send_back(office.desk("flights-engineer"), first.id, "no test of the features")
    told = handoff_evidence(office.desk(), release).found["release"]
    assert (told["state"], told["reason"]) == ("returned", "no test of the features")
    office.now += timedelta(hours=1)
    second = offered(office, "release")
    assert handoff_evidence(office.desk(), release).found["release"]["state"] == "offered"
    accept(office.desk("flights-engineer"), second.id)
    assert handoff_evidence(office.desk(), release).found["release"]["state"] == "accepted"
    assert [h.state for h in handoffs(office.record, "flight-delays")] == ["returned", "accepted"]


def test_nothing_offered_is_said_as_nothing(office: Any, release: Release) -> None:
    found = handoff_evidence(office.desk(), release)
    assert found.examined == 0
    assert found.found == {"data": None, "release": None, "running": None}


def test_a_handoff_of_another_snapshot_does_not_count(office: Any, release: Release) -> None:
    accept(office.desk("flights-developer"), offered(office, "data").id)
    other = dataclasses.replace(release, snapshot="sha256:other")
    assert handoff_evidence(office.desk(), other).found["data"] is None


@pytest.mark.parametrize("who", ["flights-owner", "flights-engineer", "flights-validator"])
def test_only_the_owner_who_gives_offers(office: Any, who: str) -> None:
    with pytest.raises(RefusedError, match=f"charter names flights-data, and you act as {who}"):
        offer(
            office.desk(who),
            "data",
            "sha256:s",
            summary="all there",
            due=office.now + timedelta(days=1),
        )


def test_only_the_owner_who_takes_answers(office: Any) -> None:
    one = offered(office, "running")
    for who in ("flights-data", "flights-engineer"):
        with pytest.raises(RefusedError, match="Only the business owner of flight-delays may"):
            accept(office.desk(who), one.id)


def test_nobody_accepts_an_own_offer(office: Any) -> None:
    model = office.record.get(Model, "flight-delays")
    owners = model.owners | {"engineering": "flights-developer"}
    office.record._facts[Model][model.id] = dataclasses.replace(model, owners=owners)
    one = offered(office, "release")
    with pytest.raises(RefusedError, match="nobody answers an own offer"):
        accept(office.desk("flights-developer"), one.id)


def test_a_place_without_an_owner_is_said(office: Any) -> None:
    model = office.record.get(Model, "flight-delays")
    owners = {k: v for k, v in model.owners.items() if k != "data"}
    office.record._facts[Model][model.id] = dataclasses.replace(model, owners=owners)
    with pytest.raises(RefusedError, match="the charter names nobody"):
        offered(office, "data")


def test_is_answered_once(office: Any) -> None:
    one = offered(office, "data")
    accept(office.desk("flights-developer"), one.id)
    with pytest.raises(RefusedError, match="is accepted and can't become returned"):
        send_back(office.desk("flights-developer"), one.id, "changed my mind")


def test_is_offered_once(office: Any) -> None:
    one = offered(office, "data")
    with pytest.raises(RefusedError, match=f"was offered already, as {one.id}"):
        offered(office, "data")


def test_all_problems_come_at_once(office: Any) -> None:
    with pytest.raises(InputError, match="can't be offered") as error:
        offered(office, "data", summary="", due=office.now - timedelta(days=1))
    assert "summary is missing" in str(error.value)
    assert "due day is over" in str(error.value)


def test_what_does_not_exist_is_named(office: Any) -> None:
    due = office.now + timedelta(days=1)
    desk = office.desk("flights-developer")
    with pytest.raises(MissingError, match="Did you mean 'release'"):
        offer(desk, "relase", "flight-delays:1", summary="all there", due=due)
    with pytest.raises(MissingError, match="Did you mean 'flight-delays:1'"):
        offer(desk, "release", "flight-delays:2", summary="all there", due=due)


def test_a_dry_run_writes_nothing(office: Any) -> None:
    offered(office, "data", dry_run=True)
    assert handoffs(office.record) == []
    one = offered(office, "data")
    accept(office.desk("flights-developer"), one.id, dry_run=True)
    assert handoffs(office.record) == [one]
