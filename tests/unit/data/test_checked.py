"""Rows that are used at once are believed only after they held the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.data.checked import read_checked
from taxiway.data.source import open_source

Trips = Callable[..., Path]


def test_good_rows_are_read(trips: Trips, contract: Contract) -> None:
    frame = read_checked(open_source(trips()), contract, so="Nothing was scored.")
    assert frame.get_column("seats").to_list() == [40, 0, 90]


def test_some_columns_of_the_contract(write: Trips, contract: Contract) -> None:
    source = open_source(write("at,delay,code\n2013-03-01T10:00:00Z,7,001\n"))
    frame = read_checked(source, contract.only(source.columns), so="Nothing was joined.")
    assert frame.columns == ["code", "at", "delay"]


def test_bad_rows_are_not_read_as_none(trips: Trips, contract: Contract) -> None:
    with pytest.raises(InputError, match=r"1 of 3 rows fail. Nothing was joined") as caught:
        read_checked(open_source(trips(1, delay="12.5")), contract, so="Nothing was joined.")
    assert [p.where for p in caught.value.problems] == ["delay"]


def test_few_and_old_rows_will_do(trips: Trips, contract: Contract) -> None:
    strict = replace(contract, minimum_rows=1_000, freshness_hours=1)
    assert read_checked(open_source(trips()), strict, so="").height == 3
