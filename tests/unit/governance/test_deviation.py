"""Deviations: asked with a reason, a risk and an end; granted by somebody else; over when over."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.facts import Release
from taxiway.core.people import Deviation
from taxiway.governance import deviation
from taxiway.governance.catalogue import find_check
from taxiway.governance.people import remove_person

IN_A_MONTH = datetime(2026, 12, 23, 23, 59, 59, tzinfo=UTC)


def asked(
    office: Any,
    release: Release,
    check: str = "DA-04",
    *,
    who: str = "flights-developer",
    **fields: Any,
) -> Deviation:
    words: dict[str, Any] = {"reason": "no sample yet", "risk": "may differ", "until": IN_A_MONTH}
    return deviation.ask(office.desk(who), find_check(check), release, **(words | fields))


def held(office: Any, release: Release, now: datetime | None = None) -> list[str]:
    found = deviation.valid_deviations(office.record, office.verify, release, now or office.now)
    return [d.check for d in found]


def test_asked_then_granted_with_a_signature(office: Any, release: Release) -> None:
    one = asked(office, release)
    assert one.state == "asked"
    assert held(office, release) == []
    granted = deviation.grant(office.desk("flights-owner"), one.id)
    assert (granted.state, granted.decided_by) == ("granted", "flights-owner")
    assert held(office, release) == ["DA-04"]
    assert office.actions()[-2:] == ["deviation.asked", "deviation.granted"]


def test_is_over_when_it_is_over(office: Any, release: Release) -> None:
    deviation.grant(office.desk("flights-owner"), asked(office, release).id)
    assert held(office, release, IN_A_MONTH - timedelta(seconds=1)) == ["DA-04"]
    assert held(office, release, IN_A_MONTH) == []


def test_refused_with_a_reason(office: Any, release: Release) -> None:
    one = asked(office, release)
    with pytest.raises(InputError, match="Say why the deviation is refused"):
        deviation.refuse(office.desk("flights-owner"), one.id, "")
    refused = deviation.refuse(office.desk("flights-owner"), one.id, "wait for the sample")
    assert refused.state == "refused"
    assert list(office.record.events())[-1].details["because"] == "wait for the sample"
    assert held(office, release) == []
    with pytest.raises(RefusedError, match="is refused and can't become granted"):
        deviation.grant(office.desk("flights-owner"), one.id)


@pytest.mark.parametrize(
    ("check", "who", "why"),
    [
        ("DA-04", "flights-engineer", "it takes the role owner"),
        ("DA-04", "flights-validator", "it takes the role owner"),
        ("CH-02", "flights-owner", "it takes the role validator"),
        ("CH-02", "flights-developer", "they are the author of flight-delays:1"),
        ("CH-06", "flights-owner", "it takes the role validator"),
        ("AU-02", "flights-validator", "it takes the role auditor"),
    ],
)
def test_the_wrong_person_decides_nothing(
    office: Any, release: Release, check: str, who: str, why: str
) -> None:
    one = asked(office, release, check, who="flights-engineer")
    with pytest.raises(RefusedError, match=f"{who} can't decide .* {check}: .*{why}"):
        deviation.grant(office.desk(who), one.id)
    assert office.record.get(Deviation, one.id) == one


def test_nobody_grants_what_they_asked_for(office: Any, release: Release) -> None:
    one = asked(office, release, who="flights-owner")
    with pytest.raises(RefusedError, match=r"flights-owner can't decide .*: they asked for it"):
        deviation.grant(office.desk("flights-owner"), one.id)


@pytest.mark.parametrize("check", ["AU-01", "DP-01", "DP-02", "VA-01", "CH-04"])
def test_from_some_checks_there_is_no_deviation(office: Any, release: Release, check: str) -> None:
    with pytest.raises(RefusedError, match=f"There is no deviation from {check}"):
        asked(office, release, check)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": " "}, "reason is missing"),
        ({"risk": ""}, "risk is missing"),
        ({"until": datetime(2026, 11, 22, tzinfo=UTC)}, "end is not within reach"),
        # 23 November 2026 and 180 days is 22 May 2027.
        ({"until": datetime(2027, 5, 23, tzinfo=UTC)}, "at most 180 days away"),
    ],
)
def test_what_is_incomplete_is_not_asked_for(
    office: Any, release: Release, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        asked(office, release, **fields)


def test_the_last_day_within_reach_is_accepted(office: Any, release: Release) -> None:
    until = datetime(2027, 5, 22, 23, 59, 59, tzinfo=UTC)
    assert asked(office, release, until=until).until == until


def test_one_question_at_a_time(office: Any, release: Release) -> None:
    asked(office, release)
    with pytest.raises(RefusedError, match="for flight-delays:1 waits to be decided"):
        asked(office, release)


def test_what_ended_before_it_was_decided_is_not_granted(office: Any, release: Release) -> None:
    one = asked(office, release)
    office.now = IN_A_MONTH + timedelta(days=1)
    with pytest.raises(RefusedError, match="until 2026-12-23, which is over"):
        deviation.grant(office.desk("flights-owner"), one.id)


def test_does_not_outlive_its_approver(office: Any, release: Release) -> None:
    deviation.grant(office.desk("flights-data"), asked(office, release).id)
    remove_person(office.desk("flights-owner"), "flights-data", "left")
    assert held(office, release) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"until": IN_A_MONTH + timedelta(days=90)},
        {"check": "DV-04"},
        {"risk": "none"},
        {"signature": None},
        {"decided_by": None},
        {"check": "XX-99"},
    ],
)
def test_a_changed_word_ends_it(office: Any, release: Release, fields: dict[str, Any]) -> None:
    granted = deviation.grant(office.desk("flights-owner"), asked(office, release).id)
    office.record._facts[Deviation][granted.id] = dataclasses.replace(granted, **fields)
    assert held(office, release) == []


def test_a_genuine_grant_that_breaks_a_rule_does_not_hold(office: Any, release: Release) -> None:
    one = asked(office, release, who="flights-owner")
    own = dataclasses.replace(one, state="granted", decided_by="flights-owner")
    signed = dataclasses.replace(
        own, signature=office.desk("flights-owner").actor.sign(own.payload())
    )
    office.record._facts[Deviation][one.id] = signed
    assert held(office, release) == []


def test_a_dry_run_writes_nothing(office: Any, release: Release) -> None:
    asked(office, release, dry_run=True)
    assert deviation.deviations(office.record) == []
    one = asked(office, release)
    deviation.grant(office.desk("flights-owner"), one.id, dry_run=True)
    assert deviation.deviations(office.record, release.id) == [one]


def test_an_unknown_one_is_named(office: Any) -> None:
    with pytest.raises(MissingError, match="nope"):
        deviation.grant(office.desk("flights-owner"), "nope")
