"""Reading a file's digest only when it may have changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from taxiway.core.errors import InputError
from taxiway.core.look import Look
from taxiway.core.ports import Seen
from taxiway.data.source import fingerprint

USE = "digest"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held when it was read."""

    digest: str
    look: Look
    settled: bool
    """Whether a file that was written to since looks otherwise."""


def read_look(path: Path, seen: Seen | None) -> Reading:
    """The digest of a file: from what was noted, if it looks as it did then, or else by reading it.

    Raises `InputError` if it is written to meanwhile.
    """
    name = str(path.absolute())
    began = time.time_ns()
    look = Look.of(path.stat())
    if seen is not None:
        known = seen.known(USE, path.absolute()).get(name)
        if known is not None and known[0] == look:
            return Reading(known[1], look, settled=True)
    reading = Reading(fingerprint(path).digest, look, look.settled(began))
    if Look.of(path.stat()) != look:
        raise _changed(path)
    if seen is not None and reading.settled:
        seen.note(USE, {name: (look, reading.digest)})
    return reading


def require_same(path: Path, reading: Reading) -> None:
    """Raises `InputError` if a file no longer holds what was read."""
    if Look.of(path.stat()) == reading.look and reading.settled:
        return
    if fingerprint(path).digest != reading.digest:
        raise _changed(path)


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} changed while it was read.",
        todo="Wait until it is written, or copy it first; then take the snapshot again.",
    )
