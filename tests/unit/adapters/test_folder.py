"""Objects in a folder: whole or not there, on any disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.folder import ABANDONED_SECONDS, PARTIAL, FolderObjects
from taxiway.core.errors import MissingError

LARGE = os.urandom(1_000_000)


def files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_one_file_for_each_content(tmp_path: Path) -> None:
    root = tmp_path / "not" / "yet" / "there"
    objects = FolderObjects(root)
    digest = objects.put(b"")
    name = digest.removeprefix("sha256:")
    assert files(root) == [f"{name[:2]}/{name[2:]}"]
    assert objects.path(digest) == root / name[:2] / name[2:]


def test_a_file_is_not_written_again(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    digest = objects.put(b"a model")
    before = objects.path(digest).stat()
    objects.put(b"a model")
    assert objects.path(digest).stat().st_ino == before.st_ino


def test_a_lost_object_names_its_store(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    digest = objects.put(b"a model")
    objects.path(digest).unlink()
    with pytest.raises(MissingError, match=f"Object {digest} is not in {tmp_path}") as caught:
        objects.get(digest)
    assert caught.value.todo == "Restore the object store from its backup."


def test_a_digest_is_never_a_way_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    objects = FolderObjects(tmp_path / "objects")
    for digest in ("sha256:../secret", "../secret", "/etc/passwd", "sha256:" + "." * 64):
        assert not objects.has(digest)
        with pytest.raises(MissingError, match="is not a digest"):
            objects.get(digest)


def test_what_killed_writers_left_is_cleaned_once_it_is_a_day_old(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    assert objects.clean() == 0
    kept = objects.put(b"a model")
    now = objects.path(kept).stat().st_mtime
    for name, age in (("old", ABANDONED_SECONDS + 1), ("young", ABANDONED_SECONDS - 1)):
        path = tmp_path / f"{PARTIAL}{name}"
        path.write_bytes(b"half")
        os.utime(path, (now - age, now - age))
    assert objects.clean(now=now) == 1
    assert [p.name for p in tmp_path.glob(f"{PARTIAL}*")] == [f"{PARTIAL}young"]
    assert objects.clean(now=now + ABANDONED_SECONDS) == 1
    assert objects.clean(now=now + 9 * ABANDONED_SECONDS) == 0
    assert objects.get(kept) == b"a model"


def test_cleaning_lets_writers_finish(tmp_path: Path) -> None:
    # A name whose file went away after the folder was listed, as a dangling link is.
    (tmp_path / f"{PARTIAL}gone").symlink_to(tmp_path / "nowhere")
    assert FolderObjects(tmp_path).clean() == 0


def test_cleaning_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert FolderObjects(tmp_path / "nowhere").clean() == 0


def test_disk_that_is_full(disk: Any, tmp_path: Path) -> None:
    root = disk.folder / "objects"
    objects, source = FolderObjects(root), tmp_path / "source.bin"
    source.write_bytes(LARGE)
    kept = objects.put(b"a model")
    before = files(root)
    with disk.full():
        with pytest.raises(OSError, match=r"No space left|File too large"):
            objects.put(LARGE)
        with pytest.raises(OSError, match=r"No space left|File too large"):
            objects.put_file(source)
        assert files(root) == before
        assert objects.get(kept) == b"a model"
    digest = objects.put(LARGE)
    assert objects.get(digest) == LARGE


def test_folder_that_is_read_only(lock: tuple[Path, Callable[[], None]]) -> None:
    folder, make_read_only = lock
    objects = FolderObjects(folder)
    kept = objects.put(b"a model")
    make_read_only()
    with pytest.raises(OSError, match=r"Read-only file system|Permission denied"):
        objects.put(b"another model")
    assert objects.put(b"a model") == kept  # it is there already
    assert objects.get(kept) == b"a model"
    assert objects.path(kept).read_bytes() == b"a model"


def test_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    objects = FolderObjects(tmp_path / "file" / "objects")
    with pytest.raises(OSError, match="Not a directory"):
        objects.put(b"a model")
    assert not objects.has("sha256:" + "0" * 64)


def test_a_source_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "objects")
    with pytest.raises(FileNotFoundError, match="No such file"):
        objects.put_file(tmp_path / "nowhere")
    assert not (tmp_path / "objects").exists()
