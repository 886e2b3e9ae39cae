"""Wires what the decision log hears of records: how durably, and what is withheld."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway import config
from taxiway.bootstrap.planned import is_buffered, personal_of
from taxiway.core.facts import Model

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.contract import Contract
    from taxiway.core.ports import Logs
    from taxiway.serving.personal import Pseudonym, Withholding

KEEP = "keep"


def log_of(workspace: Workspace, model: Model) -> Logs:
    """The log that a model's decisions go to, as its charter says."""
    buffered = is_buffered(workspace, model)
    log = workspace.decisions.buffered() if buffered else workspace.decisions
    return withholding(workspace, model, log) or log


def withholding(
    workspace: Workspace, model: Model, log: Logs | None = None, *, create: bool = True
) -> Withholding | None:
    """What the charter withholds from the log; None if nothing."""
    from taxiway.serving.personal import PSEUDONYM, Withholding

    said = personal_of(workspace, model)
    how = {name: way for name, way in said.items() if way != KEEP}
    if not how:
        return None
    needed = PSEUDONYM in how.values()
    pseudonym = pseudonym_of(workspace, create=create) if needed else None
    return Withholding(log or workspace.decisions, how, pseudonym)


def pseudonym_of(workspace: Workspace, *, create: bool) -> Pseudonym:
    """Pseudonyms under the workspace's key."""
    from taxiway.adapters.secret import secret_of
    from taxiway.serving.personal import pseudonyms

    return pseudonyms(secret_of(_file(workspace), create=create and not config.pseudonyms_file()))


def _file(workspace: Workspace) -> Path:
    return config.pseudonyms_file() or workspace.config.store / "keys" / "pseudonyms.key"


def keys_of(
    workspace: Workspace, model: Model, contract: Contract, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """All ways in which the log may have a key."""
    from taxiway.serving.personal import PSEUDONYM, spellings

    asked = personal_of(workspace, model)
    personal = [name for name in values if name in asked or contract.column(name).personal]
    needed = any(asked.get(name) == PSEUDONYM for name in personal)
    if not personal or not (needed or _file(workspace).exists()):
        return [dict(values)]
    return list(spellings(values, personal, pseudonym_of(workspace, create=False)))
