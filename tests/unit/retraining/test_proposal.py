from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from taxiway.core.charter import Charter
from taxiway.core.errors import MissingError, RefusedError
from taxiway.core.facts import Alert, Deployment, Proposal
from taxiway.core.operation import Retraining
from taxiway.core.ports import Desk
from taxiway.retraining.proposal import Proposed, champion_of, pending, propose

At = Callable[[str], Desk]
Raise = Callable[..., Alert]


def ask(desk: Desk, charter: Charter, *, dry_run: bool = False) -> Proposed:
    return propose(
        desk, model="flight-delays", environment="prod", charter=charter, dry_run=dry_run
    )


def test_alerts_become_one_proposal_and_are_acknowledged(
    at: At, raise_alert: Raise, charter: Charter
) -> None:
    desk = at("flights-developer")
    alerts = [raise_alert(month=3), raise_alert(month=4)]
    proposed = ask(desk, charter)
    assert proposed.why == "2 alerts ask for a retraining."
    [proposal] = desk.record.find(Proposal)
    assert proposed.proposal == proposal
    assert (proposal.state, proposal.champion) == ("open", "flight-delays:1")
    assert proposal.alerts == tuple(alert.id for alert in alerts)
    assert proposal.reason == "performance of month 3 fell; performance of month 4 fell."
    answered = desk.record.get(Alert, alerts[0].id)
    assert (answered.state, answered.answered_by, answered.proposal) == (
        "acknowledged",
        "flights-developer",
        proposal.id,
    )


def test_a_second_call_extends_the_proposal_and_never_makes_another(
    at: At, raise_alert: Raise, charter: Charter
) -> None:
    desk = at("flights-developer")
    first = raise_alert(month=3)
    ask(desk, charter)
    second = raise_alert(month=4)
    proposed = ask(desk, charter)
    [proposal] = desk.record.find(Proposal)
    assert proposal.alerts == (first.id, second.id)
    assert proposed.added == (second.id,)
    assert [event.action for event in desk.record.events()][-1] == "proposal.extended"


def test_where_nothing_is_new_the_waiting_proposal_is_handed_back(
    at: At, raise_alert: Raise, charter: Charter
) -> None:
    desk = at("flights-developer")
    raise_alert()
    first = ask(desk, charter)
    events = len(list(desk.record.events()))
    again = ask(desk, charter)
    assert again.proposal == first.proposal == pending(desk, "flight-delays", "prod")
    assert again.added == ()
    assert len(list(desk.record.events())) == events


def test_nothing_open_is_said(at: At, charter: Charter) -> None:
    proposed = ask(at("flights-developer"), charter)
    assert proposed.proposal is None
    assert proposed.why == "No open alert of flight-delays in prod is about performance."


def test_an_alert_that_the_charter_does_not_name_asks_for_nothing(
    at: At, raise_alert: Raise, charter: Charter
) -> None:
    desk = at("flights-developer")
    alert = raise_alert(kind="value")
    assert ask(desk, charter).proposal is None
    assert desk.record.get(Alert, alert.id).state == "open"
    wider = charter.model_copy(update={"retraining": Retraining(triggers=["value"])})
    assert ask(desk, wider).added == (alert.id,)


def test_a_decided_proposal_is_not_extended(at: At, raise_alert: Raise, charter: Charter) -> None:
    desk = at("flights-developer")
    raise_alert()
    first = ask(desk, charter).proposal
    assert first is not None
    with desk.change("proposal.declined", first.id) as change:
        change.replace(first, dataclasses.replace(first, state="declined"))
    raise_alert(month=4)
    second = ask(desk, charter).proposal
    assert second is not None
    assert second.id != first.id


def test_many_alerts_make_a_bounded_reason(at: At, raise_alert: Raise, charter: Charter) -> None:
    for month in range(1, 8):
        raise_alert(month=month)
    proposal = ask(at("flights-developer"), charter).proposal
    assert proposal is not None
    assert proposal.reason.endswith("month 5 fell; and 2 more.")


def test_a_dry_run_writes_nothing(at: At, raise_alert: Raise, charter: Charter) -> None:
    desk = at("flights-developer")
    alert = raise_alert()
    assert ask(desk, charter, dry_run=True).added == (alert.id,)
    assert desk.record.find(Proposal) == []
    assert desk.record.get(Alert, alert.id).state == "open"


def test_without_a_champion_there_is_nothing_to_retrain(
    at: At, raise_alert: Raise, charter: Charter
) -> None:
    desk = at("flights-developer")
    raise_alert()
    [deployment] = desk.record.find(Deployment)
    with desk.change("deployment.ended", deployment.id) as change:
        change.replace(deployment, dataclasses.replace(deployment, until=deployment.since))
    with pytest.raises(MissingError, match="no champion in prod"):
        ask(desk, charter)
    with pytest.raises(MissingError, match="no champion in qa"):
        champion_of(desk, "flight-delays", "qa")


def test_a_validator_proposes_nothing(at: At, charter: Charter) -> None:
    with pytest.raises(RefusedError, match="may not propose a retraining"):
        ask(at("flights-validator"), charter)
