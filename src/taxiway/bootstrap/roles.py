"""Wires the moves of releases: into an environment and a role, back, and out of it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.bootstrap import artefacts
from taxiway.bootstrap.flight import binding_of, flight_check, signatures, stored_evidence
from taxiway.core.errors import InputError, MissingError, Problem, RefusedError
from taxiway.core.facts import Deployment, Release
from taxiway.core.moves import CANARY, CHALLENGER, CHAMPION

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.people import SignOff
    from taxiway.serving.compared import Compared


def promote(
    workspace: Workspace,
    name: str,
    environment: str,
    *,
    canary: int | None,
    shadow: bool,
    dry_run: bool,
) -> Deployment:
    """Gives a release a role in an environment, if its flight check is clear at this moment."""
    from taxiway.release.promotion import Wanted
    from taxiway.release.promotion import promote as move

    if canary is not None and shadow:
        raise InputError("A release is a canary or in shadow, not both.")
    release = workspace.find_release(name)
    role = CANARY if canary is not None else CHALLENGER if shadow else CHAMPION
    if role != CHAMPION:
        _require_sent(workspace, release, environment, role)

    def holding() -> list[SignOff]:
        stored = stored_evidence(workspace, release, environment)
        return list(signatures(workspace, release, binding_of(release, stored))[0])

    return move(
        workspace.desk,
        release,
        Wanted(environment, role, canary),
        check=lambda: flight_check(workspace, release, environment),
        sound=lambda: artefacts.require_sound(workspace, release),
        sign_offs=holding,
        dry_run=dry_run,
    )


def _require_sent(workspace: Workspace, release: Release, environment: str, role: str) -> None:
    """Raises `RefusedError` if callers of the champion don't send what this release needs: of such
    a canary no record would be decided, and of such a challenger none compared."""
    from taxiway.data.features.registry import joined_with
    from taxiway.release.promotion import champion

    now = champion(workspace.desk, release.model, environment)
    if now is None:
        return  # the move itself says so
    sent = artefacts.asked_of(workspace, workspace.find_release(now.release))
    joined = joined_with(workspace.record, release.snapshot)
    views = joined.found["views"] if joined else ()
    features = {name for view in views for name in view["columns"]}
    problems = [
        Problem("is needed, and not sent", where=column.name)
        for column in artefacts.asked_of(workspace, release).columns
        if not column.nullable and column.name not in {*sent.names, *features}
    ]
    if problems:
        raise RefusedError(
            f"{release.id} can't be the {role}: callers of {now.release}, the champion of"
            f" {environment}, do not send all that it needs.",
            problems,
            todo="Let them send it, and make it the champion; or train without it.",
        )


def rollback(
    workspace: Workspace, environment: str, *, model: str | None, reason: str, dry_run: bool
) -> Deployment:
    """Back to the last good release of an environment."""
    from taxiway.release.promotion import rollback as move

    return move(
        workspace.desk,
        workspace.find_model(model).id,
        environment,
        reason=reason,
        find_release=workspace.find_release,
        sound=lambda release: artefacts.require_sound(workspace, release),
        dry_run=dry_run,
    )


def withdraw(
    workspace: Workspace,
    environment: str,
    role: str,
    *,
    model: str | None,
    reason: str,
    dry_run: bool,
) -> Deployment:
    """Ends the role of the canary or the challenger of an environment."""
    from taxiway.release.promotion import standing
    from taxiway.release.promotion import withdraw as end

    workspace.desk.acting("engineer", "owner", to=f"withdraw the {role} of {environment}")
    name = workspace.find_model(model).id
    found = standing(workspace.desk, name, environment).get(role)
    if found is None:
        raise MissingError(f"{name} has no {role} in {environment}: there is nothing to withdraw.")
    return end(workspace.desk, found, reason=reason, dry_run=dry_run)


def compare_shadow(
    workspace: Workspace,
    environment: str,
    *,
    model: str | None,
    start: datetime | None,
    end: datetime | None,
) -> Compared:
    """The champion and the challenger of now, or the last one, on the keys that both decided."""
    from taxiway.bootstrap.serving import champion_of
    from taxiway.serving import shadow
    from taxiway.serving.compared import compare

    name = workspace.find_model(model).id
    champion = champion_of(workspace, name, environment)
    stays = workspace.record.find(Deployment, model=name, environment=environment, role=CHALLENGER)
    if not stays:
        raise MissingError(
            f"{name} never had a challenger in shadow in {environment}.",
            todo=f"Begin with: taxiway promote {name}:N --to {environment} --shadow",
        )
    challenger, scan = stays[-1].release, workspace.decisions.scan
    return compare(
        (name, environment, champion.id, challenger),
        scan(name, environment=environment, release=champion.id, start=start, end=end),
        scan(name, environment=shadow.ENVIRONMENT, release=challenger, start=start, end=end),
    )
