"""The evidence of independence tells who developed, who validates, and who signed."""

from __future__ import annotations

import dataclasses
from typing import Any

from taxiway.core.check import Status, Verdict
from taxiway.core.facts import Model, Release
from taxiway.core.people import Binding
from taxiway.governance.catalogue import find_check
from taxiway.governance.independence import independence_evidence
from taxiway.governance.people import remove_person
from taxiway.governance.sign_off import sign_off


def found(office: Any, release: Release, model: Model | None = None) -> dict[str, Any]:
    model = model or office.record.get(Model, "flight-delays")
    return independence_evidence(office.desk(), model, release, []).found


def test_tells_who_is_who(office: Any, release: Release) -> None:
    assert found(office, release) == {
        "developers": ["flights-developer"],
        "author": "flights-developer",
        "validator": "flights-validator",
        "validator_known": True,
        "validator_roles": ["validator"],
        "validator_removed": False,
        "signers": {},
    }


def test_tells_who_signed_for_the_second_line(
    office: Any, release: Release, binding: Binding
) -> None:
    signed = [
        sign_off(
            office.desk(who),
            find_check(check),
            release,
            binding,
            developers={"flights-developer"},
            reason="read",
            verdict=Verdict(check, Status.WAITING, why=""),
        )
        for who, check in (("flights-owner", "CH-01"), ("flights-validator", "CH-02"))
    ]
    model = office.record.get(Model, "flight-delays")
    told = independence_evidence(office.desk(), model, release, signed)
    assert told.found["signers"] == {"CH-02": "flights-validator"}
    assert told.examined == 6


def test_a_validator_who_left_or_never_came(office: Any, release: Release) -> None:
    remove_person(office.desk("flights-owner"), "flights-validator", "left")
    assert found(office, release)["validator_removed"] is True
    model = office.record.get(Model, "flight-delays")
    unknown = dataclasses.replace(model, owners=model.owners | {"validation": "flights-ghost"})
    assert found(office, release, unknown)["validator_known"] is False
    nobody = dataclasses.replace(model, owners={})
    assert found(office, release, nobody)["validator"] is None
