"""A real server among strangers: slow, broken and greedy ones hold nobody up and get no answer."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count

import pytest

from .conftest import MODEL, RECORD, Firm
from .test_endpoint import Client, _children, serving

BODY = json.dumps(RECORD).encode()
HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\n"
WHOLE = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
LIVE = b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n"
IDLE = 1_100
"""More than the thousand connections for which the server held everybody up."""


def exchange(port: int, sent: bytes, *, seconds: float = 10) -> tuple[list[int], bytes]:
    """Statuses of all that is answered on a connection that says no more, and the bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        received = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                received += part
        except (ConnectionError, TimeoutError):
            pass
    return [int(one[:3]) for one in received.split(b"HTTP/1.1 ")[1:]], received


def waits(client: Client, times: int = 10) -> float:
    """The median of how long an ordinary caller waits for an answer."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        assert client.predict(RECORD)[0] == 200
        took.append(time.monotonic() - began)
    return sorted(took)[times // 2]


@contextmanager
def connections(port: int, many: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(many)
        ]


def memory(server: subprocess.Popen[str]) -> int:
    """Megabytes of a server and its workers."""
    pages = 0
    for pid in (server.pid, *_children(server.pid)):
        with open(f"/proc/{pid}/statm") as statm:  # noqa: PTH123 - no file, a view of the kernel
            pages += int(statm.read().split()[1])
    return pages * resource.getpagesize() // 2**20


def test_a_thousand_silent_connections_hold_nobody_up_and_are_closed(
    running: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIWAY_IDLE_SECONDS", "4")
    with serving(running) as (client, server):
        before = memory(server)
        began = time.monotonic()
        with connections(client.port, IDLE) as silent:
            for connection in silent[::2]:
                connection.sendall(HEAD[:30])  # half a head, half of them
            assert waits(client) < 1
            assert memory(server) < before + 100
            # A trickle keeps none of them open: a head has its time as a whole.
            slow = silent[:20]
            for at in count(30):
                time.sleep(0.25)
                if not (slow := [one for one in slow if trickled(one, HEAD[at : at + 1] or b"x")]):
                    break
                assert time.monotonic() - began < 30
            for connection in silent:
                connection.settimeout(30)
                assert ended(connection)
            assert time.monotonic() - began < 60
        with closing(Client(client.port)) as another:
            assert another.predict(RECORD)[0] == 200


def trickled(connection: socket.socket, part: bytes) -> bool:
    """Whether a connection still takes what is sent on it."""
    try:
        connection.sendall(part)
    except ConnectionError:
        return False
    return True


def ended(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


def test_a_time_that_can_t_be_kept_is_said_before_anything_starts(
    running: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said in ("soon", "0", "nan", "1e9"):
        monkeypatch.setenv("TAXIWAY_IDLE_SECONDS", said)
        assert "1 to 3600 seconds" in running.run("serve", MODEL, code=2)
