"""What a charter says against itself: each rule speaks when it should, and only then."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.charter.plan import Plan
from taxiway.charter.reading import CharterFile
from taxiway.charter.rules import RULES, applied
from taxiway.charter.rules.risk import withheld_columns
from taxiway.core.contract import Column, Contract
from taxiway.core.people import Person

Planned = Callable[..., Plan]
Written = Callable[..., CharterFile]
FLIGHTS = Contract(
    id="flights",
    version="1.0.0",
    description="",
    table="flights",
    columns=(
        Column("flight", "string", key=True),
        Column("time_hour", "timestamp"),
        Column("origin", "string"),
    ),
    moments=("asked",),
    decision_at="asked",
    event_time="time_hour",
)

ERRORS: list[tuple[dict[str, Any], str, str]] = [
    # The changed answers, where the error stands, what it says.
    ({"owners.validation": "flights-developer"}, "owners.validation", "Nobody validates their own"),
    ({"inventory.approver": "flights-developer"}, "inventory.approver", "expected somebody else"),
    ({"risk.is_model": False}, "risk.is_model", "has nothing to train"),
    (
        {"risk.legal_class": "high", "risk.tier": "medium"},
        "risk.tier",
        "expected at least high, because the law",
    ),
    (
        {"risk.tier": "medium", "deployment.retention_days": 182},
        "deployment.retention_days",
        "expected at least 183 days, found 182 days",
    ),
    (
        {"risk.tier": "high", "deployment.log": "buffered"},
        "deployment.log",
        "expected durable, found buffered",
    ),
    (
        {"deployment.personal": {"origin": "omit"}},
        "deployment.personal.origin",
        "marks no such column as personal; expected none",
    ),
    ({"risk.third_party": True}, "inventory.origin", "`origin` says in-house"),
    ({"inventory.origin": "vendor"}, "inventory.origin", "no third party's"),
    (
        {"purpose.forbidden_uses": ["rating", "Planning of GATES"]},
        "purpose.forbidden_uses[1]",
        "both permitted and forbidden",
    ),
    (
        {"value.per_decision.false_negative": 30},
        "value.per_decision.true_positive",
        "acting never pays",
    ),
    ({"value.per_decision.false_positive": 0}, "value.per_decision.false_positive", "always pays"),
    # 28,000 decisions at 30 each.
    ({"value.promised_per_month": 840_001}, "value.promised_per_month", "at most 840000 USD"),
    ({"training.bar": {"at_most": 0.3}}, "training.bar.at_most", "more is better for roc_auc"),
    (
        {"training.bar": {"at_most": 0.3, "at_least": 0.6}},
        "training.bar.at_most",
        "expected at_least alone",
    ),
    (
        {"training.bar": {"metric": "brier", "at_least": 0.1, "at_most": 0.2}},
        "training.bar.at_least",
        "less is better for brier",
    ),
    ({"training.bar": {"at_least": 62}}, "training.bar.at_least", "a share, not a percentage"),
    (
        {"training.bar": {"metric": "log_loss", "at_most": -1}},
        "training.bar.at_most",
        "expected 0 or more",
    ),
    ({"training.slices": ["origin", "orign"]}, "training.slices[1]", "Did you mean 'origin'?"),
    ({"training.slices": ["zzz"]}, "training.slices[0]", "Known: flight, time_hour"),
    (
        {"training.protected": ["sex"], "training.no_protected_because": None},
        "training.protected[0]",
        "'sex' is not a column",
    ),
    ({"training.protected": ["origin"]}, "training.no_protected_because", "Leave one of them out"),
    ({"target.definition": "arr_delya > 15"}, "target.definition", "Did you mean 'arr_delay'?"),
    ({"target.definition": "1 = 1"}, "target.definition", "speaks of no column"),
    ({"target.name": "origin"}, "target.name", "also a column"),
    (
        {"risk.decisions_per_month": 499, "value.promised_per_month": 100},
        "monitoring.minimum_rows",
        "expected at most 499, or a longer window, found 500",
    ),
    # 150 days until a label and a month of window: 180 days.
    (
        {"monitoring.label_delay": "150d", "deployment.retention_days": 179},
        "deployment.retention_days",
        "expected at least 180 days",
    ),
]


@pytest.mark.parametrize(("places", "where", "text"), ERRORS)
def test_a_contradiction_is_one_error_at_its_place(
    planned: Planned, places: dict[str, Any], where: str, text: str
) -> None:
    plan = planned(places)
    assert [e.problem.where for e in plan.errors if text in str(e.problem)] != []
    [error] = plan.errors
    assert str(error.problem.where).endswith(f" {where}")
    assert str(error.problem.where).startswith("taxiway.yaml:")
    assert not plan.clear


MISSING: list[tuple[dict[str, Any], str, str]] = [
    ({"owners.business": None}, "training", "nobody is named for business"),
    ({"owners.engineering": None}, "training", "nobody is named for engineering"),
    ({"owners.data": None}, "dev", "nobody is named for data"),
    ({"owners.development": None}, "dev", "nobody is named for development"),
    ({"owners.validation": None}, "dev", "nobody is named for validation"),
    ({"training.bar": {"metric": "roc_auc"}}, "training", "such as `at_least: 0.7`"),
    ({"training.bar": {"metric": "brier"}}, "training", "such as `at_most: 0.2`"),
    ({"training.no_protected_because": None}, "training", "no reason why there is none"),
    ({"value.review": "2026-06-30"}, "prod", "to be reviewed on 2026-06-30"),
    ({"inventory.next_review": "2026-06-30"}, "prod", "was due on 2026-06-30"),
]


@pytest.mark.parametrize(("places", "before", "text"), MISSING)
def test_what_is_missing_says_before_what_it_is_needed(
    planned: Planned, places: dict[str, Any], before: str, text: str
) -> None:
    plan = planned(places)
    assert plan.errors == ()
    [remark] = plan.missing
    assert remark.before == before
    assert text in str(remark.problem)
    assert remark in plan.stopping("prod")
    assert (remark in plan.stopping("training")) == (before == "training")


ADVICE: list[tuple[dict[str, Any], str]] = [
    ({"owners.validation": "flights-owner"}, "also answers for business"),
    ({"oversight.who": "flights-developer"}, "oversees the decisions of the own model"),
    ({"risk.personal_data": True}, "no column of the contract is marked as personal"),
    ({"value.promised_per_month": 0}, "nothing is promised"),
    ({"deployment.threshold": 0.5}, "breaks even at 0.25"),
    ({"training.bar": {"at_least": 0.5}}, "this bar stops no model"),
    ({"training.bar": {"metric": "brier", "at_most": 0.25}}, "this bar stops no model"),
    ({"data.production": None}, "no sample of what production sends"),
    ({"target.definition": "origin = 'JFK'"}, "there is nothing to predict"),
    ({"training.split": {"holdout": 0.6}}, "60% of the rows judge the model"),
    ({"monitoring.label_delay": "60d"}, "later than a month closes"),
    ({"monitoring.label_delay": "90d"}, "every trigger waits for them"),
]


@pytest.mark.parametrize(("places", "text"), ADVICE)
def test_advice_stops_nothing(planned: Planned, places: dict[str, Any], text: str) -> None:
    plan = planned(places)
    assert plan.clear
    assert plan.stopping("prod") == ()
    [remark] = plan.advice
    assert text in str(remark.problem)


def test_a_complete_charter_leaves_nothing_to_say(planned: Planned) -> None:
    assert planned().remarks == ()


def test_a_delay_that_other_triggers_bridge_is_only_a_delay(planned: Planned) -> None:
    plan = planned({"monitoring.label_delay": "90d", "retraining": {"triggers": ["output"]}})
    assert [r.problem.what for r in plan.advice] == [
        "labels come after 90 days, later than a month closes"
    ]


@pytest.mark.parametrize(
    ("gone", "severity", "before", "text"),
    [
        ("contracts/flights.yaml", "missing", "training", "the contract is not there"),
        ("data/flights.parquet", "missing", "training", "the data are not there"),
        ("data/schedule.parquet", "missing", "prod", "the sample of production is not there"),
        ("model.py", "missing", "training", "the code is not there"),
    ],
)
def test_a_file_that_is_not_there_is_missing(
    planned: Planned, gone: str, severity: str, before: str, text: str
) -> None:
    [remark] = planned(exists=lambda name: name != gone).remarks
    assert (remark.severity, remark.before) == (severity, before)
    assert text in str(remark.problem)


def test_marks_of_the_contract_have_to_be_in_the_charter(
    planned: Planned, contract: Contract
) -> None:
    marked = Column("birth", "date", personal=True, protected=True)
    plan = planned(contract=dataclasses.replace(contract, columns=(*contract.columns, marked)))
    assert [str(error.problem.where).partition(" ")[2] for error in plan.errors] == [
        "risk.personal_data",
        "training.protected",
    ]


def test_without_a_contract_nothing_is_said_about_columns(planned: Planned) -> None:
    plan = planned({"training.slices": ["zzz"], "target.definition": "zzz > 1"}, contract=None)
    assert plan.remarks == ()


def person(name: str, *roles: str, removed: bool = False) -> Person:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Person(name, roles, "key", at, at if removed else None)


TEAM = [
    person("flights-owner", "owner"),
    person("flights-data", "owner"),
    person("flights-developer", "developer"),
    person("flights-engineer", "engineer"),
    person("flights-validator", "validator"),
]


def test_a_known_team_is_complete(planned: Planned) -> None:
    assert planned(people=TEAM).remarks == ()


@pytest.mark.parametrize(
    ("people", "text"),
    [
        ([], "taxiway people add flights-owner --role owner"),
        (TEAM[:4], "taxiway people add flights-validator --role validator"),
        (
            [*TEAM[:4], person("flights-validators", "validator")],
            "Did you mean flights-validators?",
        ),
        ([*TEAM[:4], person("flights-validator", "owner")], "flights-validator has owner"),
        ([*TEAM[:4], person("flights-validator", "validator", removed=True)], "was removed"),
    ],
)
def test_owners_have_to_be_known_before_dev(
    planned: Planned, people: list[Person], text: str
) -> None:
    [remark] = planned(people=people).remarks
    assert (remark.severity, remark.before) == ("missing", "dev")
    assert text in str(remark.problem)


def test_a_rule_waits_until_all_that_it_needs_is_known() -> None:
    assert list(applied({})) == []


def test_every_rule_says_what_it_is_for() -> None:
    assert [rule.__name__ for rule in RULES if not rule.__doc__] == []
    assert len({rule.__name__ for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("way", "columns", "says"),
    [
        ("omit", {"flight"}, ["expected pseudonym or keep, found omit"]),
        ("pseudonym", {"flight", "origin"}, []),
        ("omit", {"origin"}, []),
        ("pseudonym", {"time_hour"}, ["expected keep, found pseudonym"]),
        ("omit", {"time_hour"}, ["expected keep, found omit"]),
        ("keep", {"time_hour", "flight"}, []),
    ],
)
def test_what_the_log_withholds_leaves_keys_and_times(
    written: Written, way: str, columns: set[str], says: list[str]
) -> None:
    charter = written({"deployment.personal": dict.fromkeys(columns, way)}).charter
    assert charter is not None
    marked = tuple(dataclasses.replace(c, personal=c.name in columns) for c in FLIGHTS.columns)
    found = withheld_columns(charter.deployment, dataclasses.replace(FLIGHTS, columns=marked))
    assert [str(one.problem).partition("; ")[2] for one in found] == says
