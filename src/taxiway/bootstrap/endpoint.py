"""The endpoint's process: makes the application that Granian serves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.bootstrap.serving import API_KEY, ENDPOINT, endpoint

if TYPE_CHECKING:
    from taxiway.serving.http import Application


def application() -> Application:
    """The application for what `TAXIWAY_ENDPOINT` names."""
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.serving.http import Application

    about = json.loads(os.environ[ENDPOINT])
    workspace = Workspace(Path(about.pop("root")))
    champion = endpoint(workspace, **about)
    return Application(champion, key=os.environ.get(API_KEY), close=workspace.close)
