"""Text files line by line: rows of another width than the header's, and bytes that are no UTF-8."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path

from taxiway.core.errors import InputError
from taxiway.data.source.record import Source

LOOKED_AT = 64 << 20
"""Bytes of the largest file that is read at once."""


def rows_of_other_width(source: Source) -> Iterator[tuple[int, int]]:
    """Rows of a CSV source with more or fewer fields than its header: (row, fields).

    Polars fills short rows up with nothing; this reads the file again to tell them from rows that
    say nothing.
    """
    row = 0
    for path in source.parts:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter=source.separator)
            next((line for line in lines if line), None)
            try:
                for line in lines:
                    if any(line):
                        row += 1
                        if len(line) != len(source.columns):
                            yield row, len(line)
            except csv.Error as error:
                raise InputError(f"{path} can't be read after row {row}: {error}.") from None


def lone_quote(source: Source, path: Path) -> int | None:
    """The first line with a quotation mark inside of a value that stands in none, or after its end;
    for a value that never ends, the line in which it begins. A file that is too large to be looked
    at as a whole has none."""
    if path.stat().st_size > LOOKED_AT:
        return None
    mark = re.escape(source.separator)
    value = re.compile(rf'"(?:[^"]|"")*"(?=[{mark}\r\n]|$)|[^"{mark}\n]*(?=[{mark}\n]|$)')
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    at = 0
    while at < len(text):
        if not (found := value.match(text, at)):
            return text.count("\n", 0, at) + 1
        at = found.end() + (2 if text.startswith("\r\n", found.end()) else 1)
    return None


def not_utf8(path: Path, content: Path) -> InputError:
    """Names the line of the first byte that is not UTF-8."""
    decoder, line, wrong = codecs.getincrementaldecoder("utf-8")(), 1, ""
    with content.open("rb") as file:
        for chunk in file:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                wrong = f", such as 0x{error.object[error.start]:02x}"
                break
            line += 1
    return InputError(
        f"{path} is not UTF-8: its line {line} holds other bytes{wrong}.",
        todo="Name the encoding that it was written in (`--encoding cp1252` where it comes from"
        " Windows in Western Europe), save it as UTF-8, or write it as Parquet.",
    )
