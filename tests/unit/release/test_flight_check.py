"""The flight check combines evidence, signatures and deviations, and fails closed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.core.check import Case, CheckSpec, FlightCheck, Judge, Policy, Status, Verdict
from taxiway.core.people import Binding, Deviation, SignOff
from taxiway.release.flight_check import fly

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BINDING = Binding("sha256:m", "sha256:d", "sha256:e")


def spec(check: str = "AA-01", how: str = "A", **fields: Any) -> CheckSpec:
    letters = how.split("+")
    words: dict[str, Any] = {"title": check, "stage": "data", "lines": (1,), "clauses": {}}
    return CheckSpec(
        id=check,
        automatic="A" in letters,
        signed="S" in letters,
        explain="",
        **(words | fields),
    )


def says(status: Status, check: str = "AA-01") -> Judge:
    return lambda _: Verdict(check, status, why="as judged", found="7", required="8", examined=3)


def case(**fields: Any) -> Case:
    words: dict[str, Any] = {
        "model": "churn",
        "release": "churn:1",
        "kind": "classification",
        "tier": "low",
        "environment": "prod",
        "now": NOW,
        "binding": BINDING,
        "deployed": False,
        "evidence": {},
    }
    return Case(**(words | fields))


def signed(check: str = "AA-01", **fields: Any) -> SignOff:
    given = SignOff(
        id="s1",
        check=check,
        release="churn:1",
        model="churn",
        person="churn-owner",
        line=1,
        model_digest="sha256:m",
        data_digest="sha256:d",
        evidence_digest="sha256:e",
        reason="read",
        at=NOW,
        signature="",
    )
    return dataclasses.replace(given, **fields)


def deviation(**fields: Any) -> Deviation:
    given = Deviation(
        id="d1",
        check="AA-01",
        release="churn:1",
        model="churn",
        reason="no sample yet",
        risk="may differ",
        until=NOW + timedelta(days=30),
        state="granted",
        asked_by="churn-developer",
        asked_at=NOW,
        decided_by="churn-owner",
        decided_at=NOW,
    )
    return dataclasses.replace(given, **fields)


def flown(
    of: Case, *specs: CheckSpec, judged: Status | None = None, required: set[str] | None = None
) -> FlightCheck:
    automatic = {s.id: says(judged, s.id) for s in specs} if judged else {}
    needed = {s.id for s in specs} if required is None else required
    return fly(of, specs, automatic, Policy(of.environment, of.tier, frozenset(needed)))


def status(of: Case, a_spec: CheckSpec, judged: Status | None = None) -> Status:
    return flown(of, a_spec, judged=judged).verdicts[0].status


def test_what_is_judged_well_is_clear() -> None:
    check = flown(case(), spec(), judged=Status.PASSED)
    assert check.clear
    assert check.verdicts[0].found == "7"
    assert (check.model, check.release, check.at) == ("churn", "churn:1", NOW)
    assert check.binding == BINDING


@pytest.mark.parametrize("bad", [Status.FAILED, Status.NO_EVIDENCE])
def test_what_is_not_judged_well_blocks(bad: Status) -> None:
    check = flown(case(), spec(), judged=bad)
    assert not check.clear
    assert [v.check for v in check.blocking] == ["AA-01"]


def test_what_is_not_required_does_not_block() -> None:
    check = fly(
        case(),
        [spec("AA-01"), spec("AA-02")],
        {"AA-01": says(Status.PASSED), "AA-02": says(Status.FAILED, "AA-02")},
        Policy("prod", "low", frozenset({"AA-01"})),
    )
    assert check.clear
    assert [v.status for v in check.verdicts] == [Status.PASSED, Status.FAILED]


def test_nothing_required_is_not_clear() -> None:
    assert not flown(case(), spec(), judged=Status.PASSED, required=set()).clear


def test_a_required_check_that_no_catalogue_holds_blocks() -> None:
    check = flown(case(), spec(), judged=Status.PASSED, required={"AA-01", "ZZ-99"})
    assert not check.clear
    assert check.blocking[0].check == "ZZ-99"
    assert check.blocking[0].status is Status.NO_EVIDENCE


def test_a_check_that_is_not_built_has_no_evidence() -> None:
    for how in ("A", "A+S"):
        verdict = flown(case(sign_offs=[signed()]), spec(how=how)).verdicts[0]
        assert verdict.status is Status.NO_EVIDENCE
        assert "not built yet" in verdict.why
        assert "taxiway deviate AA-01 churn:1" in verdict.todo


@pytest.mark.parametrize("how", ["S", "A+S"])
def test_waits_for_a_signature_and_says_whose(how: str) -> None:
    judged = Status.PASSED if how == "A+S" else None
    a_spec = spec(how=how, lines=(1, 2), signers=("owner", "validator"))
    verdict = flown(case(), a_spec, judged=judged).verdicts[0]
    assert verdict.status is Status.WAITING
    assert "nobody has signed it yet" in verdict.why
    assert "signed: owner or validator" in verdict.required
    assert "taxiway sign AA-01 churn:1" in verdict.todo
    done = flown(case(sign_offs=[signed()]), a_spec, judged=judged)
    assert done.clear
    assert "signed by churn-owner: read" in done.verdicts[0].why


def test_a_signature_does_not_mend_what_failed() -> None:
    assert status(case(sign_offs=[signed()]), spec(how="A+S"), Status.FAILED) is Status.FAILED


@pytest.mark.parametrize(
    "fields",
    [
        {"check": "AA-02"},
        {"release": "churn:2"},
        {"model_digest": "sha256:x"},
        {"data_digest": "sha256:x"},
        {"evidence_digest": "sha256:x"},
        {"line": 2},
    ],
)
def test_a_signature_for_something_else_does_not_count(fields: dict[str, Any]) -> None:
    assert status(case(sign_offs=[signed(**fields)]), spec(how="S")) is Status.WAITING


def test_says_why_a_signature_is_void() -> None:
    void = [(signed(), "the evidence changed"), (signed("AA-02"), "the data changed")]
    verdict = flown(case(void=void), spec(how="S")).verdicts[0]
    assert verdict.status is Status.WAITING
    assert verdict.why == "the signature of churn-owner is void: the evidence changed"


@pytest.mark.parametrize(
    ("fields", "applies"),
    [
        ({"kinds": ("classification",)}, True),
        ({"kinds": ("regression",)}, False),
        ({"tiers": ("medium", "high")}, False),
        ({"environments": ("qa",)}, False),
        ({"when": "deployed"}, False),
        ({"when": "third-party"}, False),
    ],
)
def test_applies_by_kind_tier_environment_and_condition(
    fields: dict[str, Any], applies: bool
) -> None:
    verdict = flown(case(), spec(**fields), judged=Status.FAILED).verdicts[0]
    assert (verdict.status is Status.FAILED) is applies
    assert applies or verdict.why.startswith(("not for", "only where"))
    told = flown(case(), spec(**fields, not_applicable="so it is"), judged=Status.FAILED)
    assert applies or told.verdicts[0].why == "so it is"


def test_conditions_come_true() -> None:
    failed = Status.FAILED
    assert status(case(deployed=True), spec(when="deployed"), failed) is failed
    assert status(case(traits=frozenset({"llm"})), spec(when="llm"), failed) is failed
    old = case(deployed=True, deployed_at=NOW - timedelta(days=365))
    young = case(deployed=True, deployed_at=NOW - timedelta(days=364))
    assert status(old, spec(when="year-old"), failed) is failed
    assert status(young, spec(when="year-old"), failed) is Status.NOT_APPLICABLE


@pytest.mark.parametrize("bad", [Status.FAILED, Status.NO_EVIDENCE])
def test_a_deviation_is_shown_with_its_reason_approver_and_end(bad: Status) -> None:
    check = flown(case(deviations=[deviation()]), spec(), judged=bad)
    (verdict,) = check.verdicts
    assert check.clear
    assert verdict.status is Status.DEVIATED
    assert verdict.why == (
        "no sample yet (risk: may differ); granted by churn-owner, until 2026-12-23."
        f" Without it: {bad}, as judged"
    )


def test_a_deviation_from_a_missing_signature_or_an_unbuilt_check_holds() -> None:
    deviating = case(deviations=[deviation()])
    assert status(deviating, spec(how="S")) is Status.DEVIATED
    assert status(deviating, spec()) is Status.DEVIATED


def test_what_passes_needs_no_deviation() -> None:
    assert status(case(deviations=[deviation()]), spec(), Status.PASSED) is Status.PASSED


@pytest.mark.parametrize(
    "fields",
    [
        {"check": "AA-02"},
        {"release": "churn:2"},
        {"state": "asked"},
        {"state": "refused"},
        {"decided_by": None},
        {"until": NOW},
    ],
)
def test_a_deviation_for_something_else_does_not_count(fields: dict[str, Any]) -> None:
    of = case(deviations=[deviation(**fields)])
    assert status(of, spec(), Status.FAILED) is Status.FAILED


def test_some_checks_allow_no_deviation() -> None:
    of = case(deviations=[deviation()])
    assert status(of, spec(can_deviate=False), Status.FAILED) is Status.FAILED


def test_the_deviation_that_ends_last_is_shown() -> None:
    later = deviation(id="d2", until=NOW + timedelta(days=60))
    of = case(deviations=[later, deviation()])
    assert "until 2027-01-22" in flown(of, spec(), judged=Status.FAILED).verdicts[0].why


def test_verdicts_are_in_the_catalogues_order() -> None:
    specs = [spec(f"AA-{n:02}") for n in (3, 1, 2)]
    assert [v.check for v in flown(case(), *specs).verdicts] == ["AA-03", "AA-01", "AA-02"]


def test_another_environments_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="the policy of dev/low can't judge a case of prod/low"):
        fly(case(), [spec()], {}, Policy("dev", "low", frozenset()))
