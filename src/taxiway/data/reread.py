"""Reading files for their digest only when they may have changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taxiway.core.digest import digest_of
from taxiway.core.errors import InputError
from taxiway.core.look import Look
from taxiway.core.ports import Seen
from taxiway.data.source import fingerprint
from taxiway.data.source.record import files_in

USE = "digest"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file, or the files of a folder, held when they were read."""

    digest: str
    looks: Mapping[Path, Look]
    settled: bool
    """Whether files that are written to after that look otherwise."""


def read_look(path: Path, seen: Seen | None) -> Reading:
    """The digest of a file or folder: of files that look as they did when they were noted, from the
    note, and of others by reading them.

    Raises `InputError` if one is written to meanwhile.
    """
    known = seen.known(USE, path.absolute()) if seen is not None else {}
    digests: dict[Path, str] = {}
    notes: dict[str, tuple[Look, str]] = {}
    began = time.time_ns()
    looks = _looks(path)
    for file, look in looks.items():
        name = str(file.absolute())
        noted, digest = known.get(name, (None, ""))
        digests[file] = digest if noted == look else fingerprint(file).digest
        if look.settled(began):
            notes[name] = (look, digests[file])
    if _looks(path) != looks:
        raise _changed(path)
    new = {name: note for name, note in notes.items() if known.get(name) != note}
    if seen is not None and new:
        seen.note(USE, new)
    return Reading(_digest(path, digests), looks, all(one.settled(began) for one in looks.values()))


def require_same(path: Path, reading: Reading) -> None:
    """Raises `InputError` if a file or folder no longer holds what was read."""
    if _looks(path) == reading.looks and reading.settled:
        return
    if fingerprint(path).digest != reading.digest:
        raise _changed(path)


def _looks(path: Path) -> dict[Path, Look]:
    files = files_in(path) if path.is_dir() else [path]
    return {file: Look.of(file.stat()) for file in files}


def _digest(path: Path, digests: Mapping[Path, str]) -> str:
    """The digest of a file, or of a folder as `fingerprint` makes it."""
    if path in digests:
        return digests[path]
    return digest_of({str(file.relative_to(path)): digest for file, digest in digests.items()})


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} changed while it was read.",
        todo="Wait until it is written, or copy it first; then take the snapshot again.",
    )
