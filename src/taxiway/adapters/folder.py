"""Objects in a folder: one read-only file for each content, named by its digest."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from taxiway.adapters.hashing import algorithm, digest, hashing
from taxiway.core.digest import BLAKE3, DIGEST, PREFIX
from taxiway.core.errors import IntegrityError, MissingError, shortened
from taxiway.core.ports import Stored

CHUNK = 1 << 20
PARTIAL = ".partial-"
ABANDONED_SECONDS = 24 * 3600
PLACES = {PREFIX: "", BLAKE3: "blake3"}
"""Prefix of a digest -> the folder, below the root, of the objects that are named by such."""


class FolderObjects:
    """Content-addressed files below a root; what is there is whole, as files are renamed there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, content: bytes, *, by: str = PREFIX, synced: bool = True) -> str:
        name = digest(content, by)
        if not self._put_again(name):
            with self._arriving() as (file, keep):
                file.write(content)
                keep(name, synced=synced)
        return name

    def put_file(
        self,
        path: Path,
        span: tuple[int, int] | None = None,
        *,
        by: str = PREFIX,
        synced: bool = True,
    ) -> str:
        """Copies and digests in one read."""
        made, buffer = hashing(by), memoryview(bytearray(CHUNK))
        with path.open("rb", buffering=0) as source, self._arriving() as (file, keep):
            offset, left = span or (0, os.fstat(source.fileno()).st_size)
            source.seek(offset)
            # A whole file is read to its end, whatever size it had when it was opened.
            while read := source.readinto(buffer[: min(left, CHUNK)] if span else buffer):
                made.update(buffer[:read])
                file.write(buffer[:read])
                left -= read
            name = by + made.hexdigest()
            keep(name, synced=synced)
        return name

    def get(self, digest: str) -> bytes:
        try:
            content = self._place(digest).read_bytes()
        except FileNotFoundError:
            raise self._missing(digest) from None
        self._verify(digest, content)
        return content

    def path(self, digest: str) -> Path:
        place, made = self._place(digest), hashing(digest)
        try:
            with place.open("rb") as file:
                while chunk := file.read(CHUNK):
                    made.update(chunk)
        except FileNotFoundError:
            raise self._missing(digest) from None
        self._require(digest, algorithm(digest) + made.hexdigest())
        return place

    def has(self, digest: str) -> bool:
        return DIGEST.fullmatch(digest) is not None and self._place(digest).is_file()

    def absent(self, digests: Iterable[str]) -> set[str]:
        return {digest for digest in digests if not self.has(digest)}

    def listed(self) -> Iterator[Stored]:
        for by, folder in PLACES.items():
            for path in self._root.joinpath(folder).glob("??/*"):
                name = f"{by}{path.parent.name}{path.name}"
                with suppress(FileNotFoundError):
                    about = path.stat()
                    if DIGEST.fullmatch(name):
                        at = datetime.fromtimestamp(about.st_mtime, UTC)
                        yield Stored(name, about.st_size, at)

    def remove(self, digest: str, *, before: datetime) -> int:
        """Takes the object out of its place first, and looks whether it was put again until then:
        whoever puts it from then on finds nothing there, and writes it."""
        place = self._place(digest)
        aside = self._root / f"{PARTIAL}{place.name}"
        try:
            if place.stat().st_mtime >= before.timestamp():
                return 0
            place.replace(aside)
        except FileNotFoundError:
            return 0
        about = aside.stat()
        if about.st_mtime >= before.timestamp():
            aside.replace(place)
            return 0
        aside.unlink()
        return about.st_size

    def clean(self, *, now: float | None = None) -> int:
        """Removes what writers that were killed left behind, once it is a day old."""
        limit = (time.time() if now is None else now) - ABANDONED_SECONDS
        removed = 0
        for path in self._root.glob(f"{PARTIAL}*"):
            # A writer at work may move its file into its place meanwhile.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        return removed

    def _put_again(self, digest: str) -> bool:
        """Whether the object is there; its time says now that somebody put it."""
        try:
            os.utime(self._place(digest))
        except (FileNotFoundError, PermissionError):  # not there, or not ours: it is written
            return False
        except OSError:  # nothing can be written here at all
            return self.has(digest)
        return True

    def _place(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise MissingError(
                f"{shortened(digest, 80)!r} is not a digest; expected sha256: and 64 hex digits."
            )
        name = digest.rpartition(":")[2]
        return self._root / PLACES[algorithm(digest)] / name[:2] / name[2:]

    @contextmanager
    def _arriving(self) -> Iterator[tuple[BinaryIO, _Keep]]:
        """A file that becomes an object when `keep` is called, and nothing otherwise."""
        self._root.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._root, prefix=PARTIAL)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, _Keep(self, file, Path(name))
        finally:
            Path(name).unlink(missing_ok=True)

    def _missing(self, digest: str) -> MissingError:
        return MissingError(
            f"Object {digest} is not in {self._root}.",
            todo="Restore the object store from its backup.",
        )

    def _verify(self, name: str, content: bytes) -> None:
        self._require(name, digest(content, algorithm(name)))

    def _require(self, digest: str, found: str) -> None:
        if found != digest:
            raise IntegrityError(
                f"Object {digest} was changed on disk: its content now has the digest {found}.",
                todo="Restore the object store from its backup.",
            )


class _Keep:
    """Moves a whole file into its place; synced, unless the system may take its time."""

    def __init__(self, objects: FolderObjects, file: BinaryIO, partial: Path) -> None:
        self._objects, self._file, self._partial = objects, file, partial

    def __call__(self, digest: str, *, synced: bool = True) -> None:
        self._file.flush()
        if synced:
            os.fsync(self._file.fileno())
        place = self._objects._place(digest)  # noqa: SLF001 - one class in two parts
        if not place.parent.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            _sync(place.parent.parent)
        self._partial.chmod(0o444)
        self._partial.replace(place)
        if synced:
            _sync(place.parent)


def _sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
