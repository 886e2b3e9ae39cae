"""Rules of oversight: what `plan` says of a condition that can't be asked when a model answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taxiway.charter.plan import Plan
from taxiway.core.contract import Column, Contract

Planned = Callable[..., Plan]


def rule(when: str, name: str = "borderline") -> dict[str, str]:
    return {"name": name, "when": when}


def errors(plan: Plan) -> list[str]:
    return [str(remark.problem) for remark in plan.errors]


def test_rules_over_output_and_inputs_are_fine(planned: Planned) -> None:
    rules = [
        rule("probability BETWEEN 0.2 AND 0.3"),
        rule("prediction AND origin IN ('JFK', 'LGA')", "hubs"),
        rule("time_hour >= '2027-12-24' OR origin IS NULL", "holidays"),
    ]
    assert errors(planned({"oversight.review": rules, "oversight.sample": 0.01})) == []


WRONG = [
    ([rule("probabilty > 0.5")], "there is no column 'probabilty'. Did you mean 'probability'?"),
    ([rule("orgin = 'JFK'")], "Did you mean 'origin'?"),
    ([rule("probability")], "it is no condition"),
    ([rule("probability > 0.2 AND")], "it can't be read at character 22"),
    ([rule("arr_delay > 15")], "expected at scheduling or before, found known at arrival"),
    ([rule("1 = 1")], "it names neither a column nor the output"),
    ([rule("prediction"), rule("prediction")], "there is a rule named borderline already"),
    ([rule("prediction", "sample")], "cases by chance are called sample already"),
]


@pytest.mark.parametrize(("rules", "said"), WRONG)
def test_a_rule_that_can_t_be_asked(
    planned: Planned, rules: list[dict[str, str]], said: str
) -> None:
    found = errors(planned({"oversight.review": rules}))
    assert len(found) == 1
    assert said in found[0]


def test_problems_of_several_rules_each_with_its_line(planned: Planned) -> None:
    rules = [rule("prediction"), rule("orgin = 'x' AND destt = 'y'", "a2"), rule("NOT 1", "a3")]
    plan = planned({"oversight.review": rules})
    places = [remark.problem.where for remark in plan.errors]
    assert len(places) == 3
    assert len({place for place in places if place}) == 2
    assert all(str(place).startswith("taxiway.yaml:") for place in places)


def test_a_column_that_is_named_as_the_output_is(planned: Planned, contract: Contract) -> None:
    import dataclasses

    columns = (*contract.columns, Column("probability", "number"))
    own = dataclasses.replace(contract, columns=columns)
    answers: dict[str, Any] = {"oversight.review": [rule("probability > 0.5")]}
    assert "named as the output is: probability" in errors(planned(answers, contract=own))[0]


def test_a_sample_that_is_too_small_to_compare(planned: Planned) -> None:
    advice = [str(r.problem) for r in planned({"oversight.sample": 0.001}).remarks]
    assert any("about 28 cases a month" in one for one in advice)
    assert not any("sample" in str(r.problem) for r in planned().remarks)


def test_decisions_stay_until_their_cases_are_settled(planned: Planned) -> None:
    answers: dict[str, Any] = {"oversight.sample": 0.1, "oversight.answer_within": "25h"}
    few = {**answers, "deployment.retention_days": 31}
    assert "expected at least 32 days: the window" in errors(planned(few))[0]
    assert errors(planned({**answers, "deployment.retention_days": 32})) == []
    assert errors(planned({"deployment.retention_days": 31})) == []
