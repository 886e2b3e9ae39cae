"""The endpoint's process: makes the application that Granian serves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.access import common_gate, gate_of
from taxiway.bootstrap.closing import keep_closing
from taxiway.bootstrap.serving import ENDPOINT, lineup_of

if TYPE_CHECKING:
    from taxiway.bootstrap.cases import CasesOfEndpoint
    from taxiway.serving.http import Application
    from taxiway.serving.served import Served
    from taxiway.serving.tracing import Tracing


def application() -> Application:
    """The application for what `TAXIWAY_ENDPOINT` names."""
    from taxiway.serving.figures import Figures
    from taxiway.serving.http import Application

    about = json.loads(os.environ[ENDPOINT])
    log = _say if about["log_requests"] else None
    tracing = _tracing()
    served, let_go, cases = _stub(Path(about["stub"])) if about["stub"] else _models(about)

    def close() -> None:
        let_go()
        if tracing:
            tracing.close()

    return Application(
        served,
        close=close,
        cases=cases,
        figures=Figures(Path(about["figures"])) if about["figures"] else None,
        log=log,
        trace=tracing.note if tracing else None,
    )


Standing = tuple[list["Served"], Callable[[], None], "CasesOfEndpoint | None"]
"""The models, what lets go of them, and the cases that people elsewhere move."""


def _stub(contract: Path) -> Standing:
    """What answers from a contract, and nothing to let go of."""
    from taxiway.bootstrap.stub import standing
    from taxiway.serving.served import Served

    stands = standing(contract)
    name = stands.current.champion.artefact.model
    return [Served(name, stands, common_gate())], lambda: None, None


def _models(about: dict[str, Any]) -> Standing:
    """What answers from the workspace, and what lets go of it."""
    from taxiway.bootstrap.cases import CasesOfEndpoint
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.serving.served import Served

    workspace = Workspace(Path(about["root"]))
    environment, release = about["environment"], about["release"]
    # A rehearsal asks itself, and is nobody's endpoint.
    served = [
        Served(
            model,
            lineup_of(workspace, model, environment, release=release, store=about["store"]),
            common_gate() if release else gate_of(workspace, model),
        )
        for model in about["models"]
    ]
    if about["workers"] > 1:
        # Who shares the port answers from its first request on: nobody sees which one he asks.
        for one in served:
            one.refresh()
    workspace.decisions.open()
    stop_closing = keep_closing(workspace)

    def close() -> None:
        stop_closing()
        workspace.close()

    return served, close, None if release else CasesOfEndpoint(workspace, environment)


def _tracing() -> Tracing | None:
    """Spans, if the environment asks for them."""
    from taxiway.serving.tracing import is_asked_for, open_tracing

    return (
        open_tracing(os.environ, version=version("taxiway")) if is_asked_for(os.environ) else None
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
