"""Objects in a folder: one read-only file for each content, named by its digest."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from taxiway.core.digest import PREFIX, digest_bytes
from taxiway.core.errors import IntegrityError, MissingError, shortened

CHUNK = 1 << 20
PARTIAL = ".partial-"
ABANDONED_SECONDS = 24 * 3600


class FolderObjects:
    """Content-addressed files below a root; what is there is whole, as files are renamed there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, content: bytes) -> str:
        digest = digest_bytes(content)
        if not self.has(digest):
            with self._arriving() as (file, keep):
                file.write(content)
                keep(digest)
        return digest

    def put_file(self, path: Path) -> str:
        """Copies and digests in one read."""
        hashing = hashlib.sha256()
        with path.open("rb") as source, self._arriving() as (file, keep):
            while chunk := source.read(CHUNK):
                hashing.update(chunk)
                file.write(chunk)
            digest = PREFIX + hashing.hexdigest()
            keep(digest)
        return digest

    def get(self, digest: str) -> bytes:
        try:
            content = self._place(digest).read_bytes()
        except FileNotFoundError:
            raise self._missing(digest) from None
        self._verify(digest, digest_bytes(content))
        return content

    def path(self, digest: str) -> Path:
        place = self._place(digest)
        hashing = hashlib.sha256()
        try:
            with place.open("rb") as file:
                while chunk := file.read(CHUNK):
                    hashing.update(chunk)
        except FileNotFoundError:
            raise self._missing(digest) from None
        self._verify(digest, PREFIX + hashing.hexdigest())
        return place

    def has(self, digest: str) -> bool:
        return _is_digest(digest) and self._place(digest).is_file()

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

    def _place(self, digest: str) -> Path:
        if not _is_digest(digest):
            raise MissingError(
                f"{shortened(digest, 80)!r} is not a digest; expected sha256: and 64 hex digits."
            )
        name = digest.removeprefix(PREFIX)
        return self._root / name[:2] / name[2:]

    @contextmanager
    def _arriving(self) -> Iterator[tuple[IO[bytes], _Keep]]:
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

    def _verify(self, digest: str, found: str) -> None:
        if found != digest:
            raise IntegrityError(
                f"Object {digest} was changed on disk: its content now has the digest {found}.",
                todo="Restore the object store from its backup.",
            )


def _is_digest(text: str) -> bool:
    return re.fullmatch(f"{PREFIX}[0-9a-f]{{64}}", text) is not None


class _Keep:
    """Moves a whole, synced file into its place."""

    def __init__(self, objects: FolderObjects, file: IO[bytes], partial: Path) -> None:
        self._objects, self._file, self._partial = objects, file, partial

    def __call__(self, digest: str) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        place = self._objects._place(digest)  # noqa: SLF001 - one class in two parts
        if not place.parent.exists():
            place.parent.mkdir(exist_ok=True)
            _sync(place.parent.parent)
        self._partial.chmod(0o444)
        self._partial.replace(place)
        _sync(place.parent)


def _sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
