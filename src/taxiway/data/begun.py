"""What a batch has begun to read and decide, noted beside its OUT until OUT is there.

A table and a database go on changing while a batch is cut off; the note holds what it had read. Who
asks for something else under the same name is refused, instead of deciding on the same rows twice.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from taxiway.core.digest import canonical_json
from taxiway.core.errors import IntegrityError

PROTOCOL = 1
"""In the note. Raise it when a field changes its meaning; notes live as long as a batch."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch that is under way, or was cut off."""

    asked: str
    """What it was asked to read, for people and to know it again; no secret in it."""
    pin: str
    """What of it is read: the digest of a file, the version of a table, the digest of rows."""
    release: str
    job: str


def note_of(out: Path) -> Path:
    """Where the note lies: one for each OUT."""
    return out.absolute().with_name(f".{out.name}.begun")


def begun(out: Path) -> Begun | None:
    """The note of a batch that was begun. Raises `IntegrityError` for one that can't be read."""
    path = note_of(out)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        fields = json.loads(text)
        known = fields.pop("protocol") == PROTOCOL
        found = Begun(**fields) if known else None
    except (ValueError, TypeError, KeyError, AttributeError):
        found = None
    if found is None:
        raise IntegrityError(
            f"{path} does not say what was begun, in protocol {PROTOCOL}.",
            todo="Remove it to begin anew; rows of the same batch are still taken from the log.",
        )
    return found


def note(out: Path, about: Begun) -> None:
    """Writes the note: there whole, and on disk, or not at all."""
    path = note_of(out)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with fresh.open("wb") as file:
        file.write(canonical_json({"protocol": PROTOCOL, **asdict(about)}))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
