"""The record's database: its migrations, the rules it keeps itself, and disks that take no more."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters import sql
from taxiway.adapters.sql import REVISION, SqlRecord, migrate, open_record, revision_of
from taxiway.adapters.tables import IMMUTABLE, TABLES
from taxiway.core.errors import ConflictError, RefusedError, StoreError
from taxiway.core.evidence import Evidence
from taxiway.core.facts import Deployment, Developed, Release
from taxiway.core.ledger import Draft, broken_links
from taxiway.core.people import Person, SignOff
from taxiway.core.ports import Record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MakeFact = Callable[..., Any]
MakeDraft = Callable[..., Draft]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "record.db"
    open_record(path).close()
    return path


@pytest.fixture
def path(empty: Path, tmp_path: Path) -> Path:
    """A migrated database of the test's own."""
    return Path(shutil.copy(empty, tmp_path / "record.db"))


@pytest.fixture
def record(path: Path) -> Iterator[SqlRecord]:
    made = SqlRecord(path)
    yield made
    made.close()


def by_hand(path: Path, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """What another program does to the file."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def write(record: Record, *facts: object, subject: str = "somebody") -> None:
    with record.transaction(None) as change:
        for fact in facts:
            change.add(fact)
        change.log(Draft(NOW, "flights-owner", "thing.done", subject, None, "sha256:0", {}))


# Migrations


def test_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    assert revision_of(path) is None
    record = open_record(path)
    assert revision_of(path) == REVISION
    assert record.find(Person) == []
    assert by_hand(path, "PRAGMA journal_mode") == [("wal",)]
    record.close()
    open_record(path).close()  # nothing to do


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    path.touch()
    assert revision_of(path) is None
    migrate(path)
    assert revision_of(path) == REVISION


def test_the_newest_migration_is_the_revision_that_the_code_knows() -> None:
    folder = Path(sql.__file__).parent / "migrations" / "versions"
    assert max(p.name[:4] for p in folder.glob("[0-9]*.py")) == REVISION


def test_a_database_that_is_up_to_date_needs_no_alembic(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "alembic", None)
    monkeypatch.delitem(sys.modules, "taxiway.adapters.migrations.upgrade", raising=False)
    open_record(path).close()


@pytest.mark.parametrize("revision", [f"{int(REVISION) + 1:04}", "9999"])
def test_a_database_from_the_future(path: Path, revision: str) -> None:
    by_hand(path, "UPDATE alembic_version SET version_num = ?", (revision,))
    assert revision_of(path) == revision
    with pytest.raises(StoreError, match=f"newer taxiway .revision {revision}; this") as caught:
        open_record(path)
    assert caught.value.todo == "Upgrade taxiway; an older one must not write here."


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    path.write_bytes(b"no database at all" * 100)

    def list_events(path: Path) -> None:
        list(SqlRecord(path).events())

    uses: list[Callable[[Path], Any]] = [revision_of, open_record, list_events]
    for use in uses:
        with pytest.raises(StoreError, match="file is not a database") as caught:
            use(path)
        assert caught.value.todo == "Restore the file from its backup."
    assert path.read_bytes() == b"no database at all" * 100


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "record.db"
    assert revision_of(path) is None
    with pytest.raises(StoreError, match="unable to open database file") as caught:
        open_record(path)
    assert caught.value.todo
    with pytest.raises(StoreError, match="unable to open database file"):
        write(SqlRecord(path))
    with pytest.raises(StoreError, match="unable to open database file"):
        SqlRecord(path).find(Person)


def test_a_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="unable to open database file"):
        open_record(tmp_path / "file" / "record.db")


def test_paths_with_strange_letters(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1? é"
    folder.mkdir()
    open_record(folder / "record.db").close()
    assert [p.name for p in folder.iterdir()] == ["record.db"]


def test_a_migration_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    path, done = tmp_path / "record.db", 0
    real = op.create_index

    def fails(*arguments: Any, **options: Any) -> None:
        nonlocal done
        done += 1
        if done == 4:
            raise KeyboardInterrupt
        real(*arguments, **options)

    monkeypatch.setattr(op, "create_index", fails)
    with pytest.raises(KeyboardInterrupt):
        open_record(path)
    assert by_hand(path, "SELECT name FROM sqlite_master") == []
    monkeypatch.undo()
    open_record(path).close()


def test_there_is_no_way_back(path: Path) -> None:
    from importlib import import_module

    first = import_module("taxiway.adapters.migrations.versions.0001_the_record")
    with pytest.raises(NotImplementedError, match="restore a backup"):
        first.downgrade()


# What the database refuses to every program

never = pytest.mark.parametrize("table", [*(TABLES[kind] for kind in IMMUTABLE), "ledger"], ids=str)


@pytest.fixture
def filled(record: SqlRecord, fact: MakeFact) -> SqlRecord:
    write(record, *(fact(kind) for kind in IMMUTABLE))
    return record


def everything(path: Path, table: str) -> list[Any]:
    return by_hand(path, f"SELECT * FROM {table}")  # noqa: S608 - names of ours


@never
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET model = 'other'",
        "DELETE FROM {table}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "UPDATE OR REPLACE {table} SET model = 'other'",
    ],
)
def test_rows_that_never_change(filled: SqlRecord, path: Path, table: str, statement: str) -> None:
    before = everything(path, table)
    assert len(before) == 1
    with pytest.raises(
        sqlite3.IntegrityError, match=f"rows of {table} never change|UNIQUE constraint failed"
    ):
        by_hand(path, statement.format(table=table))
    assert everything(path, table) == before


def test_a_release_is_not_replaced_by_another_of_its_number(
    filled: SqlRecord, path: Path, fact: MakeFact
) -> None:
    before = everything(path, "release")
    with pytest.raises(
        sqlite3.IntegrityError,
        match=r"UNIQUE constraint failed: release\.model, release\.number",
    ):
        by_hand(
            path,
            "INSERT OR REPLACE INTO release SELECT 'other', model, number, 'forged', run, snapshot,"
            " data_digest, charter_digest, contract_digest, author, signature, at FROM release",
        )
    assert everything(path, "release") == before


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_developer_s_sign_off_written_by_hand(
    record: SqlRecord, path: Path, fact: MakeFact, line: int
) -> None:
    write(record, fact(Developed, model="m", person="dora"))

    def sign(person: str) -> None:
        by_hand(
            path,
            "INSERT INTO sign_off VALUES (?, 'c', 'm:1', 'm', ?, ?, '', '', '', '', '', '')",
            (person, person, line),
        )

    sign("vera")
    if line == 1:
        sign("dora")
        return
    with pytest.raises(sqlite3.IntegrityError, match="a developer of the model can't sign"):
        sign("dora")
    assert by_hand(path, "SELECT person FROM sign_off") == [("vera",)]


def test_a_second_champion_written_by_hand(record: SqlRecord, path: Path, fact: MakeFact) -> None:
    write(record, fact(Deployment, role="champion"))
    copy = (
        "INSERT INTO deployment SELECT 'two', model, environment, role, release, release_digest,"
        ' evidence_digest, sign_offs, replaces, how, since, "by", until, share FROM deployment'
    )
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed: deployment"):
        by_hand(path, copy)


# Errors in the words of the domain


def test_what_exists_already_is_named(record: SqlRecord, fact: MakeFact) -> None:
    write(record, fact(Person), fact(Deployment), fact(SignOff), fact(Release))
    for again, words in (
        (fact(Person), r"already holds this person .*person\.id"),
        (fact(SignOff), "already holds this sign-off"),
        (fact(Deployment, environment="qa"), "already holds this deployment"),
        (fact(Release, "other"), r"already holds this release .*release\.number"),
    ):
        with pytest.raises(ConflictError, match=words):
            write(record, again)


def test_a_second_champion_is_told_in_words(record: SqlRecord, fact: MakeFact) -> None:
    write(record, fact(Deployment, role="champion"))
    with pytest.raises(ConflictError, match="changed who runs in this environment first"):
        write(record, fact(Deployment, "two", role="champion"))


def test_a_field_that_has_to_be_there(record: SqlRecord, fact: MakeFact) -> None:
    with pytest.raises(RefusedError, match=r"The record refuses it: NOT NULL .*person\.public_key"):
        write(record, fact(Person, public_key=None))


def test_a_change_within_a_change(record: SqlRecord) -> None:
    def nested() -> None:
        with record.transaction(None):
            write(record)

    with pytest.raises(StoreError, match="cannot start a transaction within a transaction"):
        nested()
    write(record)
    assert len(list(record.events())) == 1


def test_a_writer_that_holds_the_file_for_long(
    path: Path, fact: MakeFact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "BUSY_SECONDS", 0.05)
    record = SqlRecord(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="database is locked") as caught:
        write(record, fact(Person))
    assert caught.value.todo == "Somebody else is writing for a long time; try again."
    assert record.find(Person) == []  # readers go on
    other.execute("ROLLBACK")
    write(record, fact(Person))
    other.close()
    record.close()


def test_after_close_the_record_opens_itself_again(record: SqlRecord, fact: MakeFact) -> None:
    write(record, fact(Person))
    record.close()
    assert len(record.find(Person)) == 1


# The head beside the ledger


def test_the_head_names_the_newest_event(record: SqlRecord) -> None:
    assert not record.head_file.exists()
    for n in range(3):
        write(record, subject=f"{n}")
        last = list(record.events())[-1]
        assert json.loads(record.head_file.read_bytes()) == {
            "protocol": 1,
            "seq": last.seq,
            "hash": last.hash,
        }


def test_a_change_that_failed_does_not_move_the_head(record: SqlRecord, fact: MakeFact) -> None:
    write(record, fact(Person))
    before = record.head_file.read_bytes()
    with pytest.raises(ConflictError, match="already"):
        write(record, fact(Person))
    with record.transaction(None):
        pass
    assert record.head_file.read_bytes() == before


@pytest.mark.parametrize("trouble", ["a folder in its place", "no room for it"])
def test_a_head_that_can_t_be_written_fails_no_change(
    record: SqlRecord, fact: MakeFact, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "a folder in its place":
        record.head_file.mkdir()
    else:

        def full(**_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tempfile, "mkstemp", full)
    write(record, fact(Person))
    assert len(record.find(Person)) == 1
    assert list(record.head_file.parent.glob(".head-*")) == []


# Disks


def test_disk_that_is_full(disk: Any, empty: Path, fact: MakeFact) -> None:
    path = Path(shutil.copy(empty, disk.folder / "record.db"))
    record = SqlRecord(path)
    write(record, fact(Person, "first"))
    large = fact(Evidence, found={"text": "x" * 5_000_000})
    with disk.full():
        with pytest.raises(StoreError, match="can't be used") as caught:
            write(record, fact(Person, "small"), large)
        assert caught.value.todo
        assert "nothing half-written was kept" in caught.value.todo
        assert [person.id for person in record.find(Person)] == ["first"]
        assert len(list(record.events())) == 1
    write(record, fact(Person, "second"))
    record.close()
    again = open_record(path)
    assert [person.id for person in again.find(Person)] == ["first", "second"]
    assert again.find(Evidence) == []
    assert list(broken_links(again.events())) == []
    again.close()


def test_a_new_database_on_a_full_disk(disk: Any) -> None:
    path = disk.folder / "record.db"
    with disk.full(), pytest.raises(StoreError, match="can't be used"):
        open_record(path)
    open_record(path).close()
    assert revision_of(path) == REVISION


def test_folder_that_is_read_only(
    lock: tuple[Path, Callable[[], None]], empty: Path, fact: MakeFact
) -> None:
    folder, make_read_only = lock
    path = Path(shutil.copy(empty, folder / "record.db"))
    make_read_only()
    with pytest.raises(StoreError, match=r"unable to open|readonly") as caught:
        write(SqlRecord(path), fact(Person))
    assert caught.value.todo
    with pytest.raises(StoreError, match=r"unable to open|readonly"):
        open_record(folder / "new.db")


# A file that goes away while it is open


def test_a_record_that_is_moved_away_is_missed_and_found_again(
    record: SqlRecord, path: Path, fact: MakeFact, tmp_path: Path
) -> None:
    write(record, fact(Person))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    files = [path.with_name(f"{path.name}{end}") for end in ("", "-wal", "-shm")]
    moved = [one.rename(elsewhere / one.name) for one in files if one.exists()]
    with pytest.raises(StoreError, match="unable to open database file"):
        record.find(Person)
    with pytest.raises(StoreError, match="unable to open database file"):
        write(record, fact(Person, "two"))
    assert not path.exists()
    for _ in range(2):
        path.write_bytes(b"no database at all" * 100)
        with pytest.raises(StoreError, match="file is not a database"):
            record.find(Person)
        path.unlink()
    for one in moved:
        one.rename(path.with_name(one.name))
    assert len(record.find(Person)) == 1
    write(record, fact(Person, "two"))


def test_a_record_that_is_put_in_its_place_is_the_one_that_is_read(
    record: SqlRecord, path: Path, fact: MakeFact, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    kept = open_record(other)
    write(kept, fact(Person), fact(Person, "two"))
    kept.close()
    assert record.find(Person) == []
    other.replace(path)
    for end in ("-wal", "-shm"):
        path.with_name(f"{path.name}{end}").unlink(missing_ok=True)
    assert len(record.find(Person)) == 2
