"""Wires the guardrail of a canary: what the charter asks of it, and what the record hears of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from taxiway.bootstrap.planned import deployment_of
from taxiway.core.errors import ConflictError
from taxiway.core.facts import Alert, Deployment, Finding, Model

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.serving.guardrail import Breach, Limits

CALLED = ("engineering", "development")
"""The owners who are called when a canary is taken off."""


def limits_of(workspace: Workspace, model: str) -> Limits:
    """What the charter asks of a canary; a charter from before there were any asks the usual."""
    from taxiway.serving.guardrail import Limits

    deployment = deployment_of(workspace, workspace.record.get(Model, model))
    guardrail = deployment.get("guardrail", {})
    return Limits(**guardrail, latency_ms_p99=deployment["latency_ms_p99"])


def take_off(workspace: Workspace, breach: Breach) -> None:
    """Writes down that a guardrail took a canary off: on behalf of nobody, and calls its owners.

    If somebody else ended it first, there is nothing left to write.
    """
    from taxiway.release.promotion import withdraw as end

    desk = dataclasses.replace(workspace.desk, actor=None)
    deployment = desk.record.get(Deployment, breach.deployment)
    if deployment.until is not None:
        return
    owners = desk.record.get(Model, deployment.model).owners
    now = desk.now()
    finding = Finding(
        id=desk.new_id(),
        model=deployment.model,
        release=deployment.release,
        environment=deployment.environment,
        kind="guardrail",
        subject=breach.rule,
        severity="page",
        window_start=deployment.since,
        window_end=now,
        what=f"{breach.release} was taken off as canary: {breach.what}",
        found=breach.found,
        required=breach.required,
        at=now,
    )
    called = {owners.get(place) or "nobody": place for place in reversed(CALLED)}
    alerts = [
        Alert(
            id=desk.new_id(),
            finding=finding.id,
            model=deployment.model,
            environment=deployment.environment,
            owner=place,
            person=person,
            state="open",
            at=now,
        )
        for person, place in called.items()
    ]
    try:
        end(desk, deployment, reason=finding.what, findings=[finding, *alerts])
    except ConflictError:
        return
