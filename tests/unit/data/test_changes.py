"""What differs between two contracts, and whom it breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from taxiway.core.contract import Column, Contract, Rule
from taxiway.data.changes import ALL, as_drafted, compare

BASE = Column("x", "integer", minimum=0, maximum=10)
KEY = Column("id", "string", key=True)


def contract(*columns: Column, **given: Any) -> Contract:
    named: dict[str, Any] = {"moments": ("a", "b"), "decision_at": "a", "event_time": "", **given}
    return Contract("c", "1", "", "t", (KEY, *columns), **named)


PRODUCER = {"producer", "endpoint callers"}
READERS = {"consumers", "model inputs"}


@pytest.mark.parametrize(
    ("change", "what", "breaks"),
    [
        ({"type": "number"}, "has another type", READERS),
        ({"type": "string"}, "has another type", set(ALL)),
        ({"nullable": True}, "may be missing", READERS),
        ({"maximum": 20}, "has another maximum", READERS),
        ({"maximum": 5}, "has another maximum", PRODUCER),
        ({"minimum": None}, "has another minimum", READERS),
        ({"minimum": 1}, "has another minimum", PRODUCER),
        ({"unit": "km"}, "has another unit", set()),
        ({"meaning": "distance"}, "has another meaning", set()),
        ({"known_at": "b"}, "is known at another moment", {"model inputs"}),
        ({"sentinels": (-9,)}, "has other values that stand for none", READERS),
        ({"personal": True}, "is personal", READERS),
        ({"unique": True}, "is unique", {"producer"}),
        ({"description": "other words"}, None, set()),
    ],
)
def test_a_change_of_a_column(change: dict[str, Any], what: str | None, breaks: set[str]) -> None:
    found = compare(contract(BASE), contract(replace(BASE, **change))).changes
    assert [(one.where, one.what, set(one.breaks)) for one in found] == (
        [("x", what, breaks)] if what else []
    )


@pytest.mark.parametrize("part", ["unit", "meaning"])
def test_another_unit_and_another_meaning_break_everybody(part: str) -> None:
    before, after = (
        contract(replace(BASE, **dict[str, Any]({part: value}))) for value in ("km", "mi")
    )
    assert set(compare(before, after).changes[0].breaks) == set(ALL)


def test_columns_that_come_and_go() -> None:
    gone = compare(contract(BASE), contract(replace(BASE, name="x1"))).changes
    assert [(one.where, one.what) for one in gone] == [
        ("x", "is gone"),
        ("x1", "is new and required"),
    ]
    assert "it may be `x1` now" in gone[0].why
    came = compare(contract(), contract(replace(BASE, nullable=True)))
    assert not came.breaking
    assert came.changes[0].what == "is new"


def test_allowed_values() -> None:
    before, after = (
        contract(Column("k", "string", values=values)) for values in (("a", "b"), ("b", "c"))
    )
    found = compare(before, after).changes
    assert [(one.what, one.before, one.after, set(one.breaks)) for one in found] == [
        ("allows fewer values", ["a"], None, PRODUCER),
        ("allows more values", None, ["c"], READERS),
    ]


@pytest.mark.parametrize(
    ("given", "breaks"),
    [
        ({"freshness_hours": 24.0}, {"producer"}),
        ({"minimum_rows": 5}, {"producer"}),
        ({"maximum_rows": 5}, {"producer"}),
        ({"rules": (Rule("r", "x > 1"),)}, {"producer"}),
        ({"decision_at": "b"}, {"model inputs"}),
        ({"owner": "somebody"}, set()),
        ({"event_time": "at"}, set()),
    ],
)
def test_a_change_of_the_table(given: dict[str, Any], breaks: set[str]) -> None:
    there = compare(contract(BASE), contract(BASE, **given)).changes
    assert [set(one.breaks) for one in there] == [breaks]
    back = compare(contract(BASE, **given), contract(BASE)).changes
    assert bool(back[0].breaks) == (bool(breaks) or "event_time" in given)


def test_another_key_and_a_promise_not_to_change() -> None:
    found = compare(contract(BASE, changes="none"), contract(replace(BASE, key=True)))
    assert [one.what for one in found.changes] == [
        "has another key", "changes in spite of `changes: none`"
    ]  # fmt: skip


def test_the_same_and_the_order_of_columns_are_no_change() -> None:
    other = Column("y", "string")
    assert compare(contract(BASE, other), contract(other, BASE)).changes == ()
    assert compare(contract(BASE), contract(BASE)).found()["breaking"] is False


def test_beside_a_draft_only_what_rows_show_counts() -> None:
    drafted = contract(replace(BASE, minimum=None, maximum=100, unit="km", unique=True))
    assert compare(*as_drafted(contract(BASE), drafted)).changes == ()
    text = contract(replace(drafted.columns[1], type="string"))
    assert compare(*as_drafted(contract(BASE), text)).breaking
