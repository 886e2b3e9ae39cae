"""Moving releases between environments and roles: forward along the legal tables, and back in one
step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from taxiway.core.check import FlightCheck
from taxiway.core.errors import MissingError, Problem, RefusedError
from taxiway.core.facts import Alert, Deployment, Finding, Release
from taxiway.core.moves import CANARY, CHALLENGER, CHAMPION, DEPLOYMENT, PROMOTION, require_move
from taxiway.core.people import SignOff
from taxiway.core.ports import Desk


def standing(desk: Desk, model: str, environment: str) -> dict[str, Deployment]:
    """Role -> deployment, of the releases that have one in an environment now."""
    found = desk.record.find(Deployment, model=model, environment=environment, until=None)
    return {one.role: one for one in found}


def champion(desk: Desk, model: str, environment: str) -> Deployment | None:
    """The deployment that answers in an environment now."""
    return standing(desk, model, environment).get(CHAMPION)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a release is to become, and where."""

    environment: str
    role: str = CHAMPION
    share: int | None = None
    """Percent of a canary."""


def require_legal(
    desk: Desk, release: Release, wanted: Wanted, now: dict[str, Deployment]
) -> Deployment | None:
    """The deployment of the release itself that ends with this move, if it has one.

    Raises `RefusedError` unless the release was in the environment before this one, and may have
    the role.
    """
    environment, role = wanted.environment, wanted.role
    if environment not in PROMOTION:
        raise MissingError.named("environment", environment, PROMOTION)
    before = PROMOTION[environment]
    earlier = desk.record.find(Deployment, release=release.id, environment=before)
    if before and all(one.role == CHALLENGER for one in earlier):
        raise RefusedError(
            f"{release.id} can't go to {environment}: it was never in {before}."
            f" The way is {' -> '.join(PROMOTION)}.",
            todo=f"First: taxiway promote {release.id} --to {before}",
        )
    own = next((one for one in now.values() if one.release == release.id), None)
    if own and own.role == role and own.share == wanted.share:
        raise RefusedError(f"{release.id} is already {_the(own)} in {environment}.")
    if own:
        require_move(f"{release.id} in {environment}", DEPLOYMENT, own.role, role)
    if role != CHAMPION and CHAMPION not in now:
        raise RefusedError(
            f"{release.id} can't be {role} in {environment}: there is no champion beside it.",
            todo=f"First: taxiway promote RELEASE --to {environment}",
        )
    there = now.get(role)
    if role != CHAMPION and there and there is not own:
        raise RefusedError(
            f"{there.release} is {_the(there)} in {environment}, and there is one at a time.",
            todo=f"End it first: taxiway withdraw {environment} {_OPTION[role]} --reason …",
        )
    return own


def _the(one: Deployment) -> str:
    return f"the {one.role}" + (f" at {one.share} %" if one.share else "")


_OPTION = {CANARY: "--canary", CHALLENGER: "--shadow"}


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
    wanted: Wanted,
    *,
    check: Callable[[], FlightCheck],
    sound: Callable[[], None],
    sign_offs: Callable[[], list[SignOff]],
    dry_run: bool = False,
) -> Deployment:
    """The release gets a role in an environment, if it may, at this moment.

    `sound` verifies every digest and signature again and raises what does not hold; `check` is the
    flight check as of now, which has to be clear for whoever answers: a challenger's answers leave
    nowhere, and what they show comes before the signatures. State and event are one transaction; of
    two promotions at once one is refused with `ConflictError` and nothing of it remains.
    """
    actor = desk.acting("engineer", to=f"promote {release.id}")
    # Read once, before everything else: who comes second finds that it is no longer so.
    now = standing(desk, release.model, wanted.environment)
    own = require_legal(desk, release, wanted, now)
    sound()
    flown = check()
    if wanted.role != CHALLENGER:
        require_clear(flown)
    replaced = now.get(wanted.role)
    deployment = Deployment(
        id=desk.new_id(),
        model=release.model,
        environment=wanted.environment,
        role=wanted.role,
        release=release.id,
        release_digest=release.digest,
        evidence_digest=flown.binding.evidence,
        sign_offs=tuple(s.id for s in sign_offs()),
        replaces=replaced.release if replaced and replaced is not own else None,
        how="promotion",
        since=desk.now(),
        by=actor.name,
        share=wanted.share,
    )
    if own and own.role == wanted.role:  # a canary with another share: its keys stay with it
        deployment = dataclasses.replace(own, share=wanted.share)
        if not dry_run:
            _share(desk, own, deployment)
    elif not dry_run:
        _switch(desk, [one for one in (replaced, own) if one], deployment, "deployment.promoted")
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
    now = standing(desk, model, environment)
    current = now.get(CHAMPION)
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
        # It may have come back as canary or challenger meanwhile.
        ending = [one for one in now.values() if one is current or one.release == back.release]
        _switch(desk, ending, back, "deployment.rolled_back", reason)
    return back


def withdraw(
    desk: Desk,
    deployment: Deployment,
    *,
    reason: str,
    findings: Sequence[Finding | Alert] = (),
    dry_run: bool = False,
) -> Deployment:
    """Ends the role of a canary or a challenger; the champion goes on.

    A guardrail withdraws on behalf of nobody, with its findings. Raises `RefusedError` for a
    champion, and `ConflictError` if somebody else ended it first.
    """
    what = f"{deployment.release} in {deployment.environment}"
    require_move(what, DEPLOYMENT, deployment.role, "withdrawn")
    ended = dataclasses.replace(deployment, until=desk.now())
    if not dry_run:
        with desk.change(
            "deployment.withdrawn", deployment.release, model=deployment.model
        ) as change:
            change.replace(deployment, ended)
            for fact in findings:
                change.add(fact)
            change.digest = deployment.release_digest
            change.details = {
                "environment": deployment.environment,
                "role": deployment.role,
                "reason": reason,
            }
    return ended


def _share(desk: Desk, before: Deployment, after: Deployment) -> None:
    with desk.change("deployment.shared", after.release, model=after.model) as change:
        change.replace(before, after)
        change.digest = after.release_digest
        change.details = {
            "environment": after.environment,
            "share": after.share,
            "before": before.share,
        }


def _switch(
    desk: Desk, ending: Sequence[Deployment], after: Deployment, action: str, reason: str = ""
) -> None:
    with desk.change(action, after.release, model=after.model) as change:
        for one in ending:
            change.replace(one, dataclasses.replace(one, until=after.since))
        change.add(after)
        change.digest = after.release_digest
        change.details = (
            {
                "environment": after.environment,
                "replaces": after.replaces,
                "evidence": after.evidence_digest,
                "sign_offs": list(after.sign_offs),
            }
            | ({"role": after.role} if after.role != CHAMPION else {})
            | ({"share": after.share} if after.share else {})
            | ({"reason": reason} if reason else {})
        )
