"""How a text file is written: its encoding, its delimiter and its decimal sign.

Only what the bytes show is found out: UTF-16 shows itself, by its first bytes or its zeros. An
encoding of single bytes does not (the same byte is another letter in each), so it has to be named.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from taxiway.core.errors import InputError

SEPARATORS = ",;\t|"
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_AT = 1 << 18
"""How many bytes of a file are looked at to find out how it is written."""
LINES = 500

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""First bytes -> encoding. UTF-32 begins as UTF-16 does, so it comes before it."""
UTF8 = frozenset({"utf-8", "utf-8-sig", "ascii"})

COMMA = re.compile(r"[+-]?\d+,\d+")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
POINT = re.compile(r"[+-]?\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Form:
    """How the values of a text file are told apart."""

    separator: str
    decimal: str
    notes: tuple[str, ...] = ()


def known_encoding(name: str) -> str:
    """The usual name of an encoding. Raises `InputError` for one that nobody knows."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise InputError(
            f"{name!r} is no encoding; expected for instance utf-8, utf-16, latin-1 or cp1252."
        ) from None


def encoding_of(start: bytes) -> str:
    """The encoding that the first bytes of a file show; UTF-8 if they show none.

    >>> encoding_of("a,b".encode("utf-16")), encoding_of("a,b".encode("utf-16-le"))
    ('utf-16', 'utf-16-le')
    """
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    pairs = len(start) // 2
    even, odd = start[0 : 2 * pairs : 2].count(0), start[1 : 2 * pairs : 2].count(0)
    # Letters and digits of the first 256 have a zero beside them; plain text has none at all.
    if odd > pairs / 2 and not even:
        return "utf-16-le"
    if even > pairs / 2 and not odd:
        return "utf-16-be"
    return "utf-8"


def form_of(text: str, *, separator: str | None = None, decimal: str | None = None) -> Form:
    """How a text is written, as its first lines show; what was told is not asked."""
    notes = []
    found = separator or _separator(text)
    if separator is None and found != ",":
        notes.append(f"its values are separated by {NAMES[found]}")
    if decimal is None:
        decimal, note = _decimal(_lines(text, found))
        notes += [note] if note else []
    return Form(found, decimal, tuple(notes))


def _lines(text: str, separator: str) -> list[list[str]]:
    """The first whole lines that are not empty."""
    whole = text[: text.rfind("\n") + 1] or text
    try:
        lines = csv.reader(whole.splitlines(keepends=True), delimiter=separator)
        return [line for line in islice(lines, LINES) if any(line)]
    except csv.Error:
        return []


def _separator(text: str) -> str:
    """The one by which most lines have as many fields as the header, and that has the most.

    >>> _separator("name;paid\\n'a, b';1,5\\nc;2,5\\n")
    ';'
    """
    best, most = ",", (0.0, 0)
    for mark in SEPARATORS:
        lines = _lines(text, mark)
        width = len(lines[0]) if lines else 0
        if width < 2:
            continue
        rest = lines[1:] or lines
        share = sum(len(line) == width for line in rest) / len(rest)
        if (round(share, 2), width) > most:
            best, most = mark, (round(share, 2), width)
    return best


def _decimal(lines: Sequence[Sequence[str]]) -> tuple[str, str | None]:
    """The decimal sign, and what is to be said of it."""
    cells = [cell.strip() for line in lines[1:] for cell in line]
    comma = [cell for cell in cells if COMMA.fullmatch(cell)]
    clear = sum(not GROUPED.fullmatch(cell) for cell in comma)
    point = sum(POINT.fullmatch(cell) is not None for cell in cells)
    if not clear:
        if comma:
            return ".", (
                f"numbers such as those with a comma before three digits ({len(comma)} in the first"
                " lines) are text: they may be grouped, or have a decimal comma"
            )
        return ".", None
    sign, name = (",", "comma") if clear > point else (".", "point")
    if point:
        return sign, (
            f"its first lines have {clear} numbers with a decimal comma and {point} with a decimal"
            f" point; a decimal {name} is expected"
        )
    return sign, "its numbers have a decimal comma"
