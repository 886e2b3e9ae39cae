"""Receiving: bodies off the wire, with a limit to their size and to the time that they take."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from taxiway.serving.replies import Reply, refused

MAXIMUM_BYTES = 16 * 1024 * 1024
DRAINED_BYTES = 4 * MAXIMUM_BYTES
UNWANTED_BYTES = 64 * 1024
"""Body of a refused request that is read all the same: no stranger makes the server keep more."""
BODY_SECONDS = 30.0
"""How long a body may take to arrive."""


async def receive(headers: Any, protocol: Any) -> bytes | Reply:
    """The body of a request, or why it is not taken."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            sent = await _body(headers, protocol)
    except TimeoutError:
        return refused(408, "TW-1", f"The body did not arrive within {BODY_SECONDS:.0f} s.")
    except RuntimeError:
        # So Granian says that the client has hung up; nobody reads this, but it is counted.
        return refused(400, "TW-1", "The body was cut off.")
    if sent is None:
        return refused(413, "TW-1", f"The body is larger than {MAXIMUM_BYTES:,} bytes.")
    return sent


async def _body(headers: Any, protocol: Any) -> bytes | None:
    """The body, or None if it is too large; no more than the limit is kept.

    A body that is a little too large is read to its end, so that its sender reads the answer
    instead of a broken connection.
    """
    declared = _declared(headers)
    if declared is not None and declared <= MAXIMUM_BYTES:
        return bytes(await protocol())
    if declared is not None and declared > DRAINED_BYTES:
        return None
    parts: list[bytes] = []
    size = 0
    async for part in protocol:
        size += len(part)
        if size > DRAINED_BYTES:
            return None
        if size <= MAXIMUM_BYTES:
            parts.append(part)
    return b"".join(parts) if size <= MAXIMUM_BYTES else None


async def unwanted(headers: Any, protocol: Any, refusal: Reply) -> Reply:
    """A refusal that needs no body. A small one is read first: the server closes a connection on
    which a body lies unread, and the sender's next request would break."""
    declared = _declared(headers)
    if declared is not None and declared <= UNWANTED_BYTES:
        with suppress(TimeoutError, RuntimeError):  # it never came, or the client has hung up
            async with asyncio.timeout(BODY_SECONDS):
                await protocol()
    return refusal


def _declared(headers: Any) -> int | None:
    """The length that a body is said to have, if that counts."""
    declared = headers.get("content-length") or ""
    # Chunked, its length is what arrives, whatever else was declared.
    if headers.get("transfer-encoding") or not declared.isdigit():
        return None
    return int(declared)
