"""JSON text of plain data as a log holds it, by the quickest encoder that is installed.

Both read equal, floats to the bit, and both refuse what JSON has no word for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

# One encoder for all: making it takes as long as using it.
_strict = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_quick: Callable[[Any], bytes] | None = None
data: Callable[[str | bytes], Any] = json.loads
try:
    import msgspec
except ImportError:  # it comes with the extra `serve`; without it nobody is answered by the second
    pass
else:
    _quick, data = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


def text(value: Mapping[str, Any]) -> str:
    """An object as JSON. Raises `ValueError` for a number that JSON does not have.

    >>> text({"distance": 719.0, "carrier": None})
    '{"distance":719.0,"carrier":null}'
    """
    if _quick is None:
        return _strict(value)
    written = _quick(value)
    # NaN and infinity are null there: as many nulls as there are Nones, and there are none.
    if b"null" in written and written.count(b"null") != list(value.values()).count(None):
        return _strict(value)
    return written.decode()
