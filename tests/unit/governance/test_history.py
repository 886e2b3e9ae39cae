"""What ran where and when, and on whose approval."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.core.check import FlightCheck, Status, Verdict
from taxiway.core.errors import MissingError
from taxiway.core.facts import Deployment, Release
from taxiway.core.people import Binding, SignOff
from taxiway.governance.catalogue import find_check
from taxiway.governance.history import history, running_on
from taxiway.governance.sign_off import sign_off
from taxiway.release.promotion import Wanted, promote, rollback

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def signed(office: Any, release: Release, who: str, check: str) -> SignOff:
    return sign_off(
        office.desk(who),
        find_check(check),
        release,
        Binding(release.digest, release.data_digest, "sha256:e"),
        developers={"flights-developer"},
        reason=f"read for {check}",
        verdict=Verdict(check, Status.WAITING, why="as it is"),
    )


def promoted(office: Any, release: Release, environment: str, *given: SignOff) -> Deployment:
    """A promotion, one hour after what was before."""
    office.now += HOUR
    clear = Verdict("DP-01", Status.PASSED, why="signed", examined=1)
    return promote(
        office.desk("flights-engineer"),
        release,
        Wanted(environment),
        check=lambda: FlightCheck(
            release.model,
            release.id,
            environment,
            "low",
            Binding(release.digest, release.data_digest, "sha256:e"),
            (clear,),
            frozenset({"DP-01"}),
            office.now,
        ),
        sound=lambda: None,
        sign_offs=lambda: list(given),
    )


@pytest.fixture
def second(office: Any, release: Release) -> Release:
    two = dataclasses.replace(release, id="flight-delays:2", number=2, digest="sha256:m2")
    with office.desk("flights-developer").change("release.created", two.id) as change:
        change.add(two)
    return two


@pytest.fixture
def ran(office: Any, release: Release, second: Release) -> list[SignOff]:
    """Release 1 from dev to prod by 15:00, release 2 by 18:00, back to release 1 at 19:00."""
    given = [
        signed(office, release, "flights-validator", "DP-01"),
        signed(office, release, "flights-validator", "CH-02"),
        signed(office, release, "flights-auditor", "AU-02"),
    ]
    for one, approvals in ((release, given), (second, [])):
        for environment in ("dev", "qa", "prod"):
            promoted(office, one, environment, *approvals)
    office.now += HOUR
    rollback(
        office.desk("flights-owner"),
        "flight-delays",
        "prod",
        reason="complaints",
        find_release=lambda name: office.record.get(Release, name),
        sound=lambda _: None,
    )
    return given


def test_history_tells_every_stay_oldest_first(office: Any, ran: list[SignOff]) -> None:
    stays = history(office.desk())
    assert [stay.since for stay in stays] == [NOON + HOUR * n for n in range(1, 8)]
    assert [stay.environment for stay in stays] == [
        "dev",
        "qa",
        "prod",
        "dev",
        "qa",
        "prod",
        "prod",
    ]
    first, replaced, back = history(office.desk(), "flight-delays", "prod")
    assert (first.release, first.replaces, first.how) == ("flight-delays:1", None, "promotion")
    assert (first.until, first.by) == (replaced.since, "flights-engineer")
    assert (replaced.release, replaced.replaces) == ("flight-delays:2", "flight-delays:1")
    assert (back.release, back.replaces, back.how) == (
        "flight-delays:1",
        "flight-delays:2",
        "rollback",
    )
    assert (back.until, back.by) == (None, "flights-owner")


def test_history_names_who_approved_and_on_what(office: Any, ran: list[SignOff]) -> None:
    first, replaced, back = history(office.desk(), environment="prod")
    told = [(a.sign_off, a.check, a.line, a.person, a.reason, a.at) for a in first.approvals]
    assert told == [(s.id, s.check, s.line, s.person, s.reason, s.at) for s in ran]
    assert (first.evidence_digest, first.release_digest) == ("sha256:e", "sha256:m")
    assert replaced.approvals == ()
    assert back.approvals == first.approvals
    assert first.missing == ()


def test_history_says_which_sign_offs_are_missing(office: Any, ran: list[SignOff]) -> None:
    del office.record._facts[SignOff][ran[1].id]
    first = history(office.desk(), environment="prod")[0]
    assert [a.sign_off for a in first.approvals] == [ran[0].id, ran[2].id]
    assert first.missing == (ran[1].id,)


def test_history_of_a_model_or_an_environment_that_is_not_there(office: Any) -> None:
    assert history(office.desk()) == []
    with pytest.raises(MissingError, match="Did you mean 'flight-delays'"):
        history(office.desk(), "flight-delay")
    with pytest.raises(MissingError, match="Did you mean 'prod'"):
        history(office.desk(), environment="prd")


@pytest.mark.parametrize(
    ("hours", "running"),
    [
        (0, []),
        (1, ["dev:1"]),
        (2.5, ["dev:1", "qa:1"]),
        (3, ["dev:1", "qa:1", "prod:1"]),
        (4, ["dev:2", "qa:1", "prod:1"]),
        (6.9, ["dev:2", "qa:2", "prod:2"]),
        (7, ["dev:2", "qa:2", "prod:1"]),
        (1000, ["dev:2", "qa:2", "prod:1"]),
    ],
)
def test_what_ran_at_a_moment(
    office: Any, ran: list[SignOff], hours: float, running: list[str]
) -> None:
    """A release begins in the moment of its promotion, and the one before it ends in it."""
    stays = running_on(office.desk(), NOON + HOUR * hours, "flight-delays")
    assert [f"{s.environment}:{s.release[-1]}" for s in stays] == running
    in_prod = running_on(office.desk(), NOON + HOUR * hours, environment="prod")
    assert in_prod == [stay for stay in stays if stay.environment == "prod"]
