"""An endpoint that looks features up for callers who bring keys alone, from real stores."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.bootstrap.stub import standing
from taxiway.serving.records import read_records

from .conftest import DEVELOPER, ENGINEER, MODEL, Firm, _copy
from .test_endpoint import Client, free_port, serving
from .test_features import _asking, asking, snapshot_of  # noqa: F401 - fixtures

AT = "2013-01-06T12:00:00Z"
LATER = "2013-01-06T18:00:00Z"
FEATURES = ["last_arr_delay", "wind_speed"]
UNKNOWN = ("dep_time", "arr_time", "dep_delay", "arr_delay", "air_time")
IN_DEV = ("--env", "dev")


@pytest.fixture(scope="module")
def _reading(_asking: Firm, tmp_path_factory: pytest.TempPathFactory) -> Firm:  # noqa: F811
    """In dev: a release whose model reads two features of its set."""
    firm = _copy(_asking, tmp_path_factory.mktemp("reading"))
    code = firm.project / "model.py"
    column = '        pl.col("distance").cast(pl.Float64),\n'
    read = '        pl.col("last_arr_delay").cast(pl.Float64),\n        pl.col("wind_speed"),\n'
    code.write_text(code.read_text().replace(column, column + read))
    firm.commit("Read features")
    snapshot_of(firm)
    firm.run("train", by=DEVELOPER)
    firm.run("promote", f"{MODEL}:1", "--to", "dev", by=ENGINEER)
    return firm


@pytest.fixture
def reading(_reading: Firm, tmp_path: Path) -> Firm:
    return _copy(_reading, tmp_path)


def flights_at(firm: Firm, moment: str) -> pl.DataFrame:
    """Flights of that hour, as they are known when they are scheduled."""
    flights = pl.read_parquet(firm.project / "data" / "flights.parquet")
    at = pl.lit(moment).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    asked = flights.filter(pl.col("time_hour") == at).drop(UNKNOWN)
    assert asked.height > 10
    return asked


def bodies(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """What a caller sends: inputs of the model, and the tail number that says whom to look up."""
    names = ["time_hour", "sched_dep_time", "sched_arr_time", "carrier", "flight", "origin", "dest"]
    text = pl.col("time_hour").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return frame.select(*names, "distance", "tailnum").with_columns(text).to_dicts()


def batch(firm: Firm, frame: pl.DataFrame, name: str) -> list[float]:
    """What a batch answers on the same rows, by the join."""
    rows, out = (firm.project / "data" / f"{name}-{what}.parquet" for what in ("rows", "scored"))
    frame.write_parquet(rows)
    firm.run("score", rows, out, *IN_DEV)
    scored: list[float] = pl.read_parquet(out)["probability"].to_list()
    return scored


def predicted(client: Client, content: Any) -> list[dict[str, Any]]:
    status, made = client.predict(content)
    assert status == 200, made
    return list(made)


def test_the_endpoint_looks_up_what_the_batch_joins(reading: Firm) -> None:
    asked = flights_at(reading, AT)
    expected = batch(reading, asked, "first")
    with serving(reading, *IN_DEV) as (client, server):
        # Nothing is materialised: callers bring their features, and the server says so.
        keyless = [{n: v for n, v in one.items() if n != "tailnum"} for one in bodies(asked)]
        without = predicted(client, keyless)
        assert "features_from" not in client.send("GET", "/ready")[1]
    assert "callers send the features" in (server.communicate()[0] or "")
    assert [one["probability"] for one in without] != expected

    reading.run("data", "features", "materialise", "--at", AT)
    with serving(reading, *IN_DEV) as (client, server):
        assert client.send("GET", "/ready")[1]["features_from"] == ["weather@1", "arrivals@1"]
        made = predicted(client, bodies(asked))
        assert [one["probability"] for one in made] == expected
        alone = [client.predict(one)[1]["probability"] for one in bodies(asked)[:5]]
        assert alone == expected[:5]
        # Whoever brings them is taken at his word, and needs no key.
        own = {**bodies(asked)[0], "last_arr_delay": 500, "wind_speed": 1.5}
        del own["tailnum"]
        (brought,) = predicted(client, [own])
        assert client.predict({**bodies(asked)[0], "last_arr_delay": "late"})[0] == 422
        _, document = client.send("GET", "/openapi.json")
        # A new materialisation reaches the server that is running.
        later = flights_at(reading, LATER)
        before = predicted(client, bodies(later))
        reading.run("data", "features", "materialise", "--at", LATER)
        after = predicted(client, bodies(later))
        client._connection.request("GET", "/metrics")
        metrics = client._connection.getresponse().read().decode()
    assert "features looked up in weather@1, arrivals@1, planes@1" in server.communicate()[0]
    assert [one["probability"] for one in after] == batch(reading, later, "later")
    assert [one["probability"] for one in before] != [one["probability"] for one in after]
    logged = reading.logged("http")
    assert len({logged[one["decision"]].inputs["last_arr_delay"] for one in made}) > 5
    assert logged[brought["decision"]].inputs["last_arr_delay"] == 500
    assert logged[made[0]["decision"]].inputs["tailnum"] == bodies(asked)[0]["tailnum"]
    for one in (made[0], after[0], brought):
        assert reading.ask("replay", one["decision"])["equal"]
    record = document["components"]["schemas"]["Record"]
    assert not {*FEATURES, "tailnum"} & set(record["required"])
    assert "gets them from weather@1, arrivals@1, by origin, tailnum" in json.dumps(document)
    counted = f'taxiway_features_looked_up_total{{model="{MODEL}",view="arrivals@1",outcome='
    found = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in metrics.splitlines()}
    looked_up = int(found[f'{counted}"found"}}']) + int(found[f'{counted}"nothing"}}'])
    assert looked_up == len(made) + len(alone) + len(before) + len(after)


def test_the_stub_takes_keys_alone_too(asking: Firm) -> None:  # noqa: F811
    contract = asking.project / "contracts" / "flights.yaml"
    name = "{name: wind_speed, logicalType: number,"
    assert name in contract.read_text()
    contract.write_text(contract.read_text().replace(name, f"{name} required: true,"))
    takes = standing(asking.project).current.champion.artefact.inputs
    frame = pl.read_parquet(asking.project / "data" / "flights.parquet").drop(UNKNOWN)
    text = frame.head(2).with_columns(pl.col("time_hour").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    read = read_records(text.select(set(text.columns) & set(takes.names)).to_dicts(), takes)
    assert len(read) == 2
    assert next(one for one in takes.columns if one.name == "wind_speed").nullable
    assert "may leave out wind_speed" in takes.description


def answered(client: Client, content: Any, seconds: float = 10) -> list[dict[str, Any]]:
    """The answer, once there is one."""
    deadline = time.monotonic() + seconds
    while True:
        status, made = client.predict(content)
        if status == 200:
            return list(made)
        assert status == 503, made
        assert time.monotonic() < deadline, made
        time.sleep(0.1)


def test_a_redis_that_is_killed_costs_only_those_who_need_it(
    reading: Firm, redis_at: Callable[[int], AbstractContextManager[subprocess.Popen[bytes]]]
) -> None:
    asked = flights_at(reading, AT)
    expected = batch(reading, asked, "first")
    port = free_port()
    store = ("--store", f"redis://127.0.0.1:{port}/0")
    said = reading.run("serve", MODEL, *IN_DEV, *store, "--port", free_port(), code=7)
    assert "does not answer" in said
    own = {**bodies(asked)[0], "last_arr_delay": 5, "wind_speed": 1.5}
    with redis_at(port) as redis:
        said = reading.run("serve", MODEL, *IN_DEV, *store, "--port", free_port(), code=3)
        assert "does not hold weather@1, arrivals@1, planes@1" in said
        reading.run("data", "features", "materialise", *store, "--at", AT)
        with serving(reading, *IN_DEV, *store) as (client, _):
            assert [one["probability"] for one in predicted(client, bodies(asked))] == expected
            redis.send_signal(signal.SIGKILL)
            redis.wait(10)
            logged = len(reading.logged("http"))
            status, refused = client.predict(bodies(asked))
            assert (status, "does not answer" in refused["error"]) == (503, True)
            assert "Send wind_speed, last_arr_delay, or try again." in refused["todo"]
            assert len(predicted(client, [own])) == 1
            assert len(reading.logged("http")) == logged + 1
            with redis_at(port):
                # It has come back empty: that is not the same as keys of which nothing is known.
                deadline = time.monotonic() + 10
                while "does not hold" not in client.predict(bodies(asked))[1]["error"]:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                reading.run("data", "features", "materialise", *store, "--at", AT)
                made = answered(client, bodies(asked))
            assert [one["probability"] for one in made] == expected
