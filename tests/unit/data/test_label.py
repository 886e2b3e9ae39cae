"""Labels from a SQL definition, and definitions that can't be used."""

from __future__ import annotations

import polars as pl
import pytest

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.data.label import columns_of, label

FRAME = pl.DataFrame({"delay": [20, 3, None], "line": ["A", "B", "A"], "fare": [1.0, None, 2.0]})


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("delay > 15", [True, False, None]),
        ("delay > 15 AND line = 'A'", [True, False, None]),
        ("delay > 15 OR fare IS NULL", [True, True, None]),
        ("line IN ('A')", [True, False, True]),
        ("delay IS NULL", [False, False, True]),
        ("NOT (delay BETWEEN 1 AND 5)", [True, False, None]),
        ("abs(delay) > 15", [True, False, None]),
        ("CASE WHEN delay > 15 THEN true ELSE false END", [True, False, False]),
        ("coalesce(delay, 0) > 15", [True, False, False]),
        ("line LIKE 'A%'", [True, False, True]),
        ("line = 'Len' OR line = 'B'", [False, True, False]),
        ("delay > greatest(fare, 5)", [True, False, None]),
        ("delay > CAST('15' AS INTEGER)", [True, False, None]),
    ],
)
def test_label(definition: str, expected: list[bool | None]) -> None:
    found = label(FRAME, definition)
    assert found.name == "label"
    assert found.dtype == pl.Boolean
    assert found.to_list() == expected


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("delay >", "it is not a SQL expression"),
        ("", "it is not a SQL expression|it names no column"),
        ("delay > 15; DROP TABLE x", "it is not a SQL expression|there is no column"),
        ("dely > 15", "there is no column `dely`. Did you mean `delay`"),
        ("weather = 'rain'", "there is no column `weather`. Columns: delay, line, fare"),
        ("delay + 1", "expected true or false, found Int64"),
        ("line", "expected true or false, found String"),
        ("line > 15", "The target's definition can't be used"),
        ("1 = 1", "it names no column"),
        ("max(delay) > 15", "it looks at other rows"),
        ("delay > avg(delay)", "it looks at other rows"),
        ("delay > quantile_cont(delay, 0.5)", "it looks at other rows"),
        ("corr(delay, fare) > 0.5", "it looks at other rows"),
        ("delay > 0 AND count(*) > 1", "it looks at other rows"),
        ("delay > sum(delay) OVER (PARTITION BY line)", "it looks at other rows"),
        ("delay > lag(delay) OVER (ORDER BY fare)", "it looks at other rows"),
        ("delay > (SELECT 1)", "it looks at other rows"),
    ],
)
def test_definitions_that_can_not_be_used(definition: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        label(FRAME, definition)


def test_two_unknown_columns_come_at_once() -> None:
    with pytest.raises(InputError, match="can't be used") as caught:
        label(FRAME, "dely > 15 AND lin = 'A'")
    assert len(caught.value.problems) == 2


def test_label_of_no_rows() -> None:
    assert label(FRAME.clear(), "delay > 15").to_list() == []


def test_columns_in_the_order_of_the_contract(contract: Contract) -> None:
    assert columns_of("delay > 15", contract) == ("delay",)
    assert columns_of("delay > 5 AND line = 'A' AND delay < 9", contract) == ("line", "delay")
    assert columns_of("at IS NOT NULL AND delay > 3", contract) == ("at", "delay")
    with pytest.raises(InputError, match="Did you mean `delay`"):
        columns_of("delays > 15", contract)


def test_a_label_may_be_a_number() -> None:
    frame = pl.DataFrame({"price": [20.0, 3.0, None, 5.0], "area": [8, 0, 1, 2]})
    found = label(frame, "price / area", "number")
    # What is divided by zero is no number, and so no label.
    assert found.to_list() == [2.5, None, None, 2.5]
    assert label(frame, "area", "number").dtype == pl.Float64


@pytest.mark.parametrize(
    ("definition", "type", "says"),
    [
        ("price > 2", "number", "expected a number, found Boolean"),
        ("price", "boolean", "expected true or false, found Float64"),
    ],
)
def test_a_label_of_another_type_than_the_kind_s_is_refused(
    definition: str, type: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        label(pl.DataFrame({"price": [1.0]}), definition, type)
