"""Fields, codecs and columns: three ways of saying the same."""

from __future__ import annotations

import dataclasses
import inspect
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.sql import open_record
from taxiway.adapters.tables import IMMUTABLE, TABLES, codecs, encoded_field
from taxiway.core import evidence, facts, people
from taxiway.core.facts import Run
from taxiway.core.people import Person

kinds = pytest.mark.parametrize("kind", TABLES, ids=TABLES.values())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record.db"
    open_record(path).close()
    return path


def rows(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path)
    found = connection.execute(statement).fetchall()
    connection.close()
    return found


@kinds
def test_every_annotation_has_its_codec(kind: type[Any]) -> None:
    assert list(codecs(kind)) == [field.name for field in dataclasses.fields(kind)]


def test_every_fact_of_the_core_has_its_table() -> None:
    with_ids = {
        member
        for module in (facts, people, evidence)
        for _, member in inspect.getmembers(module, dataclasses.is_dataclass)
        if "id" in {field.name for field in dataclasses.fields(member)}
    }
    assert with_ids == set(TABLES)
    assert len(set(TABLES.values())) == len(TABLES)
    assert set(IMMUTABLE) < set(TABLES)


@kinds
def test_the_migration_s_columns_are_the_fields(database: Path, kind: type[Any]) -> None:
    columns = {
        name: (affinity, bool(required), bool(key))
        for _, name, affinity, required, _, key in rows(
            database, f"PRAGMA table_info({TABLES[kind]})"
        )
    }
    assert columns == {
        field.name: (
            "INTEGER" if str(field.type).startswith("int") else "TEXT",
            not str(field.type).endswith(" | None"),
            field.name == "id",
        )
        for field in dataclasses.fields(kind)
    }


def test_the_database_has_no_other_tables(database: Path) -> None:
    names = {
        name for (name,) in rows(database, "SELECT name FROM sqlite_master WHERE type='table'")
    }
    assert names == {*TABLES.values(), "ledger", "alembic_version"}


def test_what_never_changes_is_what_the_database_holds_fast(database: Path) -> None:
    tables = {
        table
        for (table,) in rows(
            database, "SELECT tbl_name FROM sqlite_master WHERE name LIKE '%_no_update'"
        )
    }
    assert tables == {*(TABLES[kind] for kind in IMMUTABLE), "ledger"}


def test_conditions() -> None:
    assert encoded_field(Person, "roles", ("owner", "auditor")) == '["owner","auditor"]'
    assert encoded_field(Person, "removed_at", None) is None
    assert encoded_field(Person, "added_at", None) is None
    assert encoded_field(Run, "metrics", {"b": 1, "a": None}) == '{"a":null,"b":1}'
    with pytest.raises(KeyError, match="colour"):
        encoded_field(Person, "colour", "red")
