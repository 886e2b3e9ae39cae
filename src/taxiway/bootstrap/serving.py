"""Wires serving: the endpoint's process and rehearsal."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap import artefacts
from taxiway.core import evidence as kinds
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.evidence import Evidence, observed
from taxiway.core.facts import Deployment, Model, Release

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.artefact import Artefact
    from taxiway.serving.champion import Champion
    from taxiway.serving.deciding import Decider

ENDPOINT = "TAXIWAY_ENDPOINT"
"""Tells the endpoint's process what to serve, as JSON: {root, model, environment, release}, or
{stub}; and `log_requests`."""
API_KEY = "TAXIWAY_API_KEY"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
"""One row gains nothing from threads, and two processes with threads for all cores fight."""


def champion_of(workspace: Workspace, model: str, environment: str) -> Release:
    """The release that answers in an environment. Raises `MissingError` if none does."""
    from taxiway.release.promotion import champion

    found = champion(workspace.desk, model, environment)
    if found is None:
        raise MissingError(
            f"{model} has no champion in {environment}.",
            todo=f"Promote a release first: taxiway promote {model}:N --to {environment}",
        )
    return workspace.find_release(found.release)


def _chosen(workspace: Workspace, model: str, environment: str, release: str | None) -> Release:
    """The release that is named, or the champion."""
    if release:
        return workspace.find_release(release)
    return champion_of(workspace, model, environment)


def decider_of(workspace: Workspace, artefact: Artefact, environment: str, channel: str) -> Decider:
    """A loaded release with the workspace's decision log."""
    from taxiway.serving.deciding import Decider

    desk = workspace.desk
    return Decider(
        artefact=artefact,
        environment=environment,
        channel=channel,
        log=workspace.decisions,
        now=desk.now,
        new_id=desk.new_id,
    )


def endpoint(workspace: Workspace, model: str, environment: str, release: str | None) -> Champion:
    """What the endpoint answers with: the champion, followed; or one release, for a rehearsal."""
    from taxiway.serving.champion import Champion
    from taxiway.serving.rehearsal import ENVIRONMENT

    logged_as = ENVIRONMENT if release else environment

    return Champion(
        find=lambda: _chosen(workspace, model, environment, release),
        load=lambda found: artefacts.load(workspace, found),
        decider=lambda artefact: decider_of(workspace, artefact, logged_as, "http"),
    )


def serve(
    workspace: Workspace,
    model: Model,
    environment: str,
    *,
    release: str | None,
    host: str,
    port: int,
    log_requests: bool,
    announce: Callable[[str], None],
) -> None:
    """Serves until the process is asked to end. Everything that can be wrong is said before."""
    chosen = _chosen(workspace, model.id, environment, release)
    artefacts.require_sound(workspace, chosen)
    about = {"root": str(workspace.root), "model": model.id, "environment": environment}
    listen(
        {**about, "release": release, "stub": None, "log_requests": log_requests},
        host=host,
        port=port,
        announce=lambda: announce(chosen.id),
    )


def listen(about: dict[str, Any], *, host: str, port: int, announce: Callable[[], None]) -> None:
    """Runs the server whose process is told `about`; `announce` is called when all is well."""
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    if host not in LOOPBACK and not os.environ.get(API_KEY):
        raise RefusedError(
            f"{host} can be reached from other machines, and no API key is set.",
            todo=f"Set {API_KEY} to a secret that callers send, or serve on 127.0.0.1.",
        )
    _require_free(host, port)
    os.environ[ENDPOINT] = json.dumps(about)
    os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
    announce()
    Granian(
        "taxiway.bootstrap.endpoint:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        loop=Loops.asyncio,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"Nothing can listen on {host}:{port}: {error.strerror}.",
                todo="End the other server, or choose another port with --port.",
            ) from error


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def rehearse(
    workspace: Workspace,
    release: Release,
    environment: str,
    *,
    dry_run: bool,
    on_request: Callable[[int], None],
) -> Evidence:
    """A release as a real server process; what came of it is evidence."""
    from taxiway.bootstrap.flight import charter_of
    from taxiway.serving.rehearsal import ENVIRONMENT, Stage
    from taxiway.serving.rehearsal import rehearse as play

    desk = workspace.desk
    actor = desk.acting("engineer", to=f"rehearse {release.id}")
    charter = charter_of(workspace, workspace.find_model(release.model))
    artefact = artefacts.load_replayed(workspace, release)
    port = free_port()
    words = ["serve", release.model, "--release", release.id, "--port", str(port)]
    stage = Stage(
        command=[sys.executable, "-m", "taxiway.cli", *words],
        port=port,
        variables=_variables(workspace),
        logged=lambda: workspace.decisions.count(
            release.model, environment=ENVIRONMENT, release=release.id
        ),
        way_back=lambda: _way_back(workspace, release, environment),
    )
    examined, found = play(artefact, stage, environment=environment, on_request=on_request)
    evidence = observed(
        kinds.REHEARSAL,
        id=desk.new_id(),
        subject=release.id,
        model=release.model,
        examined=examined,
        found=found,
        required={"latency_ms_p99": charter.deployment.latency_ms_p99},
        digests={"model": release.digest},
        at=desk.now(),
        by=actor.name,
    )
    if not dry_run:
        with desk.change("release.rehearsed", release.id, model=release.model) as change:
            change.add(evidence)
            change.digest = release.digest
            change.details = {"evidence": evidence.id, "content": evidence.content}
    return evidence


def _variables(workspace: Workspace) -> dict[str, str]:
    """The environment of a rehearsal's server: this workspace, and no key to ask callers for."""
    inherited = {name: value for name, value in os.environ.items() if name != API_KEY}
    return inherited | {"TAXIWAY_WORKSPACE": str(workspace.root)}


def _way_back(workspace: Workspace, release: Release, environment: str) -> dict[str, Any] | None:
    """Loads the release that ran before this one, as a rollback would."""
    ran = [
        d.release
        for where in ("prod", environment)
        for d in workspace.record.find(Deployment, model=release.model, environment=where)
        if d.release != release.id
    ]
    if not ran:
        return None
    earlier = workspace.find_release(ran[-1])
    artefact = artefacts.load_replayed(workspace, earlier)
    return {
        "to": earlier.id,
        "ok": True,
        "what": f"{earlier.id} was verified, loaded, and gave its {len(artefact.golden)} golden"
        " predictions",
    }
