"""Every adapter of every port. A new adapter is one line here, and all suites run over it."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.bucket import BucketObjects
from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.folder import FolderObjects
from taxiway.adapters.keyring import FolderKeys
from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord, MemorySeen
from taxiway.adapters.seen import SeenFiles
from taxiway.adapters.sql import SqlRecord, open_record
from taxiway.core.decision import Decision
from taxiway.core.ledger import Draft
from taxiway.core.ports import Decisions, Keys, Objects, Record, Seen

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _sql(folder: Path) -> SqlRecord:
    return open_record(folder / "record.db")


def _memory(_: Path) -> MemoryRecord:
    return MemoryRecord()


def _folder_objects(folder: Path) -> FolderObjects:
    return FolderObjects(folder / "objects")


def _memory_objects(folder: Path) -> MemoryObjects:
    return MemoryObjects(folder / "copies")


BUCKETS = itertools.count(1)


def _bucket_objects(folder: Path) -> BucketObjects:
    """A place of its own in a bucket, on the server that the environment names."""
    return BucketObjects(f"s3://contracts/{os.getpid()}-{next(BUCKETS)}", folder / "copies")


def _open_decisions(folder: Path) -> DecisionLog:
    return DecisionLog(folder / "decisions.db")


READS = ("get", "scan", "between", "made_before", "count", "remove")


def _closed_decisions(folder: Path) -> DecisionLog:
    """Whatever is read is read from closed files."""
    log = DecisionLog(folder / "decisions.db")

    def behind_closing(read: Callable[..., Any]) -> Callable[..., Any]:
        def closing_first(*given: Any, **named: Any) -> Any:
            log.let_go()
            log.close_segments()
            return read(*given, **named)

        return closing_first

    vars(log).update({name: behind_closing(getattr(log, name)) for name in READS})
    return log


def _memory_decisions(_: Path) -> MemoryDecisions:
    return MemoryDecisions()


def _plain_keys(folder: Path) -> FolderKeys:
    return FolderKeys(folder / "keys")


def _encrypted_keys(folder: Path) -> FolderKeys:
    return FolderKeys(folder / "keys", b"correct horse")


def _seen_files(folder: Path) -> SeenFiles:
    return SeenFiles(folder / "seen.db")


def _memory_seen(_: Path) -> MemorySeen:
    return MemorySeen()


Make = Callable[[Path], Any]
ADAPTERS: Mapping[str, Mapping[str, Make]] = {
    "record": {"sqlite": _sql, "memory": _memory},
    "objects": {"folder": _folder_objects, "memory": _memory_objects, "bucket": _bucket_objects},
    "decisions": {
        "segments": _open_decisions,
        "closed": _closed_decisions,
        "memory": _memory_decisions,
    },
    "keys": {"plain": _plain_keys, "encrypted": _encrypted_keys},
    "seen": {"file": _seen_files, "memory": _memory_seen},
}
PORTS: Mapping[str, type] = {
    "record": Record,
    "objects": Objects,
    "decisions": Decisions,
    "keys": Keys,
    "seen": Seen,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for port, adapters in ADAPTERS.items():
        if f"new_{port}" in metafunc.fixturenames:
            metafunc.parametrize(f"new_{port}", adapters.values(), ids=adapters, scope="session")


@pytest.fixture
def record(new_record: Make, tmp_path: Path) -> Iterator[Record]:
    made: Record = new_record(tmp_path)
    yield made
    made.close()


@pytest.fixture
def in_bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody who may use the object store that runs."""
    for name, value in request.getfixturevalue("object_store").variables().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def objects(new_objects: Make, tmp_path: Path, request: pytest.FixtureRequest) -> Objects:
    if new_objects is _bucket_objects:
        request.getfixturevalue("in_bucket")
    made: Objects = new_objects(tmp_path)
    return made


@pytest.fixture
def seen(new_seen: Make, tmp_path: Path) -> Seen:
    made: Seen = new_seen(tmp_path)
    return made


@pytest.fixture
def decisions(new_decisions: Make, tmp_path: Path) -> Iterator[Decisions]:
    made: Decisions = new_decisions(tmp_path)
    yield made
    made.close()


@pytest.fixture
def keys(new_keys: Make, tmp_path: Path) -> Keys:
    made: Keys = new_keys(tmp_path)
    return made


@pytest.fixture
def adapters(tmp_path: Path) -> Mapping[type, set[type]]:
    """Port -> the classes that its suite runs over."""
    found: dict[type, set[type]] = {}
    for port, makes in ADAPTERS.items():
        made = [make(tmp_path) for make in makes.values()]
        found[PORTS[port]] = {type(one) for one in made}
        for one in made:
            if hasattr(one, "close"):
                one.close()
    return found


@pytest.fixture
def write(record: Record, draft: Callable[..., Draft]) -> Callable[..., None]:
    """Adds facts in one change with its event."""

    def writing(*facts: object) -> None:
        with record.transaction(None) as change:
            for one in facts:
                change.add(one)
            change.log(draft())

    return writing


@pytest.fixture
def swap(record: Record, draft: Callable[..., Draft]) -> Callable[[Any, Any], None]:
    """Replaces a fact in one change with its event."""

    def swapping(before: Any, after: Any) -> None:
        with record.transaction(None) as change:
            change.replace(before, after)
            change.log(draft())

    return swapping


@pytest.fixture
def decision() -> Callable[..., Decision]:
    """A decision with an id of its own."""
    numbers = itertools.count(1)

    def make(id: str | None = None, **fields: Any) -> Decision:
        plain = Decision(
            id=id or f"d-{next(numbers):06}",
            model="flight-delays",
            release="flight-delays:1",
            release_digest="sha256:1",
            environment="prod",
            channel="http",
            key='{"flight":11}',
            happened_at=NOW,
            at=NOW,
            inputs={"distance": 719.0, "origin": "JFK", "carrier": None, "seats": 2},
            output={"prediction": True, "probability": 0.1 + 0.2, "reasons": ["origin"]},
            latency_us=812,
        )
        return dataclasses.replace(plain, **fields)

    return make
