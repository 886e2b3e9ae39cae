"""Alerts: who was called about what, and the answer of whoever looked."""

from __future__ import annotations

import dataclasses

from taxiway.core.errors import InputError, RefusedError
from taxiway.core.facts import Alert, Finding
from taxiway.core.moves import ALERT, require_move
from taxiway.core.ports import Desk, Record


def alerts(
    record: Record, model: str | None = None, *, every: bool = False
) -> list[tuple[Alert, Finding]]:
    """Alerts with what they are about, oldest first: those that wait for an answer, or all."""
    found = record.find(Alert) if model is None else record.find(Alert, model=model)
    return [
        (one, record.get(Finding, one.finding))
        for one in sorted(found, key=lambda one: one.at)
        if every or one.state != "closed"
    ]


def close_alert(desk: Desk, id: str, reason: str, *, dry_run: bool = False) -> Alert:
    """Whoever was called, or an owner, has looked and says what came of it.

    Raises `RefusedError` for anybody else, and for an alert that is closed.
    """
    actor = desk.acting(to=f"close alert {id}")
    alert = desk.record.get(Alert, id)
    if actor.name != alert.person and "owner" not in actor.roles:
        raise RefusedError(
            f"{actor.name} may not close alert {id}: it called {alert.person}, and takes them or an"
            " owner."
        )
    if not reason.strip():
        raise InputError("An alert is closed with what came of it: --reason is empty.")
    require_move(f"alert {id}", ALERT, alert.state, "closed")
    after = dataclasses.replace(
        alert, state="closed", answered_by=actor.name, answered_at=desk.now()
    )
    if not dry_run:
        with desk.change("alert.closed", id, model=alert.model) as change:
            change.replace(alert, after)
            change.details = {"finding": alert.finding, "reason": reason}
    return after
