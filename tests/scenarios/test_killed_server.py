"""A real server is killed under full load, again and again: what it answered is in the log, once.

Every other server has two workers, and in between segments are closed, and that is killed as well.
`KILLS=100 pytest tests/scenarios/test_killed_server.py` kills a hundred times.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import closing

from taxiway.adapters.decisions import DecisionLog

from .conftest import MODEL, RECORD, Firm
from .test_endpoint import Client, _children, serving

KILLS = int(os.environ.get("KILLS", "5"))
CLIENTS = 32
LOAD_SECONDS = (0.1, 1.0)


class Load:
    """Clients that ask until the server is gone, and keep the decisions that they heard of."""

    def __init__(self, port: int) -> None:
        self.received: list[str] = []
        self.refused: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._ask, args=(port,)) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _ask(self, port: int) -> None:
        with closing(Client(port)) as client:
            while True:
                try:
                    status, answer = client.predict(RECORD)
                except (OSError, ValueError):
                    return
                if status == 200:
                    self.received.append(answer["decision"])
                else:
                    self.refused[f"{status} {answer.get('code')} {answer}"] += 1

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=60)
            assert not thread.is_alive()


def kill(server: subprocess.Popen[str]) -> None:
    for pid in (*_children(server.pid), server.pid):
        os.kill(pid, signal.SIGKILL)
    server.wait(30)


def closed_and_killed(firm: Firm) -> None:
    """Closes segments, and is killed at any moment of it."""
    closer = firm.start("decisions", "close")
    time.sleep(random.uniform(0.3, 3.0))
    closer.kill()
    closer.communicate(timeout=30)


def logged(firm: Firm) -> Counter[str]:
    with closing(DecisionLog(firm.store / "decisions.db")) as log:
        found = Counter(one.id for one in log.scan(MODEL))
        assert log.count(MODEL) == found.total()
    return found


def test_what_was_answered_is_in_the_log_once_however_often_the_server_is_killed(
    running: Firm,
) -> None:
    before = logged(running)
    received: list[str] = []
    refused: Counter[str] = Counter()
    for round_ in range(KILLS):
        with serving(running, "--workers", 1 + round_ % 2) as (client, server):
            load = Load(client.port)
            deadline = time.monotonic() + 60
            while not load.received:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            time.sleep(random.uniform(*LOAD_SECONDS))
            kill(server)
            load.join()
        # A second worker that is not ready yet may say so; the log never fails.
        assert not [why for why in load.refused if "decision log" in why], load.refused
        refused += load.refused
        received += load.received
        if round_ % 3 == 2:
            closed_and_killed(running)
            found = logged(running)
            assert found.keys() >= set(received)
            assert max(found.values()) == 1
    found = logged(running)
    assert len(received) == len(set(received)) > KILLS * 10
    assert found.keys() >= set(received) | before.keys()
    assert max(found.values()) == 1
    unheard = len(found) - len(before) - len(received)
    print(  # noqa: T201 - figures of a long run
        json.dumps(
            {
                "kills": KILLS,
                "received": len(received),
                "logged": len(found),
                "lost": 0,
                "doubled": 0,
                "logged, not heard of": unheard,
                "refused": refused,
            }
        )
    )
    # A writer that was killed left a segment, and the next one went on with it.
    assert len(running.segments) <= 3
    span = ("--from", "2013-03-01", "--to", "2013-03-02")
    assert running.ask("replay", *span)["different"] == 0


def test_a_server_that_may_not_write_more_answers_503_and_recovers(running: Firm) -> None:
    """The system lets no file grow beyond a size, as a disk does that is full."""
    before = logged(running)
    with serving(running) as (client, server):
        (worker,) = _workers(server.pid)
        answered = [client.predict(RECORD)[1]["decision"] for _ in range(20)]
        sizes = [path.stat().st_size for path in (running.store / "decisions" / "open").iterdir()]
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (max(sizes), resource.RLIM_INFINITY))
        refused: Counter[tuple[int, str]] = Counter()
        for _ in range(200):
            status, answer = client.predict([RECORD] * 20)
            if status == 200:
                answered += [one["decision"] for one in answer]
            else:
                refused[status, answer["code"]] += 1
        assert set(refused) == {(503, "TW-6")}
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        for _ in range(20):
            status, answer = client.predict(RECORD)
            assert status == 200
            answered.append(answer["decision"])
    found = logged(running)
    assert Counter(answered) == found - before


def _workers(pid: int) -> list[int]:
    """The processes below the server that answer."""
    return [child for child in _children(pid) if not _children(child)]
