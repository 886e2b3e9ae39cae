"""Receiving: bodies off the wire, with limits to their size, their time and their sum."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

from taxiway.serving.replies import Reply, busy, refused

MAXIMUM_BYTES = 16 * 1024 * 1024
DRAINED_BYTES = 4 * MAXIMUM_BYTES
UNWANTED_BYTES = 64 * 1024
"""Body of a refused request that is read all the same: no stranger makes the server keep more."""
LARGE_BYTES = 256 * 1024
"""A larger body is received, and read, with care for all the others."""
HELD_BYTES = 256 * 1024 * 1024
"""Large bodies that a process holds at once, all together, until they are answered."""
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


class Intake:
    """Takes bodies off the wire for one process, which has only so much memory for them."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._held = 0

    async def receive(self, headers: Any, protocol: Any) -> bytes | Reply:
        """The body of a request, or why it is not taken; `answered` has to follow."""
        if refusal := _coded(headers):
            return await self.unwanted(headers, protocol, refusal)
        declared = _declared(headers)
        try:
            if declared is not None and declared <= LARGE_BYTES:
                return bytes(await self._patience.wait(protocol()))
            return await self._patience.wait(self._large(declared, protocol))
        except TimeoutError:
            return refused(408, "TW-1", f"The body did not arrive within {BODY_SECONDS:.0f} s.")
        except RuntimeError:
            # So Granian says that the client has hung up; nobody reads this, but it is counted.
            return refused(400, "TW-1", "The body was cut off.")

    async def unwanted(self, headers: Any, protocol: Any, refusal: Reply) -> Reply:
        """A refusal that needs no body. A small one is read first: the server closes a connection
        on which a body lies unread, and the sender's next request would break."""
        declared = _declared(headers)
        if declared is not None and declared <= UNWANTED_BYTES:
            with suppress(TimeoutError, RuntimeError):  # it never came, or the client has hung up
                await self._patience.wait(protocol())
        return refusal

    def answered(self, sent: bytes) -> None:
        """Forgets a body that was received."""
        self._held -= _counted(len(sent))

    async def _large(self, declared: int | None, protocol: Any) -> bytes | Reply:
        """A body that comes in parts, of which no more than the limit is kept.

        One that is a little too large, or too much, is read to its end, so that its sender reads
        the answer instead of a broken connection. What was declared is not believed: it takes
        nothing to declare a lot, and to send none of it.
        """
        too_large = refused(413, "TW-1", f"The body is larger than {MAXIMUM_BYTES:,} bytes.")
        if declared is not None and declared > DRAINED_BYTES:
            return too_large
        parts: list[bytes] = []
        size = kept = 0
        refusal: Reply | None = None
        try:
            async for part in protocol:
                size += len(part)
                if size > DRAINED_BYTES:
                    return too_large
                if size > MAXIMUM_BYTES:
                    refusal = too_large
                elif self._held + len(part) > HELD_BYTES:
                    refusal = busy("More is being sent than can be held; nothing was decided.")
                if refusal is not None:
                    self._held -= kept
                    kept = 0
                    parts.clear()
                    continue
                parts.append(part)
                kept += len(part)
                self._held += len(part)
            if refusal is not None:
                return refusal
            self._held += _counted(size)
            return b"".join(parts)
        finally:
            self._held -= kept


def _counted(size: int) -> int:
    """What a body that was received counts among those that are held."""
    return size if size > LARGE_BYTES else 0


def _coded(headers: Any) -> Reply | None:
    """A refusal of what is coded in a way that nobody undoes here.

    It would be read as if it were plain, and somebody in between may have read something else.
    """
    if headers.get("transfer-encoding") and _all(headers, "transfer-encoding") != "chunked":
        text = "The body is transferred in a way that is not taken; send it plain or chunked."
        return refused(400, "TW-1", text, ("connection", "close"))
    if headers.get("content-encoding") and _all(headers, "content-encoding") != "identity":
        text = "The body is compressed, and is taken plain only."
        return refused(415, "TW-1", text, ("accept-encoding", "identity"))
    return None


def _all(headers: Any, name: str) -> str:
    return ", ".join(headers.get_all(name)).strip().lower()


def _declared(headers: Any) -> int | None:
    """The length that a body is said to have, if that counts."""
    declared = headers.get("content-length") or ""
    # Chunked, its length is what arrives, whatever else was declared.
    if headers.get("transfer-encoding") or not declared.isdigit():
        return None
    return int(declared)
