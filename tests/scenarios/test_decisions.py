"""The decision log through the real command line: listed, exported, expired, erased."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.adapters.decisions.query import micros

from .conftest import DATA, DEVELOPER, ENGINEER, MODEL, OWNER, VALIDATOR, Firm

BATCH = ("--env", "prod")


@pytest.fixture
def scored(running: Firm) -> Firm:
    """With a week of flights decided."""
    running.run("score", running.project / "data" / "schedule.parquet", "scores.parquet")
    return running


def age(firm: Firm, ids: list[str], at: datetime) -> None:
    """Makes decisions as old as that, in a log that knows of nothing earlier."""
    firm.change_log("DELETE FROM earlier")
    for one in ids:
        firm.change_log("UPDATE decision SET at = ? WHERE id = ?", (micros(at), one))


def newest_event(firm: Firm) -> Any:
    return firm.ask("ledger", "show")["events"][-1]


def test_decisions_are_listed_and_filtered(scored: Firm) -> None:
    scores = pl.read_parquet(scored.project / "scores.parquet")
    found = scored.ask("decisions", *BATCH, "--limit", "3")
    assert (len(found["decisions"]), found["of_decisions"]) == (3, scores.height)
    times = [one["happened_at"] for one in found["decisions"]]
    assert times == sorted(times, reverse=True)
    assert times[0].startswith("2013-03-08")  # the evening of the 7th, in UTC
    yes = scored.ask("decisions", "list", *BATCH, "--positive", "--limit", "1")
    assert yes["of_decisions"] == scores["prediction"].sum()
    assert yes["decisions"][0]["output"]["prediction"] is True
    day = scored.ask("decisions", *BATCH, "--from", "2013-03-02", "--to", "2013-03-02")
    expected = scores.filter(pl.col("time_hour").str.starts_with("2013-03-02"))
    assert day["of_decisions"] == expected.height
    row = scores.row(0, named=True)
    key = [f"{name}={row[name]}" for name in ("carrier", "flight", "time_hour")]
    words = [word for part in key for word in ("--key", part)]
    (one,) = scored.ask("decisions", *words, *BATCH)["decisions"]
    assert one["id"] == row["decision"]
    as_json = json.dumps({"flight": row["flight"], "carrier": row["carrier"]})
    several = scored.ask("decisions", "--key", as_json, *BATCH, "--limit", "999")["decisions"]
    assert row["decision"] in [one["id"] for one in several]
    assert len(several) < 20

    said = scored.run("decisions", "--limit", "2")
    assert "The newest 2 of" in said
    assert MODEL in said
    assert "No such decision" in scored.run("decisions", "--from", "2027-01-01")
    rehearsed = scored.ask("decisions")["of_decisions"] - scores.height
    assert rehearsed > 0
    assert "Did you mean 'flight'?" in scored.run("decisions", "--key", "flihgt=1", code=3)
    assert "a whole number" in scored.run("decisions", "--key", "flight=x", code=2)
    assert f"Did you mean '{MODEL}:1'?" in scored.run(
        "decisions", "--release", f"{MODEL}:11", code=3
    )
    assert "expire" in scored.run("decisions", "--help")


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
    outcomes = scored.data("outcomes.parquet", "--months", "3-3", "--outcomes")
    scored.run("outcomes", "add", outcomes, by=DATA)
    old = scores["decision"].to_list()[:100]
    age(scored, old[:60], datetime(2024, 3, 1, 10, tzinfo=UTC))
    age(scored, old[60:], datetime(2024, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC))
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


def test_a_person_is_erased_without_a_trace_of_who(scored: Firm) -> None:
    outcomes = scored.data("outcomes.parquet", "--months", "3-3", "--outcomes")
    scored.run("outcomes", "add", outcomes, by=DATA)
    row = pl.read_parquet(scored.project / "scores.parquet").row(0, named=True)
    keys = ("--key", f"flight={row['flight']}", "--key", f"carrier={row['carrier']}")
    words = ("decisions", "erase", *keys, "--reason", "request 12")
    assert "it takes the role owner" in scored.run(*words, "--yes", by=ENGINEER, code=4)
    assert "add --yes" in scored.run(*words, by=OWNER)
    done = scored.ask(*words, "--yes", by=OWNER)
    assert done["decisions"] > 0
    assert done["outcomes"] >= done["decisions"]
    assert "No decision" in scored.run("replay", row["decision"], code=3)
    event = newest_event(scored)
    assert event["action"] == "decisions.erased"
    assert event["details"]["columns"] == ["carrier", "flight"]
    assert str(row["flight"]) not in event["details"]["reason"]
    assert event["details"]["key"].startswith("sha256:")
    for file in (*scored.store.glob("decisions.db*"), *scored.segments):
        assert f'"flight":{row["flight"]},"time_hour"'.encode() not in _of(file, row["carrier"])
    assert "Nothing of" in scored.run(*words, "--yes", by=OWNER)
    assert "hold" in scored.run("ledger", "verify")


def _of(file: Path, carrier: str) -> bytes:
    """What stands in a file behind a carrier."""
    start = f'{{"carrier":"{carrier}",'.encode()
    return b"|".join(part[:60] for part in file.read_bytes().split(start)[1:])
