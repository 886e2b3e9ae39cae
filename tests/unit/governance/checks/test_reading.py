"""Evidence is read with types; what is malformed is named with its place, shortly."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.core.evidence import observed
from taxiway.governance.checks.reading import MalformedError, Reading, listed


def reading(**found: Any) -> Reading:
    return Reading(
        observed(
            "a.kind",
            id="1",
            subject="m:1",
            model="m",
            examined=1,
            found=found,
            at=datetime(2026, 1, 1, tzinfo=UTC),
            by="flights-owner",
        )
    )


def test_reads_what_is_as_promised() -> None:
    read = reading(n=1.5, c=3, f=False, t="x", ts=["a"], rs=[{"k": 1}], r={"a": {"b": 2}})
    assert read.number("found.n") == 1.5
    assert read.number("found.r.a.b") == 2.0
    assert read.count("found.c") == 3
    assert read.flag("found.f") is False
    assert read.text("found.t") == "x"
    assert read.texts("found.ts") == ["a"]
    assert read.records("found.rs")[0].number("k") == 1
    assert read.record("found.r").values == {"a": {"b": 2}}
    assert read.has("found.n")
    assert not read.has("found.absent")
    assert not read.has("found.n.deeper")


@pytest.mark.parametrize(
    ("method", "value", "message"),
    [
        ("number", True, r"a\.kind found\.v has to be a number, and is true"),
        ("number", "7", "has to be a number, and is '7'"),
        ("number", 10**400, "has to be a finite number, and is a int"),
        ("count", 1.0, "has to be a count, and is a float"),
        ("count", -1, "has to be a count"),
        ("count", True, "has to be a count, and is true"),
        ("flag", 1, "has to be true or false"),
        ("flag", None, "has to be true or false, and is nothing"),
        ("text", "  ", "has to be text"),
        ("text", 3, "has to be text"),
        ("texts", "abc", "has to be a list, and is 'abc'"),
        ("texts", ["a", 1], r"found\.v\[1\] has to be text"),
        ("records", [[]], r"found\.v\[0\] has to be a mapping, and is a list"),
        ("record", [], "has to be a mapping"),
    ],
)
def test_names_what_is_malformed(method: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        getattr(reading(v=value), method)("found.v")


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_numbers_are_finite(value: float) -> None:
    read = reading(v=1)
    read.evidence.found["v"] = value  # what JSON can't hold, a store might
    with pytest.raises(MalformedError, match="finite"):
        read.number("found.v")


def test_names_what_is_missing_at_any_depth() -> None:
    with pytest.raises(MalformedError, match=r"a\.kind found\.a\.b is missing"):
        reading(a={}).number("found.a.b")
    with pytest.raises(MalformedError, match=r"found\.r\.k is missing"):
        reading(r={}).record("found.r").text("k")


def test_lists_stay_short() -> None:
    assert listed([str(n) for n in range(9)]) == "0, 1, 2, 3, 4 and 4 more"
    assert len(listed(["x" * 1000] * 9)) < 450
