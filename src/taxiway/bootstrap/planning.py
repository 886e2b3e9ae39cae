"""Wires `plan`: the charter beside its contract, the files and the people."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

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

    write_down(workspace.desk, made, project.charter, project=str(project.folder))
