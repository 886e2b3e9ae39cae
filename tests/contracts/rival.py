"""A process that writes to the stores of a folder at the same time as others do.

python rival.py promote FOLDER NAME ROUNDS    tries to become champion of each place
python rival.py append FOLDER NAME ROUNDS     appends decisions, two at a time
python rival.py open FOLDER NAME ROUNDS       opens new workspaces
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.sql import SqlRecord, open_record
from taxiway.core.decision import Decision
from taxiway.core.errors import ConflictError
from taxiway.core.facts import Deployment
from taxiway.core.ledger import Draft
from taxiway.core.people import Person

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def promote(folder: Path, name: str, rounds: int) -> None:
    record = SqlRecord(folder / "record.db")
    for n in range(rounds):
        place = f"place-{n}"
        wanted = Deployment(
            f"{name} in {place}", "m", place, "champion", "m:1", "", "", (), None, "", NOW, name
        )
        try:
            with record.transaction(None) as change:
                change.add(wanted)
                change.log(Draft(NOW, name, "deployment.promoted", place, "m", "sha256:0", {}))
            say(f"won {place}")
        except ConflictError:
            say(f"lost {place}")


def append(folder: Path, name: str, rounds: int) -> None:
    log = DecisionLog(folder / "decisions.db")
    for n in range(rounds):
        log.append(
            [
                Decision(
                    f"{name}-{n:03}{x}", "m", "m:1", "", "prod", "http", "", NOW, NOW, {}, {}, 1
                )
                for x in "ab"
            ]
        )
    say("done")


def open_new(folder: Path, _: str, rounds: int) -> None:
    for n in range(rounds):
        store = folder / f"workspace-{n}"
        store.mkdir(exist_ok=True)
        record = open_record(store / "record.db")
        log = DecisionLog(store / "decisions.db")
        say(f"opened {len(record.find(Person))} {log.count('m')}")
        record.close()
        log.close()


if __name__ == "__main__":
    say("ready")
    sys.stdin.readline()
    do = {"promote": promote, "append": append, "open": open_new}[sys.argv[1]]
    do(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
