"""The endpoint's process: makes the application that Granian serves."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.bootstrap.access import common_gate, gate_of
from taxiway.bootstrap.serving import ENDPOINT, endpoint

if TYPE_CHECKING:
    from taxiway.serving.http import Application


def application() -> Application:
    """The application for what `TAXIWAY_ENDPOINT` names."""
    from taxiway.serving.http import Application

    about = json.loads(os.environ[ENDPOINT])
    log = _say if about.pop("log_requests") else None
    if stub := about.pop("stub"):
        from taxiway.bootstrap.stub import standing

        return Application(standing(Path(stub)), gate=common_gate(), log=log)
    from taxiway.bootstrap.workspace import Workspace

    workspace = Workspace(Path(about.pop("root")))
    champion = endpoint(workspace, **about)
    # A rehearsal asks itself, and is nobody's endpoint.
    gate = common_gate() if about["release"] else gate_of(workspace, about["model"])
    return Application(champion, gate=gate, close=workspace.close, log=log)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
