"""Identifiers sort by time, whatever the clock does."""

from __future__ import annotations

import threading
import time

import pytest

from taxiway.adapters import ids
from taxiway.adapters.ids import ALPHABET, new_id


@pytest.fixture(autouse=True)
def _the_counter_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", 0)


def at(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: milliseconds * 1_000_000)


def test_shape() -> None:
    one = new_id()
    assert len(one) == 26
    assert set(one) <= set(ALPHABET)
    assert sorted(ALPHABET) == list(ALPHABET)
    assert len(set(ALPHABET)) == 32


def test_later_is_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for milliseconds in (0, 1, 1_700_000_000_000, 1_700_000_000_001, 2**48 - 1):
        at(monkeypatch, milliseconds)
        made.append(new_id())
    assert made == sorted(made)


def test_the_time_can_be_read_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 1_700_000_000_123)
    value = 0
    for letter in new_id():
        value = value << 5 | ALPHABET.index(letter)
    assert value >> 80 == 1_700_000_000_123


@pytest.mark.parametrize(
    "later", [1_700_000_000_000, 1_600_000_000_000], ids=["stands", "goes back"]
)
def test_the_order_holds_when_the_clock(monkeypatch: pytest.MonkeyPatch, later: int) -> None:
    at(monkeypatch, 1_700_000_000_000)
    made = [new_id() for _ in range(100)]
    at(monkeypatch, later)
    made += [new_id() for _ in range(100)]
    assert made == sorted(set(made))


def test_unique_over_threads_and_in_order_within_each() -> None:
    made: list[list[str]] = [[] for _ in range(8)]

    def work(mine: list[str]) -> None:
        mine += [new_id() for _ in range(2000)]

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len({one for mine in made for one in mine}) == 16_000


def test_many_at_once_follow_each_other_and_what_comes_next_is_behind_them() -> None:
    before = ids.new_id()
    many = ids.new_ids(3_000)
    after = ids.new_id()
    assert len(set(many)) == 3_000
    assert [before, *many, after] == sorted([before, *many, after])
    assert {len(one) for one in many} == {26}


def test_many_at_once_carry_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first = (1 << 127) + ids.LOW - 1
    monkeypatch.setattr(ids, "_taken", lambda _: first)
    assert ids.new_ids(5) == [ids._text(first + at) for at in range(5)]
    assert ids.new_ids(1) == [ids._text(first)]
