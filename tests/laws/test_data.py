"""Laws of the data step: whatever the rows are, nothing is coerced, lost or counted twice."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxiway.core.contract import TYPES, Column, Contract
from taxiway.core.digest import canonical_json
from taxiway.data.column_types import DTYPES, from_text, from_values
from taxiway.data.contradictions import contradictions
from taxiway.data.profile import bin_labels, column_profile, count_like
from taxiway.data.source import open_source, read_source
from taxiway.data.validation import validate

CONTRACT = Contract(
    id="laws",
    version="1",
    description="",
    table="laws",
    columns=(
        Column("n", "integer", minimum=-5, maximum=5),
        Column("x", "number", nullable=True),
        Column("s", "string", nullable=True, values=("A", "B")),
    ),
    moments=("now",),
    decision_at="now",
    event_time="n",
)

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
cells = st.sampled_from(
    ["", "NA", "0", "3", "-7", "007", "1.5", "nan", "A", "B", "x y", 'quo"te', "a,b", "two\nlines"]
) | st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=6)


def write(folder: Path, rows: list[tuple[str, ...]]) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("n", "x", "s"), *rows])
    path = folder / "laws.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def plain_integer(text: str) -> int | None:
    """The rule for integers in plain Python, to judge the expressions by."""
    if not re.fullmatch(r"[+-]?(0|[1-9][0-9]*)", text) or text in {"-0", "+0"}:
        return None
    return int(text) if -(2**63) <= int(text) < 2**63 else None


def row_holds(row: tuple[str, ...]) -> bool:
    n, x, s = row
    number = plain_integer(n)
    if number is None or not -5 <= number <= 5:
        return False
    if x not in {"", "NA"}:
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", x):
            return False
        if re.match(r"[+-]?0[0-9]", x) or not math.isfinite(float(x)):
            return False
    return s in {"", "NA", "A", "B"}


@quick
@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=20))
def test_validation_judges_each_row_as_plain_python_does(
    tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    kept = [row for row in rows if any(row)]
    if not kept:
        return
    found = validate(open_source(write(tmp_path, rows)), CONTRACT)
    assert found.rows == len(kept)
    assert found.failed_rows == sum(not row_holds(row) for row in kept)
    assert found.passed == (found.failed_rows == 0)
    for failure in found.failures:
        assert 0 < failure.rows <= found.failed_rows
        assert 0 < len(failure.samples) <= 5


@quick
@given(rows=st.lists(st.tuples(st.integers(-5, 5), st.floats(-1e9, 1e9)), min_size=1, max_size=30))
def test_what_passes_is_read_as_it_was_written(
    tmp_path: Path, rows: list[tuple[int, float]]
) -> None:
    path = write(tmp_path, [(str(n), repr(x), "A") for n, x in rows])
    source = open_source(path)
    assert validate(source, CONTRACT).passed
    frame = read_source(source, CONTRACT).collect()
    assert frame.select("n", "x").rows() == rows


@quick
@given(text=cells)
def test_text_becomes_an_integer_only_if_it_is_one(text: str) -> None:
    frame = pl.DataFrame({"x": [text]})
    assert frame.select(from_text(pl.col("x"), "integer")).item() == plain_integer(text)


@pytest.mark.parametrize("kind", TYPES)
@quick
@given(text=cells)
def test_no_text_raises(kind: str, text: str) -> None:
    frame = pl.DataFrame({"x": [text, None]})
    found = frame.select(from_text(pl.col("x"), kind)).to_series()
    assert found.dtype == DTYPES[kind]
    assert found[1] is None


@pytest.mark.parametrize("kind", TYPES)
@quick
@given(values=st.lists(st.none() | st.floats(width=32) | st.integers(-(2**63), 2**63 - 1)))
def test_no_value_is_changed_on_its_way(kind: str, values: list[Any]) -> None:
    for dtype in (pl.Int64, pl.Float64):
        fitting = [v for v in values if v is None or isinstance(v, int) == (dtype == pl.Int64)]
        frame = pl.DataFrame({"x": pl.Series(fitting, dtype=dtype)})
        found = frame.select(from_values(pl.col("x"), frame.dtypes[0], kind)).to_series()
        assert found.dtype == DTYPES[kind]
        for before, after in zip(fitting, found.to_list(), strict=True):
            same_nan = isinstance(after, float) and math.isnan(after) and math.isnan(before)
            assert after is None or after == before or same_nan


series = st.one_of(
    st.lists(st.none() | st.integers(-50, 50)).map(lambda v: pl.Series("c", v, pl.Int64)),
    st.lists(st.none() | st.floats(width=64)).map(lambda v: pl.Series("c", v, pl.Float64)),
    st.lists(st.none() | st.booleans()).map(lambda v: pl.Series("c", v, pl.Boolean)),
    st.lists(st.none() | st.text(max_size=3)).map(lambda v: pl.Series("c", v, pl.String)),
)
KINDS = {pl.Int64: "integer", pl.Float64: "number", pl.Boolean: "boolean", pl.String: "string"}


@quick
@given(column=series)
def test_every_value_is_in_exactly_one_bin(column: pl.Series) -> None:
    found = column_profile(column, KINDS[type(column.dtype)])
    assert sum(found["counts"]) == column.len()
    assert found["counts"][-1] == found["nulls"] == column.null_count()
    assert len(bin_labels(found)) == len(found["counts"])
    canonical_json(found)  # no NaN, no infinity, plain data


@quick
@given(column=series, order=st.randoms(use_true_random=False))
def test_profile_does_not_depend_on_the_order(column: pl.Series, order: Any) -> None:
    places = list(range(column.len()))
    order.shuffle(places)
    kind = KINDS[type(column.dtype)]
    straight, shuffled = column_profile(column, kind), column_profile(column[places], kind)
    numbers = [abs(v) for v in column.drop_nulls()] if kind in {"integer", "number"} else []
    largest = max((float(v) for v in numbers if v < float("inf")), default=0.0)
    for key, value in straight.items():
        if key in {"mean", "std"} and value is not None:
            # Sums of floats depend on the order, by a share of the largest number among them.
            if largest < 1e150:
                near = pytest.approx(value, rel=1e-9, abs=1e-9 * max(1.0, largest))
                assert shuffled[key] == near
        else:
            assert shuffled[key] == value


@quick
@given(
    reference=st.lists(st.floats(-100, 100), min_size=1),
    parts=st.tuples(st.lists(st.floats(-200, 200)), st.lists(st.floats(-200, 200))),
)
def test_counts_of_parts_add_up(reference: list[float], parts: tuple[list[float], ...]) -> None:
    found = column_profile(pl.Series(reference), "number")
    both = [count_like(found, pl.Series(part, dtype=pl.Float64)) for part in parts]
    whole = count_like(found, pl.Series([*parts[0], *parts[1]], dtype=pl.Float64))
    assert [sum(pair) for pair in zip(*both, strict=True)] == whole


numbers = st.none() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3) | st.booleans()


@quick
@given(
    column=st.builds(
        Column,
        name=st.sampled_from(["n", "y", ""]),
        type=st.sampled_from(TYPES),
        minimum=numbers,
        maximum=numbers,
        pattern=st.none() | st.text(max_size=5),
        minimum_length=st.none() | st.integers(0, 5),
        maximum_length=st.none() | st.integers(0, 5),
        values=st.lists(st.text(max_size=2) | st.integers(0, 3), max_size=3).map(tuple),
        known_at=st.none() | st.sampled_from(["now", "then"]),
        key=st.booleans(),
    )
)
def test_contradictions_never_raise(column: Column) -> None:
    import dataclasses

    broken = dataclasses.replace(CONTRACT, columns=(*CONTRACT.columns, column))
    for found in contradictions(broken):
        assert found.what
        assert found.column is None or 0 <= found.column < len(broken.columns)
