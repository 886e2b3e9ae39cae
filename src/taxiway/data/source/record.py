"""What was opened, and what tells one version of its files from another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from taxiway.core.digest import PREFIX, digest_of
from taxiway.core.errors import ConflictError

NULLS = ("", "NA")
"""How a text file spells that there is no value."""
TEXT = frozenset({"csv", "sql"})
"""Formats whose values are text."""

Seen = tuple[int, int]
"""Size of a file in bytes, and when it changed last, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table that was opened: its columns as it names them, and their polars types."""

    path: Path
    """What was named; for what is not on this machine, the copy of it."""
    format: str
    """`csv`, `parquet`, `arrow`, `delta` or `sql`."""
    schema: pl.Schema
    nulls: tuple[str, ...] = NULLS
    separator: str = ","
    scan: Callable[[], pl.LazyFrame] | None = None
    """Its rows, always in the same order, if they are in no files that polars can read."""
    called: str = ""
    """What people call it, if that is not the name of its file."""
    decimal: str = "."
    """What stands before the decimals of a number that is text."""
    files: tuple[Path, ...] = ()
    """The plain files that hold the rows, in their order; none: `path` itself."""
    seen: tuple[Seen, ...] = ()
    """The files as they were when they were opened."""
    declared: Mapping[str, str] = field(default_factory=dict)
    """Column -> logical type that a database declares for what is text here."""
    notes: tuple[str, ...] = ()
    """What was found out about the file rather than told: its encoding, its delimiter."""

    @property
    def name(self) -> str:
        return self.called or self.path.name

    @property
    def is_text(self) -> bool:
        """Whether values stand in it as text, to be read by the contract."""
        return self.format in TEXT

    @property
    def columns(self) -> list[str]:
        return self.schema.names()

    @property
    def parts(self) -> tuple[Path, ...]:
        """The files that hold the rows, in their order."""
        return self.files or (self.path,)

    def require_unchanged(self) -> None:
        """Raises `ConflictError` if a file is not what it was when it was opened."""
        for path, seen in zip(self.parts, self.seen, strict=False):
            try:
                same = seen_now(path) == seen
            except FileNotFoundError:
                same = False
            if not same:
                raise _changed(path)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one version of a file from another."""

    bytes: int
    changed_ns: int
    digest: str


def seen_now(path: Path) -> Seen:
    """Size and time of change of a file, which can be asked often."""
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of a file, or of all files in a folder; it reads all of it."""
    if path.is_dir():
        inner = {str(p.relative_to(path)): fingerprint(p) for p in files_in(path)}
        return Fingerprint(
            sum(found.bytes for found in inner.values()),
            max((found.changed_ns for found in inner.values()), default=0),
            digest_of({name: found.digest for name, found in inner.items()}),
        )
    with path.open("rb") as file:
        digest = PREFIX + hashlib.file_digest(file, "sha256").hexdigest()
    return Fingerprint(*seen_now(path), digest)


def files_in(folder: Path) -> list[Path]:
    """The files in a folder and below, but for hidden ones and notes such as `_SUCCESS`."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts)
    )


def require_unchanged(path: Path, known: Fingerprint) -> None:
    """Raises `ConflictError` if a file is not what it was when its fingerprint was taken.

    It looks at size and time only, so that it can be asked often.
    """
    if path.is_dir():
        sizes = [seen_now(inner) for inner in files_in(path)]
        now = sum(size for size, _ in sizes), max((at for _, at in sizes), default=0)
    else:
        now = seen_now(path)
    if now != (known.bytes, known.changed_ns):
        raise _changed(path)


def _changed(path: Path) -> ConflictError:
    return ConflictError(
        f"{path} was changed while it was read.", todo="Run it again when it is whole."
    )
