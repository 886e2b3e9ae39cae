"""A file that looks as it did is not read again; one that may have changed is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.memory import MemorySeen
from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.core.look import TICK_NS, Look
from taxiway.data import reread
from taxiway.data.manifest import Target
from taxiway.data.reread import read_look, require_same
from taxiway.data.snapshot import take_snapshot
from taxiway.data.source import fingerprint, open_source


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that was read, in order."""
    found: list[Path] = []

    def counted(path: Path) -> Any:
        found.append(path)
        return fingerprint(path)

    monkeypatch.setattr(reread, "fingerprint", counted)
    return found


def settle() -> None:
    time.sleep(TICK_NS / 1e9 * 1.5)


def test_a_file_is_read_once(tmp_path: Path, reads: list[Path]) -> None:
    path, seen = tmp_path / "rows.csv", MemorySeen()
    path.write_bytes(b"one")
    settle()
    first = read_look(path, seen)
    assert read_look(path, seen) == first
    assert reads == [path]
    read_look(path, None)
    assert len(reads) == 2


def test_what_was_just_written_is_read_again(tmp_path: Path, reads: list[Path]) -> None:
    """Another write within the tick of the clock would look the same."""
    path, seen = tmp_path / "rows.csv", MemorySeen()
    path.write_bytes(b"one")
    read_look(path, seen)
    path.write_bytes(b"two")
    assert read_look(path, seen).digest == fingerprint(path).digest
    assert len(reads) == 2


def test_the_same_size_and_time_with_other_bytes_is_read_again(
    tmp_path: Path, reads: list[Path]
) -> None:
    path, seen = tmp_path / "rows.csv", MemorySeen()
    path.write_bytes(b"one")
    settle()
    first = read_look(path, seen)
    path.write_bytes(b"two")
    os.utime(path, ns=(first.looks[path].modified_ns,) * 2)
    second = read_look(path, seen)
    assert second.looks[path].bytes == first.looks[path].bytes
    assert second.looks[path].modified_ns == first.looks[path].modified_ns
    assert second.digest != first.digest
    with pytest.raises(InputError, match=r"rows.csv changed while it was read"):
        require_same(path, first)


def test_a_file_that_took_the_place_of_another_is_read(tmp_path: Path, reads: list[Path]) -> None:
    path, other, seen = tmp_path / "rows.csv", tmp_path / "other.csv", MemorySeen()
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    settle()
    first = read_look(path, seen)
    other.replace(path)
    assert read_look(path, seen).digest != first.digest


def test_a_folder_is_its_files(tmp_path: Path, reads: list[Path]) -> None:
    folder, seen = tmp_path / "months", MemorySeen()
    folder.mkdir()
    for name in ("1.csv", "2.csv"):
        (folder / name).write_text(name)
    settle()
    first = read_look(folder, seen)
    assert first.digest == fingerprint(folder).digest
    assert read_look(folder, seen) == first
    assert len(reads) == 2
    (folder / "3.csv").write_text("3")
    with pytest.raises(InputError, match="months changed while it was read"):
        require_same(folder, first)
    settle()
    second = read_look(folder, seen)
    assert second.digest == fingerprint(folder).digest != first.digest
    assert reads[-1] == folder / "3.csv"
    assert len(reads) == 4  # the third one, and all of the folder that had changed


def test_times_without_fractions_are_believed_later() -> None:
    whole = Look(1, 5_000_000_000, 5_000_000_000, 1, 1)
    assert not whole.settled(6_000_000_000)
    assert whole.settled(8_000_000_000)
    assert not replace(whole, changed_ns=9_000_000_000).settled(8_000_000_000)  # in the future


def test_a_second_snapshot_of_unchanged_data_reads_nothing(
    office: Any, trips: Callable[..., Path], contract: Contract, reads: list[Path]
) -> None:
    path, seen = trips(), MemorySeen()
    settle()
    rows: list[int] = []

    def take() -> Any:
        return take_snapshot(
            office.desk,
            model="bus",
            source=open_source(path),
            contract=contract,
            target=Target("late", "delay > 5"),
            description="",
            seen=seen,
            on_rows=rows.append,
        )

    first = take()
    assert rows == [3]
    assert take() == first
    assert rows == [3]
    assert reads == [path]


def test_data_that_went_stale_meanwhile_are_not_taken_again(
    office: Any, trips: Callable[..., Path], contract: Contract
) -> None:
    asked = replace(contract, freshness_hours=10)
    path, later = trips(), replace(office.desk, now=lambda: office.desk.now().replace(day=4))

    def take(desk: Any) -> Any:
        return take_snapshot(
            desk,
            model="bus",
            source=open_source(path),
            contract=asked,
            target=Target("late", "delay > 5"),
            description="",
        )

    assert take(office.desk) == take(office.desk)
    with pytest.raises(InputError, match="the data are stale"):
        take(later)
