"""Snapshots by the real command line: shared, found again, back again, killed, and in a bucket."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.adapters.folder import PARTIAL

from .conftest import DATA, MODEL, OWNER, Firm

MEGABYTE = 1 << 20


def bare(folder: Path) -> Firm:
    """A workspace without any project, and one person."""
    folder.mkdir()
    firm = Firm(folder)
    firm.run("init", folder)
    firm.run("people", "add", OWNER, "--role", "owner")
    return firm


def test_versions_of_a_project_s_data(planned: Firm, tmp_path: Path) -> None:
    (first,) = planned.ask("data", "list")["rows"]
    assert first["parts"] > 1
    taken = first["snapshot"]
    # A second one of what did not change is the same; data that grew share their beginning.
    assert planned.ask("data", "snapshot", by=DATA)["snapshot"]["id"] == taken["id"]
    between = datetime.now(UTC).isoformat()
    planned.data("flights.parquet", "--months", "1-3")
    planned.run("data", "snapshot", by=DATA)
    first, second = planned.ask("data", "list")["rows"]
    assert second["new_bytes"] < 0.75 * second["bytes"]
    assert len(planned.ask("data", "list", "--as-of", between)["rows"]) == 1
    assert MODEL in planned.run("data", "list")

    traced = planned.ask("data", "lineage", taken["id"])
    assert [use["what"] for use in traced["uses"]] == ["handoff"]
    assert traced["shares"][0]["snapshot"] == second["snapshot"]["id"]
    assert "of data: accepted" in planned.run("data", "lineage", taken["id"][:20])
    assert "Nobody has used it yet" in planned.run("data", "lineage")

    # As it was then, and what had happened until a day.
    out = tmp_path / "then.parquet"
    got = planned.ask("data", "get", "--as-of", between, "--out", out)
    assert (got["snapshot"], got["rows"]) == (taken["id"], taken["rows"])
    assert pl.read_parquet(out).height == taken["rows"]
    until = planned.ask("data", "get", "--until", "2013-02-14", "--out", tmp_path / "until.csv")
    assert 0 < until["rows"] < second["snapshot"]["rows"]
    assert "arr_delay" in until["later"]
    assert "had no snapshot on 2013-01-01" in planned.run(
        "data", "get", "--as-of", "2013-01-01", "--out", tmp_path / "never.csv", code=3
    )
    assert "is already there" in planned.run("data", "get", "--out", out, code=6)
    assert "2 of 2 snapshots are what was taken" in planned.run("data", "verify")
    assert planned.ask("data", "gc")["free_objects"] == 0

    (damaged,) = (planned.store / "objects").glob(f"??/{second['snapshot']['data_digest'][9:]}")
    damaged.unlink()
    assert "1 of 2 snapshots" in planned.run("data", "verify", code=1)
    found = planned.ask("data", "gc", "--yes", "--older-than", "0", by=OWNER)
    assert found["missing"] == [second["snapshot"]["data_digest"]]
    assert planned.ask("data", "get", taken["id"], "--out", tmp_path / "a.csv")["rows"]
    planned.run("ledger", "verify")


def kill(firm: Firm, *words: object, after: float, arriving: bool = False) -> bool:
    """Starts a command and kills it some time later, counted from when an object is `arriving`;
    answers whether it was still at it."""
    process = firm.start(*words)
    while arriving and process.poll() is None:
        if any((firm.store / "objects").glob(f"{PARTIAL}*")):
            break
        time.sleep(0.002)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    return process.returncode == -signal.SIGKILL


def test_a_snapshot_of_files_that_is_killed_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = bare(tmp_path / "firm")
    files = tmp_path / "scans"
    files.mkdir()
    for n in range(2):
        (files / f"{n}.bin").write_bytes(os.urandom(MEGABYTE) * 100)
    for name, value in firm.variables.items():
        monkeypatch.setenv(name, value)
    words = ("data", "snapshot", "--files", files, "--sync")
    killed = []
    for after in (0.0, random.uniform(0.0, 0.15)):
        killed.append(kill(firm, *words, after=after, arriving=True))
        for partial in (firm.store / "objects").glob(f"{PARTIAL}*"):
            partial.unlink()  # as gc does a day later
    for objects in (firm.store / "objects").glob("blake3/??/*"):
        assert objects.stat().st_size in {64 * MEGABYTE, 36 * MEGABYTE}
    assert killed[0]
    firm.run("data", "verify")
    firm.run("ledger", "verify")
    taken = firm.ask(*words)["snapshot"]
    assert taken["files"] == 2
    freed = firm.ask("data", "gc", "--yes", "--older-than", "0", by=OWNER)
    assert freed["missing"] == []
    assert "1 of 1 snapshots are what was taken" in firm.run("data", "verify")
    firm.run("data", "get", taken["id"], "--out", tmp_path / "back")
    for path in files.iterdir():
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()


def test_a_snapshot_of_rows_that_is_killed_leaves_nothing_half(planned: Firm) -> None:
    before = planned.ask("data", "list")
    planned.data("flights.parquet", "--months", "1-4")
    words = ("data", "snapshot", "--as", DATA)
    for _ in range(2):
        kill(planned, *words, after=random.uniform(0.4, 1.3))
    now = planned.ask("data", "list")["rows"]
    assert now[:1] == before["rows"]
    assert len(now) <= 2  # the last kill may have come too late
    planned.run("data", "verify")
    planned.run("ledger", "verify")
    planned.run(*words)
    planned.run("data", "gc", "--yes", "--older-than", "0", by=OWNER)
    assert "2 of 2 snapshots are what was taken" in planned.run("data", "verify")


def test_garbage_is_collected_while_snapshots_are_taken(tmp_path: Path) -> None:
    firm = bare(tmp_path / "firm")
    left = firm.store / "objects" / "11" / ("1" * 62)
    left.parent.mkdir(parents=True)
    left.write_bytes(b"cut off")
    os.utime(left, (time.time() - 90_000,) * 2)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for n in range(20):
            (tmp_path / name / f"{n}.bin").write_bytes(os.urandom(MEGABYTE // 2))
    snapshots = [firm.start("data", "snapshot", "--files", tmp_path / name) for name in ("a", "b")]
    collectors = [firm.start("data", "gc", "--yes", "--json") for _ in range(2)]
    said = [process.communicate(timeout=60) for process in [*snapshots, *collectors]]
    assert [process.returncode for process in [*snapshots, *collectors]] == [0] * 4, said
    assert not left.exists()
    assert "2 of 2 snapshots are what was taken" in firm.run("data", "verify")
    firm.run("ledger", "verify")


@pytest.fixture
def in_bucket(object_store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A workspace whose objects lie in a bucket."""
    for name, value in object_store.variables().items():
        monkeypatch.setenv(name, value)
    firm = bare(tmp_path / "firm")
    settings = firm.folder / "taxiway.toml"
    settings.write_text(settings.read_text() + f'objects = "s3://shared/{tmp_path.name}"\n')
    return firm


def test_a_workspace_in_a_bucket(
    in_bucket: Firm, object_store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "scans"
    files.mkdir()
    for n in range(30):
        (files / f"{n:02}.txt").write_text(f"scan {n}\n" * 100)
    (files / "large.bin").write_bytes(os.urandom(5 * MEGABYTE))
    first = in_bucket.ask("data", "snapshot", "--files", files)["snapshot"]
    (files / "more.txt").write_text("one more")
    second = in_bucket.ask("data", "snapshot", "--files", files)["snapshot"]
    assert (first["files"], second["files"], second["new_bytes"]) == (31, 32, 8)
    assert "2 of 2 snapshots are what was taken" in in_bucket.run("data", "verify")
    in_bucket.run("data", "get", first["id"], "--out", tmp_path / "back")
    assert len(list((tmp_path / "back").iterdir())) == 31
    assert (tmp_path / "back" / "large.bin").read_bytes() == (files / "large.bin").read_bytes()
    assert in_bucket.ask("data", "gc")["free_objects"] == 0
    assert not list((in_bucket.store / "objects").glob("*"))

    # A key that may only read reads, and is told what it may not.
    for name, value in object_store.variables("reader").items():
        monkeypatch.setenv(name, value)
    assert "2 of 2 snapshots" in in_bucket.run("data", "verify")
    (files / "another.txt").write_text("another")
    said = in_bucket.run("data", "snapshot", "--files", files, code=7)
    assert "does not do what it was asked" in said
    assert "rights of the key" in said
    assert len(in_bucket.ask("data", "list")["files"]) == 2


def test_a_bucket_that_is_no_bucket(tmp_path: Path) -> None:
    firm = bare(tmp_path / "firm")
    settings = firm.folder / "taxiway.toml"
    settings.write_text(settings.read_text() + 'objects = "ftp://somewhere"\n')
    said = firm.run("data", "list", code=2)
    assert "a URL that begins with s3://" in said
    assert MODEL not in said
