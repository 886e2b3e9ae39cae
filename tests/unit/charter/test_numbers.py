"""A charter of a regression: what it asks for, and what of a classification it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taxiway.charter.plan import Plan
from taxiway.core.charter import Charter

Planned = Callable[..., Plan]

NUMBER: dict[str, Any] = {
    "kind": "regression",
    "value.per_decision": None,
    "value.per_answer": {"right": 2, "each_unit_off": -0.1},
    "target": {"name": "minutes", "definition": "arr_delay"},
    "training.bar": {"metric": "mae", "at_most": 20},
    "training.maximum_gap": 5,
    "monitoring.maximum_drop": 3,
    "deployment.reason_codes": "all",
}


def test_a_regression_can_be_complete(planned: Planned) -> None:
    plan = planned(NUMBER)
    assert (plan.errors, plan.missing, plan.kind) == ((), (), "regression")
    assert plan.tier == "low"


ERRORS: list[tuple[dict[str, Any], str, str]] = [
    ({"deployment.threshold": 0.5}, "deployment.threshold", "are not cut into yes and no"),
    ({"deployment.reason_codes": "adverse"}, "deployment.reason_codes", "expected all or none"),
    (
        {"value.per_decision": {"true_positive": 3, "false_positive": -1}},
        "value.per_decision",
        "under `value.per_answer`",
    ),
    (
        {"value.per_answer": {"right": 2, "each_unit_off": 0}},
        "value.per_answer.each_unit_off",
        "being wrong costs nothing",
    ),
    (
        {"training.bar": {"metric": "roc_auc", "at_least": 0.7}},
        "training.bar.metric",
        "does not judge a regression; expected mae, rmse, r2, mape",
    ),
    ({"training.bar": {"metric": "mae", "at_least": 3}}, "training.bar.at_least", "less is better"),
    ({"training.bar": {"metric": "mae", "at_most": -3}}, "training.bar.at_most", "0 or more"),
    ({"training.bar": {"metric": "r2", "at_least": 1.5}}, "training.bar.at_least", "at most 1"),
    ({"value.promised_per_month": 56_001}, "value.promised_per_month", "at most 56000 USD"),
    (
        {"oversight.review": [{"name": "sure", "when": "probability > 0.9"}]},
        "oversight.review[0].when",
        "there is no column 'probability'",
    ),
]


@pytest.mark.parametrize(("changes", "place", "says"), ERRORS)
def test_what_does_not_fit_a_number_is_an_error(
    planned: Planned, changes: dict[str, Any], place: str, says: str
) -> None:
    errors = planned({**NUMBER, **changes}).errors
    assert [str(error.problem.where).partition(" ")[2] for error in errors] == [place]
    assert says in str(errors[0].problem)


@pytest.mark.parametrize(
    "place", ["value.per_answer", "training.maximum_gap", "monitoring.maximum_drop"]
)
def test_what_only_people_know_is_asked_for(planned: Planned, place: str) -> None:
    (missing,) = planned({**NUMBER, place: None}).missing
    assert place in str(missing.problem.where)
    assert missing.before == "training"


def test_a_share_of_the_variance_has_no_unit(planned: Planned) -> None:
    changes = {"training.bar": {"metric": "r2", "at_least": 0.4}}
    gone = {"training.maximum_gap": None, "monitoring.maximum_drop": None}
    assert planned({**NUMBER, **changes, **gone}).missing == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"value.per_answer": {"right": 2, "each_unit_off": -1}}, "under `value.per_decision`"),
        ({"training.bar": {"metric": "mae", "at_most": 3}}, "does not judge a classification"),
    ],
)
def test_what_does_not_fit_a_yes_or_no_is_an_error(
    planned: Planned, changes: dict[str, Any], says: str
) -> None:
    (error,) = planned(changes).errors
    assert says in str(error.problem)


def test_a_number_has_no_threshold(planned: Planned, complete: dict[str, Any]) -> None:
    plain = complete | {"kind": "regression"}
    plain["value"] = {**plain["value"], "per_answer": {"right": 2, "each_unit_off": -1}}
    del plain["value"]["per_decision"]
    charter = Charter.model_validate(plain)
    assert charter.threshold is None
    assert "per_decision" not in charter.model_dump(mode="json")["value"]
