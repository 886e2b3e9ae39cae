"""Bodies: what could be read in two ways is refused, and nothing that is sent breaks a reader."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taxiway.core.errors import InputError
from taxiway.serving.arrow import ArrowReader, rows
from taxiway.serving.bodies import (
    ARROW,
    CSV,
    JSON,
    Body,
    UnreadableError,
    UnsupportedError,
    media_type,
    read_csv,
    read_json,
)
from taxiway.serving.records import read_records

from .conftest import CONTRACT, RECORD

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False)
    | st.text(st.sampled_from('a:"\\{}[],é\n')),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.sampled_from('a:b"\\')), inner),
    max_leaves=20,
)


@given(value=ANY_JSON, ascii=st.booleans(), indent=st.sampled_from([None, 1]))
@example(value={"a:": ":"}, ascii=True, indent=None)
def test_json_is_read_as_it_is(value: Any, ascii: bool, indent: int | None) -> None:
    if "Infinity" in (text := json.dumps(value, ensure_ascii=ascii, indent=indent)):
        return
    assert read_json(text.encode()) == value


@given(value=ANY_JSON, twice=ANY_JSON, name=st.text(st.sampled_from('a:"\\')))
def test_a_name_that_is_said_twice_is_refused_wherever_it_is(
    value: Any, twice: Any, name: str
) -> None:
    key = json.dumps(name)
    inner = f"{{{key}: {json.dumps(value)}, {key}: {json.dumps(twice)}}}"
    if "Infinity" in inner:
        return
    for text in (inner, f'[1, {{"x": {inner}}}]'):
        with pytest.raises(UnreadableError, match="more than once"):
            read_json(text.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"1" * 5000,
        b'"\\ud800"',
        b'"\\udc00 alone"',
        b'"\xed\xa0\x80"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"[1] x",
        b"[1,]",
        b"{'a': 1}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 900 + b'{"a":1,"\\u0061":2}' + b"]" * 900,
        b'{"\\u0061":1,"a":2}',
        b'{"\\u003a":1,":":2}',
    ],
)
def test_traps_of_json_are_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError, match="The body"):
        read_json(body)


def test_integers_beyond_64_bits_are_read_and_then_refused_by_the_contract() -> None:
    found = read_json(json.dumps({**RECORD, "id": 2**64}).encode())
    with pytest.raises(InputError, match="can't be used"):
        read_records(found, CONTRACT)


@pytest.mark.parametrize(
    ("header", "media"),
    [
        (None, JSON),
        ("", JSON),
        ("application/json", JSON),
        ("Application/JSON;charset=UTF-8", JSON),
        ('text/csv; header=present; charset="utf-8"', CSV),
    ],
)
def test_a_content_type_is_understood(header: str | None, media: str) -> None:
    assert media_type(header, [JSON, CSV]) == media


@pytest.mark.parametrize(
    "header",
    ["text/html", "application/x-www-form-urlencoded", "text/csv; charset=latin-1", ";", "json"],
)
def test_another_content_type_is_refused_with_what_is_taken(header: str) -> None:
    with pytest.raises(UnsupportedError, match="is not taken here") as caught:
        media_type(header, [JSON, CSV])
    assert "application/json or text/csv" in str(caught.value)


def csv_records(text: str) -> list[dict[str, Any]]:
    return read_records(Body(CSV, read_csv(text.encode())).table(CONTRACT), CONTRACT)


HEADER = "id,asked_at,born,amount,risky,region,code,iban"
ROW = "7,2026-11-01T08:00:00Z,1980-02-29,500,true,north,A1,DE1234"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"\ufeff{HEADER}\r\n\r\n{ROW}\r\n,,,,,,,\r\n",
        f'{HEADER}\n"7",2026-11-01T10:00:00+02:00,1980-02-29,5e2,TRUE,"north",A1,DE1234',
    ],
)
def test_a_csv_row_is_the_record_that_it_says(text: str) -> None:
    assert csv_records(text) == [RECORD]


def test_nothing_is_null_in_csv() -> None:
    (found,) = csv_records(f"{HEADER}\n7,2026-11-01T08:00:00Z,,500,NA,north,,NA")
    assert [found[name] for name in ("born", "risky", "code", "iban")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no header"),
        ("\n\n", "no header"),
        ("id,id\n1,2", "columns twice: id"),
        ("id,amount\n1,2\n1", r"another width"),
        ('id\n"1', "no CSV"),
        ("id\n\x00", "can't be used"),
    ],
)
def test_what_is_no_table_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        csv_records(text)


@pytest.mark.parametrize(
    "change", [("7", "007"), ("7", "7.5"), ("7", "1_0"), ("500", "0500"), ("500", "inf"),
               ("500", "5 00"), ("true", "yes"), ("500", "1e400"), ("7", "9" * 19)]
)  # fmt: skip
def test_csv_text_that_spells_no_value_of_its_type_is_refused(change: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="1 of 1 records can't be used: 1 problems"):
        csv_records(f"{HEADER}\n{ROW.replace(*change, 1)}")


def test_csv_has_to_be_utf8() -> None:
    with pytest.raises(UnreadableError, match="not UTF-8"):
        read_csv("region\nñ".encode("latin-1"))


def stream(frame: pl.DataFrame, **options: Any) -> bytes:
    out = io.BytesIO()
    frame.write_ipc_stream(out, **options)
    return out.getvalue()


FRAME = pl.DataFrame(
    {
        "id": pl.Series([7], dtype=pl.UInt16),
        "asked_at": [datetime(2026, 11, 1, 8, tzinfo=UTC)],
        "born": [date(1980, 2, 29)],
        "amount": pl.Series([500], dtype=pl.Float32),
        "risky": [True],
        "region": pl.Series(["north"], dtype=pl.Categorical),
        "code": ["A1"],
        "iban": ["DE1234"],
    }
)  # fmt: skip


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_an_arrow_row_is_the_record_that_it_says(unit: Any) -> None:
    berlin = pl.col("asked_at").dt.cast_time_unit(unit).dt.convert_time_zone("Europe/Berlin")
    body = Body(ARROW, rows(stream(FRAME.with_columns(berlin))))
    assert read_records(body.table(CONTRACT), CONTRACT) == [RECORD]


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pl.Series("amount", [[1.0]]), "amount of the Arrow stream is of type List"),
        (pl.Series("asked_at", [datetime(2026, 11, 1)]), "time zone"),  # noqa: DTZ001 - that is the point
        (pl.Series("code", [b"A1"]), "type Binary"),
        (pl.Series("amount", [float("nan")]), "can't be used"),
        (pl.Series("id", [2**63], dtype=pl.UInt64), "can't be used"),
        (pl.Series("asked_at", [1], dtype=pl.Datetime("ns", "UTC")), "can't be used"),
    ],
)
def test_arrow_values_that_no_input_can_have_are_refused(column: pl.Series, says: str) -> None:
    def read() -> None:
        found = Body(ARROW, rows(stream(FRAME.with_columns(column))))
        read_records(found.table(CONTRACT), CONTRACT)

    with pytest.raises(InputError, match=r"Arrow stream|used") as caught:
        read()
    assert says in str(caught.value)


@pytest.fixture(scope="module")
def reader() -> Iterator[ArrowReader]:
    with closing(ArrowReader()) as made:
        yield made


def greedy() -> bytes:
    """A stream whose compressed marks of nulls say that they become exabytes."""
    values = [None, *range(1000)]
    body = bytearray(stream(pl.DataFrame({"id": values}), compression="zstd"))
    at = body.index(b"\x28\xb5\x2f\xfd") - 8
    body[at : at + 8] = (2**61).to_bytes(8, "little")
    return bytes(body)


def test_a_stream_that_ends_its_reader_harms_nobody_else(reader: ArrowReader) -> None:
    good = stream(FRAME)
    first = reader.read(good)
    with pytest.raises(UnreadableError, match="its reader gave up"):
        reader.read(greedy())
    assert reader.read(good) == first == rows(good)


def test_what_is_no_stream_is_refused_with_its_reason(reader: ArrowReader) -> None:
    for body in (b"", b"hello", stream(FRAME)[:-200], b"\0" * 1000):
        with pytest.raises(UnreadableError, match="Arrow stream"):
            reader.read(body)
    with pytest.raises(UnreadableError, match="10,001 records; one request takes at most 10,000"):
        reader.read(stream(pl.DataFrame({"id": range(10_001)})))
