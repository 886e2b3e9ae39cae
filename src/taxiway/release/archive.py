"""What the archive of a model file may hold before anything of it is read.

skops writes a ZIP of plain entries: a schema, arrays and bytes, stored as they are. So an entry
that is packed, leads out of its folder, links elsewhere or is there twice was not written by it,
nor was an archive that says that it is larger than its file, nor an array whose header asks for
more memory than it fills. Sparse matrices would be packed archives in the archive; the allow-list
has none.
"""

from __future__ import annotations

import io
import math
import stat
import zipfile
from collections.abc import Iterator
from typing import Any

from taxiway.core.errors import IntegrityError

MOST_ENTRIES = 1_000_000


def require_plain(content: bytes, file: str) -> None:
    """Raises `IntegrityError`, with what is wrong, for an archive that skops did not write."""
    try:
        problems = list(_problems(content))
    except Exception as error:
        raise IntegrityError(f"{file} can't be read: {type(error).__name__}: {error}") from error
    if problems:
        raise IntegrityError(
            f"{file} is not as it is written here, and nothing of it was loaded:"
            f" {'; '.join(problems[:5])}.",
            todo="Train and release again.",
        )


def _problems(content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_ENTRIES:
            yield f"{len(entries):,} entries, at most {MOST_ENTRIES:,} are read"
            return
        if len({entry.filename for entry in entries}) < len(entries):
            yield "entries of the same name"
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > len(content):
            yield f"it unpacks to {unpacked:,} bytes from a file of {len(content):,}"
        for entry in entries:
            if problem := _of_entry(entry) or _of_array(archive, entry):
                yield f"the entry {entry.filename[:80]!r} {problem}"


def _of_entry(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if "/" in entry.filename or "\\" in entry.filename:
        return "leads elsewhere"
    if kind not in (0, stat.S_IFREG):
        return "is no plain file"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type != zipfile.ZIP_STORED or entry.filename.endswith(".npz"):
        return "is packed"
    return ""


def _of_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    if not entry.filename.endswith(".npy"):
        return ""
    with archive.open(entry) as opened:
        filled = _bytes_of_array(opened) == entry.file_size
    return "" if filled else "is an array of another size"


def _bytes_of_array(opened: Any) -> int:
    """How long an array's file has to be, by its header. Raises `ValueError` for objects."""
    from numpy.lib import format as npy

    version = npy.read_magic(opened)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of the format {version}")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(opened)
    if dtype.hasobject:
        raise ValueError("an array of objects")
    header: int = opened.tell()
    return header + math.prod(shape) * dtype.itemsize
