"""A project that trains on features as of their time, by real commands on real flights."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.bootstrap import Workspace
from taxiway.core.evidence import FEATURE_PARITY, FEATURES, Evidence
from taxiway.core.facts import Deployment, Release, Snapshot
from taxiway.data.snapshot import read_snapshot

from .conftest import DATA, DEVELOPER, ENGINEER, MODEL, OWNER, Firm, _copy, in_environment

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "features"
NAMES = {
    "wind_speed": "number",
    "precip": "number",
    "visib": "number",
    "last_arr_delay": "integer",
    "mean_arr_delay_5": "number",
    "seats": "integer",
}
MakeFact = Callable[..., Any]


@pytest.fixture(scope="module")
def _asking(_planned: Firm, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    firm = _copy(_planned, tmp_path_factory.mktemp("asking"))
    project = firm.project
    prepare = [sys.executable, str(EXAMPLE / "prepare.py"), "--out", str(project / "data")]
    subprocess.run(prepare, check=True, stdout=subprocess.DEVNULL)
    flights = pl.read_parquet(project / "data" / "flights.parquet").head(6_000)
    flights.write_parquet(project / "data" / "flights.parquet")
    shutil.copytree(EXAMPLE / "features", project / "features")
    for name in ("weather", "planes"):
        shutil.copyfile(EXAMPLE / "contracts" / f"{name}.yaml", project / f"{name}.yaml")
    for file in (project / "features").glob("*.yaml"):
        text = file.read_text().replace("../contracts/weather", "../weather")
        text = text.replace("../contracts/planes", "../planes")
        file.write_text(text.replace("../../flights/contracts", "../contracts"))
    contract = project / "contracts" / "flights.yaml"
    added = "".join(
        f"      - {{name: {name}, logicalType: {of}, description: A feature., customProperties:"
        ' [{property: unit, value: "1"}]}\n'
        for name, of in NAMES.items()
    )
    contract.write_text(contract.read_text().rstrip() + "\n" + added)
    charter = project / "taxiway.yaml"
    source = "  source: data/flights.parquet\n"
    charter.write_text(charter.read_text().replace(source, f"{source}  features: departure\n"))
    return firm


@pytest.fixture
def asking(_asking: Firm, tmp_path: Path) -> Firm:
    """The firm's project, with a feature set in its charter and the features in its contract."""
    return _copy(_asking, tmp_path)


def snapshot_of(firm: Firm) -> str:
    return str(firm.ask("data", "snapshot", by=DATA)["snapshot"]["id"])


def pin(firm: Firm, fact: MakeFact, snapshot: str) -> None:
    """A release on this snapshot as the champion of prod, as `train` and `promote` write it."""
    with in_environment(firm), Workspace.open(firm.folder, OWNER) as workspace:
        taken = workspace.record.get(Snapshot, snapshot)
        release = fact(Release, f"{MODEL}:1", model=MODEL, number=1, snapshot=taken.id)
        runs = fact(
            Deployment, model=MODEL, environment="prod", role="champion", release=release.id
        )
        with workspace.desk.change("release.made", release.id, model=MODEL) as change:
            change.add(release)
            change.add(runs)


def test_the_snapshot_holds_what_was_known_and_pins_the_versions(asking: Firm) -> None:
    taken = snapshot_of(asking)
    with in_environment(asking), Workspace.open(asking.folder, OWNER) as workspace:
        [evidence] = workspace.record.find(Evidence, subject=taken, kind=FEATURES)
        assert set(evidence.digests) == {"weather@1", "arrivals@1", "planes@1"}
        assert evidence.found["time_known"] is True
        assert evidence.examined == 6_000
        snapshot = workspace.record.get(Snapshot, taken)
        rows = read_snapshot(workspace.objects, snapshot)
    assert rows.height == 6_000
    # Each delay of a plane's last flight is one that it really had, and landed before.
    known = rows.filter(pl.col("last_arr_delay").is_not_null())
    assert known.height > 1_000
    flown = rows.select("tailnum", "arr_delay", pl.col("time_hour").alias("left"))
    earlier = known.join(flown, on="tailnum").filter(pl.col("left") < pl.col("time_hour"))
    real = earlier.filter(pl.col("arr_delay_right") == pl.col("last_arr_delay"))
    key = ["time_hour", "carrier", "flight"]
    assert real.select(key).unique().height == known.select(key).unique().height
    assert snapshot_of(asking) == taken, "the same rows with the same features are the same"


def test_training_asks_for_a_snapshot_with_the_set(asking: Firm) -> None:
    charter = asking.project / "taxiway.yaml"
    text = charter.read_text()
    charter.write_text(text.replace("  features: departure\n", ""))
    contract = asking.project / "contracts" / "flights.yaml"
    whole = contract.read_text()
    contract.write_text(whole.replace("      - {name: ", "      # - {name: "))
    snapshot_of(asking)
    charter.write_text(text)
    said = asking.run("train", "--dry-run", by="flights-developer", code=2)
    assert "without the feature set 'departure'" in said


def test_an_edit_that_breaks_a_release_is_refused_and_says_who(
    asking: Firm, fact: MakeFact
) -> None:
    pin(asking, fact, snapshot_of(asking))
    assert {c["what"] for c in asking.ask("data", "features", "plan")["changes"]} == {"unchanged"}
    file = asking.project / "features" / "arrivals.yaml"
    text = file.read_text()

    file.write_text(text.replace("owner: flights-data", "owner: flights-owner"))
    asking.run("data", "features", "plan")  # words are free

    file.write_text(text.replace("arr_delay AS last_arr_delay", "dep_delay AS last_arr_delay"))
    said = asking.run("data", "features", "plan", code=1)
    assert f"{MODEL}:1, champion in prod (owner flights-developer), reads last_arr_delay" in said
    assert "Keep this version as it was, and define arrivals@2 beside it." in said
    refused = asking.run("data", "features", "apply", by=DATA, code=4)
    assert "sql changed, and a version never changes" in refused
    assert "champion in prod" in asking.run("data", "snapshot", by=DATA, code=4)

    file.with_name("arrivals-2.yaml").write_text(file.read_text().replace("ion: 1", "ion: 2"))
    file.write_text(text)
    changes = asking.ask("data", "features", "apply", by=DATA)["changes"]
    assert {c["view"] for c in changes if c["what"] == "new"} == {"arrivals@2"}

    file.with_name("departure.yaml").write_text(
        file.with_name("departure.yaml").read_text().replace("arrivals@1", "arrivals@2")
    )
    file.unlink()
    gone = asking.run("data", "features", "plan", code=1)
    assert "arrivals@1: it is no longer defined" in gone
    assert "champion in prod" in gone


def test_a_recorded_version_is_not_edited_even_where_nobody_reads_it(asking: Firm) -> None:
    asking.run("data", "features", "apply", by=DATA)
    file = asking.project / "features" / "weather.yaml"
    file.write_text(file.read_text().replace("delay: 1h", "delay: 0s"))
    said = asking.run("data", "features", "plan", code=1)
    assert "weather@1: delay changed, and a version never changes" in said
    assert asking.run("ledger", "verify")


def test_the_online_store_is_held_against_the_join_and_the_check_reads_it(asking: Firm) -> None:
    taken = snapshot_of(asking)
    at = ["--at", "2013-01-06T12:00:00Z"]
    asking.run("data", "features", "materialise", *at)
    assert (asking.store / "features.db").exists()
    found = asking.ask("data", "features", "get", "origin=JFK", "tailnum=N804JB", *at)
    assert list(found) == list(NAMES)
    assert found["seats"] == 200
    late = ["--at", "2013-03-06T12:00:00Z"]
    old = asking.ask("data", "features", "get", "origin=JFK", "tailnum=N804JB", *late)
    assert (old["wind_speed"], old["last_arr_delay"], old["seats"]) == (None, None, 200)

    compared = asking.ask("data", "features", "parity", "--rows", 200, by=DATA)
    assert compared["equal"] is True
    assert compared["snapshots"] == [taken]

    # Somebody's own writing into the store is found.
    with contextlib.closing(sqlite3.connect(asking.store / "features.db")) as store, store:
        store.execute("UPDATE rows SET row = replace(row, '200', '201') WHERE key LIKE '%N8%'")
    again = asking.ask("data", "features", "parity", "--rows", 4_000, by=DATA, code=1)
    assert again["differing"] > 0
    assert {"planes@1": ["seats"]}.items() <= {
        v["view"]: v["columns"] for v in again["views"] if v["differing"]
    }.items()
    with in_environment(asking), Workspace.open(asking.folder, OWNER) as workspace:
        written = workspace.record.find(Evidence, subject=taken, kind=FEATURE_PARITY)
        assert [evidence.found["differing"] > 0 for evidence in written] == [False, True]
        json.dumps([evidence.found for evidence in written])


def test_a_batch_of_keys_alone_gets_the_features_that_training_would(asking: Firm) -> None:
    code = asking.project / "model.py"
    column = '        pl.col("distance").cast(pl.Float64),\n'
    read = '        pl.col("last_arr_delay").cast(pl.Float64),\n        pl.col("wind_speed"),\n'
    code.write_text(code.read_text().replace(column, column + read))
    asking.commit("Read features")
    snapshot_of(asking)
    asking.run("train", by=DEVELOPER)
    asking.run("promote", f"{MODEL}:1", "--to", "dev", by=ENGINEER)
    data = asking.project / "data"
    rows = pl.read_parquet(data / "flights.parquet").tail(500)
    keys, whole = data / "keys.parquet", data / "whole.parquet"
    rows.drop("dep_time", "arr_time", "dep_delay", "arr_delay", "air_time").write_parquet(keys)
    asking.run("data", "features", "build", keys, "--out", whole)

    asking.run("score", keys, data / "a.parquet", "--env", "dev")
    assert not list(data.glob(".*features*"))
    logged = asking.logged("batch").values()
    known = {d.inputs["last_arr_delay"] for d in logged}
    assert len(logged) == 500
    assert len(known) > 20
    asking.run("score", whole, data / "b.parquet", "--env", "dev")
    scored = [pl.read_parquet(data / f"{name}.parquet") for name in "ab"]
    assert scored[0]["probability"].equals(scored[1]["probability"])

    # The set has moved on to what the next release is to be trained on; this one keeps its own.
    view = asking.project / "features" / "weather.yaml"
    newer = view.read_text().replace("version: 1", "version: 2").replace("ttl: 3h", "ttl: 4h")
    (asking.project / "features" / "weather2.yaml").write_text(newer)
    for file in (asking.project / "features").glob("*.yaml"):
        file.write_text(file.read_text().replace("view: weather@1", "view: weather@2"))
    pl.read_parquet(keys).write_delta(data / "again")
    asking.run("score", data / "again", data / "d.parquet", "--env", "dev")
    assert pl.read_parquet(data / "d.parquet")["probability"].equals(scored[0]["probability"])

    view.write_text(view.read_text().replace("ttl: 3h", "ttl: 4h"))
    said = asking.run("score", keys, data / "c.parquet", "--env", "dev", code=4)
    assert "is another one now" in said
