"""Wires `plan`: the charter beside its contract, the files and the people."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from taxiway.core.facts import Deployment, Release

if TYPE_CHECKING:
    from taxiway.bootstrap.project import Project
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.charter.plan import Plan


def plan(workspace: Workspace, project: Project, *, dry_run: bool) -> Plan:
    """The plan, written down if somebody acts, nothing contradicts, and it is new."""
    desk = workspace.desk
    made = project.plan(workspace.people(), desk.now().date())
    if dry_run or desk.actor is None or made.stopping("training") or project.file.charter is None:
        return made
    register(workspace, project, made)
    return dataclasses.replace(made, recorded=True)


def register(workspace: Workspace, project: Project, made: Plan) -> None:
    """The model under this charter, as of now."""
    from taxiway.charter.register import register as write_down

    write_down(
        workspace.desk,
        made,
        project.charter,
        project=str(project.folder),
        known=_known(workspace, project.charter.name),
    )


def _known(workspace: Workspace, model: str) -> dict[str, str]:
    """The inventory fields that no charter can answer: the record keeps them up to date."""
    releases = workspace.record.find(Release, model=model)
    running = workspace.record.find(Deployment, model=model, until=None)
    return {
        "version": releases[-1].id if releases else "no release yet",
        "deployed on": ", ".join(f"{d.environment}: {d.release}" for d in running) or "nowhere yet",
        "last review": "the newest sign-off in the ledger (taxiway history)",
        "monitoring status": "the newest closed window in the record (taxiway status)",
    }
