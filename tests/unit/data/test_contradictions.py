"""What a contract says against itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from taxiway.core.contract import Column, Contract
from taxiway.data.contradictions import contradictions, instant, is_of_type


def told(contract: Contract) -> list[str]:
    return [c.what for c in contradictions(contract)]


def test_good_contract_has_none(contract: Contract) -> None:
    assert told(contract) == []


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (Column("x", "string", minimum=1), "a string has no `minimum`"),
        (Column("x", "boolean", maximum=1), "a boolean has no `maximum`"),
        (Column("x", "integer", minimum="1"), "`minimum` is not of the column's type"),
        (Column("x", "date", minimum=20130101), "`minimum` is not of the column's type"),
        (Column("x", "date", maximum="2013-02-30"), "`maximum` is not of the column's type"),
        (Column("x", "date", minimum="2014-01-01", maximum="2013-01-01"), "above `maximum`"),
        (
            # The same instant, one hour apart on the clock: compared as times, not as text.
            Column(
                "x",
                "timestamp",
                minimum="2013-01-01T12:00:00Z",
                maximum="2013-01-01T12:30:00+01:00",
            ),
            "above `maximum`",
        ),
        (Column("x", "integer", pattern="a"), "`pattern` is for text"),
        (Column("x", "number", maximum_length=3), "`maximum_length` is for text"),
        (Column("x", "string", minimum_length=5, maximum_length=3), "`minLength` is above"),
        (Column("x", "string", pattern="(["), "`pattern` does not compile"),
        (Column("x", "string", pattern=r"(a)\1"), "look-around or a back-reference"),
        (Column("x", "string", pattern="a(?=b)"), "look-around or a back-reference"),
        (Column("x", "number", values=(1,)), "has limits, not `values`"),
        (Column("x", "string", values=("a", 1)), "`values` are not of the column's type"),
        (Column("x", "integer", values=(1, True)), "`values` are not of the column's type"),
        (Column("x", "string", values=("a", "a")), "`values` repeat"),
        (Column("x", "integer", values=(1, 2), minimum=1), "say it twice"),
        (Column("x", "integer", examples=("seven",)), "`examples` are not of the column's type"),
        (Column("x", "integer", known_at="later"), "`known_at` is not one of the moments"),
        (Column("x", "string", key=True, known_at="arrival"), "is known only after it"),
        (Column("code", "string"), "column code is there 2 times"),
    ],
)
def test_columns(contract: Contract, column: Column, message: str) -> None:
    changed = replace(contract, columns=(*contract.columns, column))
    assert any(message in what for what in told(changed)), told(changed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"moments": ("departure", "arrival", "departure")}, "moment departure is there 2 times"),
        ({"decision_at": "landing"}, "`decision_at` is not one of the moments"),
        ({"event_time": "line"}, "`event_time` is not a time"),
        ({"event_time": "when"}, "`event_time` is not a column"),
    ],
)
def test_table(contract: Contract, changes: dict[str, Any], message: str) -> None:
    changed = replace(contract, **changes)
    assert any(message in what for what in told(changed))


def test_event_time_that_may_be_missing(contract: Contract) -> None:
    columns = tuple(replace(c, nullable=c.name == "at") for c in contract.columns)
    assert told(replace(contract, columns=columns)) == [
        "`event_time` at may be missing, and every row needs its time"
    ]


def test_no_key(contract: Contract) -> None:
    columns = tuple(replace(c, key=False) for c in contract.columns)
    assert told(replace(contract, columns=columns)) == [
        "no column is part of the key; outcomes find their decision by it"
    ]


def test_types_of_plain_values() -> None:
    assert is_of_type(1.5, "number")
    assert not is_of_type(True, "number")
    assert is_of_type(True, "boolean")
    assert not is_of_type("true", "boolean")
    assert is_of_type("2013-03-01", "date")


def test_time_without_an_offset_is_utc() -> None:
    assert instant("2013-03-01T10:00:00", "timestamp") == instant(
        "2013-03-01T11:00:00+01:00", "timestamp"
    )
    assert instant("soon", "timestamp") is None
