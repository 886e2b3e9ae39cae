"""Which columns a definition speaks of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.charter.expression import WORDS, columns_of


@pytest.mark.parametrize(
    ("definition", "columns"),
    [
        ("arr_delay > 15", ["arr_delay"]),
        ('"outcome" = 1', ["outcome"]),
        ('"order" = 1 and "a ""quoted"" name" > 2', ["order", 'a "quoted" name']),
        ("status IN ('late', 'it''s lost') OR delay >= 1.5e3", ["status", "delay"]),
        ("coalesce(paid, 0) < due AND paid IS NOT NULL", ["paid", "due"]),
        ("CASE WHEN a = 1 THEN TRUE ELSE b BETWEEN 2 AND 3 END", ["a", "b"]),
        ("CAST(amount AS double) > limit_eur::float", ["amount", "limit_eur"]),
        ("closed_on < date '2013-01-01'", ["closed_on"]),
        ("extract(month FROM paid_at) = 3", ["paid_at"]),
        ("größe > 1", ["größe"]),
        ("1 = 1", []),
        ("'arr_delay'", []),
    ],
)
def test_columns_are_found_and_nothing_else(definition: str, columns: list[str]) -> None:
    assert columns_of(definition) == columns


names = st.from_regex(r"\A[a-z_][a-z0-9_]{0,12}\Z").filter(lambda name: name not in WORDS)


@given(st.lists(names, min_size=1, max_size=5))
def test_any_columns_in_a_condition_are_found_once_and_in_order(columns: list[str]) -> None:
    definition = " AND ".join(f"{column} >= 1" for column in columns)
    assert columns_of(definition) == list(dict.fromkeys(columns))


@given(st.text(max_size=80))
def test_any_text_has_an_answer(definition: str) -> None:
    assert all(isinstance(name, str) for name in columns_of(definition))
