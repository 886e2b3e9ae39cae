"""Checks of the charter: tier, inventory, owners and value case. They read `charter.plan`."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import PLAN
from taxiway.core.kind import KINDS
from taxiway.governance.checks.reading import listed
from taxiway.governance.checks.rule import Answer, evidence_of

SHARED = ("business", "engineering")
"""The owners without whom nothing is trained."""

ALL_OWNERS = ("business", "data", "development", "engineering", "validation")

VALUE_ANSWERS = ("promised_per_month", "currency", "baseline", "review")
"""Beside what answers are worth, which each kind of model says in its own place."""


def tier(case: Case) -> Answer:
    """CH-02: the tier of the plan is the one that the flight check goes by."""
    plan = evidence_of(case, PLAN)
    planned = plan.text("found.tier")
    reasons = plan.texts("found.tier_reasons")
    problems = []
    if planned != case.tier:
        problems.append(f"the plan says tier {planned}, the model is governed as {case.tier}")
    if not reasons:
        problems.append("the plan gives no reason for its tier")
    return Answer(
        problems,
        f"tier {planned}: {listed(reasons)}",
        found=planned,
        required=case.tier,
        todo="Run `taxiway plan`, then train and release under the charter as it is now.",
    )


def inventory(case: Case) -> Answer:
    """CH-03: no field of the inventory is open."""
    plan = evidence_of(case, PLAN)
    missing = plan.texts("found.inventory_missing")
    entries = len(plan.record("found.inventory").values)
    problems = [f"the inventory lacks {listed(missing)}"] if missing else []
    if not entries:
        problems.append("the inventory has no entry at all")
    return Answer(
        problems,
        f"all {entries} fields of the inventory have an answer",
        found=f"{entries} answered, {len(missing)} missing",
        required="0 missing",
        todo="Fill the named fields in taxiway.yaml, then `taxiway plan`.",
    )


def owners(case: Case) -> Answer:
    """CH-04: business and engineering are owned, for production everything, and roles are apart."""
    plan = evidence_of(case, PLAN)
    named = plan.record("found.owners")
    needed = ALL_OWNERS if case.environment == "prod" else SHARED
    problems = [f"nobody owns {place}" for place in needed if not named.answered(place)]
    have = {place: named.text(place) for place in ALL_OWNERS if named.answered(place)}
    validator = have.get("validation")
    if validator is not None and validator == have.get("development"):
        problems.append(f"{validator} would validate what {validator} develops")
    return Answer(
        problems,
        "; ".join(f"{place}: {person}" for place, person in have.items()),
        found=f"{len(have)} owners",
        required=", ".join(needed) + ", validation apart from development",
        todo="Name them under `owners` in taxiway.yaml, then `taxiway plan`.",
    )


def value_case(case: Case) -> Answer:
    """CH-05: promise, baseline, review and the worth of each decision are written down."""
    value = evidence_of(case, PLAN).record("found.value")
    answers = (*VALUE_ANSWERS, KINDS[case.kind].worth)
    missing = [answer for answer in answers if not value.answered(answer)]
    problems = [f"the value case lacks {listed(missing)}"] if missing else []
    promise = "nothing"
    if not missing:
        promise = f"{value.number('promised_per_month'):,.0f} {value.text('currency')} per month"
    return Answer(
        problems,
        f"{promise} promised, reviewed on {value.values.get('review')}",
        found=promise,
        required=", ".join(answers),
        todo="Complete `value` in taxiway.yaml, then `taxiway plan`.",
    )
