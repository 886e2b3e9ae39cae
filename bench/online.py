"""Online scoring, side by side in one run: the endpoint, its neighbours, and the limits.

    python -m bench.online                       (an hour; `make bench-online`)
    python -m bench.online --quick               (one short round, for development)
    python -m bench.online --only taxiway,no-op,fastapi --models xgb --workers 1

Requests per second, p50 and p99 of one and 100 rows at a concurrency of 1, 8 and 32, with one
worker and with two. The endpoint has its durable log and its validation on. In each round every
server is started anew and measured alone, one after the other, so that a noisy moment hits one
round and no idle server takes part; a figure is the median of the rounds. Before it is measured, a
server has to give the probabilities of the fitted model. Loopback only. Writes
build/bench/online.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from bench import bars, shown
from bench.data import PROJECTS
from bench.engine import CHECKED
from bench.peers import BATCHING, PEERS, Model, Peer, staged
from bench.results import Load, Results, Start
from bench.running import ONE_THREAD, ROOT, NotStartedError, Server, free_port, load, running, wrk
from bench.trained import BUILD, TAXIWAY, empty_log, train, variables

ALL_LOADS = tuple(Load(rows, concurrency) for rows in (1, 100) for concurrency in (1, 8, 32))
TWO_WORKERS = (Load(1, 32), Load(100, 8))
"""What is measured with two workers: where a second one can help."""
BODIES = 200
"""Bodies that are sent in turns."""
SETTLED = 20
"""Requests that a server answers in a row, each on its own connection, before it is measured."""
SAME = 1e-6
"""How far a probability may lie from the fitted model's."""
HANDED = BUILD / "online" / "handed"
ENGINE = "engine"
BROKEN = (NotStartedError, subprocess.SubprocessError, OSError, ValueError, KeyError, TypeError)
"""What ends the measuring of one server, and not the run: it is named with its reason."""
OWN = ("taxiway", "taxiway+reasons", "no-op", ENGINE)


@dataclass(frozen=True, slots=True)
class Rows:
    """What is sent: to the neighbours and to the endpoint, and what the fitted model answers."""

    rows: list[dict[str, Any]]
    records: list[dict[str, Any]]
    answers: list[float]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that can be started for one model and number of workers."""

    name: str
    command: list[str]
    url: str
    variables: dict[str, str]
    body: Callable[[int, int], Any]
    """(first row, number of rows) -> what is sent."""
    probabilities: Callable[[Any], list[float]] | None
    """What an answer says; None for a server that decides nothing."""


def say(text: str) -> None:
    """Progress, apart from the result."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def handed(name: str) -> tuple[Model, Rows]:
    """The fitted model as every server gets it, and what is sent."""
    words = ["-m", "bench.engine", name, "--hand-over", str(HANDED)]
    subprocess.run([sys.executable, *words], check=True, cwd=ROOT)
    about = json.loads((HANDED / f"{name}.json").read_text())
    columns, numbers = tuple(about["columns"]), frozenset(about["numbers"])
    model = Model(name, HANDED / f"{name}.joblib", columns, numbers)
    return model, Rows(**json.loads((HANDED / f"{name}.rows.json").read_text()))


def _own(name: str, model: str, rows: Rows, workers: int) -> Contender:
    """The endpoint, with and without reason codes, or the no-op server."""
    port = free_port()
    many = ["--workers", str(workers)] if workers > 1 else []
    served = {"taxiway": ["--env", "dev"], "taxiway+reasons": ["--release", f"{model}:2"]}
    if name == "no-op":
        command = [sys.executable, "-m", "bench.noop_server", str(port), str(workers)]
    else:
        command = [TAXIWAY, "serve", model, *served[name], "--port", str(port), *many]
        if workers > 1 and not _has_workers():
            raise NotStartedError("has no --workers yet")

    def body(at: int, count: int) -> Any:
        return rows.records[at] if count == 1 else rows.records[at : at + count]

    return Contender(
        name,
        command,
        f"http://127.0.0.1:{port}/predict",
        variables() | ONE_THREAD,
        body,
        None if name == "no-op" else _own_answer,
    )


def _own_answer(answer: Any) -> list[float]:
    several = answer if isinstance(answer, list) else [answer]
    return [float(one["probability"]) for one in several]


def _has_workers() -> bool:
    told = subprocess.run([TAXIWAY, "serve", "--help"], check=True, capture_output=True, text=True)
    return "--workers" in told.stdout


def _peer(peer: Peer, model: Model, rows: Rows, workers: int) -> Contender:
    stage = staged(peer, model, free_port(), workers)
    return Contender(
        peer.name,
        peer.command(stage),
        f"http://127.0.0.1:{stage.port}{peer.path}",
        stage.variables,
        lambda at, count: peer.body(model, rows.rows[at : at + count]),
        peer.answer,
    )


def contender(name: str, model: Model, rows: Rows, workers: int) -> Contender:
    """A server by its name. Raises `NotStartedError`."""
    if name in OWN:
        return _own(name, model.name, rows, workers)
    (peer,) = [one for one in (*PEERS, *BATCHING) if one.name == name]
    return _peer(peer, model, rows, workers)


def check(server: Server, given: Contender, rows: Rows) -> None:
    """Raises `NotStartedError` unless it answers what the fitted model answers."""
    if given.probabilities is None:
        return
    found = given.probabilities(server.ask(given.body(0, CHECKED)))
    off = [abs(a - b) for a, b in zip(found, rows.answers, strict=True)]
    if max(off) > SAME:
        raise NotStartedError(
            f"gives other probabilities: the largest difference is {max(off):.2g}"
        )


def measure(given: Contender, rows: Rows, loads: Sequence[Load], seconds: int) -> tuple[Any, Start]:
    """One server, started and measured: {load: figures}, and what the start took."""
    log = BUILD / "online" / "logs" / f"{given.name}.log"
    one_row = given.body(0, 1)
    with running(given.command, given.url, one_row, given.variables, log) as server:
        server.settle(one_row, times=SETTLED)
        check(server, given, rows)
        found = {}
        for one in loads:
            path = HANDED / f"{given.name}.{one.rows}.jsonl"
            sent = [given.body(at, one.rows) for at in range(BODIES)]
            path.write_text("".join(json.dumps(body) + "\n" for body in sent))
            load(server.url, path, concurrency=one.concurrency, seconds=1)
            # What the load before left in a slow server's queue is not this one's.
            server.settle(one_row, times=1)
            found[one] = server.loaded(path, concurrency=one.concurrency, seconds=seconds)
        return found, Start(server.cold_seconds, server.megabytes)


def engine(model: str, seconds: int) -> dict[Load, dict[str, float]]:
    """The engine alone, in a process of its own."""
    found = {}
    for rows in (1, 100):
        words = ["-m", "bench.engine", model, "--rows", str(rows), "--seconds", str(seconds)]
        done = subprocess.run(
            [sys.executable, *words],
            check=True,
            cwd=ROOT,
            env=os.environ | ONE_THREAD,
            stdout=subprocess.PIPE,
            text=True,
        )
        found[Load(rows, 1)] = json.loads(done.stdout)
    return found


def play(given: argparse.Namespace) -> Results:
    """All rounds."""
    results = Results()
    models = {name: handed(name) for name in given.models}
    turns = product(range(1, given.rounds + 1), models, given.workers, given.only)
    for turn, name, workers, server in turns:
        where = (name, workers, server)
        if where in results.failed or (server == ENGINE and workers > 1):
            continue
        say(f"round {turn} of {given.rounds}: {name}, {server}, workers: {workers}")
        model, rows = models[name]
        loads = ALL_LOADS if workers == 1 else TWO_WORKERS
        try:
            if server == ENGINE:
                results.add(where, engine(name, given.seconds), None)
                continue
            made = contender(server, model, rows, workers)
            results.add(where, *measure(made, rows, loads, given.seconds))
        except BROKEN as error:
            results.failed[where] = str(error)
            say(f"left out: {server}, {name}, workers: {workers}: {error}\n")
    say("")
    return results


def _listed(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        found = text.split(",")
        for one in found:
            if one not in known:
                raise argparse.ArgumentTypeError(f"{one!r} is none of {', '.join(known)}")
        return found

    return read


def main() -> None:
    servers = [*OWN, *(peer.name for peer in PEERS)]
    known = [*servers, *(peer.name for peer in BATCHING)]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=_listed(known), default=servers, metavar="SERVERS")
    parser.add_argument("--models", type=_listed(list(PROJECTS)), default=list(PROJECTS))
    parser.add_argument("--workers", type=_listed(["1", "2"]), default=["1", "2"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of one load")
    parser.add_argument("--quick", action="store_true", help="one round of one second a load")
    parser.add_argument("--fresh", action="store_true", help="train the models again")
    given = parser.parse_args()
    given.workers = [int(one) for one in given.workers]
    if given.quick:
        given.rounds, given.seconds = 1, 1
    wrk()
    train(given.models, say, fresh=given.fresh)
    empty_log()
    results = play(given)
    judged = bars.judge(results)
    shown.table(results)
    shown.verdicts(judged)
    document = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "rounds": given.rounds,
        "seconds": given.seconds,
        "results": results.plain(),
        "bars": [asdict(one) for one in judged],
    }
    (BUILD / "online.json").write_text(json.dumps(document, indent=2) + "\n")
    print(f"\nWritten to {(BUILD / 'online.json').relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
