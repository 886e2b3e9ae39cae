"""Sizes as people read them."""

from __future__ import annotations

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size_of(count: int) -> str:
    """A number of bytes, in three digits or so.

    >>> size_of(0), size_of(999), size_of(1_500), size_of(2_340_000_000)
    ('0 bytes', '999 bytes', '1.5 kB', '2.34 GB')
    """
    size, unit = float(count), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {UNITS[unit]}" if unit else f"{count} bytes"
