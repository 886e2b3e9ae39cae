"""A real server process: right answers, clear refusals, and no answer without its decision."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from .conftest import MODEL, OWNER, RECORD, Firm, soon


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.port = port
        self._connection = http.client.HTTPConnection(host, port, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def send(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def predict(self, content: Any) -> tuple[int, Any]:
        return self.send("POST", "/predict", json.dumps(content).encode())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    firm: Firm, *words: object, host: str = "127.0.0.1"
) -> Iterator[tuple[Client, subprocess.Popen[str]]]:
    """The champion's server, ready; ended at the end of the block, if it is still there."""
    port = free_port()
    server = firm.start("serve", MODEL, "--host", host, "--port", port, *words)
    try:
        deadline = time.monotonic() + 60
        while not _ready(port, host):
            assert server.poll() is None, server.communicate()
            assert time.monotonic() < deadline, "the server is not ready after a minute"
            time.sleep(0.1)
        with closing(Client(port, host)) as client:
            yield client, server
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _ready(port: int, host: str = "127.0.0.1") -> bool:
    with closing(Client(port, host)) as client:
        try:
            return client.send("GET", "/ready")[0] == 200
        except OSError:
            return False


def decisions(firm: Firm) -> dict[str, dict[str, Any]]:
    return {
        name: {"environment": one.environment, **one.output} for name, one in firm.logged().items()
    }


def test_it_answers_what_is_logged_and_a_batch_says_the_same(running: Firm) -> None:
    with serving(running) as (client, _):
        status, one = client.predict(RECORD)
        assert status == 200
        _, several = client.predict([RECORD, {**RECORD, "carrier": "UA"}])
        assert client.predict([{**RECORD, "dest": None}])[0] == 422
        _, ready = client.send("GET", "/ready")
        _, document = client.send("GET", "/openapi.json")
    assert ready["golden_predictions"] == 100
    assert document["info"]["version"] == one["release"] == f"{MODEL}:1"
    logged = decisions(running)
    for answer in (one, *several):
        kept = logged[answer["decision"]]
        assert kept["environment"] == "prod"
        assert kept["probability"] == answer["probability"]
        assert kept["reasons"] == answer["reasons"]
    assert several[0]["probability"] == one["probability"]
    assert one["prediction"] is (one["probability"] >= 0.25)
    replayed = running.ask("replay", one["decision"])
    assert replayed["equal"]
    # The same record in a CSV file, along the batch path.
    source, out = running.project / "one.csv", running.project / "scores.csv"
    source.write_text(",".join(RECORD) + "\n" + ",".join(map(str, RECORD.values())) + "\n")
    running.run("score", source, out)
    row = pl.read_csv(out).row(0, named=True)
    assert row["probability"] == one["probability"]
    assert json.loads(row["reasons"]) == one["reasons"]


def test_bad_bodies_get_a_clear_answer_and_are_not_logged(running: Firm) -> None:
    before = len(decisions(running))
    with serving(running) as (client, server):
        cases: list[tuple[bytes, int, str]] = [
            (b"", 400, "no JSON"),
            (b'{"carrier":', 400, "truncated"),
            (b'{"distance": NaN}', 400, "no JSON"),
            (b"\xff\xfe", 400, "no JSON"),
            (b"[" * 100_000, 400, "no JSON"),
            (b"[]", 422, "no record in the list"),
            (b'"text"', 422, "can't be used"),
            (json.dumps([RECORD] * 10_001).encode(), 422, "at most 10,000"),
            (json.dumps({**RECORD, "dep_delay": 5}).encode(), 422, "can't be used"),
            (json.dumps({**RECORD, "sched_dep_time": "1745"}).encode(), 422, "can't be used"),
            (b" " * (16 * 1024 * 1024 + 1), 413, "larger than 16,777,216 bytes"),
        ]
        for body, status, says in cases:
            found, answer = client.send("POST", "/predict", body)
            assert (found, answer["code"][:3]) == (status, "TW-"), body[:40]
            assert says in answer["error"], answer
        assert client.send("GET", "/predict")[0] == 405
        assert client.send("GET", "/nowhere")[0] == 404
        assert client.predict(RECORD)[0] == 200
        assert server.poll() is None
    assert len(decisions(running)) == before + 1


def test_every_problem_is_named_with_its_place(running: Firm) -> None:
    with serving(running) as (client, _):
        bad = {**RECORD, "origin": "EWX", "distance": -1, "carrier": 7, "flihgt": 1}
        _, answer = client.predict([RECORD, bad])
    found = {problem["where"]: problem for problem in answer["problems"]}
    assert set(found) == {"[1].origin", "[1].distance", "[1].carrier", "[1].flihgt"}
    assert found["[1].origin"]["expected"] == "one of EWR, JFK, LGA"
    assert found["[1].carrier"]["found"] == "the number 7"
    assert "flight" in found["[1].flihgt"]["todo"]


def test_other_addresses_need_a_key_and_callers_have_to_send_it(
    running: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = running.run("serve", MODEL, "--host", "0.0.0.0", code=4)  # noqa: S104 - it is refused
    assert "TAXIWAY_API_KEY" in said
    monkeypatch.setenv("TAXIWAY_API_KEY", "secret-of-the-test")
    with serving(running) as (client, _):
        assert client.predict(RECORD)[0] == 401
        body = json.dumps(RECORD).encode()
        for sent, status in (("Bearer wrong", 401), ("Bearer secret-of-the-test", 200)):
            assert client.send("POST", "/predict", body, authorization=sent)[0] == status
        assert client.send("GET", "/live")[0] == 200


def test_a_taken_port_is_said_before_anything_starts(running: Firm) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        said = running.run("serve", MODEL, "--port", other.getsockname()[1], code=2)
    assert "choose another port" in said


def test_every_answer_that_was_received_is_in_the_log_after_sigkill(running: Firm) -> None:
    received: list[str] = []
    with serving(running) as (client, server):
        worker = _children(server.pid)
        for _ in range(25):
            status, answer = client.predict(RECORD)
            assert status == 200
            received.append(answer["decision"])
        for pid in (*worker, server.pid):
            os.kill(pid, signal.SIGKILL)
    assert set(received) <= set(decisions(running))


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return found


def test_without_the_log_there_is_no_answer(running: Firm) -> None:
    """Somebody else writes to the segment: nothing can be logged, so nothing is answered."""
    with serving(running) as (client, _):
        assert client.predict(RECORD)[0] == 200
        with ExitStack() as held:
            for path in running.segments:
                segment = held.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
                segment.execute("BEGIN IMMEDIATE")
            status, answer = client.predict(RECORD)
        assert (status, answer["code"]) == (503, "TW-6")
        assert client.predict(RECORD)[0] == 200


def test_a_refused_request_leaves_its_connection_usable(running: Firm) -> None:
    """Many clients send the body after the head; the refusal may not break what they send next."""
    refused = {"/nowhere": 404, "/ready": 405, "/v1/models/other/predict": 404, "/predict": 415}
    body = json.dumps(RECORD).encode()
    with serving(running) as (client, _):
        sent = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
        with closing(sent):
            for path, status in refused.items():
                sent.putrequest("POST", path)
                sent.putheader("content-type", "text/html")
                sent.putheader("content-length", str(len(body)))
                sent.endheaders()
                held = sent.sock
                time.sleep(0.3)
                sent.send(body)
                response = sent.getresponse()
                response.read()
                assert response.status == status
                sent.request("POST", "/predict", body)
                response = sent.getresponse()
                response.read()
                assert response.status == 200
                assert sent.sock is held


def test_with_the_first_consumer_the_endpoint_answers_nobody_without_a_key(
    running: Firm,
) -> None:
    purpose = "planning of gates and connections for the coming days"
    words = ["consumers", "add", "gates", "--purpose", purpose, "--until", soon(30)]
    body = json.dumps(RECORD).encode()

    def asked(client: Client, key: str | None, until: int) -> int:
        """The status, once the server has noticed what was changed."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        deadline = time.monotonic() + 10
        while True:
            status, _ = client.send("POST", "/predict", body, **headers)
            if status == until or time.monotonic() > deadline:
                return status
            time.sleep(0.1)

    with serving(running) as (client, _):
        assert client.predict(RECORD)[0] == 200
        wrong = running.run(*words[:4], "pricing", *words[5:], by=OWNER, code=2)
        assert "no permitted use of the charter" in wrong
        key = running.ask(*words, "--per-minute", 30, by=OWNER)["key"]
        assert asked(client, None, 401) == 401
        assert asked(client, key, 200) == 200
        assert client.send("POST", "/v1/models/flight-delays/predict", body)[0] == 401
        assert client.send("GET", "/ready")[0] == 200
        limited = [
            client.send("POST", "/predict", body, authorization=f"Bearer {key}")[0]
            for _ in range(35)
        ]
        assert set(limited) == {200, 429}
        running.run("consumers", "revoke", "gates", "--reason", "it leaked", by=OWNER)
        assert asked(client, key, 401) == 401
    assert key not in (running.store / "record.db").read_bytes().decode("latin-1")
    flown = running.ask("check", f"{MODEL}:1", "--for", "prod", code=0)
    (scope,) = [v for v in flown["verdicts"] if v["check"] == "DP-07"]
    assert scope["status"] == "failed"
    running.run(*words[:2], "app", *words[3:], by=OWNER)
    flown = running.ask("check", f"{MODEL}:1", "--for", "prod", code=0)
    (scope,) = [v for v in flown["verdicts"] if v["check"] == "DP-07"]
    assert scope["status"] == "passed"
