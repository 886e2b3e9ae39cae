"""A batch over the workers of Ray: the same rows, answers, log and resumption as one process."""

from __future__ import annotations

import gc
from pathlib import Path

import polars as pl
import pytest

from taxiway.bootstrap.spread import NUMBER, _Parts
from taxiway.core.errors import IntegrityError

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


def test_what_ray_gives_in_another_order_and_in_pieces_is_put_together() -> None:
    rows = pl.DataFrame({NUMBER: [2, 3, 5, 8, 9, 11], "id": list("abcdef")})
    parts = _Parts([2, 8])
    parts.add(rows[3:])  # the second file before the first
    assert (parts.rows_of(2), parts.rows_of(8)) == (0, 3)
    parts.add(rows[[2, 0]])
    assert parts.rows_of(2) == 2
    parts.add(rows[1:2])
    assert parts.take(2)["id"].to_list() == ["a", "b", "c"]
    assert parts.take(8)["id"].to_list() == ["d", "e", "f"]
    parts.add(rows[::-1])  # both in one piece
    assert parts.take(8)["id"].to_list() == ["d", "e", "f"]


def test_a_batch_that_fails_half_way_ends_and_leaves_no_cluster(
    running: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    def other(self: _Parts, part: pl.DataFrame) -> None:
        raise IntegrityError("Ray gave nonsense.")

    monkeypatch.setattr(_Parts, "add", other)
    source = running.project / "data" / "schedule.parquet"
    said = running.run("score", source, "out.parquet", "--engine", "ray", code=5)
    assert "Ray gave nonsense." in said
    gc.collect()  # whoever is let go of now must not start another one
    assert not ray.is_initialized()
