"""Disks that are full, and folders that nobody may write to."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A folder, and a while in which nothing more fits into it."""

    folder: Path
    full: Callable[[], AbstractContextManager[None]]


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A file system of 4 MB in memory; skips the test where that isn't allowed."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "taxiway-test", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this container may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield
    filler.unlink()


@contextmanager
def small_files_only() -> Iterator[None]:
    """The system refuses to let any file grow beyond 64 bytes."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture(params=["no space left", "no larger files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param == "no larger files":
        yield Disk(tmp_path, small_files_only)
        return
    with mounted(tmp_path / "disk") as folder:
        yield Disk(folder, lambda: filled(folder))


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder, and what makes it read-only."""
    if os.geteuid() != 0:
        folder = tmp_path / "locked"
        folder.mkdir()
        yield folder, lambda: folder.chmod(0o555)
        folder.chmod(0o755)
        return
    with mounted(tmp_path / "disk") as folder:

        def make_read_only() -> None:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)

        yield folder, make_read_only
