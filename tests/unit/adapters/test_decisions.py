"""The decision log's files: protocols, locks, who writes where, and disks that take no more."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.decisions import PROTOCOL, DecisionLog, catalogue, removal, segment, writer
from taxiway.adapters.ids import new_id
from taxiway.core.decision import Decision, Outcome
from taxiway.core.errors import ConflictError, IntegrityError, StoreError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LARGE = "x" * 5_000_000
DAY = timedelta(days=1)


def decision(id: str, *, at: datetime = NOW, channel: str = "http", **inputs: Any) -> Decision:
    return Decision(id, "m", "m:1", "", "prod", channel, "", NOW, at, inputs, {}, 1)


def by_hand(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None)
    found = connection.execute(statement).fetchall()
    connection.close()
    return found


def segments(path: Path) -> list[Path]:
    return sorted((path.with_suffix("") / "open").glob("*.db"))


def closed(path: Path) -> list[Path]:
    return sorted((path.with_suffix("") / "closed").rglob("*.*"))


def ids(log: DecisionLog) -> list[str]:
    found = sorted(d.id for d in log.scan("m"))
    assert log.count("m") == len(found)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


# Protocols


def test_what_was_appended_outlives_the_program(path: Path) -> None:
    log = DecisionLog(path)
    log.append([decision("a", distance=719.0)])
    log.add_outcomes([Outcome("m", "k", True, NOW)])
    log.close()
    again = DecisionLog(path)
    assert again.get("a") == decision("a", distance=719.0)
    assert again.outcomes("m") == {"k": True}
    again.close()


def test_every_file_carries_its_protocol(path: Path) -> None:
    log = DecisionLog(path)
    log.append([decision("a")])
    log.close()
    for file in (path, *segments(path)):
        assert by_hand(file, "PRAGMA user_version") == [(PROTOCOL,)]


def test_a_file_of_a_newer_taxiway(path: Path) -> None:
    DecisionLog(path).close()
    by_hand(path, f"PRAGMA user_version={PROTOCOL + 1}")
    with pytest.raises(StoreError, match="was written by a newer taxiway") as caught:
        DecisionLog(path)
    assert caught.value.todo == "Upgrade taxiway; an older one must not write here."


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        DecisionLog(path)
    assert path.read_bytes() == b"no database at all" * 100


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open database file"):
        DecisionLog(tmp_path / "nowhere" / "decisions.db")


def test_a_log_that_was_closed(path: Path) -> None:
    log = DecisionLog(path)
    log.close()
    with pytest.raises(StoreError, match="closed database"):
        log.append([decision("a")])


# Who writes where


def test_every_append_is_synced(path: Path) -> None:
    log = DecisionLog(path)
    for durable, level in ((True, 2), (False, 1), (True, 2)):  # FULL, NORMAL
        log.append([decision(new_id())], durable=durable)
        open_ = log._writer._segment
        assert open_ is not None
        assert open_._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert open_._connection.execute("PRAGMA synchronous").fetchone() == (level,)
    log.close()


def test_two_writers_have_a_segment_each_and_the_next_goes_on_with_one(path: Path) -> None:
    first, second = DecisionLog(path), DecisionLog(path)
    first.append([decision("a")])
    second.append([decision("b")])
    assert len(segments(path)) == 2
    assert ids(first) == ids(second) == ["a", "b"]
    first.close()
    third = DecisionLog(path)
    third.append([decision("c")])
    assert len(segments(path)) == 2
    assert ids(second) == ["a", "b", "c"]
    with pytest.raises(ConflictError, match="already in the log"):
        third.append([decision("a")])
    second.close()
    third.close()


def test_batches_share_a_segment_in_which_an_id_stands_once(path: Path) -> None:
    first, second = DecisionLog(path), DecisionLog(path)
    first.append([decision("a", channel="batch")])
    with pytest.raises(ConflictError, match="already in the log"):
        second.append([decision("a", channel="batch")])
    second.append([decision("b", channel="batch")])
    first.append([decision("c", channel="batch")])
    assert [d.id for d in first.between("a", "c")] == ["a", "b", "c"]
    assert len(segments(path)) == 1
    # Nothing of a batch is closed while one is at work, or an id could be there twice.
    first.let_go()
    assert first.close_segments().in_use == 1
    second.close()
    assert first.close_segments().rows == 3
    assert [d.id for d in first.between("a", "c")] == ["a", "b", "c"]
    first.close()


def test_a_writer_that_holds_the_file_for_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BUSY_SECONDS", 0.05)
    log = DecisionLog(path)
    log.append([decision("first")])
    other = sqlite3.connect(segments(path)[0], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="database is locked"):
        log.append([decision("a")])
    assert log.count("m") == 1  # readers go on
    other.execute("ROLLBACK")
    log.append([decision("a")])
    assert log.count("m") == 2
    other.close()
    log.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_full_segment_is_followed_by_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "SEGMENT_ROWS", 10)
    monkeypatch.setattr(writer, "TICK_SECONDS", 0.01)
    log = DecisionLog(path)
    names = [f"{n:03}" for n in range(40)]
    for name in names:
        log.append([decision(name)])
        until(lambda: log._writer._segment is not None and log._writer._segment._rows < 10)
    done = log.close_segments(only_due=True)
    assert (done.segments, done.rows, done.in_use) == (4, 40, 1)
    assert ids(log) == names
    log.close()


def test_the_write_ahead_log_is_copied_beside_the_appends(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(writer, "TICK_SECONDS", 0.01)
    log = DecisionLog(path)
    for n in range(200):
        log.append([decision(f"{n:03}", text="x" * 1000)])
    until(lambda: segments(path)[0].stat().st_size > 100_000)
    assert log.count("m") == 200
    log.close()


def test_what_need_not_be_durable_is_on_the_disk_soon(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    monkeypatch.setattr(writer, "TICK_SECONDS", 0.01)
    log = DecisionLog(path)
    log.append([decision("a")], durable=False)
    until(lambda: bool(synced))
    until(lambda: not log._writer._unsynced)

    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    log.append([decision("b")], durable=False)
    until(lambda: log._writer._broken is not None)
    with pytest.raises(StoreError, match="can't be brought on the disk"):
        log.append([decision("c")], durable=False)
    log.append([decision("c")])  # that waits for the disk itself
    monkeypatch.undo()
    log.close()


# Disks


def test_disk_that_is_full(disk: Any) -> None:
    log = DecisionLog(disk.folder / "decisions.db")
    log.append([decision("first")])
    with disk.full():
        with pytest.raises(StoreError, match="can't be used") as caught:
            log.append([decision("small"), decision("large", text=LARGE)])
        assert caught.value.todo
        assert "nothing was half-written" in caught.value.todo
        assert ids(log) == ["first"]
        assert log.get("first") == decision("first")
    log.append([decision("small")])
    log.close()
    again = DecisionLog(disk.folder / "decisions.db")
    assert ids(again) == ["first", "small"]
    again.close()


def test_folder_that_is_read_only(lock: tuple[Path, Callable[[], None]]) -> None:
    folder, make_read_only = lock
    DecisionLog(folder / "decisions.db").close()
    make_read_only()
    with pytest.raises(StoreError, match="can't be used"):
        DecisionLog(folder / "decisions.db").append([decision("a")])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET inputs = '{'",
        "UPDATE decision SET at = 'x'",
        "UPDATE decision SET happened_at = 1 << 62",
        "UPDATE decision SET output = X'00'",
        "UPDATE decision SET source = 7",
    ],
)
def test_a_row_that_was_changed_by_hand(path: Path, statement: str) -> None:
    log = DecisionLog(path)
    log.append([decision("a")])
    by_hand(segments(path)[0], statement)
    with pytest.raises(IntegrityError, match="Decision 'a' was changed by something else"):
        log.get("a")
    log.let_go()
    with pytest.raises(IntegrityError, match="Decision 'a' was changed by something else"):
        log.close_segments()
    assert len(segments(path)) == 1
    log.close()


def test_paths_with_strange_letters(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1? é"
    folder.mkdir()
    log = DecisionLog(folder / "decisions.db")
    log.append([decision("a")])
    log.let_go()
    log.close_segments()
    log.append([decision("b")])
    assert ids(log) == ["a", "b"]
    log.close()


# Closing


def filled(path: Path, rows: int = 20) -> DecisionLog:
    log = DecisionLog(path)
    log.append([decision(f"{n:03}", name="Jacqueline-de-Bellefort") for n in range(rows)])
    log.let_go()
    return log


def test_what_is_closed_is_in_files_by_model_environment_and_day(path: Path) -> None:
    log = DecisionLog(path)
    log.append([decision("a"), decision("b", at=NOW + DAY), decision("c", at=NOW + DAY)])
    assert log.close_segments().in_use == 1  # the log itself
    log.let_go()
    assert log.close_segments(only_due=True).waiting == 1
    done = log.close_segments()
    assert (done.segments, done.rows) == (1, 3)
    places = [str(one.parent.relative_to(path.parent)) for one in closed(path)]
    start = "decisions/closed/model=m/environment=prod/day=2026-11"
    assert places == [f"{start}-23", f"{start}-24"]
    assert segments(path) == []
    assert ids(log) == ["a", "b", "c"]
    assert log.close_segments().rows == 0
    log.close()


class KilledError(BaseException):
    """Here the process would have ended."""


@pytest.mark.parametrize(
    ("module", "function", "how"),
    [
        ("parquet", "write", "before"),
        ("parquet", "sync", "before"),
        ("parquet", "write", "behind"),
        ("closing", "_unlink", "before"),
    ],
)
def test_closing_that_is_cut_off_loses_and_doubles_nothing(
    path: Path, module: str, function: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taxiway.adapters.decisions import closing as closing_module
    from taxiway.adapters.decisions import parquet

    owner = {"parquet": parquet, "closing": closing_module}[module]
    real = getattr(owner, function)

    def killed(*given: Any) -> None:
        if how == "behind":
            real(*given)
        raise KilledError

    names = [f"{n:03}" for n in range(20)]
    log = filled(path)
    monkeypatch.setattr(owner, function, killed)
    with pytest.raises(KilledError):
        log.close_segments()
    monkeypatch.undo()
    assert ids(log) == names
    log.append([decision("new")])
    assert ids(log) == [*names, "new"]
    log.let_go()
    log.close_segments()
    assert ids(log) == [*names, "new"]
    assert segments(path) == []
    assert len(closed(path)) <= 2
    log.close()


def test_ids_of_two_writers_that_are_the_same(path: Path) -> None:
    first, second = DecisionLog(path), DecisionLog(path)
    first.append([decision("a"), decision("b")])
    second.append([decision("a")])  # the same decision
    first.let_go()
    second.let_go()
    first.close_segments()
    assert ids(first) == ["a", "b"]
    first.append([decision("a", other=1)])
    first.let_go()
    with pytest.raises(IntegrityError, match="1 decisions of this segment have ids that"):
        first.close_segments()
    assert len(segments(path)) == 1
    first.close()
    second.close()


def test_a_closed_file_that_is_not_there(path: Path) -> None:
    log = filled(path)
    log.close_segments()
    closed(path)[0].unlink()
    for look in (lambda: log.get("001"), lambda: list(log.scan("m"))):
        with pytest.raises(IntegrityError, match="lacks its file"):
            look()
    log.close()


def test_a_closed_file_that_was_changed(path: Path) -> None:
    log = filled(path)
    log.close_segments()
    file = closed(path)[0]
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(StoreError, match="can't be used"):
        log.get("001")
    log.close()


def test_a_scan_goes_on_while_what_it_reads_is_closed_and_removed(path: Path) -> None:
    log = filled(path, rows=1000)
    log.close_segments()
    log.append([decision(f"{n:04}") for n in range(1000, 2000)])
    log.let_go()
    scan = log.scan("m")
    given = [next(scan).id]
    assert log.close_segments().rows == 1000
    assert log.remove("m", ["000", "001", "500", "1500"]) == (4, 0)
    given += [one.id for one in scan]
    assert len(given) == len(set(given))
    assert set(ids(log)) <= set(given)
    log.close()


def test_closing_in_two_processes_at_once(path: Path) -> None:
    log = filled(path)
    with log._alone(0), pytest.raises(ConflictError, match="Another process is closing segments"):
        log.close_segments()
    log.close()


# Removal


@pytest.mark.parametrize("where", ["open", "closed"])
def test_what_is_removed_is_gone_from_the_disk(
    path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import polars as pl

    monkeypatch.setattr(removal, "REMOVED_ROWS", 2)
    log = filled(path, 100)
    if where == "closed":
        log.close_segments()
        assert "Jacqueline" in str(pl.read_parquet(closed(path)[0])["inputs"].to_list())
    assert log.remove("m", [f"{n:03}" for n in range(99)]) == (99, 0)
    assert ids(log) == ["099"]
    assert len(closed(path)) == (where == "closed")
    assert log.remove("m", ["099"]) == (1, 0)
    assert closed(path) == []
    for file in path.parent.rglob("*.db*"):
        assert b"Jacqueline" not in file.read_bytes(), file
    log.close()


def test_a_reader_that_stays_keeps_a_removal_from_being_done(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(segment, "BUSY_SECONDS", 0.1)
    log = filled(path)
    with closing(sqlite3.connect(segments(path)[0], isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM decision").fetchone()
        log.append([decision("new")])
        with pytest.raises(StoreError, match="keeps a copy alive"):
            log.remove("m", ["001"])
    assert log.remove("m", ["001"]) == (0, 0)  # it was; now no copy is left
    assert b"001" not in segments(path)[0].read_bytes()
    log.close()


# Clocks


def test_clocks_that_jump(path: Path) -> None:
    clock = [datetime(2026, 1, 10, tzinfo=UTC)]
    log = DecisionLog(path, now=lambda: clock[0])

    def at(day: datetime, name: str) -> None:
        clock[0] = day
        log.append([decision(name, at=day)])

    at(datetime(2026, 1, 10, tzinfo=UTC), "a")
    at(datetime(2001, 1, 1, tzinfo=UTC), "back")
    at(datetime(2099, 1, 1, tzinfo=UTC), "ahead")
    at(datetime(2026, 1, 12, tzinfo=UTC), "b")
    log.let_go()
    for where in ("open", "closed"):
        if where == "closed":
            log.close_segments()
        assert ids(log) == ["a", "ahead", "b", "back"]
        moment = datetime(2026, 1, 11, tzinfo=UTC)
        assert [one for one, _ in log.made_before("m", moment)] == ["a", "back"]
        assert list(log.made_before("m", datetime(2026, 1, 9, tzinfo=UTC))) == []
    # A segment that is made while the clock is behind knows what came before it.
    at(datetime(2001, 1, 1, tzinfo=UTC), "back again")
    clock[0] = datetime(2026, 1, 12, tzinfo=UTC)
    assert [one for one, _ in log.made_before("m", datetime(2026, 1, 11, tzinfo=UTC))] == [
        "a",
        "back",
    ]
    log.close()


def test_a_segment_from_tomorrow_is_due(path: Path) -> None:
    clock = [NOW]
    log = DecisionLog(path, now=lambda: clock[0])
    log.append([decision("a")])
    log.let_go()
    clock[0] = NOW - 2 * DAY
    log.append([decision("b")])
    assert len(segments(path)) == 2
    log.let_go()
    assert log.close_segments(only_due=True).segments == 1
    log.close()


def test_catalogue_and_segments_have_one_protocol() -> None:
    assert catalogue.PROTOCOL == PROTOCOL
