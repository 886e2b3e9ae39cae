"""One contract, two readers, which agree: the endpoint's of records, and validation's of files."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError
from taxiway.data.frame import frame_of, plain_records
from taxiway.data.source import open_source
from taxiway.data.validation import validate
from taxiway.serving.records import read_records

CONTRACT = Contract(
    id="all",
    version="1",
    description="",
    table="all",
    columns=(
        Column("id", "integer", key=True),
        Column("at", "timestamp", minimum="2000-01-01T00:00:00"),
        Column("whole", "integer", minimum=-3, maximum=3),
        Column("part", "number", nullable=True, minimum=-0.5, maximum=0.5),
        Column("flag", "boolean", nullable=True),
        Column("day", "date", nullable=True, minimum="1999-12-31", maximum="2001-01-01"),
        Column("plain", "string", nullable=True, pattern="^[a-c1-9]{1,3}(x|_y)?$"),
        Column("kind", "string", nullable=True, values=("a", "é", "")),
        Column(
            "code",
            "string",
            nullable=True,
            pattern=r"^\w\d*$",
            minimum_length=1,
            maximum_length=3,
        ),
    ),
    moments=("now",),
    decision_at="now",
    event_time="at",
)
# What a file and a body can both hold: values of the right type, in and out of their limits.
ROWS = st.fixed_dictionaries(
    {
        "at": st.datetimes(datetime(1999, 12, 1), datetime(2000, 2, 1)).map(  # noqa: DTZ001 - hypothesis wants it naive
            lambda at: at.replace(tzinfo=UTC)
        ),
        "whole": st.none() | st.integers(-6, 6) | st.sampled_from([-(2**63), 2**63 - 1]),
        "part": st.none() | st.floats(-1, 1) | st.sampled_from([float("inf"), float("nan")]),
        "flag": st.none() | st.booleans(),
        "day": st.none() | st.dates(date(1999, 12, 1), date(2001, 2, 1)),
        "plain": st.none()
        | st.sampled_from(["a", "abc", "ax", "a_y", "a\n", "x", "", "0", "ab1_y\n", "é", "A"])
        | st.text(st.sampled_from("abcx_y1\n"), max_size=6),
        "kind": st.none() | st.sampled_from(["a", "é", "", "b", "A"]),
        "code": st.none() | st.text(st.sampled_from("a1é٣\n_ "), max_size=5),
    }
)


def fails(record: dict[str, Any]) -> bool:
    try:
        read_records(record, CONTRACT)
    except InputError:
        return True
    return False


@settings(max_examples=60)
@given(rows=st.lists(ROWS, min_size=1, max_size=30))
def test_a_record_fails_at_the_endpoint_if_and_only_if_its_row_fails_in_a_file(
    rows: list[dict[str, Any]],
) -> None:
    schema = frame_of([], CONTRACT).schema
    frame = pl.DataFrame(
        [{"id": at, **row} for at, row in enumerate(rows)], schema=schema, orient="row"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        frame.write_parquet(path)
        in_file = validate(open_source(path), CONTRACT).failed_rows
    assert in_file == sum(fails(record) for record in plain_records(frame))


@settings(max_examples=60)
@given(rows=st.lists(ROWS, max_size=20))
def test_plain_records_and_frames_are_inverse(rows: list[dict[str, Any]]) -> None:
    finite = [row for row in rows if row["part"] is None or abs(row["part"]) <= 1]
    schema = frame_of([], CONTRACT).schema
    frame = pl.DataFrame(
        [{"id": at, **row} for at, row in enumerate(finite)], schema=schema, orient="row"
    )
    records = plain_records(frame)
    assert frame_of(records, CONTRACT).equals(frame)
    assert plain_records(frame_of(records, CONTRACT)) == records
