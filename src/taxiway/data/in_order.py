"""Work on what is read, on several threads, while what comes next is read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

MOST_WORKERS = 4
"""More only wait for who reads, and each holds a batch."""


def in_order(
    work: Callable[[Item], Made], items: Iterable[Item], *, workers: int | None = None
) -> Iterator[Made]:
    """What work makes of each item, in their order; two items for each thread wait at most.

    What reading or work raises is raised where its turn comes.

    >>> list(in_order(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    count = workers or min(MOST_WORKERS, os.cpu_count() or 1)
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(count, "work") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
