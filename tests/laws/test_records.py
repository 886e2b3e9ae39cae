"""One contract, two readers, which agree: the endpoint's of records, and validation's of files."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.adapters.json_text import text
from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError
from taxiway.data.frame import frame_of, plain_records
from taxiway.data.source import open_source
from taxiway.data.validation import validate
from taxiway.serving.bodies import read_json
from taxiway.serving.records import read_records
from taxiway.serving.rows import rows_of
from taxiway.serving.typed import read_typed

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


NUMBERS = st.sampled_from(
    ["0", "-0", "0.5", "-0.5", "3", "3.0", "1e0", "1e-400", "1e400", "NaN", "9007199254740992",
     "9007199254740993", "-9223372036854775808", "9223372036854775808", "true", '"1"', "null"]
)  # fmt: skip
TEXTS = st.sampled_from(
    ['"a"', '"ab1_y"', '"a:b"', '":"', '"\\u003a"', '"\\u0061"', '"\\ud800"', '"é"', '""',
     '"a\\n"', "3", "null", "[1]", '{"a":1}', '"x"', '"1"']
)  # fmt: skip
MOMENTS = st.sampled_from(
    ['"2000-01-01T00:00:00Z"', '"2000-01-01T00:00:00.5Z"', '"2000-01-01T01:00:00+01:00"', "7",
     '"1999-12-31T23:59:59.999999Z"', '"2000-02-30T00:00:00Z"', '"2000-01-01T24:00:00Z"']
)  # fmt: skip
DAYS = st.sampled_from(['"2000-02-29"', '"1999-12-30"', '"2001-02-29"', '"2000-1-1"', "null", "1"])
PAIRS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["whole", "part", "flag", "id"]), NUMBERS),
        st.tuples(st.sampled_from(["plain", "kind", "code", "day"]), TEXTS),
        st.tuples(st.just("day"), DAYS),
        st.tuples(st.just("at"), MOMENTS),
        st.tuples(st.sampled_from(["other", "id:"]), NUMBERS),
    ),
    max_size=4,
)


@settings(max_examples=400)
@given(several=st.lists(PAIRS, min_size=1, max_size=3), listed=st.booleans())
def test_what_is_read_by_its_types_is_what_would_have_been_read_value_by_value(
    several: list[list[tuple[str, str]]], listed: bool
) -> None:
    # Good records into which a few pairs are put: in place of what is there, or beside it.
    objects = []
    for pairs in several:
        good = {"id": "7", "at": '"2000-01-01T00:00:00Z"', "whole": "1"}
        beside = pairs[:1] if len(pairs) > 3 else []
        good |= dict(pairs[len(beside) :])
        objects.append(
            "{" + ", ".join(f'"{name}": {text}' for name, text in [*good.items(), *beside]) + "}"
        )
    body = (f"[{','.join(objects)}]" if listed else objects[0]).encode()
    typed = read_typed(body, CONTRACT)
    if typed is not None:
        rows, several_were_sent = typed
        assert several_were_sent is listed
        # By their text: it tells 0.0 from -0.0, and 1 from 1.0 and true.
        expected = read_records(read_json(body), CONTRACT)
        assert repr(list(rows)) == repr(expected)
        assert rows.texts == rows_of(expected, CONTRACT).texts == [*map(text, expected)]


def test_good_bodies_are_read_by_their_types() -> None:
    good = {"id": 7, "at": "2000-01-01T00:00:00Z", "whole": 1, "part": 0.25, "flag": True}
    body = json.dumps([good, good | {"day": "2000-02-29", "kind": "é", "plain": None}]).encode()
    assert read_typed(body.replace(b"\\u00e9", "é".encode()), CONTRACT) is not None


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
