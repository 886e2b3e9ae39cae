"""A writer is killed at any moment: what it was told is safe is there, the rest whole or not."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.folder import PARTIAL, FolderObjects
from taxiway.adapters.sql import open_record
from taxiway.core.ledger import broken_links
from taxiway.core.people import Person

CHILD = Path(__file__).with_name("killed_child.py")


def kill_a_writer(what: str, folder: Path, *, once: str) -> list[str]:
    """Starts a writer, kills it some time after it said a word, and answers what it said."""
    output = folder / "said"
    with output.open("wb") as said:
        child = subprocess.Popen([sys.executable, CHILD, what, folder], stdout=said)
        try:
            while once not in output.read_text() and child.poll() is None:
                time.sleep(0.005)
            time.sleep(random.uniform(0.0, 0.4))
        finally:
            child.send_signal(signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL, "it stopped by itself"
    # What follows the last end of a line was not said to its end.
    return output.read_text().split("\n")[:-1]


FIRST_WORDS = ("ready", "ready", "safe", "safe", "safe")
"""Kills that may come before the store is there, and kills when it is in use."""
KILLS = len(FIRST_WORDS)


def safe(lines: list[str]) -> list[str]:
    return [line.removeprefix("safe ") for line in lines if line.startswith("safe ")]


def test_objects_are_whole_or_not_there(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "objects")
    told: list[str] = []
    for word in FIRST_WORDS:
        lines = kill_a_writer("objects", tmp_path, once=word)
        told += safe(lines)
        tried = [line.removeprefix("trying ") for line in lines if line.startswith("trying ")]
        for digest in [*told, *(digest for digest in tried if objects.has(digest))]:
            objects.path(digest)  # verifies
    # A file under the name of a digest has that digest, whether anybody was told of it or not.
    for path in (tmp_path / "objects").glob("??/*"):
        assert objects.path(f"sha256:{path.parent.name}{path.name}") == path
    assert told
    left = list((tmp_path / "objects").glob(f"{PARTIAL}*"))
    assert len(left) <= KILLS
    assert objects.clean(now=time.time() + 2 * 24 * 3600) == len(left)


def test_a_change_and_its_event_are_both_there_or_neither(tmp_path: Path) -> None:
    told: list[str] = []
    for word in FIRST_WORDS:
        told += safe(kill_a_writer("record", tmp_path, once=word))
        record = open_record(tmp_path / "record.db")
        events = list(record.events())
        people = record.find(Person)
        record.close()
        assert list(broken_links(events)) == []
        assert [event.subject for event in events] == [person.id for person in people]
        assert {person.roles for person in people} <= {("owner", "auditor")}
        written = {person.id for person in people}
        assert written >= set(told)
        # Told of or not, a writer has at most one change on its way when it is killed.
        assert len(written) <= len(told) + KILLS
        if told:
            head = json.loads((tmp_path / "ledger.head").read_bytes())
            assert head["hash"] == events[head["seq"] - 1].hash
            assert head["seq"] >= len(events) - KILLS
    assert told


def test_decisions_that_were_answered_are_in_the_log_once(tmp_path: Path) -> None:
    told: list[str] = []
    for word in FIRST_WORDS:
        told += safe(kill_a_writer("decisions", tmp_path, once=word))
        log = DecisionLog(tmp_path / "decisions.db")
        found = Counter(decision.id for decision in log.scan("m"))
        log.close()
        assert set(found.values()) <= {1}
        assert found.keys() >= set(told)
        batches = Counter(name[:-1] for name in found)
        assert set(batches.values()) <= {3}  # all of an append, or none of it
        assert len(found) <= len(told) + 3 * KILLS
    assert told
