"""What the ledger's events say of the facts that they were written with, one kind after another.

An event tells of a fact twice: in plain text (actor, subject, details), and by the digest of the
facts as they were written. `told` holds both against the facts as they are now. A new kind of
event is one function and one line of `TALES`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from taxiway.core import evidence as kinds
from taxiway.core.digest import utc_text
from taxiway.core.evidence import Evidence
from taxiway.core.facts import (
    Alert,
    Developed,
    Finding,
    Model,
    Proposal,
    Release,
    Run,
    Snapshot,
)
from taxiway.core.ledger import Event
from taxiway.core.people import Deviation, Handoff, Person, SignOff
from taxiway.core.ports import Record

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tale:
    """How the ledger tells of one kind of fact."""

    kind: type[Any]
    actions: tuple[str, ...]
    """How the actions begin that tell of it."""
    says: Callable[[Event], tuple[str, Fields] | None]
    """The fact's id, and those of its fields that an event says in plain text."""
    digested: Callable[[Record, Event, Any], Sequence[Sequence[object]]] = lambda *_: ()
    """What the digest of the fact's last event is over: one of these; none if of something else."""
    every: bool = False
    """Whether that can be said of the events before it, too."""


def _person(event: Event) -> tuple[str, Fields]:
    if event.action == "person.removed":
        return event.subject, {}
    details = event.details
    roles = {"roles": tuple(details["roles"]), "public_key": details["public_key"]}
    return event.subject, roles


def _model(event: Event) -> tuple[str, Fields]:
    return event.subject, {
        "charter_digest": event.digest,
        "tier": event.details["tier"],
        "owners": event.details["owners"],
        "by": event.actor,
    }


def _developed(event: Event) -> tuple[str, Fields] | None:
    started = event.action == "run.started"
    person = event.actor if started else event.details["owners"].get("development")
    if person is None:
        return None
    return f"{event.model}/{person}", {"model": event.model, "person": person}


def _snapshot(event: Event) -> tuple[str, Fields]:
    return event.subject, {
        "model": event.model,
        "rows": event.details["rows"],
        "data_digest": event.details["data"],
        "contract_digest": event.details["contract"],
        "source": event.details["source"]["name"],
        "by": event.actor,
    }


def _run(event: Event) -> tuple[str, Fields]:
    details = event.details
    if event.action == "release.created":
        ended = {"snapshot": details["snapshot"], "metrics": details["metrics"]}
        return details["run"], {"state": "finished", "release": event.subject, **ended}
    state = event.action.removeprefix("run.")
    return event.subject, {"state": state, "model": event.model, "by": event.actor}


def _of_run(record: Record, event: Event, fact: Any) -> list[list[object]]:
    if event.action == "release.created":
        return []
    if event.action == "run.failed":
        return [[fact]]
    nothing_yet = dict.fromkeys(("finished_at", "metrics", "release", "error"))
    started = dataclasses.replace(fact, state="started", parameters={}, **nothing_yet)
    return [[started], [started, *record.find(Developed, model=fact.model, person=fact.by)]]


def _release(event: Event) -> tuple[str, Fields]:
    return event.subject, {
        "digest": event.digest,
        "model": event.model,
        "number": int(event.subject.rpartition(":")[2]),
        "run": event.details["run"],
        "snapshot": event.details["snapshot"],
        "author": event.actor,
    }


def _sign_off(event: Event) -> tuple[str, Fields]:
    details = event.details
    return details["sign_off"], {
        "check": details["check"],
        "release": event.subject,
        "person": event.actor,
        "line": details["line"],
        "reason": details["reason"],
        "model_digest": event.digest,
        "data_digest": details["data"],
        "evidence_digest": details["evidence"],
    }


def _deviation(event: Event) -> tuple[str, Fields]:
    state = event.action.removeprefix("deviation.")
    return event.details["deviation"], {
        **{field: event.details[field] for field in ("check", "reason", "risk")},
        "release": event.subject,
        "state": state,
        "asked_by" if state == "asked" else "decided_by": event.actor,
    }


def _handoff(event: Event) -> tuple[str, Fields]:
    state = event.action.removeprefix("handoff.")
    return event.details["handoff"], {
        "stage": event.details["stage"],
        "subject": event.subject,
        "state": state,
        "offered_by" if state == "offered" else "answered_by": event.actor,
    }


def _proposal(event: Event) -> tuple[str, Fields]:
    details, state = event.details, event.action.removeprefix("proposal.")
    if state == "opened":
        return event.subject, {"state": "open", "environment": details["environment"]}
    if state == "extended":
        return event.subject, {}
    sides = {"champion": details["champion"], "challenger": details["challenger"]}
    if state == "compared":
        return event.subject, {"state": state, **sides}
    decided = {"decision": details["decision"], "decided_by": event.actor}
    return event.subject, {"state": state, **sides, **decided}


def _of_proposal(record: Record, event: Event, fact: Any) -> list[list[object]]:
    """A proposal is written with its comparison, or with the alerts that it answers."""
    if event.action == "proposal.compared":
        return [[*record.find(Evidence, id=fact.comparison), fact]]
    alerts = event.details.get("alerts", fact.alerts)
    return [[fact, *(alert for key in alerts for alert in record.find(Alert, id=key))]]


def _alone(_record: Record, _event: Event, fact: Any) -> list[list[object]]:
    return [[fact]]


TALES: Mapping[str, Tale] = {
    "person": Tale(Person, ("person.",), _person, _alone),
    "model": Tale(Model, ("charter.planned",), _model),
    "developer": Tale(Developed, ("charter.planned", "run.started"), _developed),
    "snapshot": Tale(Snapshot, ("snapshot.taken",), _snapshot),
    "run": Tale(Run, ("run.", "release.created"), _run, _of_run, every=True),
    "release": Tale(Release, ("release.created",), _release),
    "sign-off": Tale(SignOff, ("check.signed",), _sign_off),
    "deviation": Tale(Deviation, ("deviation.",), _deviation, _alone),
    "handoff": Tale(Handoff, ("handoff.",), _handoff, _alone),
    "proposal": Tale(Proposal, ("proposal.",), _proposal, _of_proposal),
}
"""Kind of fact -> how the ledger tells of it."""

WRITES: Mapping[str, tuple[str, ...]] = {
    "charter.planned": (kinds.PLAN,),
    "snapshot.taken": (kinds.PROVENANCE, kinds.VALIDATION),
    "release.created": (
        kinds.PLAN,
        kinds.CODE,
        kinds.RERUN,
        kinds.LEAKAGE,
        kinds.METRICS,
        kinds.SLICES,
        kinds.EXPLANATIONS,
        kinds.LIKENESS,
    ),
    "release.rehearsed": (kinds.REHEARSAL,),
    "proposal.compared": (kinds.COMPARISON,),
}
"""Action -> the kinds of evidence that it writes, one of each, about its subject; a comparison is
about the challenger."""

SOMETIMES = (kinds.LIKENESS,)
"""Kinds of evidence that an action writes only where there is something to compare with."""

HOW = {"deployment.promoted": "promotion", "deployment.rolled_back": "rollback"}
"""Action -> how the deployment came about."""


def deployment(event: Event) -> Fields:
    """What a promotion or a rollback says of its deployment, which it does not name."""
    return {
        "model": event.model,
        "environment": event.details["environment"],
        "release": event.subject,
        "release_digest": event.digest,
        "evidence_digest": event.details["evidence"],
        "sign_offs": tuple(event.details["sign_offs"]),
        "replaces": event.details["replaces"],
        "how": HOW[event.action],
        "by": event.actor,
    }


CLOSED = "window.closed"

STEPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "drift": (kinds.DRIFT, ("drift", "output")),
    "performance": (kinds.PERFORMANCE, ("performance",)),
    "value": (kinds.VALUE, ("value",)),
}
"""Verdict of a window -> the kind of its evidence, and the kinds of findings that come of it."""


WATCHED = frozenset(kind for kind, _ in STEPS.values())
"""Kinds of evidence that only windows write."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything that windows wrote, to be found by what their events say."""

    evidence: Mapping[str, Evidence]
    findings: Mapping[tuple[str, str, str], Sequence[Finding]]
    """(release, environment, start of the window) -> its findings, in their order."""
    alerts: Mapping[str, Alert]
    """Finding -> its alert."""
    facts: Sequence[Evidence | Finding | Alert]
    """All of it."""


def watched_of(record: Record) -> Watched:
    """Everything in the record that windows wrote."""
    evidence = [one for one in record.find(Evidence) if one.kind in WATCHED]
    alerts = record.find(Alert)
    findings: dict[tuple[str, str, str], list[Finding]] = {}
    for one in record.find(Finding):
        place = (one.release, one.environment, utc_text(one.window_start))
        findings.setdefault(place, []).append(one)
    return Watched(
        {one.id: one for one in evidence},
        findings,
        {one.finding: one for one in alerts},
        [*evidence, *chain.from_iterable(findings.values()), *alerts],
    )


def window(event: Event, watched: Watched) -> Iterator[Evidence | Finding | Alert]:
    """What the closing of a window wrote, in its order; alerts as they were before any answer."""
    start = event.details["window_start"]
    environment = event.subject.split("/")[1]
    for release, verdicts in sorted(event.details["releases"].items()):
        steps = [step for name, step in STEPS.items() if name in verdicts]
        names = [f"{kind}/{release}/{environment}/{start[:10]}" for kind, _ in steps]
        yield from (watched.evidence[name] for name in names if name in watched.evidence)
        findings = [
            finding
            for finding in watched.findings.get((release, environment, start), ())
            if any(finding.kind in of_step for _, of_step in steps)
        ]
        yield from findings
        for finding in findings:
            alert = watched.alerts.get(finding.id)
            if alert:
                yield dataclasses.replace(
                    alert, state="open", answered_by=None, answered_at=None, proposal=None
                )
