"""How the standard spells formats of dates and times, and how `strftime` does.

The standard has the letters of Java's DateTimeFormatter.
Source: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/format/DateTimeFormatter.html
"""

from __future__ import annotations

import re

LETTERS = (
    ("yyyy", "%Y"), ("uuuu", "%Y"), ("yy", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"),
    ("M", "%m"), ("dd", "%d"), ("d", "%d"), ("HH", "%H"), ("H", "%H"), ("hh", "%I"), ("h", "%I"),
    ("mm", "%M"), ("ss", "%S"), ("a", "%p"), ("XXX", "%z"), ("xxx", "%z"), ("XX", "%z"),
    ("Z", "%z"),
)  # fmt: skip
WRITTEN = {code: letters for letters, code in reversed(LETTERS)} | {"%z": "XXX"}
PART = re.compile(r"'([^']*)'|([.,]?S+)|([A-Za-z])\3*|([^A-Za-z']+)")
CODE = re.compile(r"%\.f|%[A-Za-z]|[^%]+")


def from_standard(text: str) -> str | None:
    """A format of the standard as `strftime` writes it; None for one that is not understood.

    >>> from_standard("dd.MM.yyyy HH:mm:ss.SSS"), from_standard("yyyy-MM-dd'T'HH:mm"),
    ('%d.%m.%Y %H:%M:%S%.f', '%Y-%m-%dT%H:%M')
    >>> from_standard("QQQ yyyy")
    """
    known, parts, end = dict(LETTERS), [], 0
    for match in PART.finditer(text):
        if match.start() != end:
            return None
        end = match.end()
        quoted, fraction, letter, other = match.groups()
        if quoted is not None:
            parts.append(quoted)
        elif fraction:
            parts.append("%.f")
        elif letter:
            if match[0] not in known:
                return None
            parts.append(known[match[0]])
        else:
            parts.append(other)
    return "".join(parts) if end == len(text) else None


def to_standard(format: str) -> str:
    """The inverse of `from_standard`.

    >>> to_standard("%d.%m.%Y %H:%M:%S%.f"), to_standard("%Y-%m-%dT%H:%M")
    ('dd.MM.yyyy HH:mm:ss.SSS', "yyyy-MM-dd'T'HH:mm")
    """
    parts = []
    for part in CODE.findall(format):
        if part == "%.f":
            parts.append(".SSS")
        elif part.startswith("%"):
            parts.append(WRITTEN[part])
        else:
            parts.append(re.sub(r"([A-Za-z]+)", r"'\1'", part))
    return "".join(parts)
