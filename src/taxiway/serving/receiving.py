"""Receiving: bodies off the wire, with a limit to their size and to the time that they take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

from taxiway.serving.replies import Reply, refused

MAXIMUM_BYTES = 16 * 1024 * 1024
DRAINED_BYTES = 4 * MAXIMUM_BYTES
UNWANTED_BYTES = 64 * 1024
"""Body of a refused request that is read all the same: no stranger makes the server keep more."""
BODY_SECONDS = 30.0
"""How long a body may take to arrive."""
LOOK_SECONDS = 1.0
"""How often it is looked whether one takes longer."""

Sent = TypeVar("Sent")


class Patience:
    """Waits for bodies, and not for ever: one timer looks after all that are awaited.

    A timer for each of them would take longer than to read the body and all that is in it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._since: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._looking = False

    async def wait(self, reading: Awaitable[Sent]) -> Sent:
        """What is read. Raises `TimeoutError` if that takes too long."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has a task
        self._since[task] = self._loop.time()
        if not self._looking:
            self._look()
        try:
            return await reading
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise TimeoutError from None
        finally:
            del self._since[task]
            self._late.discard(task)

    def _look(self) -> None:
        """Gives up what is awaited for too long, and looks again while anything is awaited."""
        latest = self._loop.time() - BODY_SECONDS
        for task, since in self._since.items():
            if since <= latest and task not in self._late:
                self._late.add(task)
                task.cancel()
        self._looking = bool(self._since)
        if self._looking:
            self._loop.call_later(min(LOOK_SECONDS, BODY_SECONDS), self._look)


async def receive(headers: Any, protocol: Any, patience: Patience) -> bytes | Reply:
    """The body of a request, or why it is not taken."""
    try:
        sent = await patience.wait(_body(headers, protocol))
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


async def unwanted(headers: Any, protocol: Any, patience: Patience, refusal: Reply) -> Reply:
    """A refusal that needs no body. A small one is read first: the server closes a connection on
    which a body lies unread, and the sender's next request would break."""
    declared = _declared(headers)
    if declared is not None and declared <= UNWANTED_BYTES:
        with suppress(TimeoutError, RuntimeError):  # it never came, or the client has hung up
            await patience.wait(protocol())
    return refusal


def _declared(headers: Any) -> int | None:
    """The length that a body is said to have, if that counts."""
    declared = headers.get("content-length") or ""
    # Chunked, its length is what arrives, whatever else was declared.
    if headers.get("transfer-encoding") or not declared.isdigit():
        return None
    return int(declared)
