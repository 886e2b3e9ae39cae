"""Identifiers that sort by time: 48 bits of milliseconds and 80 random bits, as 26 characters."""

from __future__ import annotations

import secrets
import threading
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, in small letters: no i, l, o or u to misread."""

PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)
"""Ten bits as two characters: every decision has an identifier, and half the steps are enough."""
SHIFTS = tuple(range(120, -1, -10))

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A fresh identifier, larger than every one that this process gave before."""
    global _last  # noqa: PLW0603 - the process's own counter is what makes them monotonic
    value = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    with _lock:
        # The clock may stand still or go back; the order of the identifiers must not.
        value = _last = max(value, _last + 1)
    return "".join([PAIRS[value >> shift & 1023] for shift in SHIFTS])
