"""The decision log through the real command line: listed, exported, expired, erased."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.decisions.query import micros

from .conftest import DATA, DEVELOPER, ENGINEER, MODEL, OWNER, VALIDATOR, Firm

BATCH = ("--env", "prod")


@pytest.fixture
def scored(running: Firm) -> Firm:
    """With a week of flights decided."""
    running.run("score", running.project / "data" / "schedule.parquet", "scores.parquet")
    return running


@pytest.fixture(params=["open", "closed"])
def stored(scored: Firm, request: pytest.FixtureRequest) -> Firm:
    """With decisions in segments, or in Parquet files."""
    if request.param == "closed":
        scored.run("decisions", "close")
        assert scored.segments == []
    return scored


def age(firm: Firm, ids: list[str], at: datetime) -> None:
    """Makes decisions as old as that, in a log that knew of nothing later by then."""
    firm.run("decisions", "close")
    with closing(DecisionLog(firm.store / "decisions.db")) as log:
        older = [replace(log.get(one), at=at, channel="http") for one in ids]
        log.remove(MODEL, ids)
        log.append(older)
    firm.change_log("DELETE FROM earlier")


def newest_event(firm: Firm) -> Any:
    return firm.ask("ledger", "show")["events"][-1]


def test_decisions_are_listed_and_filtered(stored: Firm) -> None:
    scores = pl.read_parquet(stored.project / "scores.parquet")
    found = stored.ask("decisions", *BATCH, "--limit", "3")
    assert (len(found["decisions"]), found["of_decisions"]) == (3, scores.height)
    times = [one["happened_at"] for one in found["decisions"]]
    assert times == sorted(times, reverse=True)
    assert times[0].startswith("2013-03-08")  # the evening of the 7th, in UTC
    yes = stored.ask("decisions", "list", *BATCH, "--positive", "--limit", "1")
    assert yes["of_decisions"] == scores["prediction"].sum()
    assert yes["decisions"][0]["output"]["prediction"] is True
    day = stored.ask("decisions", *BATCH, "--from", "2013-03-02", "--to", "2013-03-02")
    expected = scores.filter(pl.col("time_hour").str.starts_with("2013-03-02"))
    assert day["of_decisions"] == expected.height
    row = scores.row(0, named=True)
    key = [f"{name}={row[name]}" for name in ("carrier", "flight", "time_hour")]
    words = [word for part in key for word in ("--key", part)]
    (one,) = stored.ask("decisions", *words, *BATCH)["decisions"]
    assert one["id"] == row["decision"]
    as_json = json.dumps({"flight": row["flight"], "carrier": row["carrier"]})
    several = stored.ask("decisions", "--key", as_json, *BATCH, "--limit", "999")["decisions"]
    assert row["decision"] in [one["id"] for one in several]
    assert len(several) < 20

    said = stored.run("decisions", "--limit", "2")
    assert "The newest 2 of" in said
    assert MODEL in said
    assert "No such decision" in stored.run("decisions", "--from", "2027-01-01")
    rehearsed = stored.ask("decisions")["of_decisions"] - scores.height
    assert rehearsed > 0
    assert "Did you mean 'flight'?" in stored.run("decisions", "--key", "flihgt=1", code=3)
    assert "a whole number" in stored.run("decisions", "--key", "flight=x", code=2)
    assert f"Did you mean '{MODEL}:1'?" in stored.run(
        "decisions", "--release", f"{MODEL}:11", code=3
    )
    assert "expire" in stored.run("decisions", "--help")


@pytest.mark.parametrize("name", ["span.parquet", "span.csv"])
def test_a_span_is_exported(scored: Firm, name: str) -> None:
    out = scored.project / name
    words = ("decisions", *BATCH, "--from", "2013-03-02", "--to", "2013-03-03", "--out", out)
    rows = scored.ask(*words)["rows"]
    frame = pl.read_parquet(out) if name.endswith("t") else pl.read_csv(out)
    assert frame.height == rows > 1000
    times = [str(at)[:10] for at in frame["happened_at"]]
    assert times == sorted(times)
    assert set(times) == {"2013-03-02", "2013-03-03"}
    scores = pl.read_parquet(scored.project / "scores.parquet")
    joined = frame.join(scores, on="decision")
    assert joined.height == rows
    assert joined["probability"].to_list() == joined["probability_right"].to_list()
    assert set(json.loads(frame["inputs"][0])) > {"carrier", "flight", "time_hour"}
    assert "already there" in scored.run(*words, code=6)
    scored.run(*words, "--overwrite")
    none = scored.project / f"none-{name}"
    assert scored.ask("decisions", "--from", "2027-01-01", "--out", none)["rows"] == 0
    assert none.exists()


def test_what_is_too_old_expires(scored: Firm) -> None:
    scores = pl.read_parquet(scored.project / "scores.parquet")
    old = scores["decision"].to_list()[:100]
    age(scored, old[:60], datetime(2024, 3, 1, 10, tzinfo=UTC))
    age(scored, old[60:], datetime(2024, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC))
    outcomes = scored.data("outcomes.parquet", "--months", "3-3", "--outcomes")
    scored.run("outcomes", "add", outcomes, by=DATA)
    before = scored.ask("decisions")["of_decisions"]
    for who in (VALIDATOR, DEVELOPER):
        assert "it takes the role owner or engineer" in scored.run(
            "decisions", "expire", "--yes", by=who, code=4
        )
    said = scored.run("decisions", "expire", by=ENGINEER)
    assert "100 decisions made before" in said
    assert "add --yes" in said
    assert scored.ask("decisions")["of_decisions"] == before
    done = scored.ask("decisions", "expire", "--yes", by=ENGINEER)
    assert (done["decisions"], done["done"]) == (100, True)
    assert done["days"] == {"2024-03-01": 60, "2024-03-02": 40}
    assert 0 < done["outcomes"] <= 100
    assert scored.ask("decisions")["of_decisions"] == before - 100
    event = newest_event(scored)
    assert (event["action"], event["actor"]) == ("decisions.expired", ENGINEER)
    assert event["details"]["days"] == done["days"]
    assert event["digest"] == done["digest"]
    assert "No decision of" in scored.run("decisions", "expire", "--yes", by=OWNER)
    assert "hold" in scored.run("ledger", "verify")


def test_a_person_is_erased_without_a_trace_of_who(stored: Firm) -> None:
    outcomes = stored.data("outcomes.parquet", "--months", "3-3", "--outcomes")
    stored.run("outcomes", "add", outcomes, by=DATA)
    row = pl.read_parquet(stored.project / "scores.parquet").row(0, named=True)
    keys = ("--key", f"flight={row['flight']}", "--key", f"carrier={row['carrier']}")
    words = ("decisions", "erase", *keys, "--reason", "request 12")
    assert "it takes the role owner" in stored.run(*words, "--yes", by=ENGINEER, code=4)
    assert "add --yes" in stored.run(*words, by=OWNER)
    done = stored.ask(*words, "--yes", by=OWNER)
    assert done["decisions"] > 0
    assert done["outcomes"] >= done["decisions"]
    assert "No decision" in stored.run("replay", row["decision"], code=3)
    event = newest_event(stored)
    assert event["action"] == "decisions.erased"
    assert event["details"]["columns"] == ["carrier", "flight"]
    assert str(row["flight"]) not in event["details"]["reason"]
    assert event["details"]["key"].startswith("sha256:")
    for file in stored.store.rglob("*.parquet"):
        kept = pl.read_parquet(file).filter(
            pl.col("key").str.contains(f'"flight":{row["flight"]},')
        )
        assert row["carrier"] not in [json.loads(key)["carrier"] for key in kept["key"]]
    for file in stored.store.rglob("*.db*"):
        assert f'"flight":{row["flight"]},"time_hour"'.encode() not in _of(file, row["carrier"])
    assert "Nothing of" in stored.run(*words, "--yes", by=OWNER)
    assert "hold" in stored.run("ledger", "verify")


def _of(file: Path, carrier: str) -> bytes:
    """What stands in a file behind a carrier."""
    start = f'{{"carrier":"{carrier}",'.encode()
    return b"|".join(part[:60] for part in file.read_bytes().split(start)[1:])


def test_closing_changes_nothing_but_the_place(scored: Firm) -> None:
    before = scored.logged()
    said = scored.ask("decisions", "close", "--dry-run")
    open_ = len(scored.logged("http"))  # a batch's are in closed files from the first
    assert (said["rows"], said["files"]) == (open_, [])
    assert "neither full nor old" in scored.run("decisions", "close", "--due")
    assert scored.logged() == before
    done = scored.ask("decisions", "close")
    assert done["rows"] == open_ > 0
    assert all(name.startswith(f"model={MODEL}/environment=") for name in done["files"])
    assert scored.segments == []
    assert scored.logged() == before
    span = ("--from", "2013-03-01", "--to", "2013-03-02")
    assert scored.ask("replay", *span)["different"] == 0
    again = scored.ask("score", scored.project / "data" / "schedule.parquet", "again.parquet")
    assert again["found"] == again["rows"]
    assert scored.logged() == before


def test_a_server_closes_what_is_full(scored: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    from taxiway.adapters.decisions import writer
    from taxiway.bootstrap import Workspace, closing

    before = scored.logged()
    created = micros(datetime(2013, 1, 1, tzinfo=UTC))
    scored.change_log("UPDATE segment SET created_at = ?", (created,))
    monkeypatch.setattr(closing, "LOOK_SECONDS", 0.05)
    for name, value in scored.variables.items():
        monkeypatch.setenv(name, value)
    assert writer.SEGMENT_SECONDS == 24 * 3600
    with Workspace(scored.folder) as workspace:
        stop = closing.keep_closing(workspace)
        deadline = time.monotonic() + 60
        while scored.segments:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stop()
    assert scored.logged() == before


def test_the_log_answers_sql(stored: Firm) -> None:
    scores = pl.read_parquet(stored.project / "scores.parquet")
    outcomes = stored.data("outcomes.parquet", "--months", "3-3", "--outcomes")
    stored.run("outcomes", "add", outcomes, by=DATA)
    by_carrier = (
        "SELECT inputs.carrier AS carrier, count(*) AS n, avg(probability) AS mean FROM decisions"
        " WHERE environment = 'prod' GROUP BY inputs.carrier ORDER BY n DESC, carrier"
    )
    rows = stored.ask("decisions", "sql", by_carrier)["rows"]
    expected = scores.group_by("carrier").agg(pl.len().alias("n"), pl.mean("probability"))
    assert {(row["carrier"], row["n"]) for row in rows} == set(
        expected.select("carrier", "n").rows()
    )
    assert sum(row["mean"] * row["n"] for row in rows) == pytest.approx(scores["probability"].sum())
    joined = (
        "SELECT count(*) AS n, sum(label) AS late FROM decisions JOIN outcomes ON"
        " decisions.key = outcomes.key WHERE environment = 'prod'"
    )
    (row,) = stored.ask("decisions", "sql", joined)["rows"]
    assert 0 < row["late"] < row["n"] <= scores.height
    said = stored.run("decisions", "sql", "SELECT id, at FROM decisions", "--limit", "3")
    assert "more than 3 rows" in said
    for name in ("all.parquet", "all.csv"):
        out = stored.project / name
        words = ("decisions", "sql", "SELECT id, probability FROM decisions", "--out", out)
        count = stored.ask(*words)["rows"]
        read = pl.read_parquet(out) if name == "all.parquet" else pl.read_csv(out)
        assert read.height == count == len(stored.logged())
        assert set(read["id"]) == set(stored.logged())
    for statement, why in (
        ("DROP TABLE decisions", "is no question"),
        ("", "is no question"),
        ("SELECT nothing FROM decisions", "The columns of decisions are"),
        ("SELECT * FROM other", "The columns of decisions are"),
        ("SELECT (", "can't answer"),
    ):
        assert why in stored.run("decisions", "sql", statement, code=2)
    none = stored.ask("decisions", "sql", "SELECT id FROM decisions WHERE model = 'nothing'")
    assert none == {"rows": [], "more": False}
