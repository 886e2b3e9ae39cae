"""A real server with several models and releases: champion, canary and shadow at work."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from .conftest import DEVELOPER, ENGINEER, MODEL, OWNER, RECORD, VALIDATOR, Firm, _copy
from .test_endpoint import Client, _children, _ready, serving

OTHER = "late-arrivals"
BREAKS = 9_000
"""From this flight number on, release 2 breaks."""
IN_DEV = ("--env", "dev")


@pytest.fixture(scope="session")
def _cast(_trained: Firm, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """In dev: release 1 as champion; release 2, another model that breaks on some flights; and
    another model with a release."""
    firm = _copy(_trained, tmp_path_factory.mktemp("cast"))
    firm.run("promote", f"{MODEL}:1", "--to", "dev", by=ENGINEER)
    second = firm.project.parent / OTHER
    shutil.copytree(firm.project, second)
    _change(firm, "max_iter=200", "max_iter=120")
    _change(
        firm,
        "    departure, arrival",
        f'    if frame["flight"].max() >= {BREAKS}:\n'
        '        raise ValueError("no such flight")\n'
        "    departure, arrival",
    )
    firm.commit("Fewer trees")
    firm.run("train", by=DEVELOPER)
    other = Other(firm.folder)
    _change(other, "max_iter=200", "max_iter=20")  # quickly made
    plan = (second / "taxiway.yaml").read_text()
    (second / "taxiway.yaml").write_text(plan.replace(f"name: {MODEL}", f"name: {OTHER}"))
    other.commit("Another model")
    other.run("plan", by=OWNER)
    other.take_snapshot()
    other.run("train", by=DEVELOPER)
    other.run("promote", f"{OTHER}:1", "--to", "dev", by=ENGINEER)
    return firm


class Other(Firm):
    """The same workspace, from the other project."""

    @property
    def project(self) -> Any:
        return self.folder / OTHER


def _change(firm: Firm, before: str, after: str) -> None:
    path = firm.project / "model.py"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.fixture
def cast(_cast: Firm, tmp_path: Any) -> Firm:
    return _copy(_cast, tmp_path)


def until(done: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
    return found


def promote(firm: Firm, number: int, *words: object, **more: Any) -> str:
    return firm.run("promote", f"{MODEL}:{number}", "--to", "dev", *words, by=ENGINEER, **more)


def ready(client: Client) -> dict[str, Any]:
    status, said = client.send("GET", "/ready")
    assert status == 200, said
    return dict(said)


def ask(client: Client, path: str, content: Any) -> tuple[int, Any]:
    return client.send("POST", path, json.dumps(content).encode())


def flights(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [{**RECORD, "flight": first + number} for number in range(count)]


def test_one_server_answers_for_several_models_and_for_exactly_one_release(cast: Firm) -> None:
    promote(cast, 2, "--canary", 50)
    with serving(cast, OTHER, *IN_DEV) as (client, _):
        assert set(ready(client)["models"]) == {MODEL, OTHER}
        for model in (MODEL, OTHER):
            status, one = ask(client, f"/v1/models/{model}/predict", RECORD)
            assert (status, one["release"].partition(":")[0]) == (200, model)
        status, said = ask(client, "/predict", RECORD)
        assert (status, MODEL in said["todo"], OTHER in said["todo"]) == (404, True, True)
        for number in (1, 2):
            path = f"/v1/models/{MODEL}/versions/{number}/predict"
            status, several = ask(client, path, flights(20))
            assert status == 200
            assert {one["release"] for one in several} == {f"{MODEL}:{number}"}
        assert ask(client, f"/v1/models/{MODEL}/versions/3/predict", RECORD)[0] == 404
        assert ask(client, f"/v1/models/{OTHER}/versions/2/predict", RECORD)[0] == 404
        _, listed = client.send("GET", "/v1/models")
        _, document = client.send("GET", "/openapi.json")
    roles = {
        one["name"]: [(r["role"], r["release"], r["share"]) for r in one["releases"]]
        for one in listed["models"]
    }
    assert roles == {
        MODEL: [("champion", f"{MODEL}:1", 50), ("canary", f"{MODEL}:2", 50)],
        OTHER: [("champion", f"{OTHER}:1", 100)],
    }
    assert f"/v1/models/{OTHER}/versions/{{version}}/predict" in document["paths"]


def test_a_canary_answers_its_keys_and_is_promoted_or_withdrawn(cast: Firm) -> None:
    with serving(cast, *IN_DEV) as (client, _):
        before = ask(client, "/predict", flights(300))[1]
        assert {one["release"] for one in before} == {f"{MODEL}:1"}
        promote(cast, 2, "--canary", 20)
        until(lambda: ready(client).get("canary"))
        first = ask(client, "/predict", flights(300))[1]
        again = [ask(client, "/predict", one)[1] for one in flights(300)[:60]]
        releases = Counter(one["release"] for one in first)
        assert 30 <= releases[f"{MODEL}:2"] <= 95
        # Alone or in a list, always the same release, and its own answer to the bit.
        assert [one["release"] for one in again] == [one["release"] for one in first[:60]]
        assert [one["probability"] for one in again] == [one["probability"] for one in first[:60]]
        for old, new in zip(before, first, strict=True):
            same_release = new["release"] == old["release"]
            assert not same_release or new["probability"] == old["probability"]
        assert any(
            new["probability"] != old["probability"] for old, new in zip(before, first, strict=True)
        )
        promote(cast, 2, "--canary", 60)
        until(lambda: ready(client)["canary"]["share"] == 60)
        grown = ask(client, "/predict", flights(300))[1]
        had = {n for n, one in enumerate(first) if one["release"] == f"{MODEL}:2"}
        has = {n for n, one in enumerate(grown) if one["release"] == f"{MODEL}:2"}
        assert had < has
        said = promote(cast, 2, "--canary", 60, code=4)
        assert "already the canary at 60 %" in said
        running = cast.ask("status", MODEL)["models"][0]["running"]
        assert [(one["role"], one["share"]) for one in running] == [
            ("champion", None),
            ("canary", 60),
        ]
        flown = cast.start("check", f"{MODEL}:2", "--for", "dev").communicate(timeout=60)[0]
        assert f"{MODEL}:2 is the canary at 60 % in dev now." in flown
        words = ["withdraw", "dev", "--canary", "--reason", "enough was seen"]
        assert "would be no canary" in cast.run(*words, "--dry-run", by=ENGINEER)
        cast.run(*words, by=ENGINEER)
        assert "nothing to withdraw" in cast.run(*words, by=ENGINEER, code=3)
        until(lambda: "canary" not in ready(client))
        promote(cast, 2, "--canary", 30)
        promote(cast, 2)
        until(lambda: ready(client)["release"] == f"{MODEL}:2")
        assert "canary" not in ready(client)
        last = ask(client, "/predict", flights(50))[1]
        assert {one["release"] for one in last} == {f"{MODEL}:2"}
    cast.run("ledger", "verify")


def test_a_canary_that_breaks_costs_nobody_an_answer_and_is_taken_off(cast: Firm) -> None:
    promote(cast, 2, "--canary", 50)
    with serving(cast, *IN_DEV) as (client, _):
        until(lambda: ready(client).get("canary"))
        for number in range(0, 200, 20):
            status, made = ask(client, "/predict", flights(20, BREAKS + number))
            assert status == 200
            assert {one["release"] for one in made} == {f"{MODEL}:1"}
        assert "canary" not in ready(client)
        until(lambda: "was taken off: it failed on" in ready(client).get("note", ""))
        until(lambda: len(cast.ask("status", MODEL)["models"][0]["running"]) == 1)
        client._connection.request("GET", "/metrics")
        metrics = client._connection.getresponse().read().decode()
    assert f'taxiway_canary_failures_total{{release="{MODEL}:2"}}' in metrics
    waiting = cast.ask("status", MODEL)["models"][0]["waiting"]
    called = {one["person"] for one in waiting if one["kind"] == "alert"}
    assert called == {ENGINEER, DEVELOPER}
    called = cast.ask("alerts", "list")["alerts"]
    assert {one["about"]["kind"] for one in called} == {"guardrail"}
    for one in called:
        words = ["alerts", "close", one["id"], "--reason", "release 3 takes these flights"]
        assert "may not close" in cast.run(*words, by=VALIDATOR, code=4)
        assert "would be closed" in cast.run(*words, "--dry-run", by=one["person"])
        cast.run(*words, by=one["person"])
        assert "is closed and can't become closed" in cast.run(*words, by=one["person"], code=4)
    assert "Nobody is called" in cast.run("alerts", "list")
    assert len(cast.ask("alerts", "list", "--all")["alerts"]) == 2
    events = cast.ask("ledger", "show")["events"]
    (event,) = [one for one in events if one["action"] == "deployment.withdrawn"]
    assert event["actor"] == "system"
    assert event["details"]["role"] == "canary"
    assert "it failed on" in event["details"]["reason"]
    cast.run("ledger", "verify")
    # Nothing keeps it from being tried again, by somebody who says so.
    promote(cast, 2, "--canary", 5)


def test_a_canary_that_needs_what_nobody_sends_is_refused(cast: Firm) -> None:
    _change(
        cast, '        pl.col("distance")', '        pl.col("hour"),\n        pl.col("distance")'
    )
    cast.commit("Read the hour")
    cast.run("train", by=DEVELOPER)
    for words, role in ((["--canary", "10"], "canary"), (["--shadow"], "challenger")):
        said = promote(cast, 3, *words, code=4)
        assert f"{MODEL}:3 can't be the {role}: callers of {MODEL}:1" in said
        assert "hour: is needed, and not sent" in " ".join(said.split())
    assert "would" in promote(cast, 3, "--dry-run")
    promote(cast, 2, "--canary", 10)


def test_a_challenger_in_shadow_is_compared_and_none_of_its_answers_leaves(cast: Firm) -> None:
    promote(cast, 2, "--shadow")
    with serving(cast, *IN_DEV) as (client, _):
        until(lambda: ready(client).get("challenger"))
        made = ask(client, "/predict", flights(200))[1]
        assert {one["release"] for one in made} == {f"{MODEL}:1"}
        assert ask(client, f"/v1/models/{MODEL}/versions/2/predict", RECORD)[0] == 404
        # It breaks on these, and nobody notices but the metrics.
        assert ask(client, "/predict", flights(3, BREAKS))[0] == 200
        found = until(lambda: _compared(cast, 200))
        client._connection.request("GET", "/metrics")
        metrics = client._connection.getresponse().read().decode()
    assert (found["champion"], found["challenger"]) == (f"{MODEL}:1", f"{MODEL}:2")
    assert 0.5 < found["agreement"][0] <= 1
    assert 0 < found["mean_difference"] < 0.2
    labels = f'release="{MODEL}:2",outcome'
    assert f'taxiway_shadow_records_total{{{labels}="decided"}} 200' in metrics
    until(lambda: f'taxiway_shadow_records_total{{{labels}="failed"}} 3' in metrics)
    said = cast.run("shadow", "dev", "--model", MODEL)
    assert "200 keys that both decided" in said
    cast.run("withdraw", "dev", "--shadow", "--reason", "it has shown enough", by=ENGINEER)
    # What it showed stays, and it is asked from another place: its share of answers was none.
    assert _compared(cast, 200)
    cast.run("ledger", "verify")


def _compared(firm: Firm, pairs: int) -> dict[str, Any] | None:
    found: dict[str, Any] = firm.ask("shadow", "dev", "--model", MODEL)
    return found if found["pairs"] == pairs else None


@dataclass
class Callers:
    """Clients that go on asking, each on a connection of its own."""

    port: int
    answered: list[dict[str, Any]] = field(default_factory=list)
    failed: list[object] = field(default_factory=list)
    mixed: list[tuple[int, str]] = field(default_factory=list)
    """Of each answer in which two releases had a part: its flights, and who decided them."""
    _ending: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self, count: int) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(count)]
        for one in threads:
            one.start()
        try:
            yield
        finally:
            self._ending.set()
            for one in threads:
                one.join(60)

    def have(self, count: int) -> bool:
        return len(self.answered) >= count

    def _ask(self, number: int) -> None:
        with closing(Client(self.port)) as client:
            at = 0
            while not self._ending.is_set():
                at += 1
                content = flights(4, 1 + (number * 500 + at * 4) % 8_000)
                try:
                    status, made = client.predict(content)
                except (OSError, ValueError) as error:
                    self.failed.append(error)
                    return
                if status != 200:
                    self.failed.append(made)
                elif len({one["release"] for one in made}) > 1:
                    flown = [one["flight"] for one in content]
                    self.mixed += zip(flown, [one["release"] for one in made], strict=True)
                self.answered += made if status == 200 else []


def _is_champion(client: Client, number: int) -> bool:
    return bool(ready(client)["release"] == f"{MODEL}:{number}")


def test_swaps_and_rollbacks_under_load_drop_nothing_and_mix_nothing(cast: Firm) -> None:
    with serving(cast, *IN_DEV) as (client, _):
        callers = Callers(client.port)
        with callers.asking(8):
            until(partial(callers.have, 100))
            for number in (2, 1):
                if number == 2:
                    promote(cast, 2)
                else:
                    cast.run("rollback", "dev", "--model", MODEL, by=ENGINEER)
                until(partial(_is_champion, client, number))
                until(partial(callers.have, len(callers.answered) + 100))
            assert callers.mixed == []
            # Two at once: whichever comes first, the server follows. A canary that comes first
            # shares answers with the champion until it is promoted: by key, as any canary does.
            both = [
                cast.start("promote", f"{MODEL}:2", "--to", "dev", *words, "--as", ENGINEER)
                for words in ([], ["--canary", "30"])
            ]
            said = [process.communicate(timeout=60) for process in both]
            assert 0 in [process.returncode for process in both], said
            running = cast.ask("status", MODEL)["models"][0]["running"]
            assert len({one["release"] for one in running}) == len(running)
            until(lambda: ready(client)["release"] == running[0]["release"])
    assert callers.failed == []
    assert len(set(callers.mixed)) == len(dict(callers.mixed))
    events = cast.ask("ledger", "show")["events"]
    was_canary = any(one["details"].get("role") == "canary" for one in events)
    assert was_canary or callers.mixed == []
    assert {one["release"] for one in callers.answered} == {f"{MODEL}:1", f"{MODEL}:2"}
    ids = [one["decision"] for one in callers.answered]
    assert len(ids) == len(set(ids))
    for one in callers.answered[:: len(callers.answered) // 5]:
        assert cast.ask("replay", one["decision"])["equal"]


def test_a_server_that_loses_the_record_goes_on_with_what_it_verified(cast: Firm) -> None:
    promote(cast, 2, "--canary", 50)
    record, elsewhere = cast.store / "record.db", cast.folder / "elsewhere"
    with serving(cast, *IN_DEV) as (client, _):
        until(lambda: ready(client).get("canary"))
        elsewhere.mkdir()
        for path in cast.store.glob("record.db*"):
            path.rename(elsewhere / path.name)
        note = until(lambda: ready(client).get("note"))
        assert note.startswith(f"the record can't be read, {MODEL}:1 goes on: The record in")
        made = ask(client, "/predict", flights(60))[1]
        assert {one["release"] for one in made} == {f"{MODEL}:1", f"{MODEL}:2"}
        assert not record.exists()
        # The guardrail works all the same, in this process.
        for number in range(0, 100, 20):
            assert ask(client, "/predict", flights(20, BREAKS + number))[0] == 200
        assert "canary" not in ready(client)
        record.write_bytes(b"no database at all" * 1000)
        until(lambda: "not a database" in ready(client)["note"])
        assert ask(client, "/predict", RECORD)[0] == 200
        record.unlink()
        for path in elsewhere.glob("record.db*"):
            path.rename(cast.store / path.name)
        # It comes back, and hears what happened meanwhile.
        until(lambda: len(cast.ask("status", MODEL)["models"][0]["running"]) == 1)
        until(lambda: "note" not in ready(client))


def _decided(client: Client) -> int:
    client._connection.request("GET", "/metrics")
    lines = client._connection.getresponse().read().decode().splitlines()
    found = [line for line in lines if line.startswith("taxiway_decisions_total{")]
    return sum(int(line.rpartition(" ")[2]) for line in found)


def _told_anew(port: int, times: int = 16) -> Iterator[int]:
    """What is told on one new connection after the other, which the system shares out."""
    for _ in range(times):
        with closing(Client(port)) as client:
            yield _decided(client)


def test_two_workers_share_the_port_and_the_log(cast: Firm) -> None:
    with serving(cast, *IN_DEV, "--workers", 2) as (client, server):
        callers = Callers(client.port)
        with callers.asking(8):
            until(partial(callers.have, 400))
        workers = _children(server.pid)
        # Whichever is asked tells of both: each writes down its figures every second. What a worker
        # has counted since then goes with it, so wait until either tells of all that the other has.
        until(lambda: set(_told_anew(client.port)) == {len(callers.answered)})
        # One that dies is replaced, and what it has counted does not go with it.
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: len(set(_children(server.pid)) - {workers[0]}) == 2)
        with closing(Client(client.port)) as another:
            until(lambda: _ready(client.port))
            assert another.predict(RECORD)[0] == 200
            assert _decided(another) >= len(callers.answered)
    assert callers.failed == []
    assert len(workers) == 2
    for one in callers.answered[:: len(callers.answered) // 5]:
        assert cast.ask("replay", one["decision"])["equal"]
