"""Columns become the same numbers however many rows there are, and whatever their types."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.adapters.engines.columns import FEW, MANY, places, plan_of, runner
from taxiway.core.errors import IntegrityError

NUMBERS: dict[str, tuple[Any, list[Any]]] = {
    "float": (pl.Float64, [1.5, -0.0, 5e-324, 1e300, None, float("nan")]),
    "narrow float": (pl.Float32, [0.1, -3.0, None]),
    "whole": (pl.Int64, [0, 2**53 + 1, -(2**63), 2**63 - 1, None]),
    "unsigned": (pl.UInt64, [0, 2**64 - 1, None]),
    "yes or no": (pl.Boolean, [True, False, None]),
    "decimal": (pl.Decimal(20, 6), [Decimal("0.1"), Decimal("123456789.123457"), None]),
    "day": (pl.Date, [date(2026, 11, 26), date(1969, 12, 31), None]),
}
CATEGORIES: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "text": (pl.String, ["x", "", "\u0000", "é", None, "new"], ["x", "", "é"]),
    "whole": (pl.Int64, [1, 2, 2**40, None, -1], [1, 2**40]),
    "whole, learnt with gaps": (pl.Int64, [1, 2, None, -1], [1.0, 2.0]),
    "float": (pl.Float64, [1.0, 0.5, float("nan"), None, -0.0], [0.5, 0.0]),
    "yes or no": (pl.Boolean, [True, False, None], [True]),
    "listed": (pl.Enum(["a", "b"]), ["a", "b", None], ["b"]),
}


def alike(blocks: list[dict[str, Any]], name: str, dtype: Any, values: list[Any]) -> Any:
    """The matrix of the values, which is the same for one row, a few, more and very many."""
    run = runner(blocks)
    frame = pl.DataFrame({name: pl.Series(values, dtype=dtype), "other": ["?"] * len(values)})
    few = run(frame)
    assert few.dtype == np.float64
    alone = [run(frame[at : at + 1])[0].tobytes() for at in range(len(values))]
    assert alone == [row.tobytes() for row in few]
    for count in (FEW + 1, MANY + len(values)):
        times = count // len(values) + 1
        more = run(pl.concat([frame] * times))
        assert more.tobytes() == few.tobytes() * times
        assert more.flags.c_contiguous
    return few


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers(kind: str) -> None:
    dtype, values = NUMBERS[kind]
    block = {"op": "number", "columns": ["n"], "steps": []}
    found = alike([block], "n", dtype, values)
    assert np.isnan(found[values.index(None), 0])


@pytest.mark.parametrize("kind", CATEGORIES)
def test_codes_of_categories(kind: str) -> None:
    dtype, values, learnt = CATEGORIES[kind]
    codes = [[value, code] for code, value in enumerate(learnt)]
    block = {"op": "ordinal", "column": "c", "codes": codes, "unknown": -1, "missing": -2}
    found = alike([block], "c", dtype, values)[:, 0]
    for value, code in zip(values, found, strict=True):
        missing = value is None or value != value  # noqa: PLR0124 - NaN
        assert code == (-2 if missing else learnt.index(value) if value in learnt else -1)


@pytest.mark.parametrize("kind", CATEGORIES)
def test_slots_of_categories(kind: str) -> None:
    dtype, values, learnt = CATEGORIES[kind]
    slots = [[value, slot or None] for slot, value in enumerate(learnt)]  # the first is dropped
    width = len(learnt) + 1
    onehot = {"op": "onehot", "column": "c", "slots": slots, "width": width, "unknown": None}
    found = alike([{**onehot, "missing": len(learnt)}], "c", dtype, values)
    for value, row in zip(values, found, strict=True):
        missing = value is None or value != value  # noqa: PLR0124 - NaN
        place = len(learnt) if missing else learnt.index(value) if value in learnt else 0
        assert row.tolist() == [float(at == place and at > 0) for at in range(width)]


@given(
    st.lists(
        st.tuples(st.none() | st.floats(), st.none() | st.text(max_size=2)), min_size=1, max_size=9
    )
)
def test_several_blocks_beside_each_other(rows: list[tuple[float | None, str | None]]) -> None:
    blocks: list[dict[str, Any]] = [
        {"op": "ordinal", "column": "t", "codes": [["a", 1.0]], "unknown": None, "missing": 7},
        {
            "op": "number",
            "columns": ["n", "n"],
            "steps": [
                {"op": "impute", "values": [1.0, 2.0], "indicate": [1]},
                {"op": "scale", "centre": [0.0, 1.0, 0.0], "by": [2.0, 1.0, 1.0]},
                {"op": "stretch", "by": [1.0, 1, 1], "plus": [0.5, 0, 0], "clip": [-9.0, 9.0]},
            ],
        },
    ]
    frame = pl.DataFrame(rows, schema={"n": pl.Float64, "t": pl.String}, orient="row")
    found = runner(blocks)(frame)
    for (number, text), row in zip(rows, found.tolist(), strict=True):
        missing = number is None or number != number  # noqa: PLR0124 - NaN
        assert (row[0] == 7) if text is None else (row[0] == 1 if text == "a" else np.isnan(row[0]))
        first, second = (1.0, 2.0) if number is None or missing else (number, number)
        assert row[1:] == [
            min(9.0, max(-9.0, first / 2 + 0.5)),
            min(9.0, max(-9.0, second - 1)),
            float(missing),
        ]
    # What undoes the steps: times 2 less 1, and plus 1.
    assert places(blocks) == [("t", None), ("n", (2.0, -1.0)), ("n", (1.0, 1.0)), ("n", None)]


def test_columns_are_found_by_name_wherever_they_stand() -> None:
    run = runner([{"op": "number", "columns": ["b", "a"], "steps": []}])
    frame = pl.DataFrame({"a": [1.0], "x": ["?"], "b": [2.0]})
    assert run(frame).tolist() == run(frame.select("b", "x", "a")).tolist() == [[2.0, 1.0]]


def test_a_plan_of_another_protocol_is_refused() -> None:
    with pytest.raises(IntegrityError, match="has protocol 1; this taxiway reads 2"):
        plan_of(b'{"protocol":1}', 2)
