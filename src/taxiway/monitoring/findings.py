"""From evidence to findings, and from findings to the people who are called.

Consequences page their owner: a drop in performance the owner of the development, a broken promise
the owner of the business. Drift is a note that explains them; it calls somebody only where the
charter's `retraining.triggers` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.core import evidence as kinds
from taxiway.core.charter import Charter
from taxiway.core.facts import Alert, Finding
from taxiway.core.kind import LOWER_IS_BETTER
from taxiway.monitoring.drift import DRIFTED
from taxiway.monitoring.performance import BEHIND, BELOW_BAR, DROPPED
from taxiway.monitoring.value import BELOW

PAGE = "page"
NOTE = "note"

CALLED: Mapping[str, str] = {
    "performance": "development",
    "drift": "development",
    "output": "development",
    "value": "business",
}
"""Kind of finding -> the owner who is called."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding before it has its window and its place in the record."""

    kind: str
    subject: str
    severity: str
    what: str
    found: dict[str, Any]
    source: str
    """The kind of evidence that it comes from."""


def drifted(found: Mapping[str, Any]) -> list[Found]:
    """The columns that drifted, the strongest first, and the output."""
    columns = [column for column in found["columns"] if column["verdict"] == DRIFTED]
    columns.sort(key=lambda column: -column["effect"])
    notes = [
        Found(
            "drift",
            column["name"],
            NOTE,
            f"{column['name']} drifted, effect {column['effect']:.3f}",
            dict(column),
            kinds.DRIFT,
        )
        for column in columns
    ]
    output = found["output"]
    if output["verdict"] == DRIFTED:
        said = {"prediction": "number"}.get(output["name"], output["name"])
        what = f"the predicted {said} drifted, effect {output['effect']:.3f}"
        notes.append(Found("output", output["name"], NOTE, what, dict(output), kinds.DRIFT))
    return notes


def worse(found: Mapping[str, Any], required: Mapping[str, Any]) -> list[Found]:
    """A metric that lies below the bar or dropped, and groups that fell behind the whole."""
    metric = found["metric"]
    result: list[Found] = []
    if found["verdict"] in {BELOW_BAR, DROPPED}:
        what = f"{metric} is {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f}), "
        if found["verdict"] == BELOW_BAR:
            least = "most" if metric in LOWER_IS_BETTER else "least"
            what += f"the charter asks for at {least} {found['bar']:.3f}"
        else:
            what += (
                f"on the holdout it was {found['reference']:.3f} and it may change for the worse"
                f" by {required['maximum_drop']:.3f}"
            )
        kept = ("value", "low", "high", "reference", "bar", "verdict")
        numbers = {name: found[name] for name in kept}
        result.append(Found("performance", metric, PAGE, what, numbers, kinds.PERFORMANCE))
    for group in found["fairness"]:
        if group["verdict"] == BEHIND:
            subject = f"{group['column']}={group['value']}"
            what = f"{metric} for {subject} is {group['metric']:.3f}, for all {found['value']:.3f}"
            result.append(Found("performance", subject, PAGE, what, dict(group), kinds.PERFORMANCE))
    return result


def missed(found: Mapping[str, Any]) -> list[Found]:
    """A value that stayed below what was promised."""
    if found["verdict"] != BELOW:
        return []
    what = (
        f"the decisions were worth {found['realised']:,.0f} {found['currency']},"
        f" promised were {found['promised']:,.0f}"
    )
    kept = ("realised", "promised", "currency", "counts", "decisions", "outcomes")
    numbers = {name: found[name] for name in kept}
    return [Found("value", found["currency"], PAGE, what, numbers, kinds.VALUE)]


def alerts_of(
    findings: Sequence[Finding], charter: Charter, *, new_id: Callable[[], str]
) -> tuple[Alert, ...]:
    """One call for each kind of finding that calls somebody, about the first of its kind.

    Ten drifted columns of one window are one call, not ten.
    """
    alerts: dict[str, Alert] = {}
    for finding in findings:
        calls = finding.severity == PAGE or finding.kind in charter.retraining.triggers
        if not calls or finding.kind in alerts:
            continue
        owner = CALLED[finding.kind]
        alerts[finding.kind] = Alert(
            id=new_id(),
            finding=finding.id,
            model=finding.model,
            environment=finding.environment,
            owner=owner,
            person=getattr(charter.owners, owner) or "nobody",
            state="open",
            at=finding.at,
        )
    return tuple(alerts.values())
