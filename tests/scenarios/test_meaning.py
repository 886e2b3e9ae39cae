"""A source in another unit: found, signed by its owner, mapped when loaded, and void when the
contract changes. On real flights, through the real command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import taxiway
from taxiway.core.evidence import LIKENESS, PROVENANCE, Evidence
from taxiway.data.snapshot import read_snapshot
from taxiway.governance.meaning import meaning_evidence

from .conftest import DATA, DEVELOPER, ENGINEER, MODEL, OWNER, Firm, in_environment


@pytest.fixture(name="metric")
def _metric(planned: Firm) -> Firm:
    """The warehouse has the flights in miles; what the model learns from, in kilometres."""
    own = planned.project / "data" / "flights.parquet"
    flights = pl.read_parquet(own)
    flights.write_parquet(planned.project / "warehouse.parquet")
    flights.with_columns(pl.col("distance") * 1.609344).write_parquet(own)
    return planned


PAIR = ("data", "reconcile", "warehouse.parquet", "data/flights.parquet")


def opened(firm: Firm) -> list[str]:
    """Why findings are open, as the flight check sees it."""
    with in_environment(firm), taxiway.Workspace.open(firm.folder) as workspace:
        contract = workspace.project(firm.project).contract
        seen = meaning_evidence(workspace.desk, MODEL, contract, release=f"{MODEL}:1")
        return [one["why"] for one in seen.found["open"]]


def waits(firm: Firm) -> list[dict[str, Any]]:
    return list(firm.ask("status", MODEL)["models"][0]["waiting"])


def test_a_unit_is_found_signed_applied_and_void_again(metric: Firm) -> None:
    assert "distance of warehouse.parquet and flights.parquet" in metric.run(*PAIR, code=1)
    assert opened(metric) == []  # nobody acted: nothing was written
    found = metric.ask(*PAIR, by=DATA, code=1)
    (finding,) = found["findings"]
    assert (finding["kind"], finding["mapping"]["table"]) == ("unit", "flights.parquet")
    assert finding["evidence"]["factor"] == pytest.approx(1 / 1.609344)
    assert opened(metric) == ["nobody has settled it"]
    (waiting,) = [one for one in waits(metric) if one["kind"] == "meaning"]
    assert (waiting["id"], waiting["person"]) == (finding["id"], "any owner")

    resolve = ("data", "resolve", finding["id"][:5])
    reason = ("--reason", "miles, as the airlines say")
    assert "takes the role owner" in metric.run(*resolve, "--accept", *reason, by=DEVELOPER, code=4)
    assert "2 were given" in metric.run(*resolve, "--accept", "--reject", *reason, by=OWNER, code=2)
    assert "is no step" in metric.run(*resolve, "--map", "scale", *reason, by=OWNER, code=2)
    metric.run(*resolve, "--accept", *reason, "--dry-run", by=OWNER)
    assert opened(metric) == ["nobody has settled it"]
    assert not metric.ask("data", "check", code=1)["passed"]  # kilometres are no whole numbers
    assert "From the next snapshot on" in metric.run(*resolve, "--accept", *reason, by=OWNER)
    assert opened(metric) == []
    assert [one for one in waits(metric) if one["kind"] == "meaning"] == []
    assert f"settled by {OWNER}" in metric.run(*PAIR)
    assert metric.ask("data", "check")["passed"]

    taken = metric.ask("data", "snapshot", by=DATA)["snapshot"]
    with in_environment(metric), taxiway.Workspace.open(metric.folder) as workspace:
        snapshot = workspace.find_snapshot(taken["id"])
        kept = read_snapshot(workspace.objects, snapshot)["distance"]
        (lineage,) = workspace.record.find(Evidence, subject=snapshot.id, kind=PROVENANCE)
    warehouse = pl.read_parquet(metric.project / "warehouse.parquet")["distance"]
    assert kept.to_list() == warehouse.to_list()
    (done,) = lineage.found["mapped"]
    assert (done["finding"], done["by"]) == (finding["id"], OWNER)
    assert metric.ask("data", "snapshot", by=DATA)["snapshot"]["id"] == taken["id"]

    _change(metric.project / "contracts" / "flights.yaml")
    assert "the contract of flights.parquet changed" in opened(metric)[0]
    assert "do not hold any more" in metric.run("data", "snapshot", by=DATA, code=4)
    assert "void" in metric.run(*PAIR, code=1)


def test_whoever_reads_that_table_later_reads_it_mapped(metric: Firm) -> None:
    """A batch, a sample of production, a comparison, and outcomes."""
    for name, warehouse in (("schedule", "schedule"), ("landed", "flights")):
        miles = pl.read_parquet(metric.project / "data" / f"{warehouse}.parquet")
        if name == "landed":
            miles = miles.with_columns(pl.col("distance") / 1.609344)
        (metric.project / name).mkdir()
        kilometres = pl.col("distance") * 1.609344
        miles.with_columns(kilometres).write_parquet(metric.project / name / "flights.parquet")
    charter = metric.project / "taxiway.yaml"
    sample = "production: data/schedule.parquet"
    charter.write_text(
        charter.read_text().replace(sample, "production: schedule/flights.parquet"), "utf-8"
    )
    (finding,) = metric.ask(*PAIR, by=DATA, code=1)["findings"]
    sign = ("data", "resolve", finding["id"], "--accept", "--reason", "miles")
    metric.run(*sign, by=OWNER)
    metric.run("plan", by=OWNER)
    metric.take_snapshot()
    metric.run("train", by=DEVELOPER)
    with in_environment(metric), taxiway.Workspace.open(metric.folder) as workspace:
        (likeness,) = workspace.record.find(Evidence, subject=f"{MODEL}:1", kind=LIKENESS)
    assert likeness.found["mapped"][0]["finding"] == finding["id"]
    compared = metric.ask("data", "compare", code=1)
    distance = {one["name"]: one for one in compared["columns"]}["distance"]
    assert distance["effect"] < 0.2

    metric.run("promote", f"{MODEL}:1", "--to", "dev", by=ENGINEER)
    in_dev = ("--env", "dev")
    said = metric.run("score", "schedule/flights.parquet", "a.parquet", *in_dev)
    assert f"Mapped, as {OWNER} signed: distance of flights.parquet: times 0.6213" in said
    metric.run("score", "data/schedule.parquet", "b.parquet", *in_dev)
    scored = [pl.read_parquet(metric.project / f"{name}.parquet") for name in "ab"]
    assert scored[0]["probability"].equals(scored[1]["probability"])
    said = metric.run("outcomes", "add", "landed/flights.parquet", by=DATA)
    assert "Mapped, as it was signed: distance of flights.parquet" in said
    (event,) = [
        one for one in metric.ask("ledger", "show")["events"] if one["action"] == "outcomes.added"
    ]
    assert "distance of flights.parquet" in event["details"]["mapped"][0]


def _change(contract: Path) -> None:
    text = contract.read_text("utf-8")
    contract.write_text(text.replace("version: 1.0.0", "version: 1.1.0"), "utf-8")


def test_it_works_without_a_project_or_a_workspace(metric: Firm, tmp_path: Path) -> None:
    alone = Firm(tmp_path / "alone")
    alone.folder.mkdir()
    for name in ("warehouse.parquet", "data/flights.parquet"):
        (metric.project / name).rename(alone.folder / Path(name).name)
    said = alone.run("data", "reconcile", "warehouse.parquet", "flights.parquet", code=1)
    assert "1.609344" in said or "0.6213712" in said
    assert "no file" in alone.run("data", "reconcile", "warehouse.parquet", "none.csv", code=2)
    assert "outside of a project" in alone.run(
        "data", "reconcile", "warehouse.parquet", "flights.parquet", by=OWNER, code=4
    )


def test_a_table_of_a_database_is_held_against_a_file(tmp_path: Path) -> None:
    alone = Firm(tmp_path)
    planes = [(f"N{at}", 50 + at % 200) for at in range(300)]
    frame = pl.DataFrame(planes, schema=["tailnum", "seats"], orient="row")
    frame.with_columns(pl.col("seats") * 10).write_csv(tmp_path / "planes.csv")
    with closing(sqlite3.connect(tmp_path / "fleet.db")) as fleet, fleet:
        fleet.execute("CREATE TABLE planes (tailnum TEXT, seats INTEGER)")
        fleet.executemany("INSERT INTO planes VALUES (?, ?)", planes)
    pair = ("data", "reconcile", f"sqlite:///{tmp_path}/fleet.db", "planes.csv")
    (finding,) = alone.ask(*pair, "--query", "planes", code=1)["findings"]
    assert (finding["kind"], finding["evidence"]["factor"]) == ("unit", 0.1)
    assert "no query" in alone.run(*pair, code=2)
