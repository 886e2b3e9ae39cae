"""What runs where, who owns it, and what waits for whom: computed from the record alone.

It has to answer at once, so nothing here imports pydantic, YAML or a frame library.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from taxiway.core.errors import TaxiwayError
from taxiway.core.evidence import (
    DRIFT,
    OVERSIGHT,
    PERFORMANCE,
    RECONCILIATION,
    VALUE,
    Evidence,
)
from taxiway.core.facts import Alert, Deployment, Finding, Model, Proposal, Release, Run
from taxiway.core.moves import CHAMPION, ENVIRONMENTS, HANDOFF_STAGES
from taxiway.core.people import Deviation, Handoff, Review
from taxiway.core.ports import Desk, Record
from taxiway.governance.deviation import GRANTS

ENDS_SOON = timedelta(days=14)
"""How long before its end a deviation begins to wait for who asked for it."""

NOBODY = "nobody"
"""Where the charter names no owner for a place."""


@dataclass(frozen=True, slots=True)
class Running:
    """A release in an environment now."""

    environment: str
    release: str
    role: str
    since: datetime
    by: str
    share: int | None = None
    """Percent of a canary."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that a person has to do next."""

    kind: str
    """`handoff`, `deviation`, `alert`, `proposal`, `case`, `meaning` or `run`."""
    id: str
    what: str
    subject: str
    person: str
    """Who has to act; `any validator` where everybody with the role may."""
    since: datetime
    due: datetime | None
    state: str
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Monitored:
    """The verdict of the newest window of a kind in an environment."""

    environment: str
    kind: str
    """`drift`, `performance`, `value` or `oversight`."""
    release: str
    window_start: str
    window_end: str
    verdict: str
    what: str
    """The figures behind the verdict, in words."""
    examined: int


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """How a model stands."""

    model: str
    kind: str
    tier: str
    owners: Mapping[str, str]
    release: str | None
    """The newest one."""
    running: tuple[Running, ...]
    waiting: tuple[Waiting, ...]
    """The longest wait first."""
    monitoring: tuple[Monitored, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """How everything stands at a moment."""

    at: datetime
    models: tuple[ModelStatus, ...]


def status(desk: Desk, model: str | None = None) -> Status:
    """How every model stands, or one of them. Raises `MissingError` with the close match."""
    models = desk.record.find(Model) if model is None else [desk.record.get(Model, model)]
    now = desk.now()
    return Status(now, tuple(_model_status(desk, one, now) for one in models))


def _model_status(desk: Desk, model: Model, now: datetime) -> ModelStatus:
    record = desk.record
    deployments = record.find(Deployment, model=model.id)
    running = [one for one in deployments if one.until is None]
    running.sort(key=lambda one: (ENVIRONMENTS.index(one.environment), one.role != CHAMPION))
    releases = record.find(Release, model=model.id)
    waiting = [
        *_handoffs(record, model),
        *_deviations_asked(record, model),
        *_deviations_ending(record, model, {one.release for one in running}, now + ENDS_SOON),
        *_alerts(record, model),
        *_proposals(desk, model),
        *_cases(record, model),
        *_meaning(desk, model),
        *_runs(record, model),
    ]
    return ModelStatus(
        model=model.id,
        kind=model.kind,
        tier=model.tier,
        owners=model.owners,
        release=releases[-1].id if releases else None,
        running=tuple(
            Running(one.environment, one.release, one.role, one.since, one.by, one.share)
            for one in running
        ),
        waiting=tuple(
            dataclasses.replace(one, overdue=one.due is not None and one.due < now)
            for one in sorted(waiting, key=lambda one: one.since)
        ),
        monitoring=tuple(_monitoring(record, deployments)),
    )


def _handoffs(record: Record, model: Model) -> Iterator[Waiting]:
    for one in record.find(Handoff, model=model.id, state="offered"):
        yield Waiting(
            kind="handoff",
            id=one.id,
            what=f"answer the {one.stage} handoff of {one.offered_by}: {one.summary}",
            subject=one.subject,
            person=model.owners.get(HANDOFF_STAGES[one.stage][1], NOBODY),
            since=one.offered_at,
            due=one.due,
            state=one.state,
        )


def _deviations_asked(record: Record, model: Model) -> Iterator[Waiting]:
    for one in record.find(Deviation, model=model.id, state="asked"):
        yield Waiting(
            kind="deviation",
            id=one.id,
            what=f"grant or refuse the deviation from {one.check} that {one.asked_by} asked for",
            subject=one.release,
            person=f"any {_granting_roles().get(one.check, 'owner, validator or auditor')}",
            since=one.asked_at,
            due=None,
            state=one.state,
        )


def _deviations_ending(
    record: Record, model: Model, running: Collection[str], soon: datetime
) -> Iterator[Waiting]:
    """Deviations on which a running release rests, and that end soon or ended."""
    last: dict[tuple[str, str], Deviation] = {}
    for one in record.find(Deviation, model=model.id, state="granted"):
        place = (one.check, one.release)
        if one.release in running and (place not in last or last[place].until < one.until):
            last[place] = one
    for one in last.values():
        if one.until <= soon:
            yield Waiting(
                kind="deviation",
                id=one.id,
                what=f"settle {one.check}: the deviation from it ends on {one.until:%Y-%m-%d}",
                subject=one.release,
                person=one.asked_by,
                since=one.decided_at or one.asked_at,
                due=one.until,
                state=one.state,
            )


@cache
def _granting_roles() -> Mapping[str, str]:
    """Check -> the role that may grant a deviation from it, without loading YAML for two lines."""
    catalogue = (Path(__file__).parent / "catalogue.yaml").read_text("utf-8")
    lines = re.findall(r"^- id: (\S+)\n(?:  .*\n)*?  lines: \[([\d, ]+)\]", catalogue, re.MULTILINE)
    return {check: GRANTS[max(map(int, of_it.split(",")))] for check, of_it in lines}


def _alerts(record: Record, model: Model) -> Iterator[Waiting]:
    for state in ("open", "acknowledged"):
        for one in record.find(Alert, model=model.id, state=state):
            findings = record.find(Finding, id=one.finding)
            yield Waiting(
                kind="alert",
                id=one.id,
                what=findings[0].what if findings else f"finding {one.finding} is gone",
                subject=findings[0].release if findings else one.finding,
                person=one.person,
                since=one.at,
                due=None,
                state=state,
            )


def _proposals(desk: Desk, model: Model) -> Iterator[Waiting]:
    for one in desk.record.find(Proposal, model=model.id, state="open"):
        yield Waiting(
            kind="proposal",
            id=one.id,
            what=f"train a challenger for {one.champion} in {one.environment}",
            subject=one.champion,
            person=model.owners.get("development", NOBODY),
            since=one.at,
            due=None,
            state=one.state,
        )
    for one in desk.record.find(Proposal, model=model.id, state="compared"):
        comparisons = desk.record.find(Evidence, id=one.comparison)
        verdict = comparisons[0].found.get("verdict", "") if comparisons else "no comparison"
        yield Waiting(
            kind="proposal",
            id=one.id,
            what=f"accept or decline {one.challenger} in place of {one.champion}: {verdict}",
            subject=one.challenger or one.champion,
            person=model.owners.get(_decided_by(desk, model), NOBODY),
            since=comparisons[0].at if comparisons else one.at,
            due=None,
            state=one.state,
        )


def _cases(record: Record, model: Model) -> Iterator[Waiting]:
    """Cases that somebody has to decide: for each of them, the one that is due first.

    What nobody has taken yet stands in the decision log alone: `taxiway cases list`.
    """
    waiting: dict[tuple[str, str], list[Review]] = {}
    for state in ("taken", "escalated"):
        for one in record.find(Review, model=model.id, state=state):
            person = one.taken_by if state == "taken" else None
            waiting.setdefault((state, person or "any owner"), []).append(one)
    for (state, person), reviews in waiting.items():
        first = min(reviews, key=lambda one: one.due)
        count = f"{len(reviews):,} {state} case{'s' if len(reviews) > 1 else ''}"
        yield Waiting(
            kind="case",
            id=first.id,
            what=f"decide {count}: {', '.join(first.because)}",
            subject=first.release,
            person=person,
            since=min(one.opened_at for one in reviews),
            due=first.due,
            state=state,
        )


def _meaning(desk: Desk, model: Model) -> Iterator[Waiting]:
    """Findings of `data reconcile` that somebody has to settle."""
    reconciled = desk.record.find(Evidence, subject=model.id, kind=RECONCILIATION)
    if not reconciled:
        return
    from taxiway.governance.meaning import unsettled

    found = unsettled(desk.record, desk.verify, model.id)
    if found:
        first, more = found[0], f", and {len(found) - 1} more" if len(found) > 1 else ""
        yield Waiting(
            kind="meaning",
            id=first["id"],
            what=f"settle what columns mean: {first['says']}{more}",
            subject=model.id,
            person="any owner",
            since=reconciled[-1].at,
            due=None,
            state="open",
        )


def _decided_by(desk: Desk, model: Model) -> str:
    """The owner's place that the charter leaves the decision to, read as plain JSON."""
    try:
        charter = json.loads(desk.objects.get(model.charter_digest))
        return str(charter["retraining"]["decided_by"])
    except (TaxiwayError, ValueError, LookupError, TypeError):
        return "business"


def _runs(record: Record, model: Model) -> Iterator[Waiting]:
    for one in record.find(Run, model=model.id, state="started"):
        yield Waiting(
            kind="run",
            id=one.id,
            what="the run has not ended: it still runs, or it was killed",
            subject=one.snapshot,
            person=one.by,
            since=one.started_at,
            due=None,
            state=one.state,
        )


def _monitoring(record: Record, deployments: Sequence[Deployment]) -> Iterator[Monitored]:
    """The newest window of each kind and environment, of the newest release that has one."""
    for environment in ENVIRONMENTS:
        stays = [one for one in deployments if one.environment == environment]
        releases = list(dict.fromkeys(one.release for one in reversed(stays)))
        for kind, figures in FIGURES.items():
            for release in releases:
                evidence = record.find(
                    Evidence, subject=release, kind=kind, environment=environment
                )
                if evidence:
                    newest = max(evidence, key=lambda one: str(one.found.get("window_start")))
                    yield _monitored(environment, newest, *figures(newest.found))
                    break


def _monitored(environment: str, newest: Evidence, verdict: str, what: str) -> Monitored:
    return Monitored(
        environment=environment,
        kind=newest.kind.removeprefix("monitoring."),
        release=newest.subject,
        window_start=newest.found["window_start"],
        window_end=newest.found["window_end"],
        verdict=verdict,
        what=what,
        examined=newest.examined,
    )


def _drift(found: Mapping[str, Any]) -> tuple[str, str]:
    if found["insufficient"]:
        return "insufficient data", ""
    drifted = [*found["drifted"]]
    if found["output"]["verdict"] == "drifted":
        drifted.append("the output")
    columns = f"{len(found['columns'])} columns"
    return ("drifted", f"{', '.join(drifted)} of {columns}") if drifted else ("same", columns)


def _performance(found: Mapping[str, Any]) -> tuple[str, str]:
    if found["value"] is None:
        return found["verdict"], found["why"]
    figures = f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
    return found["verdict"], f"{found['metric']} {figures}"


def _value(found: Mapping[str, Any]) -> tuple[str, str]:
    realised, promised = (f"{found[name]:,.0f}" for name in ("realised", "promised"))
    return found["verdict"], f"{realised} of {promised} {found['currency']}"


def _oversight(found: Mapping[str, Any]) -> tuple[str, str]:
    cases = f"{found['in_time']:,} of {found['cases']:,} cases in time"
    return found["verdict"], f"{cases}, {found['overridden']:,} overridden"


FIGURES = {DRIFT: _drift, PERFORMANCE: _performance, VALUE: _value, OVERSIGHT: _oversight}
"""Kind of evidence -> its verdict, and the figures behind it."""
