"""The entry of a model in the inventory of models: what the charter answers, what the record does.

The fields are those of check CH-03. Source: SR 26-2 section VI, PRA SS1/23 principle 1.2, OSFI E-23
appendix 1.
"""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.core.charter import Charter

FIELDS = (
    "id",
    "name and use",
    "tier",
    "owner",
    "developer",
    "origin",
    "version",
    "deployed on",
    "reviewer",
    "approver",
    "dependencies",
    "data",
    "approved uses",
    "limits",
    "last review",
    "monitoring status",
    "next review",
)
"""The fields of an inventory entry, in their order."""

FROM_RECORD = ("version", "deployed on", "last review", "monitoring status")
"""The fields that no charter can answer."""


def inventory_of(charter: Charter, tier: str, known: Mapping[str, str]) -> dict[str, str]:
    """The entry, by field. `known` has what the record answers; fields without an answer are out.

    Raises `ValueError` for a field that the record can't answer.
    """
    strange = set(known) - set(FROM_RECORD)
    if strange:
        raise ValueError(f"the record does not answer {', '.join(sorted(strange))}")
    owners, purpose = charter.owners, charter.purpose
    answers = {
        "id": charter.name,
        "name and use": f"{charter.name}: {purpose.decision}",
        "tier": tier,
        "owner": owners.business,
        "developer": owners.development,
        "origin": charter.inventory.origin,
        "reviewer": owners.validation,
        "approver": charter.inventory.approver,
        "dependencies": "; ".join(charter.inventory.dependencies),
        "data": f"{charter.data.source}, contract {charter.data.contract}",
        "approved uses": "; ".join(purpose.permitted_uses),
        "limits": "; ".join(purpose.limits),
        "next review": charter.inventory.next_review.isoformat(),
        **known,
    }
    return {field: text for field in FIELDS if (text := answers.get(field))}
