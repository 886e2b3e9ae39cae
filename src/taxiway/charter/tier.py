"""The risk tier, computed from the charter's answers by a table of rules.

The rules are data: the highest tier of those that apply is the computed one, and their words are
its reasons. The owners may agree on a higher tier, never on a lower one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from taxiway.core.charter import Charter, Risk, Value

TIERS = ("low", "medium", "high")

MATERIAL_TIMES_PROMISE = 10
"""From this many times the promised value on, what is at stake is large for the case itself."""

MATERIAL_PER_MONTH = 1_000_000
"""From this much a month on, in any currency, what is at stake is large for most firms."""


@dataclass(frozen=True, slots=True)
class TierRule:
    """One row of the table: the tier that follows when it applies, and why."""

    tier: str
    reason: str
    applies: Callable[[Risk, Value], bool]


RULES = (
    TierRule(
        "high", "the law puts its use into the high class", lambda r, _: r.legal_class == "high"
    ),
    TierRule(
        "high",
        "it decides by itself about people, and a wrong decision can't be undone",
        lambda r, _: (
            r.effect_on_people == "direct" and r.automation == "decides" and not r.reversible
        ),
    ),
    TierRule(
        "medium",
        "the law asks for transparency: its class is limited",
        lambda r, _: r.legal_class == "limited",
    ),
    TierRule(
        "medium",
        "a wrong answer affects people directly, from personal data",
        lambda r, _: r.effect_on_people == "direct" and r.personal_data,
    ),
    TierRule(
        "medium",
        "it decides by itself about people",
        lambda r, _: r.effect_on_people == "direct" and r.automation == "decides",
    ),
    TierRule(
        "medium",
        "a wrong decision affects people and can't be undone",
        lambda r, _: r.effect_on_people != "none" and not r.reversible,
    ),
    TierRule(
        "medium",
        f"{MATERIAL_TIMES_PROMISE} times the promised value or more is at stake each month",
        lambda r, v: (
            r.value_at_stake_per_month >= MATERIAL_TIMES_PROMISE * v.promised_per_month > 0
        ),
    ),
    TierRule(
        "medium",
        f"{MATERIAL_PER_MONTH:,} or more is at stake each month",
        lambda r, _: r.value_at_stake_per_month >= MATERIAL_PER_MONTH,
    ),
)
"""From the highest tier down; within a tier from the law to money."""


def computed_tier(risk: Risk, value: Value) -> tuple[str, tuple[str, ...]]:
    """The tier that the answers give, with its reasons in words."""
    applying = [rule for rule in RULES if rule.applies(risk, value)]
    if not applying:
        return "low", ("no rule for a higher tier applies",)
    tier = applying[0].tier
    return tier, tuple(rule.reason for rule in applying if rule.tier == tier)


def tier_of(charter: Charter) -> tuple[str, tuple[str, ...]]:
    """The tier that holds for a charter: the computed one, or a higher one that was agreed."""
    tier, reasons = computed_tier(charter.risk, charter.value)
    agreed = charter.risk.tier
    if agreed and TIERS.index(agreed) > TIERS.index(tier):
        return agreed, ("agreed by its owners", *(f"computed {tier}: {r}" for r in reasons))
    return tier, reasons


def traits(charter: Charter) -> frozenset[str]:
    """What the charter says the model is, for checks that apply only to such models."""
    risk = charter.risk
    says = {
        "third-party": risk.third_party,
        "personal-data": risk.personal_data,
        "high-risk-law": risk.legal_class == "high",
        "automated": risk.automation == "decides",
        "affects-people": risk.effect_on_people == "direct",
    }
    return frozenset(trait for trait, holds in says.items() if holds)
