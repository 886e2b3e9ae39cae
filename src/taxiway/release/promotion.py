"""Moving releases between environments: forward along the legal table, and back in one step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from taxiway.core.check import FlightCheck
from taxiway.core.errors import MissingError, Problem, RefusedError
from taxiway.core.facts import Deployment, Release
from taxiway.core.moves import PROMOTION
from taxiway.core.people import SignOff
from taxiway.core.ports import Desk

CHAMPION = "champion"


def champion(desk: Desk, model: str, environment: str) -> Deployment | None:
    """The deployment that answers in an environment now."""
    found = desk.record.find(
        Deployment, model=model, environment=environment, role=CHAMPION, until=None
    )
    return found[0] if found else None


def require_legal(
    desk: Desk, release: Release, environment: str, current: Deployment | None
) -> None:
    """Raises `RefusedError` unless the release was in the environment before this one."""
    if environment not in PROMOTION:
        raise MissingError.named("environment", environment, PROMOTION)
    before = PROMOTION[environment]
    if before and not desk.record.find(Deployment, release=release.id, environment=before):
        raise RefusedError(
            f"{release.id} can't go to {environment}: it was never in {before}."
            f" The way is {' -> '.join(PROMOTION)}.",
            todo=f"First: taxiway promote {release.id} --to {before}",
        )
    if current and current.release == release.id:
        raise RefusedError(f"{release.id} is already the champion in {environment}.")


def require_clear(check: FlightCheck) -> None:
    """Raises `RefusedError` with every blocking verdict of a flight check."""
    if check.clear:
        return
    raise RefusedError(
        f"{check.release} can't go to {check.environment}: {len(check.blocking)} of"
        f" {len(check.required)} required checks are not clear.",
        [
            Problem(
                f"{v.check} {v.status}: {v.why}",
                found=v.found or None,
                expected=v.required or None,
                todo=v.todo or None,
            )
            for v in check.blocking
        ]
        or [Problem("the policy requires nothing, and nothing is never enough")],
        todo=f"See `taxiway check {check.release} --for {check.environment}`.",
    )


def promote(
    desk: Desk,
    release: Release,
    environment: str,
    *,
    check: Callable[[], FlightCheck],
    sound: Callable[[], None],
    sign_offs: Callable[[], list[SignOff]],
    dry_run: bool = False,
) -> Deployment:
    """The release becomes the environment's champion, if it may, at this moment.

    `sound` verifies every digest and signature again and raises what does not hold; `check` is the
    flight check as of now. State and event are one transaction; of two promotions at once one is
    refused with `ConflictError` and nothing of it remains.
    """
    actor = desk.acting("engineer", to=f"promote {release.id}")
    # Read once, before everything else: who comes second finds that it is no longer so.
    current = champion(desk, release.model, environment)
    require_legal(desk, release, environment, current)
    sound()
    flown = check()
    require_clear(flown)
    deployment = Deployment(
        id=desk.new_id(),
        model=release.model,
        environment=environment,
        role=CHAMPION,
        release=release.id,
        release_digest=release.digest,
        evidence_digest=flown.binding.evidence,
        sign_offs=tuple(s.id for s in sign_offs()),
        replaces=current.release if current else None,
        how="promotion",
        since=desk.now(),
        by=actor.name,
    )
    if not dry_run:
        _switch(desk, current, deployment, "deployment.promoted", "")
    return deployment


def rollback(
    desk: Desk,
    model: str,
    environment: str,
    *,
    reason: str,
    find_release: Callable[[str], Release],
    sound: Callable[[Release], None],
    dry_run: bool = False,
) -> Deployment:
    """Back to the release that was the champion before; its digests and signature are verified."""
    actor = desk.acting("engineer", "owner", to=f"roll back {environment}")
    current = champion(desk, model, environment)
    if current is None:
        raise MissingError(f"{model} has no champion in {environment}: there is nothing to leave.")
    # Walk back over what ran here: a rollback of a rollback goes further back, never to and fro.
    left = {current.release}
    for deployment in reversed(
        desk.record.find(Deployment, model=model, environment=environment, role=CHAMPION)
    ):
        if deployment.how == "rollback" and deployment.replaces:
            left.add(deployment.replaces)
        elif deployment.release not in left:
            break
    else:
        raise RefusedError(
            f"There is no earlier release of {model} in {environment} to go back to:"
            f" {current.release} is the first.",
            todo="Promote another release, or end the server.",
        )
    target = find_release(deployment.release)
    sound(target)
    back = dataclasses.replace(
        deployment,
        id=desk.new_id(),
        replaces=current.release,
        how="rollback",
        since=desk.now(),
        by=actor.name,
        until=None,
    )
    if not dry_run:
        _switch(desk, current, back, "deployment.rolled_back", reason)
    return back


def _switch(
    desk: Desk, current: Deployment | None, after: Deployment, action: str, reason: str
) -> None:
    with desk.change(action, after.release, model=after.model) as change:
        if current:
            change.replace(current, dataclasses.replace(current, until=after.since))
        change.add(after)
        change.digest = after.release_digest
        change.details = {
            "environment": after.environment,
            "replaces": after.replaces,
            "evidence": after.evidence_digest,
            "sign_offs": list(after.sign_offs),
        } | ({"reason": reason} if reason else {})
