"""Every online store of features keeps the same promises, a real Redis too."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from taxiway.bootstrap.data.online import open_store
from taxiway.core.errors import ConflictError, StoreError
from taxiway.core.ports import OnlineFeatures

ROWS = 2_000
WRITER = """
import sys, time
from taxiway.bootstrap.data.online import open_store
store = open_store(sys.argv[1], None)
def rows():
    for n in range(10**9):
        yield str(n), "new"
        if n == 60_000:
            print("writing", flush=True)
            time.sleep(60)
store.switch({"a@1": (store.write("a@1", rows()), {})})
"""


@pytest.fixture(scope="module")
def redis_server(
    redis_at: Callable[[int], AbstractContextManager[subprocess.Popen[bytes]]],
) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with redis_at(port):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of a Redis that is empty."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(params=["sqlite", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return url
    return str(tmp_path / "features.db")


@pytest.fixture
def store(address: str) -> Iterator[OnlineFeatures]:
    opened = open_store(address, None)
    yield opened
    opened.close()


def filled(store: OnlineFeatures, text: str, *views: str) -> None:
    rows = [(str(n), text) for n in range(ROWS)]
    store.switch({view: (store.write(view, rows), {"text": text}) for view in views})


def test_what_was_switched_to_is_seen_and_nothing_else(store: OnlineFeatures) -> None:
    fetch = store.lookup(["a@1"])
    assert store.about("a@1") is None
    made = store.write("a@1", [("1", "ü"), ("2", "two")])
    with pytest.raises(StoreError, match="does not hold a@1"):
        fetch(["1"])
    store.switch({"a@1": (made, {"digest": "x"})})
    assert list(fetch(["1"])) == ["ü"]
    assert list(fetch(["3"])) == list(fetch([""])) == [None]
    with pytest.raises(StoreError, match="does not hold b@1"):
        store.lookup(["a@1", "b@1", "a@1"])(["1", "1", "1"])
    assert store.about("a@1") == {"digest": "x"}


def test_a_new_generation_replaces_every_row(store: OnlineFeatures) -> None:
    filled(store, "old", "a@1")
    store.switch({"a@1": (store.write("a@1", [("1", "new")]), {})})
    fetch = store.lookup(["a@1"])
    assert [list(fetch([key])) for key in ("1", "2")] == [["new"], [None]]


def test_an_empty_generation_is_one_too(store: OnlineFeatures) -> None:
    filled(store, "old", "a@1")
    store.switch({"a@1": (store.write("a@1", []), {"keys": 0})})
    assert list(store.lookup(["a@1"])(["1"])) == [None]
    assert store.about("a@1") == {"keys": 0}


def test_whoever_was_overtaken_switches_nothing(store: OnlineFeatures) -> None:
    slow = store.write("a@1", [("1", "slow")])
    filled(store, "quick", "a@1", "b@1")
    with pytest.raises(ConflictError, match="a@1 was materialised by somebody else"):
        store.switch({"a@1": (slow, {}), "b@1": (store.write("b@1", []), {})})
    assert list(store.lookup(["a@1", "b@1"])(["1", "1"])) == ["quick", "quick"]


def test_readers_see_old_or_new_of_all_views_and_never_a_mix(
    store: OnlineFeatures, address: str
) -> None:
    filled(store, "0", "a@1", "b@1")
    seen: set[tuple[str | None, ...]] = set()
    done = threading.Event()

    def read() -> None:
        reader = open_store(address, None)
        fetch = reader.lookup(["a@1", "b@1"])
        while not done.is_set():
            seen.add(tuple(fetch(["7", str(ROWS - 1)])))
        reader.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(1, 6):
        filled(store, str(n), "a@1", "b@1")
    done.set()
    for thread in threads:
        thread.join()
    assert len(seen) > 1
    assert all(one == other is not None for one, other in seen), seen


def test_a_writer_that_is_killed_leaves_the_old_rows_and_the_next_one_clears_up(
    store: OnlineFeatures, address: str
) -> None:
    filled(store, "old", "a@1")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, address], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    fetch = store.lookup(["a@1"])
    assert {*fetch(["1"]), *fetch([str(ROWS - 1)])} == {"old"}
    assert list(fetch(["50000"])) == [None]
    filled(store, "next", "a@1")
    assert list(fetch(["1"])) == ["next"]
    assert left_over(store) == 1


def left_over(store: OnlineFeatures) -> int:
    """How many generations have rows in the store."""
    from taxiway.adapters.features_redis import PREFIX, RedisFeatures
    from taxiway.adapters.features_sqlite import SqliteFeatures

    if isinstance(store, RedisFeatures):
        return len(list(store._redis.scan_iter(f"{PREFIX}:rows:*")))
    assert isinstance(store, SqliteFeatures)
    found = store._file.execute("SELECT count(DISTINCT generation) FROM rows").fetchone()
    return int(found[0])


def test_a_look_up_takes_microseconds(store: OnlineFeatures) -> None:
    filled(store, "[0,0,1.5]", "a@1", "b@1", "c@1")
    fetch = store.lookup(["a@1", "b@1", "c@1"])
    began = time.process_time()
    for n in range(1_000):
        fetch([str(n), "7", "8"])
    # Of this process alone, on a busy machine: some 10 for a file, some 100 for a Redis.
    assert (time.process_time() - began) / 1_000 < 0.002


def test_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not answer"):
        open_store("redis://127.0.0.1:1/0", None)
    (tmp_path / "other.db").write_bytes(b"not a database at all, but long enough to be read" * 20)
    with pytest.raises(StoreError, match="can't be used"):
        open_store(str(tmp_path / "other.db"), None)
