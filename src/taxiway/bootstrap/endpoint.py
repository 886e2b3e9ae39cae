"""The endpoint's process: makes the application that Granian serves."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.bootstrap.access import common_gate, gate_of
from taxiway.bootstrap.serving import ENDPOINT, lineup_of

if TYPE_CHECKING:
    from taxiway.serving.http import Application


def application() -> Application:
    """The application for what `TAXIWAY_ENDPOINT` names."""
    from taxiway.serving.http import Application
    from taxiway.serving.served import Served

    about = json.loads(os.environ[ENDPOINT])
    log = _say if about.pop("log_requests") else None
    if stub := about.pop("stub"):
        from taxiway.bootstrap.stub import standing

        stands = standing(Path(stub))
        name = stands.current.champion.artefact.model
        return Application([Served(name, stands, common_gate())], log=log)
    from taxiway.bootstrap.workspace import Workspace

    workspace = Workspace(Path(about["root"]))
    environment, release = about["environment"], about["release"]
    # A rehearsal asks itself, and is nobody's endpoint.
    served = [
        Served(
            model,
            lineup_of(workspace, model, environment, release),
            common_gate() if release else gate_of(workspace, model),
        )
        for model in about["models"]
    ]
    return Application(served, close=workspace.close, log=log)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
