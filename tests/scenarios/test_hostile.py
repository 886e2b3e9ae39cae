"""A real server among strangers: slow, broken and greedy ones hold nobody up and get no answer."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import count

import pytest

from .conftest import MODEL, RECORD, Firm
from .test_endpoint import Client, _children, decisions, serving
from .test_load import Crowd

BODY = json.dumps(RECORD).encode()
HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\n"
WHOLE = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
LIVE = b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n"
IDLE = 1_100
"""More than the thousand connections for which the server held everybody up."""


def exchange(port: int, sent: bytes, expected: int = 0) -> tuple[list[int], bytes]:
    """Statuses of what is answered on a connection, and the bytes: until it ends, or until nothing
    comes any more after as many answers as are expected."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
        with suppress(ConnectionError, TimeoutError):
            while part := connection.recv(65_536):
                received += part
                if expected and received.count(b"HTTP/1.1 ") >= expected:
                    connection.settimeout(0.1)
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


CHUNKED = HEAD + b"transfer-encoding: chunked\r\n"
PARTS = b"\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
SMUGGLED: list[tuple[bytes, list[int]]] = [
    # Two lengths: the one that counts here is the one that ends the connection.
    (HEAD + b"content-length: %d\r\ncontent-length: 3\r\n\r\n" % len(BODY) + BODY + LIVE, [400]),
    (HEAD + b"content-length: 3, %d\r\n\r\n" % len(BODY) + BODY + LIVE, [400]),
    (HEAD + b"content-length: +%d\r\n\r\n" % len(BODY) + BODY + LIVE, [400]),
    (HEAD + b"content-length: 0x10\r\n\r\n" + BODY + LIVE, [400]),
    (HEAD + b"content-length: -1\r\n\r\n" + BODY + LIVE, [400]),
    (HEAD + b"content-length: \r\n\r\n" + BODY + LIVE, [400]),
    # A length and chunks: only what the chunks hold, and nothing after it on this connection.
    (CHUNKED + b"content-length: 5\r\n" + PARTS + LIVE, [200]),
    (HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n" + PARTS + LIVE, [200]),
    # Codings that a proxy may undo, or not know.
    (CHUNKED.replace(b"chunked", b"xchunked") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b"chunked", b"identity") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b"chunked", b"chunked, identity") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b"chunked", b"\x0bchunked") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b"encoding:", b"encoding :") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b": chunked", b":\r\n chunked") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b"chunked", b"gzip, chunked") + PARTS + LIVE, [400]),
    (CHUNKED.replace(b"chunked", b"chunked, chunked") + PARTS + LIVE, [400]),
    (CHUNKED + b"transfer-encoding: identity\r\n" + PARTS + LIVE, [400]),
    (HEAD + b"transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n" + PARTS, [400]),
    # Chunks that say something else than they hold.
    (CHUNKED + b"\r\nzz\r\n" + LIVE, [400]),
    (CHUNKED + b"\r\n-1\r\n" + LIVE, [400]),
    (CHUNKED + b"\r\nffffffffffffffffff\r\n" + LIVE, [400]),
    (CHUNKED + PARTS.replace(b"\r\n", b"\n") + LIVE, [400]),
    (CHUNKED + b"\r\n%x;" % len(BODY) + b"a" * 100_000 + b"\r\n" + BODY, [400]),
    # Heads that are none.
    (HEAD + b"x: a\x00b\r\n\r\n", [400]),
    (HEAD + b"a b: c\r\n\r\n", [400]),
    (HEAD.replace(b"\r\n", b"\r") + b"\r\r", [400]),
    (b"GET /live\r\n\r\n", [400]),
    (b"GET /live HTTP/3.7\r\nhost: x\r\n\r\n", [400]),
    (b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", [414]),
    (b"GET /live HTTP/1.1\r\nhost: x\r\na: " + b"b" * 1_000_000 + b"\r\n\r\n", [431]),
    (b"GET /live HTTP/1.1\r\n" + b"a: b\r\n" * 10_000 + b"\r\n", [431]),
    # Other protocols.
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1_000, []),
    (bytes.fromhex("16030100c8010000c40303") + bytes(190), [400]),
    (b"\x00\x01\x02\xff" * 100, [400]),
]
"""What is sent, and every status that comes back before the connection ends."""

ONE_AFTER_THE_OTHER: list[tuple[bytes, list[int]]] = [
    (WHOLE * 20, [200] * 20),
    (HEAD + b"content-length: 3\r\n\r\nabc" + WHOLE, [400, 200]),
    (WHOLE.replace(b"/predict", b"/nowhere") + WHOLE, [404, 200]),
    # What looks like a request is the body of the one before it.
    (LIVE[:-2] + b"content-length: %d\r\n\r\n" % len(LIVE) + LIVE + LIVE, [200, 200]),
    (LIVE.replace(b"GET", b"HEAD") + LIVE, [200, 200]),
    (LIVE.replace(b"GET", b"OPTIONS") + LIVE.replace(b"GET", b"TRACE") + LIVE, [405, 405, 200]),
    (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n" + LIVE, [404, 200]),
    (CHUNKED + PARTS + LIVE, [200, 200]),
    # Escapes are undone once.
    (WHOLE.replace(b"/predict", b"/v1/models/flight%2Ddelays/predict"), [200]),
    (WHOLE.replace(b"/predict", b"/v1/models/flight%252Ddelays/predict"), [404]),
    (LIVE.replace(b"/live", b"/live%0d%0aset-cookie:%20a=b"), [404]),
    (HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY, [415]),
    (HEAD + b"content-encoding: identity\r\n" + WHOLE.removeprefix(HEAD), [200]),
]


def test_what_could_be_two_requests_is_one_or_none(running: Firm) -> None:
    before, answered = len(decisions(running)), 0
    with serving(running) as (client, server):
        for sent, statuses in [*SMUGGLED, *ONE_AFTER_THE_OTHER]:
            ends = sent in dict(SMUGGLED)
            found, received = exchange(client.port, sent, 0 if ends else len(statuses))
            assert found == statuses, (sent[:200], received[-300:])
            assert b"set-cookie" not in received.lower().partition(b"\r\n\r\n")[0]
            answered += received.count(b'{"decision":')
        assert server.poll() is None
        assert client.predict(RECORD)[0] == 200
    assert len(decisions(running)) == before + answered + 1


def test_bodies_of_100_mb_and_bodies_that_never_end_are_not_kept(running: Firm) -> None:
    with serving(running) as (client, server):
        before = memory(server)
        head = HEAD + b"content-length: 104857600\r\n\r\n"
        found, received = exchange(client.port, head + b" " * 2**20, 1)
        assert found == [413]
        assert b"larger than 16,777,216 bytes" in received
        chunk = b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n"
        found, _ = exchange(client.port, CHUNKED + b"\r\n" + chunk * 20 + b"0\r\n\r\n", 1)
        assert found == [413]
        # Sent without an end: the connection is closed, whether or not the answer is read.
        found, _ = exchange(client.port, CHUNKED + b"\r\n" + chunk * 100, 1)
        assert found in ([413], [])
        assert memory(server) < before + 150
        assert client.predict(RECORD)[0] == 200


def test_large_bodies_that_stay_half_sent_leave_room_for_everybody_else(running: Firm) -> None:
    """Together they would take 480 MB, for as long as a body may take."""
    size = 15 * 2**20
    head = HEAD + b"content-length: %d\r\n\r\n" % (size + 100)
    large = b" " * 5 * 2**20 + BODY
    with serving(running) as (client, server):
        before = memory(server)
        assert client.send("POST", "/predict", large)[0] == 200
        with connections(client.port, 32) as greedy:
            for connection in greedy:
                connection.sendall(head + b" " * size)
            assert waits(client) < 1
            assert memory(server) < before + 400
            status, answer = client.send("POST", "/predict", large)
            assert (status, answer["code"]) == (503, "TW-6")
        deadline = time.monotonic() + 10
        while (status := client.send("POST", "/predict", large)[0]) != 200:
            assert time.monotonic() < deadline, status


def test_a_request_that_takes_long_to_read_holds_nobody_up(running: Firm) -> None:
    """A megabyte of values is read beside the loop, which answers others meanwhile."""
    names = b"{" + b",".join(b'"flihgt%d":1' % number for number in range(900_000)) + b"}"
    bad = json.dumps([{**RECORD, "origin": "X", "flihgt": 1}] * 10_000).encode()
    with serving(running) as (client, _), closing(Client(client.port)) as other:
        for body in (names, bad, b"[" + b"[]," * 400_000 + b"[]]"):
            other._connection.request("POST", "/predict", body)
            assert waits(client, 5) < 2
            response = other._connection.getresponse()
            assert response.status in {413, 422}, response.status
            response.read()


def test_a_full_disk_under_load_answers_nobody_without_a_record(running: Firm) -> None:
    """The worker's files may not grow any more, as on a full disk, while 32 clients ask."""
    earlier = set(decisions(running))
    log = next(iter(running.store.glob("decisions.db*")))
    folder = log if log.is_dir() else log.parent
    with serving(running) as (client, server):
        (worker,) = _children(server.pid)
        before = client.predict(RECORD)[1]["decision"]
        limits = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        largest = max(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (largest, limits[1]))
        crowd = Crowd(client.port, 40)
        crowd.start()
        crowd.join()
        full = [one for one in crowd.failed if isinstance(one, dict)]
        assert full, "nothing was refused: the log found room"
        assert {one["code"] for one in full} == {"TW-6"}
        assert len(full) == len(crowd.failed)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, limits)
        deadline = time.monotonic() + 20
        while (answer := client.predict(RECORD))[0] != 200:
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)
        after = answer[1]["decision"]
    new = set(decisions(running)) - earlier
    assert {name for _, name in crowd.answered} | {before, after} == new
