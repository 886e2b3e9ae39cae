"""Reading: bodies become validated records, and nobody waits for those of others.

The loop reads what is small, which takes less than a millisecond. A large body takes up to seconds:
it is read, and its answer is written, in a thread beside the loop, one at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from taxiway.core.contract import Contract
from taxiway.core.decision import Decision
from taxiway.serving.arrow import ArrowReader
from taxiway.serving.bodies import ARROW, JSON, JSON_MARKS, READ, Body, require_few_values
from taxiway.serving.protocols import Protocol
from taxiway.serving.receiving import LARGE_BYTES
from taxiway.serving.replies import Reply, encoded
from taxiway.serving.typed import read_typed

T = TypeVar("T")

MANY = 500
"""Decisions whose answer is written beside the loop."""


@dataclass(frozen=True, slots=True)
class Read:
    """A body that was read under a contract, and the seconds that it took.

    What is read by its types is validated while it is parsed, and all of it counts as parsing.
    """

    body: Body
    """For whoever answers: JSON data as they were sent, or the records that they are."""
    records: Sequence[dict[str, Any]]
    parsed: float
    validated: float
    again: Callable[[Contract], Sequence[dict[str, Any]]]
    """Reads the records under another contract."""


class Reading:
    """Reads bodies and writes answers for one loop."""

    def __init__(self) -> None:
        self._arrow = ArrowReader()
        self._beside = ThreadPoolExecutor(1, "large bodies")

    async def read(self, protocol: Protocol, media: str, sent: bytes, contract: Contract) -> Read:
        """A body's records. Raises `InputError` with everything that is wrong."""
        if media == ARROW:
            began = time.perf_counter()
            rows = Body(media, await self._arrow.rows(sent))
            return self._validated(protocol, rows, contract, time.perf_counter() - began)
        if len(sent) > LARGE_BYTES:
            return await self._off(lambda: self._parsed(protocol, media, sent, contract))
        return self._parsed(protocol, media, sent, contract)

    async def shown(self, protocol: Protocol, body: Body, decisions: Sequence[Decision]) -> Reply:
        """The answer that tells of decisions."""
        if len(decisions) > MANY:
            content = await self._off(lambda: encoded(Reply(protocol.show(body, decisions))))
            return Reply(content, decisions=decisions)
        return Reply(protocol.show(body, decisions), decisions=decisions)

    def close(self) -> None:
        """Ends its thread and its child."""
        self._beside.shutdown(wait=False, cancel_futures=True)
        self._arrow.close()

    async def _off(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._beside, work)

    def _parsed(self, protocol: Protocol, media: str, sent: bytes, contract: Contract) -> Read:
        began = time.perf_counter()
        if protocol.typed and media == JSON:
            require_few_values(sent, JSON_MARKS)
            typed = read_typed(sent, contract)
            if typed is not None:
                rows, listed = typed
                body = Body(media, rows if listed else rows[0])
                again = partial(_again, protocol, media, sent)
                return Read(body, rows, time.perf_counter() - began, 0.0, again)
        body = Body(media, READ[media](sent))
        return self._validated(protocol, body, contract, time.perf_counter() - began)

    def _validated(self, protocol: Protocol, body: Body, contract: Contract, parsed: float) -> Read:
        began = time.perf_counter()
        records = protocol.read(body, contract)
        again = partial(protocol.read, body)
        return Read(body, records, parsed, time.perf_counter() - began, again)


def _again(protocol: Protocol, media: str, sent: bytes, contract: Contract) -> list[dict[str, Any]]:
    return protocol.read(Body(media, READ[media](sent)), contract)
