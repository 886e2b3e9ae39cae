"""Proposals: what alerts ask for, gathered so that there is one at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from taxiway.core.charter import Charter
from taxiway.core.errors import MissingError, RefusedError
from taxiway.core.facts import Alert, Deployment, Finding, Proposal
from taxiway.core.moves import ALERT, require_move
from taxiway.core.ports import Desk, Telling

PENDING = ("open", "compared")
"""States of a proposal on which nobody has decided."""

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Proposed:
    """The proposal that waits for a model, and how it came about."""

    proposal: Proposal | None
    added: tuple[str, ...]
    """Alerts that joined it now."""
    why: str


def pending(desk: Desk, model: str, environment: str) -> Proposal | None:
    """The proposal of a model and environment on which nobody has decided yet, or None."""
    waiting = desk.record.find(Proposal, model=model, environment=environment)
    return next((one for one in waiting if one.state in PENDING), None)


def champion_of(desk: Desk, model: str, environment: str) -> str:
    """The release that is champion. Raises `MissingError` if there is none."""
    champions = desk.record.find(
        Deployment, model=model, environment=environment, role="champion", until=None
    )
    if not champions:
        raise MissingError(
            f"{model} has no champion in {environment}, so there is nothing to retrain.",
            todo=f"Promote a release first: taxiway promote {model}:1 --to {environment}",
        )
    return champions[-1].release


def propose(
    desk: Desk, *, model: str, environment: str, charter: Charter, dry_run: bool = False
) -> Proposed:
    """Gathers the open alerts of the kinds in the charter's triggers into one open proposal.

    A second call adds what is new to the proposal that is waiting and never makes another. The
    alerts become acknowledged and name the proposal. Where no alert is open, the proposal that is
    waiting, if any, is handed back as it is.
    """
    actor = desk.acting("owner", "developer", "engineer", to=f"propose a retraining of {model}")
    waiting = pending(desk, model, environment)
    alerts = _triggering(desk, model, environment, charter)
    if not alerts:
        triggers = ", ".join(charter.retraining.triggers)
        why = f"No open alert of {model} in {environment} is about {triggers}."
        if waiting:
            why += f" Proposal {waiting.id} is {waiting.state}."
        return Proposed(waiting, (), why)
    reason = _reason([finding for _, finding in alerts])
    ids = tuple(alert.id for alert, _ in alerts)
    if waiting:
        proposal = dataclasses.replace(
            waiting, alerts=waiting.alerts + ids, reason=f"{waiting.reason} {reason}"
        )
        joined = _alerts(len(ids), "joined", "joined")
        why = f"{joined} proposal {proposal.id}, which is {proposal.state}."
    else:
        proposal = Proposal(
            id=desk.new_id(),
            model=model,
            environment=environment,
            champion=champion_of(desk, model, environment),
            reason=reason,
            alerts=ids,
            state="open",
            at=desk.now(),
            by=actor.name,
        )
        why = f"{_alerts(len(ids), 'asks', 'ask')} for a retraining."
    if not dry_run:
        action = "proposal.extended" if waiting else "proposal.opened"
        with desk.change(action, proposal.id, model=model) as change:
            if waiting:
                change.replace(waiting, proposal)
            else:
                change.add(proposal)
            for alert, _ in alerts:
                answer(desk, change, alert, state="acknowledged", proposal=proposal.id)
            change.details = {"environment": environment, "alerts": list(ids)}
    return Proposed(proposal, ids, why)


def answer(desk: Desk, change: Telling, alert: Alert, *, state: str, proposal: str) -> None:
    """Moves an alert along its table on behalf of the actor, in somebody's transaction."""
    require_move(f"alert {alert.id}", ALERT, alert.state, state)
    if desk.actor is None:
        raise RefusedError(f"Nobody is named who answers alert {alert.id}.")
    after = dataclasses.replace(
        alert,
        state=state,
        answered_by=desk.actor.name,
        answered_at=desk.now(),
        proposal=proposal,
    )
    change.replace(alert, after)


def _triggering(
    desk: Desk, model: str, environment: str, charter: Charter
) -> list[tuple[Alert, Finding]]:
    """The open alerts that the charter lets ask for a retraining, each with its finding."""
    alerts = desk.record.find(Alert, model=model, environment=environment, state="open")
    pairs = [(alert, desk.record.get(Finding, alert.finding)) for alert in alerts]
    return [pair for pair in pairs if pair[1].kind in charter.retraining.triggers]


def _alerts(count: int, one: str, more: str) -> str:
    return f"1 alert {one}" if count == 1 else f"{count} alerts {more}"


def _reason(findings: Sequence[Finding]) -> str:
    shown = "; ".join(finding.what for finding in findings[:SHOWN])
    more = len(findings) - SHOWN
    return f"{shown}; and {more} more." if more > 0 else f"{shown}."
