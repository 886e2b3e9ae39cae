"""Work ahead: in order, bounded, and ended with the block."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from taxiway.serving.ahead import ahead


def counted(made: list[int], closed: list[bool]) -> Iterator[int]:
    try:
        for item in range(1000):
            made.append(item)
            yield item
    finally:
        closed.append(True)


def test_it_is_a_few_items_ahead_and_ends_with_the_block() -> None:
    made: list[int] = []
    closed: list[bool] = []
    before = threading.active_count()
    with ahead(counted(made, closed)) as items:
        assert [next(items), next(items)] == [0, 1]
    assert len(made) <= 5
    assert closed == [True]
    assert threading.active_count() == before


def test_what_goes_wrong_is_raised_where_it_is_used() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("the disk is gone")

    with ahead(broken()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="disk is gone"):
            next(items)


def test_what_goes_wrong_in_the_block_ends_the_work() -> None:
    made: list[int] = []
    closed: list[bool] = []

    def use() -> None:
        with ahead(counted(made, closed)) as items:
            next(items)
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        use()
    assert closed == [True]
