"""The plan as one record: order, what stops what, the life cycle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from taxiway.charter.plan import Plan, make_plan
from taxiway.charter.reading import CharterFile
from taxiway.core.errors import Problem, RefusedError
from taxiway.core.moves import HANDOFF_STAGES

Planned = Callable[..., Plan]
Written = Callable[..., CharterFile]


def test_a_plan_knows_the_model_its_tier_and_its_owners(planned: Planned) -> None:
    plan = planned({"risk.tier": "medium", "risk.third_party": True, "inventory.origin": "vendor"})
    assert (plan.model, plan.kind) == ("flight-delays", "classification")
    assert (plan.tier, plan.computed_tier) == ("medium", "low")
    assert plan.traits == {"third-party"}
    assert plan.owners["validation"] == "flights-validator"
    assert plan.charter_digest is not None
    assert plan.charter_digest.startswith("sha256:")


def test_form_and_contradictions_come_together_in_the_order_of_the_lines(written: Written) -> None:
    text = """\
name: churn
owners:
  business: churn-owner
  development: churn-developer
  validation: churn-developer
trainin: {}
value:
  baseline:
"""
    plan = make_plan(
        written(text=text),
        contract=None,
        today=date(2026, 7, 1),
        exists=lambda _: True,
        contract_problems=[Problem("broken", where="churn.yaml:3 id")],
    )
    errors = [str(e.problem).partition(";")[0].partition(".  ")[0] for e in plan.errors]
    assert errors[0] == "churn.yaml:3 id: broken"
    assert errors[1].startswith("taxiway.yaml:5 owners.validation: the validator is the developer")
    assert errors[2].startswith("taxiway.yaml:6 trainin: `trainin` is not a known key")
    assert plan.tier is None
    assert plan.charter_digest is None
    assert [r.severity for r in plan.remarks] == sorted(
        (r.severity for r in plan.remarks), key=("error", "missing", "advice").index
    )
    missing = [str(r.problem.where) for r in plan.missing]
    assert "taxiway.yaml:8 value.baseline" in missing


def test_the_computed_tier_shows_as_soon_as_its_answers_are_there(planned: Planned) -> None:
    plan = planned({"oversight": None})
    assert (plan.tier, plan.computed_tier) == (None, "low")
    assert plan.tier_reasons == ("no rule for a higher tier applies",)


def test_nothing_is_trained_without_business_and_engineering(planned: Planned) -> None:
    plan = planned({"owners.business": None, "owners.engineering": None, "owners.data": None})
    with pytest.raises(RefusedError, match="can't be trained: its charter leaves 2 points") as told:
        plan.require()
    assert [p.what for p in told.value.problems] == [
        "nobody is named for business",
        "nobody is named for engineering",
    ]
    with pytest.raises(RefusedError, match="can't go to dev: its charter leaves 3 points"):
        plan.require("dev")


def test_a_complete_plan_lets_the_model_go_all_the_way(planned: Planned) -> None:
    for before in ("training", "dev", "qa", "prod"):
        planned().require(before)


def test_the_way_names_who_waits_for_whom(planned: Planned) -> None:
    steps = {step.step: step for step in planned().steps}
    assert list(steps) == [
        "charter",
        "data",
        "training",
        "release",
        "deployment",
        "serving",
        "monitoring",
        "retraining",
    ]
    training = steps["training"]
    assert (training.person, training.waits_for_person) == ("flights-developer", "flights-data")
    assert steps["deployment"].waits_for_person == "flights-validator"
    assert steps["charter"].waits_for is None


def test_the_way_agrees_with_the_table_of_handoffs(planned: Planned) -> None:
    steps = {step.step: step for step in planned().steps}
    for step, stage in (("training", "data"), ("release", "release"), ("serving", "running")):
        offers, accepts = HANDOFF_STAGES[stage]
        assert (steps[step].waits_for, steps[step].owner) == (offers, accepts)


def test_the_owner_of_retraining_is_the_one_the_charter_names(planned: Planned) -> None:
    plan = planned({"retraining": {"decided_by": "engineering"}})
    assert plan.steps[-1].person == "flights-engineer"


def test_nobody_is_shown_where_nobody_is_named(planned: Planned) -> None:
    plan = planned({"owners": {}})
    assert {step.person for step in plan.steps} == {None}
