"""Pieces: where the content of files is that were kept as they are.

Content is kept in pieces, which are objects: large files are cut every `PIECE` bytes, small ones
are packed together. Two documents (protocol 1) say what is kept:

{"protocol": 1, "kind": "files", "name": text, "files": [{"path", "bytes", "digest"}, ...]}
{"protocol": 1, "pieces": {digest of a file: [[digest of a piece, offset, bytes], ...]}}

The first one's digest is the snapshot's id: the same files are the same snapshot, however they are
packed. A file's digest is that of its bytes; of a large one, that of the digests of its pieces.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxiway.core.errors import IntegrityError, MissingError, Problem
from taxiway.core.evidence import Evidence
from taxiway.core.ports import Objects

PROTOCOL = 1
"""Raise it when a key or `PIECE` changes its meaning, and keep a reader for the old number."""
PIECE = 64 << 20
SMALL = 4 << 20
"""Files up to this size are packed."""
PACK = 8 << 20
THREADS = min(4, os.cpu_count() or 1)
"""How many pieces are read or copied at a time: hashing and copying leave Python. More threads than
processors wait for each other in the file system."""

Pieces = tuple[tuple[str, int, int], ...]
"""Where the content of a file is: (piece, offset, bytes), one after the other."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a snapshot: its path below the folder, its size, and the digest of its content."""

    path: str
    bytes: int
    digest: str


def files_document(name: str, files: Iterable[File]) -> dict[str, Any]:
    """What is kept, as it is stored; its digest is the snapshot's id."""
    listed = [{"path": f.path, "bytes": f.bytes, "digest": f.digest} for f in files]
    return {"protocol": PROTOCOL, "kind": "files", "name": name, "files": listed}


def pieces_document(where: Mapping[str, Pieces]) -> dict[str, Any]:
    """Where it is, as it is stored."""
    return {"protocol": PROTOCOL, "pieces": dict(where)}


def is_whole(objects: Objects, evidence: Evidence) -> bool:
    """Whether everything of a snapshot is there; does not verify it."""
    try:
        where = pieces_of(objects, evidence)
    except (IntegrityError, MissingError):
        return False
    held = {piece for pieces in where.values() for piece, _, _ in pieces}
    return not objects.absent({evidence.subject, *held})


def pieces_of(objects: Objects, evidence: Evidence) -> dict[str, Pieces]:
    """Digest of a file -> where its content is. Raises `MissingError` or `IntegrityError`."""
    document = json.loads(objects.get(evidence.digests["pieces"]))
    return {digest: pieces(where) for digest, where in document["pieces"].items()}


def files_of(objects: Objects, evidence: Evidence) -> list[File]:
    """The files of a snapshot. Raises `MissingError` or `IntegrityError`."""
    document = json.loads(objects.get(evidence.subject))
    return [File(**one) for one in document["files"]]


def verify_files(
    objects: Objects, evidence: Evidence, on_bytes: Callable[[int], None] = lambda _: None
) -> int:
    """Reads every piece of a snapshot; answers how many bytes. Raises `IntegrityError` with every
    file that is not what was kept."""
    files, where = files_of(objects, evidence), pieces_of(objects, evidence)
    wanted = sorted({piece for one in files for piece, _, _ in where[one.digest]})

    def check(piece: str) -> tuple[int, str]:
        try:
            size = len(objects.get(piece))
        except (IntegrityError, MissingError) as error:
            return 0, error.headline
        on_bytes(size)
        return size, ""

    with ThreadPoolExecutor(THREADS) as pool:
        found = dict(zip(wanted, pool.map(check, wanted), strict=True))
    problems = [
        Problem(found[piece][1], where=repr(one.path))
        for one in files
        for piece, _, _ in where[one.digest]
        if found[piece][1]
    ]
    if problems:
        raise IntegrityError(
            f"The files of {evidence.found['name']} are not all what was kept.",
            problems,
            todo="Restore the object store from its backup, or put back what the files still hold:"
            " taxiway data snapshot --files FOLDER --reread",
        )
    return sum(size for size, _ in found.values())


def restore_files(
    objects: Objects, evidence: Evidence, out: Path, on_bytes: Callable[[int], None]
) -> int:
    """Writes the files of a snapshot below a new folder, verified; answers how many there are."""
    where, last = pieces_of(objects, evidence), ("", b"")
    files = files_of(objects, evidence)
    for one in files:
        path = out / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for piece, offset, size in where[one.digest]:
                if last[0] != piece:
                    last = (piece, objects.get(piece))
                file.write(memoryview(last[1])[offset : offset + size])
                on_bytes(size)
    return len(files)


def pieces(where: Iterable[Sequence[Any]]) -> Pieces:
    return tuple((piece, offset, size) for piece, offset, size in where)
