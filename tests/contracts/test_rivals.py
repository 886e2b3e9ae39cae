"""Processes that write at once: one wins, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.sql import open_record
from taxiway.core.facts import Deployment
from taxiway.core.ledger import broken_links

RIVAL = Path(__file__).with_name("rival.py")


def race(what: str, folder: Path, *, processes: int, rounds: int) -> list[list[str]]:
    """What each of the processes said, all of them started at one moment."""
    rivals = [
        subprocess.Popen(
            [sys.executable, RIVAL, what, folder, f"rival{n}", str(rounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(processes)
    ]
    for rival in rivals:
        assert rival.stdout
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        assert rival.stdin
        rival.stdin.write("go\n")
        rival.stdin.flush()
    said = [rival.communicate(timeout=60) for rival in rivals]
    assert [errors for _, errors in said] == [""] * processes
    return [lines.splitlines() for lines, _ in said]


def test_of_two_processes_that_promote_at_once_one_wins(tmp_path: Path) -> None:
    open_record(tmp_path / "record.db").close()
    said = race("promote", tmp_path, processes=2, rounds=20)
    places = [f"place-{n}" for n in range(20)]
    assert sorted(said[0] + said[1]) == sorted(
        f"{how} {p}" for how in ("won", "lost") for p in places
    )
    record = open_record(tmp_path / "record.db")
    events = list(record.events())
    assert sorted(event.subject for event in events) == sorted(places)
    assert list(broken_links(events)) == []
    deployed = {one.environment: one.by for one in record.find(Deployment)}
    assert deployed == {event.subject: event.actor for event in events}
    for n, lines in enumerate(said):
        won = {line.removeprefix("won ") for line in lines if line.startswith("won ")}
        assert won == {place for place, by in deployed.items() if by == f"rival{n}"}
    record.close()


def test_eight_processes_that_append_lose_nothing(tmp_path: Path) -> None:
    said = race("append", tmp_path, processes=8, rounds=12)
    assert said == [["done"]] * 8
    log = DecisionLog(tmp_path / "decisions.db")
    expected = [f"rival{who}-{n:03}{x}" for who in range(8) for n in range(12) for x in "ab"]
    assert [d.id for d in log.scan("m")] == sorted(expected)
    log.close()


def test_processes_that_open_a_new_workspace_at_once(tmp_path: Path) -> None:
    said = race("open", tmp_path, processes=4, rounds=8)
    assert said == [["opened 0 0"] * 8] * 4
