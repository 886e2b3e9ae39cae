"""Who may sign what, and when a signature no longer holds."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from taxiway.core.check import Status, Verdict
from taxiway.core.errors import InputError, RefusedError
from taxiway.core.facts import Release
from taxiway.core.people import Binding, Person, SignOff
from taxiway.governance.catalogue import find_check
from taxiway.governance.people import add_person, remove_person
from taxiway.governance.sign_off import sign_off, valid_sign_offs

DEVELOPERS = {"flights-developer"}


def judged(check: str, status: Status = Status.WAITING) -> Verdict:
    return Verdict(check, status, why="as it is")


def give(office: Any, who: str, check: str, release: Release, binding: Binding) -> SignOff:
    return sign_off(
        office.desk(who),
        find_check(check),
        release,
        binding,
        developers=DEVELOPERS,
        reason="read",
        verdict=judged(check),
    )


def valid(office: Any, release: Release, binding: Binding) -> list[str]:
    return [s.check for s in valid_sign_offs(office.record, office.verify, release, binding)[0]]


def void(office: Any, release: Release, binding: Binding) -> list[str]:
    return [why for _, why in valid_sign_offs(office.record, office.verify, release, binding)[1]]


@pytest.mark.parametrize(
    ("who", "check", "line"),
    [
        ("flights-owner", "CH-01", 1),
        ("flights-validator", "CH-02", 2),
        ("flights-developer", "DV-06", 1),
        ("flights-validator", "DP-01", 2),
        ("flights-auditor", "AU-02", 3),
        ("flights-owner", "CH-06", 1),
        ("flights-validator", "CH-06", 2),
    ],
)
def test_signs_for_the_line_of_the_role(
    office: Any, release: Release, binding: Binding, who: str, check: str, line: int
) -> None:
    signed = give(office, who, check, release, binding)
    assert (signed.person, signed.line, signed.binding) == (who, line, binding)
    person = office.record.get(Person, who)
    assert office.verify(person.public_key, signed.payload(), signed.signature)
    assert valid(office, release, binding) == [check]
    event = list(office.record.events())[-1]
    assert (event.action, event.subject, event.digest) == ("check.signed", release.id, "sha256:m")
    assert event.details["check"] == check


@pytest.mark.parametrize(
    ("who", "check", "why"),
    [
        ("flights-engineer", "CH-01", "it takes the role owner, and flights-engineer has engineer"),
        ("flights-owner", "CH-02", "it takes the role validator"),
        (
            "flights-developer",
            "CH-02",
            "they developed flight-delays, and line 2 has to be independent",
        ),
        ("flights-developer", "DP-01", "the author of a release can't approve it"),
        ("flights-validator", "AU-02", "it takes the role auditor"),
    ],
)
def test_the_wrong_person_is_refused(
    office: Any, release: Release, binding: Binding, who: str, check: str, why: str
) -> None:
    with pytest.raises(RefusedError, match=f"{who} can't sign {check} of flight-delays:1: {why}"):
        give(office, who, check, release, binding)
    assert office.record.find(SignOff) == []


def test_a_check_without_a_signature_is_refused(
    office: Any, release: Release, binding: Binding
) -> None:
    with pytest.raises(RefusedError, match="DV-03 is judged from evidence; there is nothing to"):
        give(office, "flights-owner", "DV-03", release, binding)


@pytest.mark.parametrize("status", [Status.FAILED, Status.NO_EVIDENCE, None])
def test_what_is_judged_as_well_is_signed_only_after_it_passed(
    office: Any, release: Release, binding: Binding, status: Status | None
) -> None:
    with pytest.raises(RefusedError, match=r"CH-02 .* can't be signed before its evidence holds"):
        sign_off(
            office.desk("flights-validator"),
            find_check("CH-02"),
            release,
            binding,
            developers=DEVELOPERS,
            reason="read",
            verdict=judged("CH-02", status) if status else None,
        )


def test_what_does_not_apply_is_not_signed(office: Any, release: Release, binding: Binding) -> None:
    with pytest.raises(RefusedError, match="CH-07 does not apply to flight-delays:1: as it is"):
        sign_off(
            office.desk("flights-owner"),
            find_check("CH-07"),
            release,
            binding,
            developers=DEVELOPERS,
            reason="read",
            verdict=judged("CH-07", Status.NOT_APPLICABLE),
        )


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_a_signature_needs_a_reason(
    office: Any, release: Release, binding: Binding, reason: str
) -> None:
    with pytest.raises(InputError, match="needs a reason of 1 to 2000 characters"):
        sign_off(
            office.desk("flights-owner"),
            find_check("CH-01"),
            release,
            binding,
            developers=DEVELOPERS,
            reason=reason,
        )


def test_the_same_signature_is_given_once(office: Any, release: Release, binding: Binding) -> None:
    give(office, "flights-owner", "CH-01", release, binding)
    with pytest.raises(RefusedError, match="signed CH-01 of flight-delays:1 on 2026-11-23 already"):
        give(office, "flights-owner", "CH-01", release, binding)
    changed = dataclasses.replace(binding, evidence="sha256:e2")
    give(office, "flights-owner", "CH-01", release, changed)
    assert valid(office, release, changed) == ["CH-01"]


def test_a_dry_run_signs_nothing(office: Any, release: Release, binding: Binding) -> None:
    unsigned = sign_off(
        office.desk("flights-owner"),
        find_check("CH-01"),
        release,
        binding,
        developers=DEVELOPERS,
        reason="read",
        dry_run=True,
    )
    assert unsigned.signature == ""
    assert office.record.find(SignOff) == []


def test_somebody_elses_key_is_refused(office: Any, release: Release, binding: Binding) -> None:
    desk = office.desk("flights-owner")
    stolen = dataclasses.replace(desk.actor, sign=office.desk("flights-engineer").actor.sign)
    with pytest.raises(RefusedError, match="key here is not the one that the record knows"):
        sign_off(
            dataclasses.replace(desk, actor=stolen),
            find_check("CH-01"),
            release,
            binding,
            developers=DEVELOPERS,
            reason="read",
        )


def test_somebody_who_was_removed_signs_nothing(
    office: Any, release: Release, binding: Binding
) -> None:
    gone = office.desk("flights-data")
    remove_person(office.desk("flights-owner"), "flights-data", "moved on")
    with pytest.raises(RefusedError, match="was removed"):
        sign_off(gone, find_check("CH-01"), release, binding, developers=DEVELOPERS, reason="read")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model": "sha256:x"}, "the model changed"),
        ({"data": "sha256:x"}, "the data changed"),
        ({"evidence": "sha256:x"}, "the evidence changed"),
        ({"data": "sha256:x", "evidence": "sha256:y"}, "the data and the evidence changed"),
    ],
)
def test_is_void_when_a_digest_changes(
    office: Any, release: Release, binding: Binding, changes: dict[str, str], why: str
) -> None:
    give(office, "flights-owner", "CH-01", release, binding)
    now = dataclasses.replace(binding, **changes)
    assert valid(office, release, now) == []
    assert void(office, release, now) == [why]


def test_is_void_when_the_person_is_removed(
    office: Any, release: Release, binding: Binding
) -> None:
    give(office, "flights-validator", "CH-02", release, binding)
    remove_person(office.desk("flights-owner"), "flights-validator", "left")
    assert void(office, release, binding) == ["the person was removed on 2026-11-23"]


def tampered(office: Any, given: SignOff, **fields: Any) -> None:
    """The record as somebody with a database editor would leave it."""
    office.record._facts[SignOff][given.id] = dataclasses.replace(given, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "approved without reading"},
        {"person": "flights-engineer"},
        {"check": "MO-01"},
        {"signature": ""},
        {"line": 2},
    ],
)
def test_is_void_when_a_word_of_it_was_changed(
    office: Any, release: Release, binding: Binding, fields: dict[str, Any]
) -> None:
    given = give(office, "flights-owner", "CH-01", release, binding)
    tampered(office, given, **fields)
    assert void(office, release, binding) == ["the signature does not fit what is written there"]


def signed_past_the_rules(office: Any, who: str, check: str, line: int) -> None:
    """A genuine signature for which the rules were not asked."""
    desk = office.desk(who)
    unsigned = SignOff(
        "s-9",
        check,
        "flight-delays:1",
        "flight-delays",
        who,
        line,
        "sha256:m",
        "sha256:d",
        "sha256:e",
        "read",
        office.now,
        "",
    )
    signature = desk.actor.sign(unsigned.payload())
    tampered(office, unsigned, signature=signature)


@pytest.mark.parametrize(
    ("who", "check", "line", "why"),
    [
        ("flights-developer", "CH-02", 2, "has to be independent"),
        ("flights-developer", "DP-01", 2, "the author of a release can't approve it"),
        ("flights-engineer", "CH-01", 1, "it takes the role owner"),
        ("flights-validator", "CH-06", 1, "it takes the role owner or validator"),
        ("flights-owner", "XX-99", 1, "there is no check XX-99"),
    ],
)
def test_a_genuine_signature_that_breaks_a_rule_is_void(
    office: Any,
    release: Release,
    binding: Binding,
    *,
    who: str,
    check: str,
    line: int,
    why: str,
) -> None:
    signed_past_the_rules(office, who, check, line)
    (reason,) = void(office, release, binding)
    assert why in reason


def test_somebody_unknown_signs_nothing(office: Any, release: Release, binding: Binding) -> None:
    given = give(office, "flights-owner", "CH-01", release, binding)
    del office.record._facts[Person]["flights-owner"]
    assert void(office, release, binding) == ["nobody of that name is known"]
    assert given.person == "flights-owner"


def test_holding_both_roles_signs_the_first_line_of_the_own_model_only(
    office: Any, release: Release, binding: Binding
) -> None:
    both = ["owner", "validator"]
    add_person(office.desk("flights-owner"), office.keys, "flights-founder", both)
    developers = {"flights-developer", "flights-founder"}

    def signs(check: str) -> int:
        return sign_off(
            office.desk("flights-founder"),
            find_check(check),
            release,
            binding,
            developers=developers,
            reason="read",
            verdict=judged(check),
        ).line

    assert signs("CH-06") == 1
    with pytest.raises(RefusedError, match="has to be independent"):
        signs("VA-06")
