"""Garbage: all that nothing refers to, and never anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.folder import FolderObjects
from taxiway.adapters.memory import MemorySeen
from taxiway.core.contract import Contract
from taxiway.core.digest import BLAKE3, canonical_json
from taxiway.core.facts import Model, Release, Snapshot
from taxiway.data.files import take_files
from taxiway.data.garbage import Garbage, collect
from taxiway.data.manifest import Target
from taxiway.data.snapshot import take_snapshot, verify_snapshot
from taxiway.data.source import open_source

Collect = Callable[..., Garbage]


@pytest.fixture
def free(office: Any) -> Collect:
    def freeing(**options: Any) -> Garbage:
        later = datetime.now(UTC) + timedelta(seconds=5)
        given = {"before": later, "remove": True, **options}
        return collect(office.record, office.objects, **given)

    return freeing


@pytest.fixture
def used(
    office: Any, fact: Any, trips: Callable[..., Path], contract: Contract, tmp_path: Path
) -> Snapshot:
    """A store in which everything is referred to: a snapshot of rows, one of files, a release, a
    charter."""
    snapshot = take_snapshot(
        office.desk,
        model="bus",
        source=open_source(trips()),
        contract=contract,
        target=Target("late", "delay > 5"),
        description="",
    )
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "one").write_bytes(b"one")
    take_files(office.desk, tmp_path / "scans", seen=MemorySeen())
    put = office.objects.put
    files = {"model.onnx": put(b"a model"), "contract.json": put(b"{}")}
    manifest = put(canonical_json({"files": files, "snapshot": snapshot.id}))
    with office.desk.change("test", "test") as change:
        change.add(fact(Release, "bus:1", model="bus", digest=manifest, snapshot=snapshot.id))
        change.add(fact(Model, "bus", charter_digest=put(b'{"name": "bus"}')))
        change.details = {"report": put(b"only the ledger knows this")}
    return snapshot


def test_nothing_that_is_referred_to_is_freed(office: Any, used: Snapshot, free: Collect) -> None:
    before = dict(office.objects._objects)
    found = free()
    assert (found.free_objects, found.missing, found.lost) == (0, (), ())
    assert office.objects._objects == before
    verify_snapshot(office.objects, used)


def test_what_nothing_refers_to_is_freed_when_it_is_old(
    office: Any, used: Snapshot, free: Collect
) -> None:
    before = dict(office.objects._objects)
    left = [office.objects.put(b"cut off"), office.objects.put(b"killed", by=BLAKE3)]
    told = free(remove=False)
    assert (told.free_objects, told.free_bytes, told.removed) == (2, 13, False)
    young = free(before=datetime.now(UTC) - timedelta(hours=1))
    assert (young.free_objects, young.young_objects) == (0, 2)
    assert all(map(office.objects.has, left))
    done = free()
    assert (done.free_objects, done.free_bytes, done.removed) == (2, 13, True)
    assert office.objects._objects == before


def test_a_document_keeps_what_it_names(office: Any, used: Snapshot, free: Collect) -> None:
    deep = office.objects.put(b"deep")
    middle = office.objects.put(canonical_json({"any": ["thing", {"may name": deep}]}))
    with office.desk.change("test", "test") as change:
        change.details = {"middle": middle}
    assert free().free_objects == 0
    assert office.objects.has(deep)


def test_missing_objects_are_told_and_stop_nothing(
    office: Any, used: Snapshot, free: Collect
) -> None:
    office.objects.put(b"cut off")
    part = next(d for d, c in office.objects._objects.items() if c.startswith(b"PAR1"))
    gone = {part, used.contract_digest, used.profile_digest}
    for digest in gone:
        del office.objects._objects[digest]
    found = free()
    assert set(found.missing) == gone
    assert found.free_objects == 1


@pytest.mark.parametrize("what", ["id", "data_digest"])
def test_one_of_the_two_lists_of_parts_is_enough(
    office: Any, used: Snapshot, free: Collect, what: str
) -> None:
    lost = getattr(used, what)
    del office.objects._objects[lost]
    before = dict(office.objects._objects)
    office.objects.put(b"cut off")
    found = free()
    assert (found.missing, found.lost, found.free_objects) == ((lost,), (), 1)
    assert office.objects._objects == before


def test_nothing_is_freed_while_a_list_is_lost(office: Any, used: Snapshot, free: Collect) -> None:
    """A release's manifest is gone: its files look as if nothing referred to them."""
    (release,) = office.record.find(Release)
    model = office.objects.put(b"a model")
    office.objects._objects[release.digest] = b"damaged"
    office.objects.put(b"cut off")
    found = free()
    assert (found.lost, found.free_objects) == ((release.digest,), 0)
    assert office.objects.has(model)
    given_up = free(give_up=frozenset({release.digest}))
    assert given_up.free_objects == 3
    assert not office.objects.has(model)


def test_who_puts_again_what_is_being_freed_keeps_it(
    office: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at an object and its removal, somebody puts it."""
    objects = FolderObjects(tmp_path / "objects")
    digest = objects.put(b"cut off")
    before = datetime.now(UTC) + timedelta(seconds=1)
    replacing = Path.replace

    def put_meanwhile(path: Path, target: Path) -> Path:
        if path.name == digest[-62:]:
            stamp = before.timestamp() + 10
            import os

            os.utime(path, (stamp, stamp))
        return replacing(path, target)

    monkeypatch.setattr(Path, "replace", put_meanwhile)
    assert objects.remove(digest, before=before) == 0
    assert objects.get(digest) == b"cut off"
