"""The plan's way into the record: its evidence, and the model under governance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from taxiway.charter.inventory import FIELDS, answers_of_record, inventory_of
from taxiway.charter.plan import Plan
from taxiway.charter.tier import tier_of
from taxiway.core.charter import Charter
from taxiway.core.digest import canonical_json
from taxiway.core.errors import RefusedError
from taxiway.core.evidence import PLAN, Evidence, observed
from taxiway.core.facts import Developed, Model
from taxiway.core.moves import LINE_ROLES
from taxiway.core.ports import Desk


def plan_evidence(
    charter: Charter,
    *,
    id: str,
    subject: str,
    at: datetime,
    by: str,
    problems: int,
    answers: int,
    known: Mapping[str, str] | None = None,
) -> Evidence:
    """The evidence of a plan, about a model or about a release that was made under it.

    `problems` counts errors and missing answers, `answers` the answered questions, and `known` has
    the inventory fields that the record answers (`inventory.FROM_RECORD`).
    """
    tier, reasons = tier_of(charter)
    inventory = inventory_of(charter, tier, known or {})
    return observed(
        PLAN,
        id=id,
        subject=subject,
        model=charter.name,
        examined=answers,
        found={
            "problems": problems,
            "tier": tier,
            "tier_reasons": list(reasons),
            "inventory": inventory,
            "inventory_missing": [field for field in FIELDS if field not in inventory],
            "owners": charter.owners.model_dump(),
            "value": charter.value.model_dump(mode="json"),
            "oversight": charter.oversight.model_dump(mode="json"),
            "monitoring": charter.monitoring.model_dump(mode="json"),
            "retention_days": charter.deployment.retention_days,
            "log": charter.deployment.log,
            "withheld": charter.deployment.personal,
        },
        digests={"charter": charter.digest},
        at=at,
        by=by,
    )


def register(
    desk: Desk,
    plan: Plan,
    charter: Charter,
    *,
    project: str,
    known: Mapping[str, str] | None = None,
) -> Model:
    """The model under this charter, written down if charter or tier changed since the last time.

    Stores the charter's canonical JSON as an object, whose digest is the charter's. `known` are the
    inventory fields that the record answers (default: `inventory.answers_of_record`). Raises
    `RefusedError` if the plan stops training, or if nobody of the first line acts.
    """
    tier, reasons = tier_of(charter)
    before = _registered(desk, charter.name)
    if before and (before.charter_digest, before.tier) == (charter.digest, tier):
        return before
    if before and before.kind != charter.kind:
        raise RefusedError(
            f"{charter.name} is a {before.kind}, and its charter now says {charter.kind}.",
            todo="What is decided and logged stays of one kind; give the new model another name.",
        )
    actor = desk.acting(*LINE_ROLES[1], to=f"register the plan of {charter.name}")
    plan.require()
    at = desk.now()
    model = Model(
        id=charter.name,
        kind=charter.kind,
        tier=tier,
        charter_digest=charter.digest,
        project=project,
        owners=charter.owners.model_dump(exclude_none=True),
        at=at,
        by=actor.name,
    )
    evidence = plan_evidence(
        charter,
        id=desk.new_id(),
        subject=charter.name,
        at=at,
        by=actor.name,
        problems=len(plan.errors) + len(plan.missing),
        answers=plan.answers,
        known=answers_of_record(desk.record, charter.name) if known is None else known,
    )
    desk.objects.put(canonical_json(charter.model_dump(mode="json")))
    with desk.change("charter.planned", charter.name, model=charter.name) as change:
        if before:
            change.replace(before, model)
        else:
            change.add(model)
        developer = charter.owners.development
        if developer and not desk.record.find(Developed, model=charter.name, person=developer):
            change.add(Developed(f"{charter.name}/{developer}", charter.name, developer, at))
        change.add(evidence)
        change.digest = charter.digest
        change.details = {
            "tier": tier,
            "tier_reasons": list(reasons),
            "owners": model.owners,
            "before": before.charter_digest if before else None,
        }
    return model


def _registered(desk: Desk, name: str) -> Model | None:
    found = desk.record.find(Model, id=name)
    return found[0] if found else None
