"""Each automatic check: what lets it pass, and each way in which it fails, with its reason."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.core.check import Case, Status
from taxiway.core.people import SignOff
from taxiway.governance.checks import AUTOMATIC

Changed = Callable[..., Case]

METRIC = {"value": 0.7, "low": 0.68, "high": 0.72}

FAILURES = [
    ("CH-02", "charter.plan", "found.tier", "medium", "the plan says tier medium"),
    ("CH-02", "charter.plan", "found.tier_reasons", [], "no reason for its tier"),
    ("CH-03", "charter.plan", "found.inventory_missing", ["limits", "data"], "lacks limits, data"),
    ("CH-03", "charter.plan", "found.inventory", {}, "no entry at all"),
    ("CH-04", "charter.plan", "found.owners.business", None, "nobody owns business"),
    ("CH-04", "charter.plan", "found.owners.data", None, "nobody owns data"),
    ("CH-04", "charter.plan", "found.owners.validation", "flights-developer", "would validate"),
    ("CH-05", "charter.plan", "found.value.baseline", "", "lacks baseline"),
    ("CH-05", "charter.plan", "found.value.promised_per_month", ..., "lacks promised_per_month"),
    ("DA-01", "data.provenance", "found.label.rows", 0, "no row has a label"),
    ("DA-01", "data.provenance", "found.synthetic", True, "the data are synthetic"),
    ("DA-01", "governance.handoffs", "found.data", None, "data handoff .* was never offered"),
    ("DA-01", "governance.handoffs", "found.data.state", "offered", "has not accepted it"),
    ("DA-01", "governance.handoffs", "found.data.state", "returned", "was returned by"),
    ("DA-01", "governance.handoffs", "found.data.by", None, "by is missing"),
    ("DA-02", "data.validation", "found.failed_rows", 3, "3 rows break the contract"),
    (
        "DA-02",
        "data.validation",
        "found.failures",
        [{"column": "origin", "rule": "is there", "rows": 0}],
        "broken: origin is there",
    ),
    ("DA-02", "data.validation", "found.columns", 0, "no column was looked at"),
    ("DA-03", "data.meaning", "found.undescribed", ["hour"], "nothing says what hour means"),
    (
        "DA-03",
        "data.meaning",
        "found.open",
        [{"id": "0a1b2c3d", "says": "distance differs by a unit"}],
        "1 findings are open: 0a1b2c3d distance differs",
    ),
    ("DA-04", "data.likeness", "found.different", ["origin"], "differs from production in origin"),
    ("DA-04", "data.likeness", "required.minimum_rows", 7000, "6,000 rows .* are too few"),
    ("DA-04", "data.likeness", "found.columns", [], "no column was compared"),
    ("DA-05", "data.bias", "found.reason", "", "no reason why there is none"),
    ("DA-05", "data.bias", "found.unmarked", ["age (age)"], "not examined: age"),
    (
        "DA-06",
        "data.privacy",
        "found.personal",
        [{"column": "mail", "kind": "email", "confidence": "sure", "marked": False}],
        r"does not mark: mail \(email\)",
    ),
    (
        "DA-06",
        "data.privacy",
        "found.protected",
        [{"column": "origin", "attribute": "race", "marked": True}],
        "read what is personal or protected: origin",
    ),
    (
        "DA-06",
        "data.bias",
        "found.proxies",
        [{"protected": "sex", "standing_in": ["carrier", "height"]}],
        "stands in for a protected column: carrier for sex$",
    ),
    (
        "DA-06",
        "training.explanations",
        "found.importance",
        [{"column": "origin", "drop": -0.02, "low": -0.03, "high": -0.01}],
        "better without origin",
    ),
    ("DV-01", "training.code", "found.commit", None, "in no commit"),
    ("DV-01", "training.code", "found.dirty", True, "changed after its commit"),
    ("DV-01", "training.code", "found.template_version", None, "template .* is not known"),
    ("DV-01", "governance.handoffs", "found.release", None, "was never offered"),
    (
        "DV-01",
        "governance.handoffs",
        "found.release.by",
        "flights-developer",
        "accepted the own release",
    ),
    ("DV-02", "training.rerun", "found.identical", False, "gave other results"),
    ("DV-02", "training.rerun", "found.differing_predictions", 1, "in 1 of 9,600"),
    (
        "DV-03",
        "training.leakage",
        "found.late",
        [{"column": "dep_delay", "known_at": "departure"}],
        r"not known at scheduling: dep_delay \(known at departure\)",
    ),
    ("DV-03", "training.leakage", "found.target_columns", ["arr_delay"], "own columns: arr_delay"),
    ("DV-03", "training.leakage", "found.split_overlap_rows", 2, "both sides of the split"),
    ("DV-03", "training.leakage", "found.time_ordered", False, "not later than the training"),
    ("DV-03", "training.leakage", "found.strongest.value", 0.95, "carrier alone reaches roc_auc"),
    ("DV-03", "training.leakage", "found.columns_read", [], "read no column"),
    (
        "DV-03",
        "data.traps",
        "found.leaks",
        [{"severity": "blocks", "says": "paid alone reaches ROC AUC 1.000"}],
        "must not: paid alone reaches",
    ),
    ("DV-04", "training.metrics", "required.bar", 0.71, "does not reach the bar"),
    ("DV-04", "training.metrics", "found.gain.low", 0.0, "may be chance"),
    ("DV-04", "training.metrics", "found.gain.low", -0.01, "may be chance"),
    ("DV-04", "training.metrics", "found.trivial.roc_auc.value", 0.69, "not surely better"),
    ("DV-05", "training.slices", "found.worst.gap", 0.13, "origin=JFK lies 0.130 behind"),
    ("DV-05", "training.slices", "found.slices", [], "no group was large enough"),
    ("DV-05", "training.slices", "found.protected_reason", "", "no reason why there is none"),
    ("DV-05", "training.slices", "found.protected", ["gender"], "no protected group of gender"),
    ("DV-06", "training.explanations", "found.stability", 0.6, "order of the columns changes"),
    ("DV-06", "training.explanations", "found.reason_codes", [], "no decision came with a reason"),
    ("VA-01", "validation.independence", "found.validator", None, "names no validator"),
    ("VA-01", "validation.independence", "found.validator_known", False, "nobody here is called"),
    ("VA-01", "validation.independence", "found.validator_removed", True, "was removed"),
    ("VA-01", "validation.independence", "found.validator_roles", ["owner"], "does not hold"),
    (
        "VA-01",
        "validation.independence",
        "found.developers",
        ["flights-validator"],
        "is a developer of this model",
    ),
    ("VA-01", "validation.independence", "found.author", "flights-validator", "is a developer"),
    (
        "VA-01",
        "validation.independence",
        "found.signers",
        {"VA-02": "flights-developer"},
        "signed for the second line: VA-02",
    ),
    ("DP-01", "governance.handoffs", "found.running.state", "offered", "has not accepted"),
    ("DP-01", "governance.handoffs", "found.running", None, "was never offered"),
    ("DP-02", "release.integrity", "found.problems", ["model.skops: changed"], "model.skops"),
    ("DP-02", "release.integrity", "found.signature_valid", False, "does not hold"),
    ("DP-02", "release.integrity", "found.signer_removed", True, "was removed"),
    ("DP-02", "release.integrity", "found.components", 0, "bill of materials is empty"),
    ("DP-02", "release.integrity", "digests.model", "sha256:x", "about another artefact"),
    ("DP-03", "release.rehearsal", "found.golden_equal", False, "golden predictions came out"),
    ("DP-03", "release.rehearsal", "found.golden_rows", 0, "no golden prediction"),
    ("DP-03", "release.rehearsal", "found.batch_equal", False, "rows in a batch"),
    ("DP-03", "release.rehearsal", "found.errors", 1, "1 requests ended in an error"),
    ("DP-03", "release.rehearsal", "found.latency_ms.p99", 250.1, "took up to 250.1 ms"),
    ("DP-03", "release.rehearsal", "found.rollback.ok", False, "way back"),
    ("DP-03", "release.rehearsal", "digests.model", "sha256:x", "about another artefact"),
    ("DP-04", "release.rehearsal", "found.decisions_logged", 499, "499 are in the log"),
    ("DP-04", "release.rehearsal", "found.decisions_sent", 0, "no decision was asked for"),
    ("DP-04", "charter.plan", "found.retention_days", 182, "kept for 182 days"),
    ("DP-04", "charter.plan", "found.log", 7, "found.log has to be text"),
    ("DP-03", "release.parity", "found.flips", 3, "decides otherwise .* in 3 rows"),
    ("DP-03", "release.parity", "found.largest_difference", 1e-3, "differs .* by 0.001"),
    ("DP-07", "serving.access", "found.consumers", [], "nobody may ask"),
    (
        "DP-07",
        "serving.access",
        "found.consumers",
        [{"name": "ads", "purpose": "pricing", "permitted": False, "until": "2027"}],
        r"not for a permitted use: ads \(pricing\)",
    ),
    ("MO-01", "charter.plan", "found.monitoring.escalation", "", "lacks escalation"),
    ("MO-01", "charter.plan", "found.oversight.stop", ..., "lacks oversight.stop"),
    ("MO-02", "monitoring.drift", "found.drifted", ["origin"], "these drifted: origin"),
    ("MO-02", "monitoring.drift", "found.output.verdict", "drifted", "the answers .*: drifted"),
    ("MO-02", "monitoring.drift", "found.columns", [], "no column was compared"),
    ("MO-03", "monitoring.performance", "found.verdict", "below bar", "below bar"),
    # A verdict without its why; one with it is below.
    ("MO-04", "monitoring.oversight", "found.verdict", "late", "found.why has to be text"),
    (
        "MO-03",
        "monitoring.performance",
        "found.fairness",
        [{"column": "gender", "value": "f", "verdict": "behind"}],
        "groups fell behind .*: gender=f",
    ),
    ("AU-01", "ledger.integrity", "found.problems", ["event 7 was changed"], "event 7 was changed"),
]


@pytest.mark.parametrize("check", AUTOMATIC)
def test_passes_when_all_is_well(check: str, case: Case) -> None:
    verdict = AUTOMATIC[check](case)
    assert (verdict.status, verdict.check) == (Status.PASSED, check), verdict
    assert verdict.why
    assert verdict.examined > 0
    assert verdict.found
    assert verdict.required
    assert verdict.todo == ""


@pytest.mark.parametrize(("check", "kind", "path", "value", "why"), FAILURES)
def test_fails_with_its_reason(
    check: str, kind: str, path: str, value: Any, why: str, changed: Changed
) -> None:
    verdict = AUTOMATIC[check](changed(kind, path, value))
    assert verdict.status is Status.FAILED
    assert re.search(why, verdict.why), verdict.why
    assert verdict.todo


def test_a_buffered_log_is_said(changed: Changed) -> None:
    verdict = AUTOMATIC["DP-04"](changed("charter.plan", "found.log", "buffered"))
    assert verdict.status is Status.PASSED
    assert "a loss of power may lose those of the last second" in verdict.why


def test_every_check_has_a_way_to_fail() -> None:
    assert {check for check, *_ in FAILURES} == set(AUTOMATIC)


@pytest.mark.parametrize(
    ("check", "kind", "path", "value"),
    [
        ("DA-01", "governance.handoffs", "found.data", None),
        ("CH-04", "charter.plan", "found.owners.data", None),
        ("DP-01", "governance.handoffs", "found.running", None),
    ],
)
def test_asks_for_less_before_production(
    check: str, kind: str, path: str, value: Any, changed: Changed
) -> None:
    assert AUTOMATIC[check](changed(kind, path, value)).status is Status.FAILED
    dev = changed(kind, path, value, environment="dev")
    assert AUTOMATIC[check](dev).status is Status.PASSED


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (
            {"method": "contributions", "unit": "mean log-odds", "why": "", "row_us": 61.4},
            "; reasons by contributions to the mean log-odds at 61 µs a row",
        ),
        (
            {"method": "replacement", "unit": "probability", "why": "the charter says so"},
            "; reasons by replacement: the charter says so",
        ),
    ],
)
def test_how_reasons_are_measured_is_said(
    reasons: dict[str, Any], said: str, changed: Changed
) -> None:
    verdict = AUTOMATIC["DP-03"](changed("release.parity", "found.reasons", reasons))
    assert verdict.status is Status.PASSED
    assert verdict.found.endswith(said)


def test_no_handoff_at_all_is_said_as_such(case: Case, changed: Changed) -> None:
    none = dataclasses.replace(case.evidence["governance.handoffs"], examined=0)
    without = dataclasses.replace(case, evidence={**case.evidence, none.kind: none})
    verdict = AUTOMATIC["DV-01"](without)
    assert verdict.status is Status.FAILED
    assert "release handoff from development to engineering was never offered" in verdict.why
    assert "taxiway handoff offer release flight-delays:1" in verdict.todo


def test_lower_is_better_where_the_metric_says_so(case: Case) -> None:
    metrics = case.evidence["training.metrics"]

    def judged(value: float, bar: float) -> Status:
        found = json.loads(json.dumps(metrics.found).replace("roc_auc", "log_loss"))
        found["model"]["log_loss"] = {"value": value, "low": value - 0.01, "high": value + 0.01}
        required = {"metric": "log_loss", "bar": bar}
        changed = dataclasses.replace(metrics, found=found, required=required)
        return AUTOMATIC["DV-04"](
            dataclasses.replace(case, evidence={**case.evidence, metrics.kind: changed})
        ).status

    assert judged(0.40, 0.45) is Status.PASSED
    assert judged(0.46, 0.45) is Status.FAILED
    assert judged(0.495, 0.6) is Status.FAILED  # its interval holds the trivial model's 0.5


def test_protected_groups_that_were_looked_at_need_no_reason(changed: Changed) -> None:
    part = {"column": "gender", "value": "f", "protected": True}
    seen = changed("training.slices", "found.slices", [part])
    slices = seen.evidence["training.slices"]
    found = slices.found | {"protected": ["gender"], "protected_reason": ""}
    looked = {**seen.evidence, slices.kind: dataclasses.replace(slices, found=found)}
    assert AUTOMATIC["DV-05"](dataclasses.replace(seen, evidence=looked)).status is Status.PASSED


def signed(check: str, person: str, line: int) -> SignOff:
    return SignOff(
        id="s1",
        check=check,
        release="flight-delays:1",
        model="flight-delays",
        person=person,
        line=line,
        model_digest="sha256:m",
        data_digest="sha256:d",
        evidence_digest="sha256:e",
        reason="read",
        at=datetime(2026, 11, 23, tzinfo=UTC),
        signature="",
    )


def test_an_author_among_the_approvers_is_found(case: Case) -> None:
    own = dataclasses.replace(case, sign_offs=(signed("DP-01", "flights-developer", 2),))
    assert "approved the own release" in AUTOMATIC["DP-01"](own).why
    assert AUTOMATIC["VA-01"](own).status is Status.FAILED


def test_a_developers_first_line_signature_is_no_problem(case: Case) -> None:
    own = dataclasses.replace(case, sign_offs=(signed("DV-06", "flights-developer", 1),))
    assert AUTOMATIC["VA-01"](own).status is Status.PASSED


@pytest.mark.parametrize("check", ["MO-02", "MO-03", "MO-04"])
def test_windows_do_not_apply_before_the_first_one_is_over(check: str, case: Case) -> None:
    plan = {"charter.plan": case.evidence["charter.plan"]}
    undeployed = dataclasses.replace(case, deployed=False, deployed_at=None)
    verdict = AUTOMATIC[check](undeployed)
    assert (verdict.status, verdict.why) == (
        Status.NOT_APPLICABLE,
        "it does not run in prod yet",
    )
    # Deployed on 20 November 2026: the month is over on 1 December; labels are due a day later,
    # and the last case has two.
    closes = {"MO-02": "2026-12-01", "MO-03": "2026-12-02", "MO-04": "2026-12-03"}[check]
    fresh = dataclasses.replace(case, evidence=plan)
    verdict = AUTOMATIC[check](fresh)
    assert (verdict.status, verdict.why) == (
        Status.NOT_APPLICABLE,
        f"the first window closes on {closes}",
    )
    day = datetime.fromisoformat(f"{closes}T00:00:00+00:00")
    late = AUTOMATIC[check](dataclasses.replace(fresh, now=day))
    assert late.status is Status.NO_EVIDENCE
    assert late.todo.startswith("Run: taxiway watch")


@pytest.mark.parametrize(("window", "closes"), [("day", "2026-11-21"), ("week", "2026-11-23")])
def test_the_first_window_is_as_long_as_the_plan_says(
    window: str, closes: str, changed: Changed
) -> None:
    case = changed("charter.plan", "found.monitoring.window", window)
    plan = {"charter.plan": case.evidence["charter.plan"]}
    # 20 November 2026 is a Friday; weeks begin on Monday.
    now = datetime(2026, 11, 20, 13, tzinfo=UTC)
    verdict = AUTOMATIC["MO-02"](dataclasses.replace(case, evidence=plan, now=now))
    assert verdict.why == f"the first window closes on {closes}"


@pytest.mark.parametrize("window", ["fortnight", None])
def test_a_plan_without_windows_excuses_nothing(window: Any, changed: Changed) -> None:
    case = changed("charter.plan", "found.monitoring.window", window)
    plan = {"charter.plan": case.evidence["charter.plan"]}
    verdict = AUTOMATIC["MO-02"](dataclasses.replace(case, evidence=plan))
    assert verdict.status is Status.NO_EVIDENCE


@pytest.mark.parametrize(
    ("check", "kind", "path", "value"),
    [
        ("MO-02", "monitoring.drift", "found.insufficient", True),
        ("MO-02", "monitoring.drift", "required.minimum_rows", 30000),
        ("MO-03", "monitoring.performance", "found.verdict", "insufficient data"),
    ],
)
def test_too_little_data_is_no_evidence(
    check: str, kind: str, path: str, value: Any, changed: Changed
) -> None:
    verdict = AUTOMATIC[check](changed(kind, path, value))
    assert (verdict.status, verdict.found) == (Status.NO_EVIDENCE, "insufficient data")
    assert "too few to tell" in verdict.why


@pytest.mark.parametrize("verdict", ["late", "disagreed"])
def test_oversight_that_is_late_or_disagrees(verdict: str, case: Case) -> None:
    evidence = case.evidence["monitoring.oversight"]
    found = {**evidence.found, "verdict": verdict, "why": "people decided 9 of 400 cases in time"}
    own = dataclasses.replace(evidence, found=found)
    judged = AUTOMATIC["MO-04"](
        dataclasses.replace(case, evidence={**case.evidence, own.kind: own})
    )
    assert judged.status is Status.FAILED
    assert judged.why == (
        "people decided 9 of 400 cases in time from 2013-03-01 to before 2013-04-01"
    )
    assert judged.found == "390 of 400 in time, 9% overridden, 95% (92% to 97%) agreed"


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("required.sample", 0.0, "the charter draws no sample of all answers"),
        ("found.verdict", "insufficient data", "people decided no case that chance drew"),
        ("found.agreement.cases", 0, "people decided no case that chance drew"),
    ],
)
def test_without_a_sample_oversight_is_no_evidence(
    path: str, value: Any, why: str, changed: Changed
) -> None:
    verdict = AUTOMATIC["MO-04"](changed("monitoring.oversight", path, value))
    assert (verdict.status, verdict.found) == (Status.NO_EVIDENCE, "insufficient data")
    assert why in verdict.why


def test_the_plan_says_when_the_last_case_is_due(changed: Changed) -> None:
    case = changed("charter.plan", "found.oversight.answer_within", "36h")
    plan = {"charter.plan": case.evidence["charter.plan"]}
    verdict = AUTOMATIC["MO-04"](dataclasses.replace(case, evidence=plan))
    assert verdict.why == "the first window closes on 2026-12-02"


def test_windows_of_another_environment_prove_nothing(case: Case) -> None:
    drift = dataclasses.replace(case.evidence["monitoring.drift"], environment="qa")
    verdict = AUTOMATIC["MO-02"](
        dataclasses.replace(case, evidence={**case.evidence, drift.kind: drift})
    )
    assert (verdict.status, verdict.why) == (
        Status.FAILED,
        "monitoring.drift is about qa, not about prod",
    )
