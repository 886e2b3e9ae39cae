from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from taxiway.core.charter import Charter
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.facts import Alert, Proposal
from taxiway.core.operation import Retraining
from taxiway.core.ports import Desk
from taxiway.retraining.comparison import record_comparison
from taxiway.retraining.decide import accept, decline, holds
from taxiway.retraining.proposal import propose

At = Callable[[str], Desk]
Compared = Callable[[str], Proposal]


@pytest.fixture
def compared(at: At, raise_alert: Callable[..., Alert], charter: Charter) -> Compared:
    """A proposal whose comparison has a verdict: `compared("challenger wins")`."""

    def make(verdict: str) -> Proposal:
        raise_alert()
        desk = at("flights-developer")
        made = propose(desk, model="flight-delays", environment="prod", charter=charter)
        assert made.proposal is not None
        found: dict[str, Any] = {
            "champion": "flight-delays:1",
            "challenger": "flight-delays:2",
            "gain": {"value": 0.1, "low": 0.05, "high": 0.15},
            "holdout_digest": "sha256:cd",
            "verdict": verdict,
        }
        return record_comparison(desk, made.proposal, found, rows=9, minimum_gain=0.0)[0]

    return make


def test_the_owner_accepts_a_winner_with_a_signature(
    at: At, compared: Compared, charter: Charter
) -> None:
    desk = at("flights-owner")
    proposal = compared("challenger wins")
    decided = accept(desk, proposal.id, charter=charter, reason="better on every airport")
    assert desk.record.get(Proposal, proposal.id) == decided
    assert (decided.state, decided.decided_by) == ("accepted", "flights-owner")
    assert decided.decision == "better on every airport"
    assert holds(desk, decided)
    assert {alert.state for alert in desk.record.find(Alert)} == {"closed"}
    assert list(desk.record.events())[-1].action == "proposal.accepted"


@pytest.mark.parametrize(
    "change",
    [{"challenger": "flight-delays:3"}, {"decision": "because"}, {"state": "declined"}],
)
def test_a_decision_that_was_changed_no_longer_holds(
    at: At, compared: Compared, charter: Charter, change: dict[str, Any]
) -> None:
    desk = at("flights-owner")
    decided = accept(desk, compared("challenger wins").id, charter=charter, reason="better")
    assert not holds(desk, dataclasses.replace(decided, **change))


def test_an_undecided_proposal_has_no_signature_to_hold(at: At, compared: Compared) -> None:
    assert not holds(at("flights-owner"), compared("challenger wins"))


def test_a_decision_by_somebody_unknown_does_not_hold(
    at: At, compared: Compared, charter: Charter
) -> None:
    desk = at("flights-owner")
    decided = accept(desk, compared("challenger wins").id, charter=charter, reason="better")
    assert not holds(desk, dataclasses.replace(decided, decided_by="gate-planning"))


def test_only_the_owner_whom_the_charter_names_decides(
    at: At, compared: Compared, charter: Charter
) -> None:
    proposal = compared("challenger wins")
    with pytest.raises(RefusedError, match="leaves it to the business owner, flights-owner"):
        accept(at("flights-developer"), proposal.id, charter=charter, reason="better")
    engineering = charter.model_copy(update={"retraining": Retraining(decided_by="engineering")})
    with pytest.raises(RefusedError, match="the engineering owner, flights-engineer"):
        decline(at("flights-owner"), proposal.id, charter=engineering, reason="worse")
    decided = decline(at("flights-engineer"), proposal.id, charter=engineering, reason="worse")
    assert decided.decided_by == "flights-engineer"


@pytest.mark.parametrize("verdict", ["no proof of gain", "champion wins"])
def test_a_challenger_that_did_not_win_needs_a_reason_of_its_own(
    at: At, compared: Compared, charter: Charter, verdict: str
) -> None:
    desk = at("flights-owner")
    proposal = compared(verdict)
    with pytest.raises(RefusedError, match=f"did not win against flight-delays:1: {verdict}"):
        accept(desk, proposal.id, charter=charter, reason="newer", despite="  ")
    decided = accept(
        desk, proposal.id, charter=charter, reason="newer", despite="the old feed ends in May"
    )
    assert decided.decision == f"newer (despite '{verdict}': the old feed ends in May)"
    assert holds(desk, decided)


def test_nothing_is_accepted_that_was_not_compared(
    at: At, raise_alert: Callable[..., Alert], charter: Charter
) -> None:
    raise_alert()
    desk = at("flights-owner")
    made = propose(desk, model="flight-delays", environment="prod", charter=charter).proposal
    assert made is not None
    with pytest.raises(RefusedError, match="is open and can't become accepted"):
        accept(desk, made.id, charter=charter, reason="better")
    decided = decline(desk, made.id, charter=charter, reason="the storm is over")
    assert decided.state == "declined"
    assert holds(desk, decided)


def test_a_champion_that_was_replaced_since_makes_the_comparison_stale(
    at: At,
    compared: Compared,
    charter: Charter,
    replace_champion: Callable[[str], None],
) -> None:
    proposal = compared("challenger wins")
    replace_champion("flight-delays:9")
    with pytest.raises(RefusedError, match="flight-delays:9 is the champion in prod now"):
        accept(at("flights-owner"), proposal.id, charter=charter, reason="better")


def test_a_decision_is_final(at: At, compared: Compared, charter: Charter) -> None:
    desk = at("flights-owner")
    proposal = compared("challenger wins")
    decline(desk, proposal.id, charter=charter, reason="the storm is over")
    with pytest.raises(RefusedError, match="is declined and can't become accepted"):
        accept(desk, proposal.id, charter=charter, reason="better")


def test_a_decision_needs_a_reason(at: At, compared: Compared, charter: Charter) -> None:
    proposal = compared("challenger wins")
    with pytest.raises(InputError, match="needs a reason; found 'ok'"):
        decline(at("flights-owner"), proposal.id, charter=charter, reason=" ok ")


def test_a_dry_run_decides_nothing(at: At, compared: Compared, charter: Charter) -> None:
    desk = at("flights-owner")
    proposal = compared("challenger wins")
    would = accept(desk, proposal.id, charter=charter, reason="better", dry_run=True)
    assert (would.state, would.signature) == ("accepted", None)
    assert desk.record.get(Proposal, proposal.id) == proposal


def test_a_proposal_that_is_not_there_or_of_another_model_is_named(
    at: At, compared: Compared, charter: Charter
) -> None:
    desk = at("flights-owner")
    proposal = compared("challenger wins")
    with pytest.raises(MissingError, match="No proposal"):
        decline(desk, "nowhere", charter=charter, reason="worse")
    other = charter.model_copy(update={"name": "churn"})
    with pytest.raises(InputError, match="is about flight-delays, not churn"):
        decline(desk, proposal.id, charter=other, reason="worse")
