"""Identifiers that sort by time: 48 bits of milliseconds and 80 random bits, as 26 characters."""

from __future__ import annotations

import os
import threading
import time
from functools import lru_cache

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, in small letters: no i, l, o or u to misread."""

PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)
"""Ten bits as two characters: every decision has an identifier, and half the steps are enough."""

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A fresh identifier, larger than every one that this process gave before."""
    return _text(_taken(1))


def new_ids(count: int) -> list[str]:
    """So many fresh identifiers, one after the other: the first is drawn, the others follow it.

    That nobody else has one of them is nearly as certain as for one: they are a few of 2^80.
    """
    first = _taken(count)
    if (first & LOW) + count > LOW:
        return [_text(first + at) for at in range(count)]
    begin, low = _text(first)[:-4], first & LOW
    return [f"{begin}{PAIRS[at >> 10]}{PAIRS[at & 1023]}" for at in range(low, low + count)]


def _taken(count: int) -> int:
    """The first of so many numbers that are nobody else's from now on."""
    global _last  # noqa: PLW0603 - the process's own counter is what makes them monotonic
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    with _lock:
        # The clock may stand still or go back; the order of the identifiers must not.
        value = max(value, _last + 1)
        _last = value + count - 1
    return value


def _text(value: int) -> str:
    # The first ten characters stay the same for a millisecond; the rest in halves, whose shifts are
    # those of small numbers.
    first, second = value >> 40 & HALF, value & HALF
    return f"{_moment(value >> 80)}{_characters(first)}{_characters(second)}"


LOW = (1 << 20) - 1
"""The last four characters."""
HALF = (1 << 40) - 1


def _characters(bits: int) -> str:
    """Forty bits as eight characters."""
    first, second = bits >> 20, bits & 0xFFFFF
    return f"{PAIRS[first >> 10]}{PAIRS[first & 1023]}{PAIRS[second >> 10]}{PAIRS[second & 1023]}"


@lru_cache(maxsize=16)
def _moment(milliseconds: int) -> str:
    """Forty-eight bits as ten characters."""
    return f"{PAIRS[milliseconds >> 40]}{_characters(milliseconds & HALF)}"
