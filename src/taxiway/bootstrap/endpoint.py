"""The endpoint's process: makes the application that Granian serves."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.bootstrap.serving import API_KEY, ENDPOINT, endpoint

if TYPE_CHECKING:
    from taxiway.serving.http import Application


def application() -> Application:
    """The application for what `TAXIWAY_ENDPOINT` names."""
    from taxiway.serving.http import Application

    about = json.loads(os.environ[ENDPOINT])
    key = os.environ.get(API_KEY)
    log = _say if about.pop("log_requests") else None
    if stub := about.pop("stub"):
        from taxiway.bootstrap.stub import standing

        return Application(standing(Path(stub)), key=key, log=log)
    from taxiway.bootstrap.workspace import Workspace

    workspace = Workspace(Path(about.pop("root")))
    champion = endpoint(workspace, **about)
    return Application(champion, key=key, close=workspace.close, log=log)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
