"""What DV-03 and DP-03 ask of a release whose rows were joined with features."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from taxiway.core.check import Case, Status, Verdict
from taxiway.core.evidence import FEATURE_PARITY, FEATURES, PROVENANCE, observed
from taxiway.governance.checks import AUTOMATIC


def judged(case: Case, check: str, joined: Any = None, parity: Any = None) -> Verdict:
    """The verdict where rows were joined, and perhaps compared, with these things changed."""
    rows = case.evidence[PROVENANCE].examined
    view = {"view": "weather@1", "digest": "sha256:v"}
    known = {"time": "time_hour", "time_known_at": "scheduling", "time_known": True}
    found = {"set": "departure", **known, "rows": rows, "views": [view]} | (joined or {})
    compared = {"set": "departure", "differing": 0, "views": [{**view, "rows": 9}]}
    subject = case.evidence[PROVENANCE].subject
    kinds = {FEATURES: (found, rows)}
    if parity is not None:
        kinds[FEATURE_PARITY] = (compared | parity, 9)
    evidence = {
        kind: observed(
            kind,
            id=kind,
            subject=subject,
            model=case.model,
            examined=examined,
            found=of,
            at=case.now,
            by="flights-data",
        )
        for kind, (of, examined) in kinds.items()
    }
    whole = dataclasses.replace(case, evidence={**case.evidence, **evidence})
    return AUTOMATIC[check](whole)


def test_a_join_as_of_a_known_time_that_online_agrees_with_passes(case: Case) -> None:
    assert judged(case, "DV-03").status is Status.PASSED
    assert judged(case, "DP-03", parity={}).status is Status.PASSED


@pytest.mark.parametrize(
    ("joined", "why"),
    [
        ({"time_known": False, "time_known_at": "arrival"}, "known only at arrival"),
        ({"rows": 7}, "features were joined to 7 rows, and the snapshot has"),
        ({"rows": "many"}, "malformed evidence"),
    ],
)
def test_dv_03_fails_where_rows_were_joined_otherwise(
    case: Case, joined: dict[str, Any], why: str
) -> None:
    verdict = judged(case, "DV-03", joined)
    assert verdict.status is Status.FAILED
    assert why in verdict.why


@pytest.mark.parametrize(
    ("parity", "why"),
    [
        (None, "taxiway data features parity"),
        ({"differing": 2}, "2 of 9 keys are others online than in training"),
        (
            {"views": [{"view": "weather@1", "digest": "sha256:other", "rows": 9}]},
            "not in the online store: weather@1",
        ),
        (
            {"views": [{"view": "weather@1", "digest": "sha256:v", "rows": 0}]},
            "no key was compared of weather@1",
        ),
    ],
)
def test_dp_03_fails_where_online_is_not_what_training_saw(
    case: Case, parity: dict[str, Any] | None, why: str
) -> None:
    verdict = judged(case, "DP-03", parity=parity)
    assert verdict.status is Status.FAILED
    assert why in verdict.why
