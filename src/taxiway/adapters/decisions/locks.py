"""Locks between processes: files that the system lets go of when their holder ends, however."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from taxiway.core.errors import ConflictError

PAUSE_SECONDS = 0.02


class FileLock:
    """A lock that is held until it is let go of, or its process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, shared: bool = False) -> Self | None:
        """The lock, or None if somebody has it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    @classmethod
    def wait(cls, path: Path, seconds: float, *, what: str, shared: bool = False) -> Self:
        """The lock, waited for. Raises `ConflictError` if somebody keeps it."""
        deadline = time.monotonic() + seconds
        while (lock := cls.take(path, shared=shared)) is None:
            if time.monotonic() > deadline:
                raise ConflictError(
                    f"Another process is {what}.", todo="Wait until it is done, and ask again."
                )
            time.sleep(PAUSE_SECONDS)
        return lock

    def release(self, *, remove: bool = False) -> None:
        """Lets go of it; `remove` takes the file away while it is still held."""
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


@contextmanager
def held(path: Path, seconds: float, *, what: str) -> Iterator[None]:
    """Nobody else's for as long as the block runs."""
    lock = FileLock.wait(path, seconds, what=what)
    try:
        yield
    finally:
        lock.release()
