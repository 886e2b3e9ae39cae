"""The entry of a model in the inventory of models: what the charter answers, what the record does.

The fields are those of check CH-03. Source: SR 26-2 section VI, PRA SS1/23 principle 1.2, OSFI E-23
appendix 1.
"""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.core.charter import Charter
from taxiway.core.evidence import PERFORMANCE, Evidence
from taxiway.core.facts import Deployment, Release
from taxiway.core.people import SignOff
from taxiway.core.ports import Record

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


def answers_of_record(record: Record, model: str, *, version: str | None = None) -> dict[str, str]:
    """What the record answers about a model as it is now; `version` is a release in the making.

    Nothing yet is an answer, too: a model that runs nowhere says so.
    """
    releases = record.find(Release, model=model)
    newest = max(releases, key=lambda release: release.number, default=None)
    runs = [d for d in record.find(Deployment, model=model) if d.until is None]
    reviews = [sign_off for sign_off in record.find(SignOff, model=model) if sign_off.line == 2]
    windows = record.find(Evidence, kind=PERFORMANCE, model=model)
    return {
        "version": version or (newest.id if newest else "no release yet"),
        "deployed on": ", ".join(f"{d.environment}: {d.release}" for d in runs) or "nowhere yet",
        "last review": f"{reviews[-1].at.date()} by {reviews[-1].person}"
        if reviews
        else "none yet",
        "monitoring status": _watched(windows, running=bool(runs)),
    }


def _watched(windows: list[Evidence], *, running: bool) -> str:
    if windows:
        last = windows[-1].found
        return f"window to {last.get('window_end', 'now')}: {last.get('verdict', 'closed')}"
    return "no window closed yet" if running else "not running yet"
