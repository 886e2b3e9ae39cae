"""The whole way on real flights: from a plan to production, and once round the loop."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl

import taxiway

from .conftest import (
    DATA,
    DEVELOPER,
    ENGINEER,
    MODEL,
    OWNER,
    VALIDATOR,
    Firm,
    in_environment,
)

ONE, TWO = f"{MODEL}:1", f"{MODEL}:2"
GOLDEN = Path(__file__).parents[1] / "golden"


def test_training_leaves_the_evidence_that_the_checks_ask_for(trained: Firm) -> None:
    flown = trained.ask("check", ONE, "--for", "prod", code=1)
    verdicts = {v["check"]: v for v in flown["verdicts"]}
    assert len(verdicts) == 48
    passed = {check for check, v in verdicts.items() if v["status"] == "passed"}
    assert {"CH-03", "CH-04", "DA-01", "DA-02", "DA-04", "DV-02", "DV-03", "DV-04"} <= passed
    assert {"VA-01", "DP-02", "AU-01"} <= passed
    assert verdicts["DV-02"]["why"] == "a second fit gave the same 10,017 predictions"
    assert "8 columns" not in verdicts["DV-03"]["why"]
    # Not built yet is never passed.
    assert verdicts["VA-03"]["status"] == "no evidence"
    # All columns are described, and no finding is open: what is missing is the owner's word.
    assert verdicts["DA-03"]["status"] == "waiting for a signature"
    assert {"DP-03", "DP-04", "CH-01"} <= set(flown["blocking"])


def test_a_second_run_gives_the_same_model(trained: Firm) -> None:
    second = trained.ask("train", by=DEVELOPER)
    assert second["release"] == TWO
    with in_environment(trained), taxiway.Workspace.open(trained.folder) as workspace:
        newest = workspace.newest_release(MODEL)
        releases = [workspace.find_release(name) for name in (ONE, TWO)]
        manifests = [json.loads(workspace.objects.get(r.digest)) for r in releases]
    assert newest.id == TWO
    first, again = ({**m["files"]} for m in manifests)
    assert first["golden.json"] == again["golden.json"]
    assert first["profile.json"] == again["profile.json"]


def test_a_dry_run_changes_nothing(trained: Firm) -> None:
    before = trained.ask("ledger", "show")["events"]
    for words, by in (
        (["plan", "--dry-run"], OWNER),
        (["data", "snapshot", "--dry-run"], DATA),
        (["train", "--dry-run"], DEVELOPER),
        (["sign", "CH-01", ONE, "--reason", "read", "--dry-run"], OWNER),
        (["promote", ONE, "--to", "dev", "--dry-run"], ENGINEER),
        (["people", "add", "somebody", "--role", "owner", "--dry-run"], OWNER),
    ):
        trained.run(*words, by=by)
    assert trained.ask("ledger", "show")["events"] == before


def test_once_round_the_loop(running: Firm) -> None:
    only = ("--months", "3-3")
    schedule = running.data("schedule-03.parquet", *only, "--schedule")
    outcomes = running.data("outcomes-03.parquet", *only, "--outcomes")
    scores = running.project / "scores.parquet"
    scored = running.ask("score", schedule, scores)
    assert scored["rows"] == pl.read_parquet(scores).height == 28_834

    before = running.ask("outcomes", "add", outcomes, "--dry-run", by=DATA)
    joined = running.ask("outcomes", "add", outcomes, by=DATA)
    assert before["added"] == joined["added"] == 27_902
    assert running.ask("outcomes", "add", outcomes, by=DATA)["known"] == 27_902

    # The charter is strict here, so that one month is enough to ask for a retraining.
    _be_strict(running)
    seen = running.ask("watch", "--as-of", "2013-04-03", "--dry-run", code=1)
    watched = running.ask("watch", "--as-of", "2013-04-03", code=1)
    assert [w["release"] for w in watched["windows"]] == [ONE]
    assert len(seen["windows"]) == len(watched["windows"])
    evidence = {e["kind"]: e["found"] for e in watched["windows"][0]["evidence"]}
    performance = evidence["monitoring.performance"]
    # ROC AUC of the same rows and labels by scikit-learn.
    assert abs(performance["value"] - _reference_auc(scores, outcomes)) < 1e-9
    assert performance["verdict"] == "dropped"
    assert evidence["monitoring.value"]["currency"] == "USD"
    alert = watched["windows"][0]["alerts"][0]
    assert (alert["owner"], alert["person"]) == ("development", DEVELOPER)
    assert "No window" in running.run("watch", "--as-of", "2013-04-03", code=0)

    running.data("flights.parquet", "--months", "1-3")
    running.data("schedule.parquet", "--months", "4-4", "--days", "1-7", "--schedule")
    running.take_snapshot()
    done = running.ask("retrain", by=DEVELOPER)
    found = done["comparison"]["found"]
    assert found["verdict"] == "challenger wins"
    assert sum(found["moved"].values()) == done["comparison"]["examined"]
    proposal = done["proposal"]["id"]
    assert [p["proposal"]["id"] for p in running.ask("retrain", "list")] == [proposal]

    refused = ("retrain", "accept", proposal, "--reason", "mine is better")
    assert "leaves it to the business owner" in running.run(*refused, by=DEVELOPER, code=4)
    running.run("retrain", "accept", proposal, "--reason", "it wins", by=OWNER)
    running.fly(TWO)
    _back_and_history(running)


def _be_strict(firm: Firm) -> None:
    charter = firm.project / "taxiway.yaml"
    charter.write_text(charter.read_text().replace("maximum_drop: 0.04", "maximum_drop: 0.01"))
    firm.commit("A stricter charter")
    firm.run("plan", by=OWNER)


def _reference_auc(scores: Path, outcomes: Path) -> float:
    from sklearn.metrics import roc_auc_score

    key = ["time_hour", "carrier", "flight"]
    truth = pl.read_parquet(outcomes).with_columns(
        pl.col("time_hour").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    )
    rows = (
        pl.read_parquet(scores)
        .join(truth, on=key)
        .filter(pl.col("arr_delay").is_not_null() & pl.col("time_hour").str.starts_with("2013-03"))
    )
    return float(roc_auc_score(rows["arr_delay"] > 15, rows["probability"]))


def _back_and_history(firm: Firm) -> None:
    said = firm.run("rollback", "prod", "--reason", "complaints since noon", by=ENGINEER)
    assert said.strip() == f"{ONE} is the champion in prod again."
    ran = [h for h in firm.ask("history") if h["environment"] == "prod"]
    assert [(h["release"], h["how"]) for h in ran] == [
        (ONE, "promotion"),
        (TWO, "promotion"),
        (ONE, "rollback"),
    ]
    assert VALIDATOR in json.dumps(ran[1]["approvals"])
    today = re.findall(r"\d{4}-\d\d-\d\d", ran[0]["since"])[0]
    shown = firm.run("ledger", "show", "--as-of", today)
    assert ONE in shown
    assert "hold" in firm.run("ledger", "verify")


def test_the_manifest_of_a_release_has_the_keys_of_its_protocol(trained: Firm) -> None:
    """What validators' tools read: a new key or another type is another protocol number."""
    golden = json.loads((GOLDEN / "release-manifest-1.json").read_text())
    with in_environment(trained), taxiway.Workspace.open(trained.folder) as workspace:
        objects = workspace.objects
        manifest = json.loads(objects.get(workspace.find_release(ONE).digest))
        rows = json.loads(objects.get(manifest["files"]["golden.json"]))
    assert manifest["protocol"] == rows["protocol"] == 1
    assert {name: type(value).__name__ for name, value in manifest.items()} == golden["manifest"]
    assert sorted(manifest["files"]) == golden["files"]
    (row,) = {tuple(sorted(row)) for row in rows["rows"]}
    assert list(row) == golden["golden row"]
