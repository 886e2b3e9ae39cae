"""Wires serving: the endpoint's process and rehearsal."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap import artefacts
from taxiway.bootstrap.connections import connection_options
from taxiway.bootstrap.data.completing import Found, completing_of, found_store, taking
from taxiway.bootstrap.personal import log_of
from taxiway.bootstrap.planned import is_buffered
from taxiway.core import evidence as kinds
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.evidence import Evidence, observed
from taxiway.core.facts import Consumer, Deployment, Release
from taxiway.core.moves import CHALLENGER, CHAMPION

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.artefact import Artefact
    from taxiway.serving.completing import Looked
    from taxiway.serving.deciding import Decider
    from taxiway.serving.lineup import Lineup

ENDPOINT = "TAXIWAY_ENDPOINT"
"""Tells the endpoint's process what to serve, as JSON: {root, models, environment, release,
workers, store}, or {stub}; `log_requests`, and where workers put their `figures`."""
API_KEY = "TAXIWAY_API_KEY"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
"""One row gains nothing from threads, and two processes with threads for all cores fight."""


ENDING_SECONDS = 20
"""How long a worker that is asked to end may take; what it has answered is logged."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server listens, and with how many processes."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    log_requests: bool = False


def champion_of(workspace: Workspace, model: str, environment: str) -> Release:
    """The release that answers in an environment. Raises `MissingError` if none does."""
    from taxiway.release.promotion import champion

    found = champion(workspace.desk, model, environment)
    if found is None:
        raise no_champion(model, environment)
    return workspace.find_release(found.release)


def no_champion(model: str, environment: str) -> MissingError:
    return MissingError(
        f"{model} has no champion in {environment}.",
        todo=f"Promote a release first: taxiway promote {model}:N --to {environment}",
    )


def decider_of(
    workspace: Workspace,
    artefact: Artefact,
    environment: str,
    channel: str,
    store: str | None = None,
    counts: Looked | None = None,
) -> Decider:
    """A loaded release with the workspace's decision log, and the store of features that it may
    look up; `counts` goes on counting what that gave."""
    from taxiway.adapters.ids import new_ids
    from taxiway.serving.deciding import Decider
    from taxiway.serving.spent import Spent, clocked

    desk, spent = workspace.desk, Spent()
    model = workspace.find_model(artefact.model)
    completing = completing_of(workspace, artefact, store, spent, counts) if store else None
    if completing:
        artefact = taking(artefact, completing.takes)
    return Decider(
        artefact=clocked(artefact, spent),
        environment=environment,
        channel=channel,
        log=log_of(workspace, model),
        buffered=is_buffered(workspace, model),
        now=desk.now,
        new_id=desk.new_id,
        new_ids=new_ids,
        spent=spent,
        completing=completing,
    )


def lineup_of(
    workspace: Workspace,
    model: str,
    environment: str,
    *,
    release: str | None = None,
    store: str | None = None,
) -> Lineup:
    """Who answers for a model: whoever has a role, followed; or one release, for a rehearsal."""
    from taxiway.bootstrap.canary import limits_of, take_off
    from taxiway.release.promotion import standing
    from taxiway.serving import shadow
    from taxiway.serving.lineup import Lineup, Post

    counts: Looked = Counter()

    def find() -> dict[str, Post]:
        if release:
            return {CHAMPION: Post(release, workspace.find_release(release))}
        posts = {
            role: Post(one.id, workspace.find_release(one.release), one.share)
            for role, one in standing(workspace.desk, model, environment).items()
        }
        if CHAMPION not in posts:
            raise no_champion(model, environment)
        return posts

    def decider(artefact: Artefact, role: str) -> Decider:
        logged_as = {CHALLENGER: shadow.ENVIRONMENT}.get(role, environment)
        if release:
            from taxiway.serving.rehearsal import ENVIRONMENT as logged_as  # noqa: N811
        # A challenger decides in a thread of its own, and what it looks up answers nobody.
        counted = None if role == CHALLENGER else counts
        return decider_of(workspace, artefact, logged_as, "http", store, counted)

    return Lineup(
        find=find,
        load=lambda found: artefacts.load(workspace, found),
        decider=decider,
        limits=lambda: limits_of(workspace, model),
        withdraw=lambda breach: take_off(workspace, breach),
    )


def serve(
    workspace: Workspace,
    models: Sequence[str],
    environment: str,
    *,
    release: str | None,
    store: str | None,
    listen: Listen,
    announce: Callable[[str], None],
) -> None:
    """Serves until the process is asked to end. Everything that can be wrong is said before."""
    chosen = _chosen(workspace, models, environment, release)
    for one in chosen:
        artefacts.require_sound(workspace, one)
    # A rehearsal asks golden predictions, which bring all that they need.
    features = Found(None, "") if release else found_store(workspace, chosen, store)
    about = {
        "root": str(workspace.root),
        "models": [one.model for one in chosen],
        "environment": environment,
        "release": release,
        "store": features.store,
        "stub": None,
        "log_requests": listen.log_requests,
        "workers": listen.workers,
    }
    keyed = not release and all(workspace.record.find(Consumer, model=one.model) for one in chosen)
    said = ", ".join(one.id for one in chosen) + features.said
    run(about, listen, keyed=keyed, announce=lambda: announce(said))


def _chosen(
    workspace: Workspace, models: Sequence[str], environment: str, release: str | None
) -> list[Release]:
    """The release that is named, or the champions; of all models, if `*` is."""
    if release:
        found = workspace.find_release(release)
        if len(models) > 1 or found.model != workspace.find_model(*models).id:
            raise InputError(f"{release} is served alone, and is a release of {found.model}.")
        return [found]
    if list(models) == ["*"]:
        everywhere = workspace.record.find(
            Deployment, environment=environment, role=CHAMPION, until=None
        )
        if not everywhere:
            raise MissingError(f"No model has a champion in {environment}.")
        return [workspace.find_release(one.release) for one in everywhere]
    names = [workspace.find_model(name).id for name in models or (None,)]
    return [champion_of(workspace, name, environment) for name in dict.fromkeys(names)]


def run(
    about: dict[str, Any], listen: Listen, *, keyed: bool, announce: Callable[[], None]
) -> None:
    """Runs the server whose processes are told `about`; `announce` is called when all is well.

    `keyed` says that every model has consumers, without whose keys nobody is answered.
    """
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    if listen.host not in LOOPBACK and not keyed and not os.environ.get(API_KEY):
        raise RefusedError(
            f"{listen.host} can be reached from other machines, and nobody would need a key.",
            todo="Give each consumer one with `taxiway consumers add`, set"
            f" {API_KEY} to a secret that all callers send, or serve on 127.0.0.1.",
        )
    _require_tracing()
    _require_free(listen.host, listen.port)
    connections = connection_options()
    os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
    announce()
    os.register_at_fork(after_in_child=_heed_signals)
    several = listen.workers > 1
    with TemporaryDirectory(prefix="taxiway-") if several else nullcontext() as figures:
        os.environ[ENDPOINT] = json.dumps(about | {"figures": figures})
        Granian(
            "taxiway.bootstrap.endpoint:application",
            factory=True,
            address=listen.host,
            port=listen.port,
            workers=listen.workers,
            # One of several that dies is started again; the only one says so by ending the server.
            respawn_failed_workers=several,
            workers_kill_timeout=ENDING_SECONDS,
            interface=Interfaces.RSGI,
            loop=Loops.auto,
            websockets=False,
            **connections,
            log_level=LogLevels.warning,
        ).serve()


def _heed_signals() -> None:
    """Lets a worker that is still loading be ended.

    It is forked with the handlers of the process that started it, which would take note of a signal
    in a place where nobody looks; the server sets its own when it begins to answer.
    """
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_DFL)


def _require_tracing() -> None:
    """Raises what stands in the way of spans, if the environment asks for them."""
    from taxiway.serving.tracing import is_asked_for

    if is_asked_for(os.environ):
        for module in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
            if find_spec(module) is None:
                raise ModuleNotFoundError(f"No module named {module!r}", name=module)


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
        for d in workspace.record.find(
            Deployment, model=release.model, environment=where, role=CHAMPION
        )
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
