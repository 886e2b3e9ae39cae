"""A real server under load: nobody is forgotten, nothing is decided twice, nothing gets lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import closing
from typing import Any

from .conftest import RECORD, Firm
from .test_endpoint import Client, _children, decisions, serving

CLIENTS = 32
EACH = 12


class Crowd:
    """Clients that all ask at the same time, each on a connection of its own."""

    def __init__(self, port: int, each: int) -> None:
        self.answered: list[tuple[int, str]] = []
        self.failed: list[object] = []
        self._started = threading.Barrier(CLIENTS)
        self._port, self._each = port, each
        self._threads = [
            threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=60)
            assert not thread.is_alive()

    def _ask(self, number: int) -> None:
        with closing(Client(self._port)) as client:
            self._started.wait()
            for at in range(self._each):
                flight = 1 + number * self._each + at
                try:
                    status, answer = client.predict({**RECORD, "flight": flight})
                except (OSError, ValueError) as error:  # the server was killed
                    self.failed.append(error)
                    return
                if status == 200:
                    self.answered.append((flight, answer["decision"]))
                else:
                    self.failed.append(answer)


def test_all_of_many_clients_are_answered_and_each_decision_is_logged_once(running: Firm) -> None:
    earlier = set(decisions(running))
    with serving(running) as (client, _):
        crowd = Crowd(client.port, EACH)
        crowd.start()
        crowd.join()
        client._connection.request("GET", "/metrics")
        metrics = client._connection.getresponse().read().decode().splitlines()
    assert crowd.failed == []
    assert len(crowd.answered) == CLIENTS * EACH
    new = set(decisions(running)) - earlier
    assert Counter(name for _, name in crowd.answered) == Counter(new)
    figures = dict(line.rsplit(" ", 1) for line in metrics if not line.startswith("#"))
    assert int(figures['taxiway_group_rows_sum{model="flight-delays"}']) == CLIENTS * EACH
    assert int(figures['taxiway_group_rows_count{model="flight-delays"}']) < CLIENTS * EACH / 2
    # The same record has the same answer, whatever stood beside it.
    assert running.ask("replay", crowd.answered[0][1])["equal"]


def test_every_answer_that_was_received_under_load_is_in_the_log_after_sigkill(
    running: Firm,
) -> None:
    with serving(running) as (client, server):
        worker = _children(server.pid)
        crowd = Crowd(client.port, 10_000)
        crowd.start()
        deadline = time.monotonic() + 30
        while len(crowd.answered) < 100:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for pid in (*worker, server.pid):
            os.kill(pid, signal.SIGKILL)
        crowd.join()
    received = [name for _, name in crowd.answered]
    assert len(received) == len(set(received)) >= 100
    assert set(received) <= set(decisions(running))


def test_a_server_that_is_asked_to_end_under_load_answers_what_it_has_decided(
    running: Firm,
) -> None:
    earlier = set(decisions(running))
    with serving(running) as (client, server):
        crowd = Crowd(client.port, 10_000)
        crowd.start()
        while len(crowd.answered) < 100:
            time.sleep(0.01)
        server.terminate()
        server.communicate(timeout=30)
        crowd.join()
    new = set(decisions(running)) - earlier
    assert {name for _, name in crowd.answered} == new
    assert server.returncode == 0


def test_half_a_request_and_a_slow_client_hold_nobody_up(running: Firm) -> None:
    before = len(decisions(running))
    content = json.dumps(RECORD).encode()
    head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n".encode()
    with serving(running) as (client, _):
        slow = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(20)]
        try:
            for connection in slow[:10]:
                connection.sendall(head + content[:20])
            for connection in slow[10:]:
                connection.sendall(head[:25])
            took = []
            for _ in range(10):
                began = time.monotonic()
                assert client.predict(RECORD)[0] == 200
                took.append(time.monotonic() - began)
            assert sorted(took)[5] < 1
            # One of them was only slow, and gets its answer.
            slow[0].sendall(content[20:])
            slow[0].settimeout(20)
            assert slow[0].recv(4096).startswith(b"HTTP/1.1 200")
        finally:
            for connection in slow:
                connection.close()
        assert client.predict(RECORD)[0] == 200
    assert len(decisions(running)) == before + 12


def test_a_large_request_holds_nobody_up_and_each_of_its_records_is_answered_as_alone(
    running: Firm,
) -> None:
    # Distances of all flights, so that the answers and their reasons differ.
    many = [
        {**RECORD, "flight": 1 + at % 4_000, "distance": 80 + at % 2_500} for at in range(10_000)
    ]
    given: list[tuple[int, list[dict[str, Any]]]] = []
    waits: list[float] = []
    with serving(running) as (client, _):

        def ask_for_all() -> None:
            with closing(Client(client.port)) as other:
                given.append(other.predict(many))

        asking = threading.Thread(target=ask_for_all)
        asking.start()
        while asking.is_alive():
            began = time.perf_counter()
            assert client.predict(RECORD)[0] == 200
            waits.append(time.perf_counter() - began)
        asking.join()
        ((status, answers),) = given
        assert (status, len(answers)) == (200, len(many))
        for at in (0, 1, 63, 64, 4_321, 9_999):
            _, alone = client.predict(many[at])
            same = [
                {name: one[name] for name in ("release", "prediction", "probability", "reasons")}
                for one in (answers[at], alone)
            ]
            assert same[0] == same[1]
    assert len(waits) >= 5, waits
    logged = running.logged()
    assert {one["decision"] for one in answers} <= logged.keys()
    assert [logged[one["decision"]].inputs["flight"] for one in answers[:100]] == [
        record["flight"] for record in many[:100]
    ]
    assert {logged[one["decision"]].at for one in answers} == {logged[answers[0]["decision"]].at}
