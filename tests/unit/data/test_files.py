"""Files as they are: every byte comes back, each is read once, and what is shared is kept once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.folder import FolderObjects
from taxiway.adapters.memory import MemorySeen
from taxiway.core.errors import InputError, IntegrityError, MissingError, RefusedError
from taxiway.core.evidence import FILES, Evidence
from taxiway.core.look import TICK_NS
from taxiway.data import files as module
from taxiway.data.files import FilesSnapshot, take_files
from taxiway.data.pieces import restore_files, verify_files
from taxiway.data.walk import Found, files_below

TREE = {
    "a.csv": b"id,n\n1,2\n",
    "deep/b.bin": bytes(range(256)) * 4,
    "deep/er/ünicode name\n.txt": b"text",
    "empty": b"",
    "large.bin": os.urandom(5_000),
    "same.csv": b"id,n\n1,2\n",
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of 2 kB: a file of 5 kB is large, and has three."""
    for name, size in (("PIECE", 2_000), ("SMALL", 1_500), ("PACK", 3_000)):
        monkeypatch.setattr(module, name, size)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "scans"
    for name, content in TREE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    settle()
    return root


def settle() -> None:
    time.sleep(TICK_NS / 1e9 * 1.5)


Take = Callable[..., FilesSnapshot]


@pytest.fixture
def take(office: Any, folder: Path) -> Take:
    seen = MemorySeen()

    def taking(root: Path = folder, **options: Any) -> FilesSnapshot:
        return take_files(office.desk, root, **{"seen": seen, **options})

    return taking


def evidence(office: Any, snapshot: FilesSnapshot) -> Evidence:
    found: Evidence = office.record.find(Evidence, kind=FILES, subject=snapshot.id)[-1]
    return found


def written(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_every_byte_comes_back(office: Any, take: Take, tmp_path: Path) -> None:
    snapshot = take()
    size = sum(map(len, TREE.values()))
    assert (snapshot.files, snapshot.bytes, snapshot.read) == (6, size, 6)
    assert snapshot.new_bytes == size - len(TREE["same.csv"])  # equal files are kept once
    kept = evidence(office, snapshot)
    assert verify_files(office.objects, kept) == snapshot.new_bytes
    assert restore_files(office.objects, kept, tmp_path / "back", lambda _: None) == 6
    assert written(tmp_path / "back") == TREE
    (event,) = office.record.events()
    assert (event.action, event.subject) == ("files.kept", snapshot.id)
    assert event.details == {"name": "scans", "files": 6, "bytes": size}


def test_one_file(office: Any, take: Take, folder: Path, tmp_path: Path) -> None:
    snapshot = take(folder / "large.bin")
    restore_files(office.objects, evidence(office, snapshot), tmp_path / "back", lambda _: None)
    assert written(tmp_path / "back") == {"large.bin": TREE["large.bin"]}


def test_unchanged_files_are_not_read(
    office: Any, take: Take, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take()
    objects = dict(office.objects._objects)
    monkeypatch.setattr(Found, "read", None)
    monkeypatch.setattr(type(office.objects), "put_file", None)
    again = take()
    assert again == replace(first, read=0, new_bytes=0, known=True)
    assert office.objects._objects == objects
    assert len(list(office.record.events())) == 1


def test_only_what_changed_is_read_and_stored(office: Any, take: Take, folder: Path) -> None:
    take()
    (folder / "large.bin").write_bytes(TREE["large.bin"] + b"more")
    (folder / "a.csv").rename(folder / "renamed.csv")
    (folder / "new").write_bytes(b"quite new")
    settle()
    second = take()
    assert second.read == 3
    assert second.new_bytes == 1_004 + len(b"quite new")  # of the last piece, which has more now
    verify_files(office.objects, evidence(office, second))


def test_the_same_content_is_the_same_snapshot_without_any_notes(
    office: Any, take: Take, folder: Path
) -> None:
    take()
    (folder / "new").write_bytes(b"quite new")
    settle()
    packed_later = take()
    assert take(seen=MemorySeen()) == replace(packed_later, read=7, new_bytes=0, known=True)
    other = folder.parent / "elsewhere" / "scans"
    other.parent.mkdir()
    folder.rename(other)
    assert take(other).id == packed_later.id


def test_the_same_size_and_time_with_other_bytes_is_read(take: Take, folder: Path) -> None:
    first = take()
    path = folder / "a.csv"
    about = path.stat()
    path.write_bytes(b"id,n\n1,3\n")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    second = take()
    assert second.read == 1
    assert second.id != first.id


@pytest.mark.parametrize("name", ["a.csv", "large.bin"])
def test_a_file_that_changes_while_it_is_read(
    office: Any, take: Take, folder: Path, name: str
) -> None:
    def meddle(_: int) -> None:
        (folder / name).write_bytes(TREE[name][::-1])

    with pytest.raises(InputError, match="changed while it was read") as caught:
        take(on_bytes=meddle)
    assert repr(name) in str(caught.value)
    assert list(office.record.events()) == []


@pytest.mark.parametrize("name", ["same.csv", "large.bin"])
def test_a_file_that_goes_meanwhile(
    office: Any, take: Take, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def then_gone(*given: Any, **named: Any) -> Any:
        found = files_below(*given, **named)
        (folder / name).unlink()
        return found

    monkeypatch.setattr(module, "files_below", then_gone)
    with pytest.raises(InputError, match=f"{name} can't be read: No such file"):
        take()
    assert list(office.record.events()) == []


def test_what_can_not_be_kept_is_named_all_at_once(take: Take, folder: Path) -> None:
    (folder / "to-folder").symlink_to(folder / "deep")
    (folder / "to-nothing").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_bytes(b"x")
    with pytest.raises(InputError, match="holds what can't be kept") as caught:
        take()
    assert len(caught.value.problems) == 4
    with pytest.raises(MissingError, match="There is no file or folder"):
        take(folder / "nowhere")
    (folder / "hollow").mkdir()
    with pytest.raises(InputError, match="holds no files"):
        take(folder / "hollow")


def test_a_link_to_a_file_is_that_file(office: Any, take: Take, folder: Path) -> None:
    (folder / "deep" / "link.csv").symlink_to(folder / "a.csv")
    settle()
    assert take().files == 7


def test_a_dry_run_says_what_would_be_read(office: Any, take: Take, folder: Path) -> None:
    planned = take(dry_run=True)
    assert (planned.read, planned.new_bytes) == (6, sum(map(len, TREE.values())))
    assert office.objects._objects == {}
    take()
    assert take(dry_run=True).read == 0


def test_who_may(office: Any, folder: Path) -> None:
    with pytest.raises(RefusedError, match="may not take a snapshot"):
        take_files(office.of("auditor"), folder, seen=MemorySeen())


def test_what_the_store_lost_is_put_back(office: Any, folder: Path, tmp_path: Path) -> None:
    """On a real folder: a piece that is gone, and one that was changed."""
    objects, seen = FolderObjects(tmp_path / "objects"), MemorySeen()
    desk = replace(office.desk, objects=objects)
    first = take_files(desk, folder, seen=seen)
    kept = evidence(office, first)
    pieces = sorted((tmp_path / "objects" / "blake3").glob("*/*"))
    pieces[0].unlink()
    pieces[1].chmod(0o644)
    pieces[1].write_bytes(pieces[1].read_bytes()[:-1] + b"!")
    with pytest.raises(IntegrityError, match="are not all what was kept") as caught:
        verify_files(objects, kept)
    assert "--reread" in str(caught.value)
    again = take_files(desk, folder, seen=seen, reread=True, synced=True)
    assert again.id == first.id
    verify_files(objects, evidence(office, again))


@pytest.mark.parametrize("lost", ["a pack", "the list of files", "the list of pieces"])
def test_what_the_store_lost_is_read_again(
    office: Any, take: Take, folder: Path, lost: str
) -> None:
    first = take()
    kept = evidence(office, first)
    gone = {
        "a pack": next(d for d, c in office.objects._objects.items() if b"text" in c),
        "the list of files": first.id,
        "the list of pieces": first.pieces,
    }[lost]
    del office.objects._objects[gone]
    again = take()
    assert again.id == first.id
    verify_files(office.objects, evidence(office, again))
    assert kept.subject == again.id
    assert take().read == 0


def test_the_store_itself_is_left_out(office: Any, folder: Path) -> None:
    store = folder / ".taxiway"
    store.mkdir()
    (store / "record.db").write_bytes(b"changes all the time")
    assert take_files(office.desk, folder, seen=MemorySeen(), store=store).files == 6


def test_the_same_piece_twice_is_new_once(take: Take, folder: Path) -> None:
    root = folder / "holes"
    root.mkdir()
    for name in ("a", "b"):
        (root / name).write_bytes(bytes(4_000))
    assert take(root).new_bytes == 2_000


def test_what_waits_to_be_copied_is_given_up_when_it_ends_early(
    office: Any, take: Take, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder / "many"
    root.mkdir()
    for number in range(40):
        (root / f"{number:02d}").write_bytes(bytes([number]) * 2_000)
    put, copied = office.objects.put_file, []

    def slowly(path: Path, *given: Any, **named: Any) -> str:
        copied.append(path.name)
        time.sleep(0.01)
        found: str = put(path, *given, **named)
        return found

    def interrupted(*_given: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(office.objects, "put_file", slowly)
    monkeypatch.setattr(module, "_pack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        take(root)
    assert len(copied) < 40
