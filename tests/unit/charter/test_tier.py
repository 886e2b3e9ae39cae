"""The tier that follows from the risk answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.charter.reading import CharterFile
from taxiway.charter.tier import RULES, TIERS, computed_tier, tier_of, traits
from taxiway.core.charter import DecisionValue, Risk, Value

Written = Callable[..., CharterFile]


@pytest.mark.parametrize(
    ("answers", "tier", "reason"),
    [
        ({}, "low", "no rule for a higher tier applies"),
        ({"risk.legal_class": "high"}, "high", "the law puts its use into the high class"),
        (
            {
                "risk.effect_on_people": "direct",
                "risk.automation": "decides",
                "risk.reversible": False,
            },
            "high",
            "it decides by itself about people, and a wrong decision can't be undone",
        ),
        ({"risk.legal_class": "limited"}, "medium", "its class is limited"),
        (
            {"risk.effect_on_people": "direct", "risk.personal_data": True},
            "medium",
            "from personal data",
        ),
        (
            {"risk.effect_on_people": "direct", "risk.automation": "decides"},
            "medium",
            "it decides by itself about people",
        ),
        ({"risk.reversible": False}, "medium", "can't be undone"),
        ({"risk.effect_on_people": "none", "risk.reversible": False}, "low", "no rule"),
        # Ten times the 25,000 that were promised.
        ({"risk.value_at_stake_per_month": 250_000}, "medium", "10 times the promised value"),
        ({"risk.value_at_stake_per_month": 249_999}, "low", "no rule"),
        (
            {"risk.value_at_stake_per_month": 1_000_000, "value.promised_per_month": 500_000},
            "medium",
            "1,000,000 or more",
        ),
    ],
)
def test_the_answers_give_the_tier_and_its_reason(
    written: Written, answers: dict[str, Any], tier: str, reason: str
) -> None:
    charter = written(answers).charter
    assert charter is not None
    found, reasons = tier_of(charter)
    assert found == tier
    assert any(reason in text for text in reasons)


def test_an_agreed_tier_may_be_higher_and_keeps_the_computed_reasons(written: Written) -> None:
    charter = written({"risk.tier": "high", "risk.legal_class": "limited"}).charter
    assert charter is not None
    tier, reasons = tier_of(charter)
    assert tier == "high"
    assert reasons[0] == "agreed by its owners"
    assert reasons[1].startswith("computed medium: ")


def test_an_agreed_tier_below_the_computed_one_does_not_hold(written: Written) -> None:
    charter = written({"risk.tier": "low", "risk.legal_class": "high"}).charter
    assert charter is not None
    assert tier_of(charter)[0] == "high"


risks = st.builds(
    Risk,
    is_model=st.just(True),
    legal_class=st.sampled_from(["minimal", "limited", "high"]),
    effect_on_people=st.sampled_from(["none", "indirect", "direct"]),
    reversible=st.booleans(),
    automation=st.sampled_from(["advises", "decides"]),
    decisions_per_month=st.just(1000),
    value_at_stake_per_month=st.floats(0, 1e9),
    personal_data=st.booleans(),
    third_party=st.booleans(),
    tier=st.none(),
    foreseeable_misuse=st.just("taken for a rating"),
)
VALUE = Value(
    currency="EUR",
    per_decision=DecisionValue(true_positive=1, false_positive=-1),
    promised_per_month=1000,
    baseline="none at all",
    review=date(2027, 1, 1),
)
ORDER: dict[str, list[Any]] = {
    "legal_class": ["minimal", "limited", "high"],
    "effect_on_people": ["none", "indirect", "direct"],
    "automation": ["advises", "decides"],
    "reversible": [True, False],
    "personal_data": [False, True],
}


@given(risks, st.sampled_from(sorted(ORDER)))
def test_a_riskier_answer_never_lowers_the_tier(risk: Risk, answer: str) -> None:
    tiers = [
        computed_tier(risk.model_copy(update={answer: value}), VALUE)[0] for value in ORDER[answer]
    ]
    assert [TIERS.index(tier) for tier in tiers] == sorted(TIERS.index(tier) for tier in tiers)


@given(risks)
def test_a_tier_always_has_a_reason(risk: Risk) -> None:
    tier, reasons = computed_tier(risk, VALUE)
    assert tier in TIERS
    assert reasons


def test_the_table_goes_from_the_highest_tier_down() -> None:
    at = [TIERS.index(rule.tier) for rule in RULES]
    assert at == sorted(at, reverse=True)


def test_traits_follow_from_the_answers(written: Written) -> None:
    plain = written().charter
    all_of_them = written(
        {
            "risk.third_party": True,
            "risk.personal_data": True,
            "risk.legal_class": "high",
            "risk.automation": "decides",
            "risk.effect_on_people": "direct",
        }
    ).charter
    assert plain is not None
    assert all_of_them is not None
    assert traits(plain) == frozenset()
    assert traits(all_of_them) == {
        "third-party",
        "personal-data",
        "high-risk-law",
        "automated",
        "affects-people",
    }
