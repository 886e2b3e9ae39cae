"""The decision log's file: its protocol, its locks, and disks that take no more."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters import decisions as module
from taxiway.adapters import sqlite
from taxiway.adapters.decisions import FIELDS, PROTOCOL, SqliteDecisions
from taxiway.core.decision import Decision, Outcome
from taxiway.core.errors import IntegrityError, StoreError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LARGE = {"text": "x" * 5_000_000}


def decision(id: str, **inputs: Any) -> Decision:
    return Decision(id, "m", "m:1", "", "prod", "http", "", NOW, NOW, inputs, {}, 1)


def by_hand(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None)
    found = connection.execute(statement).fetchall()
    connection.close()
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


def test_what_was_appended_outlives_the_program(path: Path) -> None:
    log = SqliteDecisions(path)
    log.append([decision("a", distance=719.0)])
    log.add_outcomes([Outcome("m", "k", True, NOW)])
    log.close()
    again = SqliteDecisions(path)
    assert again.get("a") == decision("a", distance=719.0)
    assert again.outcomes("m") == {"k": True}
    again.close()


def test_the_columns_are_the_fields_of_a_decision(path: Path) -> None:
    SqliteDecisions(path).close()
    columns = [row[1] for row in by_hand(path, "PRAGMA table_info(decision)")]
    assert columns == list(FIELDS)


def test_every_append_is_synced(path: Path) -> None:
    log = SqliteDecisions(path)
    assert log._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert log._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    log.close()


def test_the_file_carries_its_protocol(path: Path) -> None:
    SqliteDecisions(path).close()
    assert by_hand(path, "PRAGMA user_version") == [(PROTOCOL,)]


def test_a_file_of_a_newer_taxiway(path: Path) -> None:
    SqliteDecisions(path).close()
    by_hand(path, f"PRAGMA user_version={PROTOCOL + 1}")
    with pytest.raises(StoreError, match="was written by a newer taxiway") as caught:
        SqliteDecisions(path)
    assert caught.value.todo == "Upgrade taxiway; an older one must not write here."


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        SqliteDecisions(path)
    assert path.read_bytes() == b"no database at all" * 100


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open database file"):
        SqliteDecisions(tmp_path / "nowhere" / "decisions.db")


def test_a_log_that_was_closed(path: Path) -> None:
    log = SqliteDecisions(path)
    log.close()
    with pytest.raises(StoreError, match="closed database"):
        log.append([decision("a")])


def test_a_writer_that_holds_the_file_for_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteDecisions(path).close()
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    log = SqliteDecisions(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="database is locked"):
        log.append([decision("a")])
    assert log.count("m") == 0  # readers go on
    other.execute("ROLLBACK")
    log.append([decision("a")])
    assert log.count("m") == 1
    other.close()
    log.close()


def test_disk_that_is_full(disk: Any) -> None:
    log = SqliteDecisions(disk.folder / "decisions.db")
    log.append([decision("first")])
    with disk.full():
        with pytest.raises(StoreError, match="can't be used") as caught:
            log.append([decision("small"), decision("large", **LARGE)])
        assert caught.value.todo
        assert "nothing was half-written" in caught.value.todo
        assert [d.id for d in log.scan("m")] == ["first"]
        assert log.get("first") == decision("first")
    log.append([decision("small")])
    log.close()
    again = SqliteDecisions(disk.folder / "decisions.db")
    assert [d.id for d in again.scan("m")] == ["first", "small"]
    again.close()


def test_folder_that_is_read_only(lock: tuple[Path, Callable[[], None]]) -> None:
    folder, make_read_only = lock
    SqliteDecisions(folder / "decisions.db").close()
    make_read_only()
    with pytest.raises(StoreError, match="can't be used"):
        SqliteDecisions(folder / "decisions.db").append([decision("a")])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET inputs = '{'",
        "UPDATE decision SET at = '2026-11-23 12:00:00.000000Z'",
        "UPDATE decision SET happened_at = 'yesterday'",
        "UPDATE decision SET output = X'00'",
    ],
)
def test_a_row_that_was_changed_by_hand(path: Path, statement: str) -> None:
    log = SqliteDecisions(path)
    log.append([decision("a")])
    by_hand(path, statement)
    with pytest.raises(IntegrityError, match="Decision 'a' was changed by something else"):
        log.get("a")
    with pytest.raises(IntegrityError, match="Decision 'a' was changed by something else"):
        list(log.scan("m"))
    log.close()


def test_paths_with_strange_letters(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1? é"
    folder.mkdir()
    log = SqliteDecisions(folder / "decisions.db")
    log.append([decision("a")])
    assert log.count("m") == 1
    log.close()
    assert sorted(p.name for p in folder.iterdir()) == ["decisions.db"]


def test_what_is_removed_is_gone_from_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMOVED_ROWS", 2)
    log = SqliteDecisions(path)
    log.append([decision(f"{n:03}", name="Jacqueline-de-Bellefort") for n in range(100)])
    assert log.remove("m", [f"{n:03}" for n in range(99)]) == (99, 0)
    assert log.remove("m", ["099"]) == (1, 0)
    for file in path.parent.iterdir():
        assert b"Jacqueline" not in file.read_bytes(), file
    log.close()
