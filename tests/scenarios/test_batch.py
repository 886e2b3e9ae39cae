"""Batches through the real command line: streamed, quarantined, killed, resumed, replayed."""

from __future__ import annotations

import json
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from taxiway.adapters.decisions import DecisionLog
from taxiway.data.begun import Begun, note
from taxiway.data.source import fingerprint

from .conftest import MODEL, Firm

WAIT = 60.0
KEY = ["carrier", "flight", "time_hour"]
SPAN = ("--from", "2013-03-01", "--to", "2013-12-31")


def decided(firm: Firm) -> int:
    """How much a batch decided; the log holds the rehearsal's decisions, too."""
    return len(firm.logged("batch"))


@pytest.fixture
def schedule(running: Firm) -> Path:
    return running.project / "data" / "schedule.parquet"


def broken(source: Path, out: Path, rows: dict[int, str]) -> Path:
    """A copy in which some rows (counted from 1) leave from elsewhere."""
    frame = pl.read_parquet(source).with_row_index("n", offset=1)
    for row, origin in rows.items():
        frame = frame.with_columns(
            origin=pl.when(pl.col("n") == row).then(pl.lit(origin)).otherwise("origin")
        )
    frame = frame.drop("n")
    if out.suffix == ".csv":
        frame.write_csv(out, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        frame.write_parquet(out)
    return out


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_bad_rows_are_set_aside_and_the_rest_is_decided(
    running: Firm, schedule: Path, kind: str
) -> None:
    source = broken(schedule, running.project / f"in.{kind}", {3: "XXX", 4000: "LHR"})
    out, aside = running.project / f"out.{kind}", running.project / f"bad.{kind}"
    words = ("score", source, out, "--quarantine", aside)
    assert "Give both" in running.run("score", source, out, "--quarantine", aside, code=2)
    assert "2 of" in running.run(*words, "--at-most", "1", code=2)
    assert decided(running) == 0
    assert not out.exists()
    assert not aside.exists()
    tried = running.ask(*words, "--at-most", "1%", "--dry-run")
    assert (tried["quarantined"], decided(running)) == (2, 0)
    done = running.ask(*words, "--at-most", "1%")
    rows = pl.read_parquet(schedule).height
    assert (done["rows"], done["quarantined"], done["found"]) == (rows - 2, 2, 0)
    assert decided(running) == rows - 2
    read = pl.read_csv if kind == "csv" else pl.read_parquet
    bad = read(aside)
    assert bad["row"].to_list() == [3, 4000]
    assert bad["origin"].to_list() == ["XXX", "LHR"]
    assert all("origin is not an allowed value" in why for why in bad["reasons"])
    expected = pl.read_parquet(schedule).with_row_index("n", offset=1)
    expected = expected.filter(~pl.col("n").is_in([3, 4000]))
    assert read(out)["flight"].to_list() == expected["flight"].to_list()
    assert "already there" in running.run(*words, "--at-most", "1%", code=6)


def test_a_file_is_decided_once(running: Firm, schedule: Path) -> None:
    first = running.ask("score", schedule, "first.parquet")
    again = running.ask("score", schedule, "again.csv")
    assert (first["found"], again["found"]) == (0, first["rows"])
    assert first["job"] == again["job"]
    assert decided(running) == first["rows"]
    one = pl.read_parquet(running.project / "first.parquet")
    other = pl.read_csv(running.project / "again.csv")
    assert one["decision"].to_list() == other["decision"].to_list()
    assert one["probability"].to_list() == other["probability"].to_list()
    copy = broken(schedule, running.project / "copy.parquet", {1: "EWR"})
    assert running.ask("score", copy, "copy-out.parquet")["found"] == 0


def test_in_and_out_are_two_files(running: Firm, schedule: Path) -> None:
    said = running.run("score", schedule, schedule, "--overwrite", code=2)
    assert "The same file is named twice" in said


# SIGKILL


def big(firm: Firm) -> Path:
    """More flights than are decided in one go: enough to be killed in between."""
    march = pl.read_parquet(firm.data("schedule-03.parquet", "--months", "3-3", "--schedule"))
    out = firm.project / "big.parquet"
    flights = march.height
    days = [pl.col("time_hour") + pl.duration(days=31 * later) for later in range(5)]
    pl.concat([march.with_columns(day) for day in days]).head(4 * flights).write_parquet(out)
    return out


def kill_when(firm: Firm, words: tuple[object, ...], rows: int) -> None:
    """Kills a command as soon as the log has so many decisions more, or it is past that."""
    before = counted(firm)
    process = firm.start(*words)
    deadline = time.monotonic() + WAIT
    while counted(firm) < before + rows and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=30)


def counted(firm: Firm) -> int:
    """How many decisions there are, of the rehearsal too: without reading them."""
    with closing(DecisionLog(firm.store / "decisions.db")) as log:
        return log.count(MODEL)


def test_a_killed_batch_goes_on_where_it_was(running: Firm) -> None:
    source = big(running)
    total = pl.scan_parquet(source).select(pl.len()).collect().item()
    out = running.project / "out.parquet"
    words = ("score", source, out)
    for rows in (0, 1):  # before the first chunk is in the log, and between it and the second
        kill_when(running, words, rows)
        assert not out.exists()
        assert decided(running) < total
    before = decided(running)
    assert before > 0
    old = running.logged("batch")
    done = running.ask(*words)
    assert (done["rows"], done["found"]) == (total, before)
    assert decided(running) == total
    after = running.logged("batch")
    assert {id_: after[id_] for id_ in old} == old
    assert len({one.key for one in after.values()}) == total
    frame, given = pl.read_parquet(out), pl.read_parquet(source)
    assert frame["flight"].to_list() == given["flight"].to_list()
    assert frame["carrier"].to_list() == given["carrier"].to_list()
    assert set(frame["decision"]) == set(after)
    assert frame["decision"].is_sorted()
    assert [path.name for path in running.project.glob(".out*")] == []
    assert "hold" in running.run("ledger", "verify")

    # And all of them are made again, to the bit.
    found = running.ask("replay", "--model", MODEL, *SPAN)
    assert (found["rows"], found["equal"], found["different"]) == (total, total, 0)
    assert found["releases"] == {f"{MODEL}:1": total}


def test_a_killed_quarantine_goes_on_too(running: Firm, schedule: Path) -> None:
    source = broken(schedule, running.project / "in.parquet", {3: "XXX"})
    words = ("score", source, "out.csv", "--quarantine", "bad.csv", "--at-most", "1")
    kill_when(running, words, 1)
    (running.project / "out.csv").unlink(missing_ok=True)
    aside = running.project / "bad.csv"
    aside.unlink(missing_ok=True)
    # As if it had been killed between its two files.
    digest = fingerprint(source).digest
    job = running.ask(*words, "--dry-run")["job"]
    note(running.project / "out.csv", Begun(str(source), digest, f"{MODEL}:1", job))
    aside.touch()
    running.run(*words)
    assert pl.read_csv(aside)["row"].to_list() == [3]
    assert decided(running) == pl.read_csv(running.project / "out.csv").height


# Replay of a span


def change_closed(firm: Firm, id_: str, output: str) -> None:
    """Changes what was answered, in the closed files, as nobody should."""
    for path in (firm.store / "decisions" / "closed").rglob("*.parquet"):
        frame = pl.read_parquet(path, hive_partitioning=False)
        other = pl.when(pl.col("id") == id_).then(pl.lit(output)).otherwise("output")
        frame.with_columns(output=other).write_parquet(path)


def test_a_changed_answer_is_found_in_its_span(running: Firm, schedule: Path) -> None:
    running.run("score", schedule, "out.parquet")
    id_, one = min(
        (id_, one)
        for id_, one in running.logged("batch").items()
        if one.happened_at >= datetime(2013, 3, 3, tzinfo=UTC)
    )
    changed = json.dumps({**one.output, "probability": one.output["probability"] + 1e-15})
    change_closed(running, id_, changed)
    said = running.run("replay", *SPAN, code=1)
    assert id_ in said
    assert "1 different" in said
    clean = running.run("replay", "--from", "2013-03-01", "--to", "2013-03-02")
    assert "0 different" in clean
    found = running.ask("replay", "--from", "2013-03-03", "--to", "2013-03-03", code=1)
    assert found["different"] == 1
    assert found["first"][0]["decision"]["id"] == id_
    assert found["first"][0]["logged"] != found["first"][0]["replayed"]


def test_a_replay_of_nothing_is_no_success(running: Firm) -> None:
    assert "nothing was compared" in running.run("replay", *SPAN, code=3)
    assert "Name one decision, or a span" in running.run("replay", code=2)
    assert "Name one decision, or a span" in running.run("replay", "x", *SPAN, code=2)
