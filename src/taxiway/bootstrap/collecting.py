"""Wires collecting: decisions that containers logged come home, so that they are watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.core.errors import InputError, MissingError, Problem
from taxiway.core.facts import Model, Release

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.decision import Decision

AT_ONCE = 1_000
FILE = "decisions.db"


def collect(
    workspace: Workspace,
    model: Model,
    folders: Sequence[Path],
    *,
    dry_run: bool,
    on_decisions: Callable[[int], None],
) -> dict[str, Any]:
    """Adds what is in the decision logs of `folders` and not yet in the workspace's.

    It may be asked for again, and after it was cut off: each decision is there once. Raises
    `MissingError` for a folder without a log, and `InputError` if decisions are of releases that
    the workspace does not know by their digests; then nothing of that folder is added.
    """
    for folder in folders:
        if not (folder / FILE).is_file():
            raise MissingError(
                f"There is no decision log in {folder}: no {FILE}.",
                todo="Name the folder that TAXIWAY_DECISIONS names in the container.",
            )
    found = [_from(workspace, model, one, dry_run, on_decisions) for one in folders]
    return {"model": model.id, "folders": found, "added": sum(one["added"] for one in found)}


def _from(
    workspace: Workspace,
    model: Model,
    folder: Path,
    dry_run: bool,
    on_decisions: Callable[[int], None],
) -> dict[str, Any]:
    from taxiway.adapters.decisions import DecisionLog

    log = DecisionLog(folder / FILE)
    try:
        ids = [name for name, _ in log.made_before(model.id, workspace.desk.now())]
        parts = [ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)]
        for part in parts:
            _require_known(workspace, folder, _between(log, model, part))
        added = 0
        for part in parts:
            here = {one.id for one in _between(workspace.decisions, model, part)}
            new = [one for one in _between(log, model, part) if one.id not in here]
            if not dry_run:
                workspace.decisions.append(new)
            added += len(new)
            on_decisions(len(part))
    finally:
        log.close()
    return {"folder": str(folder), "decisions": len(ids), "added": added}


def _between(log: Any, model: Model, ids: Sequence[str]) -> list[Decision]:
    return [one for one in log.between(ids[0], ids[-1]) if one.model == model.id]


def _require_known(workspace: Workspace, folder: Path, decisions: Sequence[Decision]) -> None:
    known = {one.id: one.digest for one in workspace.record.find(Release)}
    made_by = {(one.release, one.release_digest) for one in decisions}
    problems = [
        Problem(
            f"decisions of {release}",
            found=digest,
            expected=known.get(release, "a release of this workspace"),
        )
        for release, digest in sorted(made_by)
        if known.get(release) != digest
    ]
    if problems:
        raise InputError(
            f"{folder} holds decisions of releases that this workspace does not have.", problems
        )
