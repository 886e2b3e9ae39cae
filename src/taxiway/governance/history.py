"""What ran where and when, and on whose approval: the first question of an auditor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from taxiway.core.errors import MissingError
from taxiway.core.facts import Deployment, Model
from taxiway.core.moves import ENVIRONMENTS
from taxiway.core.people import SignOff
from taxiway.core.ports import Desk


@dataclass(frozen=True, slots=True)
class Approval:
    """A signature that a deployment rested on."""

    sign_off: str
    check: str
    line: int
    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """A release in an environment, from when to when, and on whose approval."""

    deployment: str
    model: str
    environment: str
    role: str
    release: str
    release_digest: str
    since: datetime
    until: datetime | None
    how: str
    by: str
    replaces: str | None
    evidence_digest: str
    approvals: tuple[Approval, ...]
    missing: tuple[str, ...]
    """Sign-offs that the deployment names and the record does not have."""


def history(desk: Desk, model: str | None = None, environment: str | None = None) -> list[Stay]:
    """Every deployment, oldest first; of one model, or in one environment.

    Raises `MissingError` with the close match if there is no such model or environment.
    """
    wanted: dict[str, str] = {}
    if model is not None:
        wanted["model"] = desk.record.get(Model, model).id
    signed = {one.id: one for one in desk.record.find(SignOff, **wanted)}
    if environment is not None:
        if environment not in ENVIRONMENTS:
            raise MissingError.named("environment", environment, ENVIRONMENTS)
        wanted["environment"] = environment
    stays = [_stay(one, signed) for one in desk.record.find(Deployment, **wanted)]
    return sorted(stays, key=lambda stay: stay.since)


def running_on(
    desk: Desk, at: datetime, model: str | None = None, environment: str | None = None
) -> list[Stay]:
    """What ran at a moment, environments in the order in which a release enters them."""
    running = [
        stay
        for stay in history(desk, model, environment)
        if stay.since <= at and (stay.until is None or at < stay.until)
    ]
    return sorted(running, key=lambda stay: (stay.model, ENVIRONMENTS.index(stay.environment)))


def _stay(one: Deployment, signed: dict[str, SignOff]) -> Stay:
    return Stay(
        deployment=one.id,
        model=one.model,
        environment=one.environment,
        role=one.role,
        release=one.release,
        release_digest=one.release_digest,
        since=one.since,
        until=one.until,
        how=one.how,
        by=one.by,
        replaces=one.replaces,
        evidence_digest=one.evidence_digest,
        approvals=tuple(_approval(signed[key]) for key in one.sign_offs if key in signed),
        missing=tuple(key for key in one.sign_offs if key not in signed),
    )


def _approval(given: SignOff) -> Approval:
    return Approval(given.id, given.check, given.line, given.person, given.reason, given.at)
