"""The risk answers: against each other, against the agreed tier, and what a tier asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from taxiway.charter.remark import Remark, advice, error, missing
from taxiway.charter.tier import TIERS, computed_tier
from taxiway.core.charter import Purpose, Risk, Value
from taxiway.core.contract import Contract
from taxiway.core.errors import close_match
from taxiway.core.operation import Deployment, Inventory

RETENTION_DAYS = 183
"""Six months. Source: Regulation (EU) 2024/1689, articles 19 and 26(6)."""


def is_a_model(risk: Risk) -> Iterator[Remark]:
    """A fixed rule is not trained."""
    if not risk.is_model:
        yield error(
            "risk.is_model",
            "a fixed rule has nothing to train, and the charter describes a training",
            todo="Say `is_model: true`, or keep the rule in the product's own code.",
        )


def agreed_tier(risk: Risk, value: Value) -> Iterator[Remark]:
    """Owners may agree on a higher tier than the answers give, never on a lower one."""
    tier, reasons = computed_tier(risk, value)
    if risk.tier and TIERS.index(risk.tier) < TIERS.index(tier):
        yield error(
            "risk.tier",
            "the agreed tier is below the one that the answers give",
            found=risk.tier,
            expected=f"at least {tier}, because {'; '.join(reasons)}",
        )


def kept_long_enough(risk: Risk, value: Value, deployment: Deployment) -> Iterator[Remark]:
    """Models of a tier above low keep their decisions for six months."""
    tier, _ = computed_tier(risk, value)
    tier = max(tier, risk.tier or tier, key=TIERS.index)
    if tier != "low" and deployment.retention_days < RETENTION_DAYS:
        yield error(
            "deployment.retention_days",
            f"decisions are not kept long enough for tier {tier}",
            found=f"{deployment.retention_days} days",
            expected=f"at least {RETENTION_DAYS} days",
        )


def origin(risk: Risk, inventory: Inventory) -> Iterator[Remark]:
    """What comes from a vendor is third party."""
    if risk.third_party != (inventory.origin == "vendor"):
        says = "a third party's" if risk.third_party else "no third party's"
        yield error(
            "inventory.origin",
            f"`risk.third_party` says that the model is {says}, `origin` says {inventory.origin}",
            todo="Correct one of them: `origin: vendor` and `third_party: true` belong together.",
        )


def personal_columns(risk: Risk, contract: Contract) -> Iterator[Remark]:
    """What the contract marks as personal is personal."""
    personal = [column.name for column in contract.columns if column.personal]
    if personal and not risk.personal_data:
        yield error(
            "risk.personal_data",
            f"the contract marks columns as personal: {', '.join(personal)}",
            found="false",
            expected="true",
        )
    if risk.personal_data and not personal:
        what = "no column of the contract is marked as personal"
        todo = "Mark those that are: {property: personal, value: true}."
        yield advice("risk.personal_data", what, todo=todo)


def synced_log(risk: Risk, value: Value, deployment: Deployment) -> Iterator[Remark]:
    """No decision of a high tier may be lost, not even with the machine."""
    tier, _ = computed_tier(risk, value)
    tier = max(tier, risk.tier or tier, key=TIERS.index)
    if tier == "high" and deployment.log != "durable":
        yield error(
            "deployment.log",
            "a decision of a high tier is on the disk before its answer leaves",
            found=deployment.log,
            expected="durable",
        )


def withheld_columns(deployment: Deployment, contract: Contract) -> Iterator[Remark]:
    """What the log withholds is personal, and a key is found again."""
    personal = [column.name for column in contract.columns if column.personal]
    for name, way in deployment.personal.items():
        where = f"deployment.personal.{name}"
        if name not in personal:
            match = close_match(name, personal)
            yield error(
                where,
                "the contract marks no such column as personal",
                expected=", ".join(personal) or "none",
                todo=f"Did you mean {match!r}?" if match else "",
            )
        elif way == "omit" and name in {*contract.key, contract.event_time}:
            yield error(
                where,
                "decisions are found by their key and time",
                found="omit",
                expected="keep" if name == contract.event_time else "pseudonym or keep",
            )
        elif way == "pseudonym" and name == contract.event_time:
            yield error(where, "decisions are found by their time", found=way, expected="keep")


def uses(purpose: Purpose) -> Iterator[Remark]:
    """No use is both permitted and forbidden."""
    permitted = {use.casefold() for use in purpose.permitted_uses}
    for at, use in enumerate(purpose.forbidden_uses):
        if use.casefold() in permitted:
            what = f"{use!r} is both permitted and forbidden"
            yield error(f"purpose.forbidden_uses.{at}", what)


def next_review(inventory: Inventory, today: date) -> Iterator[Remark]:
    """An overdue review comes before production."""
    if inventory.next_review < today:
        what = f"the next review was due on {inventory.next_review}"
        todo = "Review the model, then write down the next date."
        yield missing("prod", "inventory.next_review", what, todo=todo)


RULES = (
    is_a_model,
    agreed_tier,
    kept_long_enough,
    origin,
    personal_columns,
    synced_log,
    withheld_columns,
    uses,
    next_review,
)
