"""Who may ask a real server: for which model and use, until when, how often, how much at once."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

from taxiway.bootstrap import Workspace
from taxiway.bootstrap.access import add_consumer

from .conftest import MODEL, OWNER, RECORD, Firm, in_environment, soon
from .test_endpoint import Client, serving

PURPOSE = "planning of gates and connections for the coming days"
BODY = json.dumps(RECORD).encode()


def key_of(firm: Firm, name: str, *words: object) -> str:
    added = ["consumers", "add", name, "--purpose", PURPOSE, "--until", soon(30)]
    return str(firm.ask(*added, *words, by=OWNER)["key"])


def asked(client: Client, key: str | None) -> int:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return client.send("POST", "/predict", BODY, **headers)[0]


def soon_true(is_so: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_key_that_ends_is_revoked_or_outside_its_use_is_turned_away_and_the_ledger_knows(
    running: Firm,
) -> None:
    leaked, kept = key_of(running, "leaked"), key_of(running, "kept")
    with in_environment(running), Workspace.open(running.folder, actor=OWNER) as workspace:
        _, short = add_consumer(
            workspace,
            workspace.find_model(MODEL),
            "short",
            purpose=PURPOSE,
            until=datetime.now(UTC) + timedelta(seconds=10),
            requests_per_minute=6_000,
            dry_run=False,
        )
    with serving(running) as (client, _):
        assert [asked(client, key) for key in (leaked, kept, short)] == [200] * 3
        # A body that is on its way when its key is revoked.
        head = f"POST /predict HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {leaked}\r\n"
        head += f"content-length: {len(BODY)}\r\n\r\n"
        flying = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
        with closing(flying):
            flying.connect()
            flying.sock.sendall(head.encode() + BODY[:20])
            running.run("consumers", "revoke", "leaked", "--reason", "it leaked", by=OWNER)
            assert soon_true(lambda: asked(client, leaked) == 401)
            flying.sock.sendall(BODY[20:])
            assert flying.sock.recv(100).startswith(b"HTTP/1.1 401")
        assert soon_true(lambda: asked(client, short) == 401, 30)
        # The use that they have their keys for is permitted no more.
        charter = running.project / "taxiway.yaml"
        charter.write_text(charter.read_text().replace(PURPOSE, "something else"))
        running.commit("Another use")
        running.run("plan", by=OWNER)
        assert soon_true(lambda: asked(client, kept) == 403)
        assert asked(client, "nobody's") == 401

        def told() -> list[tuple[str, str]]:
            with in_environment(running), Workspace.open(running.folder) as workspace:
                events = list(workspace.record.events())
            refused = [one for one in events if one.action == "consumer.refused"]
            assert {one.actor for one in refused} <= {"system"}
            return sorted((one.subject, one.details["why"]) for one in refused)

        expected = [("kept", "purpose"), ("leaked", "revoked"), ("short", "ended")]
        assert soon_true(lambda: told() == expected), told()
    running.run("ledger", "verify")


def test_with_keys_of_consumers_another_address_needs_no_common_one(running: Firm) -> None:
    said = running.run("serve", MODEL, "--host", "127.0.0.2", code=4)
    assert "taxiway consumers add" in said
    key = key_of(running, "gates")
    with serving(running, host="127.0.0.2") as (client, _):
        assert asked(client, None) == 401
        assert asked(client, key) == 200


def test_more_than_can_be_decided_soon_is_told_to_come_again(running: Firm) -> None:
    large = json.dumps([RECORD] * 10_000).encode()
    answers: list[tuple[int, str | None]] = []

    def ask(port: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as one:
            one.request("POST", "/predict", large)
            response = one.getresponse()
            response.read()
            answers.append((response.status, response.headers["retry-after"]))

    with serving(running) as (client, _):
        crowd = [threading.Thread(target=ask, args=(client.port,)) for _ in range(6)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join(timeout=120)
        assert len(answers) == 6
        assert {status for status, _ in answers} == {200, 503}
        assert all(later == "1" for status, later in answers if status == 503)
        assert client.predict(RECORD)[0] == 200
