"""The identity of a record."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.core.decision import record_key
from taxiway.core.errors import InputError

NOON = datetime(2013, 3, 1, 12, tzinfo=UTC)


def test_the_key_columns_and_nothing_else() -> None:
    values = {"flight": 11, "at": NOON, "carrier": "UA", "day": date(2013, 3, 1)}
    assert record_key(values, ["at", "flight"]) == (
        '{"at":"2013-03-01T12:00:00.000000Z","flight":11}'
    )
    assert json.loads(record_key(values, ["day"])) == {"day": "2013-03-01"}


def test_the_order_of_the_columns_does_not_matter() -> None:
    values = {"b": 1, "a": "é"}
    assert record_key(values, ["a", "b"]) == record_key(values, ["b", "a"]) == '{"a":"é","b":1}'


def test_two_ways_of_writing_a_time_are_one_key() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert record_key({"at": east}, ["at"]) == record_key({"at": NOON}, ["at"])


@given(one=st.integers() | st.text() | st.booleans(), other=st.integers() | st.text())
def test_other_values_are_other_keys(one: Any, other: Any) -> None:
    same = (type(one), one) == (type(other), other)
    assert (record_key({"k": one}, ["k"]) == record_key({"k": other}, ["k"])) is same


@pytest.mark.parametrize(
    ("values", "key", "named"),
    [
        ({}, ["flight"], "flight"),
        ({"flight": None, "at": NOON}, ["at", "flight"], "flight"),
        ({"at": NOON}, ["flight", "at", "origin"], "flight, origin"),
        ({"at": NOON}, [], "the contract names no key column"),
    ],
)
def test_a_record_without_its_key(values: dict[str, Any], key: list[str], named: str) -> None:
    with pytest.raises(InputError, match=f"A record has no value in its key: {named}\\."):
        record_key(values, key)


@pytest.mark.parametrize("value", [0, False, ""])
def test_what_is_false_is_a_value(value: Any) -> None:
    assert json.loads(record_key({"k": value}, ["k"])) == {"k": value}
