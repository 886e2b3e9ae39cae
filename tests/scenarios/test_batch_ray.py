"""A batch over the workers of Ray: the same rows, answers, log and resumption as one process."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from .conftest import MODEL, Firm
from .test_batch import broken, decided

SPAN = ("--from", "2013-03-01", "--to", "2013-03-31")


def test_ray_says_what_one_process_says(running: Firm) -> None:
    schedule = running.project / "data" / "schedule.parquet"
    source = broken(schedule, running.project / "in.parquet", {3: "XXX"})
    words = ("score", source, "out.parquet", "--quarantine", "bad.csv", "--at-most", "1")
    spread = running.start(*words, "--engine", "ray")
    said, complained = spread.communicate(timeout=240)
    assert spread.returncode == 0, complained
    assert "1 rows break the contract" in said
    assert "Traceback" not in complained
    total = pl.read_parquet(source).height - 1
    first = pl.read_parquet(running.project / "out.parquet")
    assert decided(running) == first.height == total
    assert pl.read_csv(running.project / "bad.csv")["row"].to_list() == [3]
    # The log has every row, so one process takes all of them from there: the same, in that order.
    again = running.ask(*words, "--overwrite")
    assert again["found"] == total
    assert pl.read_parquet(running.project / "out.parquet").equals(first)
    # And each of them is made again in one process, to the bit.
    found = running.ask("replay", "--model", MODEL, *SPAN)
    assert (found["rows"], found["different"]) == (total, 0)
    assert [path.name for path in running.project.glob(".out*")] == []


def test_a_cluster_that_is_away_is_said(running: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    source = running.project / "data" / "schedule.parquet"
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    process = running.start("score", source, "out.parquet", "--engine", "ray")
    _, complained = process.communicate(timeout=240)
    assert process.returncode == 7, complained
    assert "No Ray cluster answers at 127.0.0.1:9" in complained
    assert not Path(running.project / "out.parquet").exists()
