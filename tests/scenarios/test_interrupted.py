"""Ctrl-C and SIGKILL in the middle of work: the record stays readable, and nothing is half."""

from __future__ import annotations

import hashlib
import signal
import time
from pathlib import Path

import pytest

import taxiway
from taxiway.core.facts import Run

from .conftest import DEVELOPER, ENGINEER, MODEL, Firm, in_environment

ONE = f"{MODEL}:1"


def runs(firm: Firm) -> list[Run]:
    with in_environment(firm), taxiway.Workspace.open(firm.folder) as workspace:
        return workspace.record.find(Run)


def require_whole(firm: Firm) -> None:
    """The ledger holds, and every object that is there is what its name says."""
    assert "hold" in firm.run("ledger", "verify")
    for path in (firm.store / "objects").glob("*/*"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert digest == path.parent.name + path.name, path
    with in_environment(firm), taxiway.Workspace.open(firm.folder) as workspace:
        for release in workspace.status().models[0].running:
            workspace.load(release.release)


def test_ctrl_c_in_the_middle_of_training(planned: Firm) -> None:
    training = planned.start("train", "--as", DEVELOPER)
    deadline = time.monotonic() + 60
    while not runs(planned):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    training.send_signal(signal.SIGINT)
    _, said = training.communicate(timeout=60)
    assert training.returncode == 130
    assert "Interrupted; what was written before is whole." in said
    assert "Traceback" not in said
    (run,) = runs(planned)
    assert (run.state, run.error, run.release) == ("failed", "KeyboardInterrupt", None)
    assert planned.ask("status")["models"][0]["release"] is None
    require_whole(planned)


def test_sigkill_at_any_moment_of_training_leaves_no_half_release(planned: Firm) -> None:
    began = time.monotonic()
    planned.run("data", "check")
    for delay in (0.3, 1.0, 1.8, 2.6, 3.4, 4.2):
        training = planned.start("train", "--as", DEVELOPER)
        time.sleep(delay)
        training.kill()
        training.communicate(timeout=30)
        require_whole(planned)
    assert time.monotonic() - began < 240
    killed = [run for run in runs(planned) if run.state == "started"]
    waiting = planned.ask("status")["models"][0]["waiting"]
    assert len([w for w in waiting if w["kind"] == "run"]) == len(killed)
    done = planned.ask("train", by=DEVELOPER)
    with in_environment(planned), taxiway.Workspace.open(planned.folder) as workspace:
        assert workspace.load(done["release"]).golden


@pytest.mark.parametrize("delay", [0.2, 0.35, 0.5])
def test_sigkill_while_promoting_moves_all_or_nothing(trained: Firm, delay: float) -> None:
    promoting = trained.start("promote", ONE, "--to", "dev", "--as", ENGINEER)
    time.sleep(delay)
    promoting.kill()
    promoting.communicate(timeout=30)
    require_whole(trained)
    moved = trained.ask("history")
    told = [e for e in trained.ask("ledger", "show")["events"] if "deployment" in e["action"]]
    assert len(moved) == len(told) <= 1
    if not moved:
        trained.run("promote", ONE, "--to", "dev", by=ENGINEER)


def test_sigkill_while_scoring_leaves_no_half_file(running: Firm) -> None:
    out = running.project / "scores.parquet"
    source = running.data("schedule-03.parquet", "--months", "3-3", "--schedule")
    for delay in (1.5, 3.0):
        scoring = running.start("score", source, out)
        time.sleep(delay)
        scoring.kill()
        scoring.communicate(timeout=30)
        assert not out.exists() or _rows(out) == 28_834
        out.unlink(missing_ok=True)
    require_whole(running)


def _rows(path: Path) -> int:
    import polars as pl

    return pl.read_parquet(path).height
