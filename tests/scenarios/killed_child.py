"""A process that writes until it is killed, and says what it was told is safe.

python killed_child.py objects FOLDER      stores large objects
python killed_child.py record FOLDER       commits changes with their events
python killed_child.py decisions FOLDER    appends decisions, three at a time
"""

from __future__ import annotations

import itertools
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.folder import FolderObjects
from taxiway.adapters.sql import open_record
from taxiway.core.decision import Decision
from taxiway.core.digest import digest_bytes
from taxiway.core.ledger import Draft
from taxiway.core.people import Person

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MEGABYTES = 16
MINE = secrets.token_hex(4)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def objects(folder: Path) -> None:
    store = FolderObjects(folder / "objects")
    source = folder / "source.bin"
    for n in itertools.count():
        content = f"{MINE}{n:08}".encode() * (MEGABYTES << 16)
        say(f"trying {digest_bytes(content)}")
        if n % 2:
            source.write_bytes(content)
            say(f"safe {store.put_file(source)}")
        else:
            say(f"safe {store.put(content)}")


def record(folder: Path) -> None:
    kept = open_record(folder / "record.db")
    for n in itertools.count():
        name = f"{MINE}-{n:08}"
        with kept.transaction(lambda _: "signed") as change:
            person = Person(name, ("owner",), "key", NOW)
            change.add(person)
            change.replace(person, Person(name, ("owner", "auditor"), "key", NOW))
            change.log(Draft(NOW, name, "person.added", name, None, "", {"padding": "x" * 2000}))
        say(f"safe {name}")


def decisions(folder: Path) -> None:
    log = DecisionLog(folder / "decisions.db")
    for n in itertools.count():
        names = [f"{MINE}-{n:08}{letter}" for letter in "abc"]
        inputs = {"text": "x" * 2000}
        log.append(
            [
                Decision(name, "m", "m:1", "", "prod", "http", "", NOW, NOW, inputs, {}, 1)
                for name in names
            ]
        )
        for name in names:
            say(f"safe {name}")


if __name__ == "__main__":
    write = {"objects": objects, "record": record, "decisions": decisions}[sys.argv[1]]
    say("ready")
    write(Path(sys.argv[2]))
