"""Plain copies: a file that is compressed or in another encoding than UTF-8, written out once.

A copy lives until the process ends, in a folder that only its user can read. Memory does not grow
with the file; the disk holds what is inside of it (the folder is the one that TMPDIR names).
"""

from __future__ import annotations

import atexit
import bz2
import codecs
import gzip
import lzma
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO, Any

from taxiway.core.errors import ConflictError, InputError, StoreError, shortened
from taxiway.data.source.form import UTF8, encoding_of, known_encoding
from taxiway.data.source.record import seen_now

BLOCK = 4 << 20
OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
"""First bytes -> what decompresses it."""
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
ZSTD = b"\x28\xb5\x2f\xfd"
TABLES = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
"""First bytes of files that are no text."""
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile)

_numbers = count(1)


@cache
def _folder(process: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="taxiway-"))

    def remove() -> None:
        if os.getpid() == process:  # a child that was forked leaves it to its parent
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def new_place(name: str) -> Path:
    """Where a copy may be written; no other has that name."""
    place = _folder(os.getpid()) / str(next(_numbers))
    place.mkdir()
    return place / name


def plain(path: Path, encoding: str | None = None) -> tuple[Path, list[str]]:
    """A file whose bytes are a table or UTF-8 text, the same one if it is; and what was found out.

    `encoding` is the one that was named. Raises `InputError` for what can't be read as one file.
    """
    before = seen_now(path)
    try:
        copy, found = _plain(path, encoding)
    except DAMAGED as error:
        why = shortened(str(error).rstrip(".")) or type(error).__name__
        raise InputError(
            f"{path} can't be decompressed: {why}.", todo="It may be cut off; write it again."
        ) from None
    if seen_now(path) != before:
        raise ConflictError(
            f"{path} was changed while it was read.", todo="Run it again when it is whole."
        )
    return copy, found


def _plain(path: Path, encoding: str | None) -> tuple[Path, list[str]]:
    with _unpacked(path) as (file, packed):
        start = file.read(4096)
        file.seek(0)
        named = known_encoding(encoding) if encoding else encoding_of(start)
        as_it_is = start.startswith(TABLES) or named in UTF8
        old = not start.startswith(TABLES) and _has_old_lines(start, named)
        if not packed and as_it_is and not old:
            return path, []
        copy = new_place((path.stem if packed else path.name) or "table")
        try:
            _copy(file, copy, None if as_it_is else named, old=old)
        except UnicodeError as error:
            raise InputError(
                f"{path} is not in {named}: {_what(error)}.",
                todo="Name the encoding that it was written in, with `--encoding`.",
            ) from None
        except DAMAGED:
            raise
        except OSError as error:
            raise StoreError(
                f"A plain copy of {path} can't be written: {error.strerror or error}.",
                todo="Free some space, or name another folder with TMPDIR.",
            ) from None
    notes = [] if as_it_is else [f"it is read as {named}"]
    return copy, [*notes, "its lines end as those of old Macs do"] if old else notes


def _has_old_lines(start: bytes, encoding: str) -> bool:
    """Whether lines end in a carriage return alone, as some spreadsheets still write them."""
    wide = encoding.startswith(("utf-16", "utf-32"))
    return not wide and b"\n" not in start and b"\r" in start.rstrip(b"\r")


@contextmanager
def _unpacked(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """The bytes of a file, or of the one that is packed in it; and whether it is packed."""
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(ZSTD):
        raise InputError(
            f"{path} is compressed with zstd.", todo="Decompress it, or write it as Parquet."
        )
    if start.startswith(ZIP):
        with _member(path) as inner:
            yield inner, True
        return
    for mark, opened in OPENERS.items():
        if start.startswith(mark):
            with opened(path, "rb") as inner:
                yield inner, True
            return
    with path.open("rb") as file:
        yield file, False


@contextmanager
def _member(path: Path) -> Iterator[IO[bytes]]:
    """The one file in a zip archive."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise InputError(
            f"{path} is a zip archive that can't be read: {error}.",
            todo="It may be cut off; write it again.",
        ) from None
    with archive:
        members = [
            info
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        if any(info.filename == "[Content_Types].xml" for info in members):
            raise InputError(
                f"{path} is a workbook, not a table.", todo="Save the sheet as CSV, or as Parquet."
            )
        if len(members) != 1:
            named = shortened(", ".join(info.filename for info in members)) or "none"
            raise InputError(
                f"{path} holds {len(members)} files, and one was expected.",
                todo=f"Unpack it into a folder of its own. It holds: {named}.",
            )
        if members[0].flag_bits & 1:
            raise InputError(f"{path} is encrypted.", todo="Unpack it first.")
        try:
            with archive.open(members[0]) as inner:
                yield inner
        except NotImplementedError as error:
            raise InputError(
                f"{path} is packed in a way that is not known here: {error}.", todo="Unpack it."
            ) from None


def _copy(file: IO[bytes], copy: Path, encoding: str | None, *, old: bool) -> None:
    """Writes it as UTF-8 whose lines end in a line feed; as it is without an encoding."""
    with copy.open("wb") as out:
        decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
        while block := file.read(BLOCK):
            plain = block if decoder is None else decoder.decode(block).encode()
            out.write(plain.replace(b"\r", b"\n") if old else plain)
        if decoder is not None:
            out.write(decoder.decode(b"", final=True).encode())


def _what(error: UnicodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} has no meaning in it"
    return "its bytes have no meaning in it"
