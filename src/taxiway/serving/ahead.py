"""Work that runs ahead: what comes next is made in a thread, while what came last is used."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = queue.Queue[tuple[Any, BaseException | None]]

END: Any = object()
PATIENCE = 0.1
"""Seconds after which the thread looks whether anybody still waits for what it has made."""


@contextmanager
def ahead(items: Iterator[Item], *, most: int = 1) -> Iterator[Iterator[Item]]:
    """The same items in the same order; at most so many wait to be used.

    What making them raises is raised where they are used. When the block ends, however it ends, the
    thread has ended, too.

    >>> with ahead(iter([1, 2, 3])) as items:
    ...     list(items)
    [1, 2, 3]
    """
    made: Made = queue.Queue(maxsize=most)
    over = threading.Event()
    thread = threading.Thread(target=_make, args=(items, made, over), name="ahead", daemon=True)
    thread.start()
    try:
        yield _taken(made)
    finally:
        over.set()
        thread.join()
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _make(items: Iterator[Any], made: Made, over: threading.Event) -> None:
    try:
        for item in items:
            _put(made, over, item)
            if over.is_set():
                return
        _put(made, over, END)
    except BaseException as error:  # noqa: BLE001 - raised again where the item is used
        _put(made, over, END, error)


def _put(made: Made, over: threading.Event, item: Any, error: BaseException | None = None) -> None:
    while not over.is_set():
        with contextlib.suppress(queue.Full):
            made.put((item, error), timeout=PATIENCE)
            return


def _taken(made: Made) -> Iterator[Any]:
    while True:
        item, error = made.get()
        if error is not None:
            raise error
        if item is END:
            return
        yield item
