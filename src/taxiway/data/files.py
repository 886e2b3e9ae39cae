"""Snapshots of files as they are, such as images or exports: no contract, every byte kept.

Files that look as they did are not read again; `data.pieces` says how their content is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taxiway.core.digest import BLAKE3, canonical_json, digest_bytes, digest_of
from taxiway.core.errors import InputError, IntegrityError, MissingError, Problem
from taxiway.core.evidence import FILES, Evidence, observed
from taxiway.core.ports import Desk, Objects, Seen
from taxiway.data.pieces import (
    PACK,
    PIECE,
    SMALL,
    THREADS,
    File,
    Pieces,
    files_document,
    is_whole,
    pieces,
    pieces_document,
    pieces_of,
)
from taxiway.data.walk import Found, files_below

ROLES = ("developer", "engineer", "owner")
USE = "pieces"


@dataclass(frozen=True, slots=True)
class FilesSnapshot:
    """What was kept of a folder, or of one file."""

    id: str
    name: str
    files: int
    bytes: int
    read: int
    """How many files were read; the others looked as they did when they were."""
    new_bytes: int
    """Bytes of content that was not kept before."""
    pieces: str
    """Digest of the document that says where the content is."""
    known: bool = False
    """Whether it had been taken before."""


@dataclass(slots=True)
class _Content:
    """What is known of the content of files while a snapshot is taken."""

    pieces: dict[str, Pieces] = field(default_factory=dict)
    """Digest of a file -> where it is."""
    files: dict[str, str] = field(default_factory=dict)
    """Path below the folder -> digest of the file."""
    new_bytes: int = 0


def take_files(
    desk: Desk,
    root: Path,
    *,
    model: str = "",
    store: Path | None = None,
    seen: Seen,
    reread: bool = False,
    synced: bool = False,
    on_bytes: Callable[[int], None] = lambda _: None,
    dry_run: bool = False,
) -> FilesSnapshot:
    """Keeps files as they are: the snapshot, or the one that holds the same files already.

    Files that look as they did when they were kept are not read, unless `reread` says so, which
    also puts back what the store lost. `synced` waits for the disk. A dry run reads nothing that it
    knows, keeps nothing, and answers what would be read. Raises `InputError` for files that change
    while they are read; the record then says nothing of them.
    """
    actor = desk.acting(*ROLES, to="take a snapshot")
    root = root.absolute()
    began = time.time_ns()
    files = files_below(root, but=store)
    content = _Content() if reread else _known(desk, files, root, seen)
    unread = [one for one in files if one.name not in content.files]
    size = sum(one.look.bytes for one in files)
    if dry_run:
        reading = sum(one.look.bytes for one in unread)
        return FilesSnapshot("", root.name, len(files), size, len(unread), reading, "")
    if unread:
        _remember(desk, root.name, content, again=reread)
        with _readable(unread):
            _copy(desk.objects, unread, content, synced=synced, again=reread, on_bytes=on_bytes)
        _require_same(root, unread)
    listed = [File(one.name, one.look.bytes, content.files[one.name]) for one in files]
    document = files_document(root.name, listed)
    where = {f.digest: content.pieces[f.digest] for f in listed}
    identity = digest_of(document)
    taken = desk.record.find(Evidence, kind=FILES, subject=identity)
    kept = taken[-1] if taken and not reread and is_whole(desk.objects, taken[-1]) else None
    if kept is None:
        # The same files may lie elsewhere than they did, if the store had lost some.
        placed = desk.objects.put(canonical_json(pieces_document(where)))
        desk.objects.put(canonical_json(document))
    else:
        placed = kept.digests["pieces"]
    new = 0 if kept else content.new_bytes
    snapshot = FilesSnapshot(
        identity, root.name, len(files), size, len(unread), new, placed, known=bool(taken)
    )
    if kept is None and not (taken and taken[-1].digests["pieces"] == placed):
        with desk.change("files.kept", identity, model=model or None) as change:
            change.add(_evidence(desk, snapshot, model, actor.name))
            change.digest = identity
            change.details = {"name": root.name, "files": len(files), "bytes": size}
    notes = {
        one.path: (one.look, canonical_json([d, content.pieces[d]]).decode())
        for one in unread
        if one.look.settled(began)
        for d in [content.files[one.name]]
    }
    if notes:
        seen.note(USE, notes)
    return snapshot


def _known(desk: Desk, files: Sequence[Found], root: Path, seen: Seen) -> _Content:
    """What is known of files that look as they did, as far as all of it is there."""
    content = _Content()
    notes = seen.known(USE, root)
    found: dict[str, tuple[str, Pieces]] = {}
    for one in files:
        look, note = notes.get(one.path, (None, ""))
        if look == one.look:
            digest, where = json.loads(note)
            found[one.name] = (digest, pieces(where))
    lost = desk.objects.absent({piece for _, where in found.values() for piece, _, _ in where})
    for name, (digest, where) in found.items():
        if not lost or not any(piece in lost for piece, _, _ in where):
            content.files[name] = digest
            content.pieces[digest] = where
    return content


def _remember(desk: Desk, name: str, content: _Content, *, again: bool) -> None:
    """Adds where the newest snapshot of that name keeps its content, as far as it is there."""
    if again:
        return
    for evidence in reversed(desk.record.find(Evidence, kind=FILES)):
        if evidence.found["name"] == name:
            with suppress(IntegrityError, MissingError):
                where = pieces_of(desk.objects, evidence)
                lost = desk.objects.absent({p for w in where.values() for p, _, _ in w})
                for digest, one in where.items():
                    if not any(piece in lost for piece, _, _ in one):
                        content.pieces.setdefault(digest, one)
            return


def _copy(
    objects: Objects,
    files: Sequence[Found],
    content: _Content,
    *,
    synced: bool,
    again: bool,
    on_bytes: Callable[[int], None],
) -> None:
    """Stores the content of files that isn't known, each read once, hashed while it is copied."""
    known = {piece for where in content.pieces.values() for piece, _, _ in where}

    def copy(one: Found, offset: int) -> tuple[str, int, int]:
        size = min(PIECE, one.look.bytes - offset)
        digest = objects.put_file(Path(one.path), (offset, size), by=BLAKE3, synced=synced)
        on_bytes(size)
        return digest, 0, size

    with _ended(ThreadPoolExecutor(THREADS)) as pool:
        copying = [
            (one, [pool.submit(copy, one, at) for at in range(0, one.look.bytes, PIECE)])
            for one in files
            if one.look.bytes > SMALL
        ]
        _pack(objects, files, content, synced=synced, again=again, on_bytes=on_bytes)
        for one, done in copying:
            where = tuple(each.result() for each in done)
            digest = digest_of([piece for piece, _, _ in where])
            content.files[one.name] = digest
            content.pieces[digest] = where
            new = {piece: size for piece, _, size in where if piece not in known}
            content.new_bytes += sum(new.values())
            known |= new.keys()


@contextmanager
def _ended(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """A pool whose work is given up where something goes wrong: nobody waits for it then."""
    with pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _pack(
    objects: Objects,
    files: Iterable[Found],
    content: _Content,
    *,
    synced: bool,
    again: bool,
    on_bytes: Callable[[int], None],
) -> None:
    """Stores the content of small files that isn't known, many in a piece."""
    waiting: dict[str, bytes] = {}

    def store() -> None:
        whole, offset = b"".join(waiting.values()), 0
        piece = objects.put(whole, by=BLAKE3, synced=synced)
        if again:
            _require_whole(objects, piece, whole, synced=synced)
        for digest, one in waiting.items():
            content.pieces[digest] = ((piece, offset, len(one)),)
            offset += len(one)
        content.new_bytes += len(whole)
        waiting.clear()

    size = 0
    for one in files:
        if one.look.bytes > SMALL:
            continue
        read = one.read()
        digest = digest_bytes(read)
        content.files[one.name] = digest
        on_bytes(len(read))
        if digest not in content.pieces and digest not in waiting:
            waiting[digest] = read
            size += len(read)
        if size >= PACK:
            store()
            size = 0
    if waiting:
        store()


def _require_whole(objects: Objects, piece: str, content: bytes, *, synced: bool) -> None:
    """Stores a piece anew if what is there under its name is not it."""
    try:
        objects.get(piece)
    except IntegrityError:
        objects.remove(piece, before=datetime.max.replace(tzinfo=UTC))
        objects.put(content, by=BLAKE3, synced=synced)


@contextmanager
def _readable(files: Sequence[Found]) -> Iterator[None]:
    """Raises `InputError` for a file that is gone by now, or that nobody here may read."""
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        if str(error.filename) not in {one.path for one in files}:
            raise
        raise InputError(
            f"{error.filename} can't be read: {error.strerror}.",
            todo="The record says nothing of these files; take the snapshot again.",
        ) from None


def _require_same(root: Path, files: Sequence[Found]) -> None:
    """Raises `InputError` with every file that does not look as it did before it was read."""
    changed = []
    for one in files:
        with suppress(OSError):
            if one.look_now() == one.look:
                continue
        changed.append(Problem("it changed while it was read", where=repr(one.name)))
    if changed:
        raise InputError(
            f"{root} changed while it was read; the record says nothing of it.",
            changed,
            todo="Wait until it is written, or copy it first; then take the snapshot again.",
        )


def _evidence(desk: Desk, snapshot: FilesSnapshot, model: str, by: str) -> Evidence:
    found: Mapping[str, Any] = {
        "name": snapshot.name,
        "bytes": snapshot.bytes,
        "new_bytes": snapshot.new_bytes,
    }
    return observed(
        FILES,
        id=desk.new_id(),
        subject=snapshot.id,
        model=model,
        examined=snapshot.files,
        found=dict(found),
        digests={"snapshot": snapshot.id, "pieces": snapshot.pieces},
        at=desk.now(),
        by=by,
    )
