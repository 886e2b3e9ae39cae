"""Findings of meaning: open until somebody with the role signs, and open again when they change."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.evidence import RECONCILIATION, observed
from taxiway.core.people import Resolution
from taxiway.governance.meaning import (
    find_finding,
    findings_of,
    meaning_evidence,
    resolutions,
    resolve,
    why_open,
)

from .conftest import NOW, Office

MODEL = "m"
MAPPING = {"table": "b", "column": "x", "steps": [{"do": "law", "factor": 0.01, "offset": 0.0}]}
CONTRACT = Contract(
    id="a",
    version="1",
    description="",
    table="a",
    columns=(Column("x", "number", description="cents"), Column("y", "number")),
    moments=("now",),
    decision_at="now",
    event_time="x",
)


def finding(**fields: Any) -> dict[str, Any]:
    plain = {
        "id": "0a1b2c3d",
        "content": "sha256:f",
        "kind": "unit",
        "says": "x differs by a unit",
        "mapping": MAPPING,
        "left": {"table": "a", "column": "x"},
        "right": {"table": "b", "column": "x"},
        "contracts": [CONTRACT.digest, "sha256:b"],
    }
    return plain | fields


def reconciled(
    office: Office, *findings: dict[str, Any], tables: tuple[str, ...] = ("a", "b")
) -> None:
    desk = office.desk("flights-owner")
    evidence = observed(
        RECONCILIATION,
        id=desk.new_id(),
        subject=MODEL,
        model=MODEL,
        examined=10,
        found={"tables": list(tables), "own": "a", "findings": list(findings)},
        at=NOW,
        by="flights-owner",
    )
    with desk.change("data.reconciled", MODEL, model=MODEL) as change:
        change.add(evidence)


def settle(office: Office, by: str = "flights-owner", **fields: Any) -> Resolution:
    words: dict[str, Any] = {"decision": "accept", "mapping": None, "reason": "cents, says finance"}
    return resolve(office.desk(by), MODEL, finding(), **(words | fields))


def opened(office: Office, contract: Contract = CONTRACT) -> dict[str, str]:
    seen = meaning_evidence(office.desk(), MODEL, contract, release="m:1").found
    return {one["id"]: one["why"] for one in seen["open"]}


def test_a_finding_is_open_until_it_is_signed_and_then_it_is_not(office: Office) -> None:
    assert opened(office) == {}
    reconciled(office, finding())
    assert opened(office) == {"0a1b2c3d": "nobody has settled it"}
    signed = settle(office)
    assert signed.mapping == MAPPING
    assert signed.tables == {"a": CONTRACT.digest, "b": "sha256:b"}
    assert opened(office) == {}
    seen = meaning_evidence(office.desk(), MODEL, CONTRACT, release="m:1")
    assert seen.examined == 2
    assert seen.found["undescribed"] == ["y"]
    assert seen.found["resolved"][0]["by"] == "flights-owner"
    assert office.actions()[-1] == "meaning.resolved"


def test_it_is_open_again_when_the_finding_or_a_contract_changes(office: Office) -> None:
    reconciled(office, finding())
    settle(office)
    other = dataclasses.replace(CONTRACT, version="2")
    assert "the contract of a changed" in opened(office, other)["0a1b2c3d"]
    reconciled(office, finding(content="sha256:other"))
    assert "the finding changed" in opened(office)["0a1b2c3d"]
    reconciled(office)  # the newest of the same tables counts
    assert opened(office) == {}


def test_other_tables_have_findings_of_their_own(office: Office) -> None:
    reconciled(office, finding())
    right = {"table": "c", "column": "x"}
    reconciled(office, finding(id="ffffffff", right=right), tables=("a", "c"))
    assert set(findings_of(office.record, MODEL)) == {"0a1b2c3d", "ffffffff"}
    assert find_finding(office.record, MODEL, "0a")["kind"] == "unit"
    # All three at once, and c is sound now.
    reconciled(office, finding(), tables=("b", "a", "c"))
    assert set(findings_of(office.record, MODEL)) == {"0a1b2c3d"}
    with pytest.raises(MissingError, match="No finding of m named 'zz'"):
        find_finding(office.record, MODEL, "zz")


def test_only_an_owner_signs_with_a_reason_and_something_to_accept(office: Office) -> None:
    with pytest.raises(RefusedError, match="it takes the role owner"):
        settle(office, by="flights-developer")
    with pytest.raises(InputError, match="can't be settled so") as wrong:
        resolve(
            office.desk("flights-owner"),
            MODEL,
            finding(mapping=None),
            decision="accept",
            mapping=None,
            reason=" ",
        )
    assert len(wrong.value.problems) == 2
    with pytest.raises(InputError, match="can't be settled so"):
        settle(office, decision="map")
    assert settle(office, decision="reject").mapping is None
    assert settle(office, dry_run=True).signature == ""


def test_a_signature_that_does_not_fit_is_void(office: Office) -> None:
    signed = settle(office)
    forged = dataclasses.replace(signed, id="other", reason="mine")
    desk = office.desk("flights-owner")
    with desk.change("meaning.resolved", forged.finding, model=MODEL) as change:
        change.add(forged)
    found = resolutions(office.record, desk.verify, MODEL)
    assert "does not fit" in why_open(finding(), found["0a1b2c3d"], None)
