"""What a model's charter says of its deployment, as plain JSON.

A server that starts needs no model of the charter, which takes its time to import: the charter was
held against its schema when it was planned. One from before there was a setting asks the usual.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.facts import Model


def deployment_of(workspace: Workspace, model: Model) -> dict[str, Any]:
    """The section `deployment` of the charter that a model is registered under."""
    found: dict[str, Any] = json.loads(workspace.objects.get(model.charter_digest))["deployment"]
    return found


def is_buffered(workspace: Workspace, model: Model) -> bool:
    """Whether answers may leave before their decisions are on the disk."""
    return bool(deployment_of(workspace, model).get("log") == "buffered")


def personal_of(workspace: Workspace, model: Model) -> dict[str, str]:
    """What the decision log holds of personal columns."""
    return dict(deployment_of(workspace, model).get("personal", {}))
