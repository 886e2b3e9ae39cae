"""Sources: what can be opened, what can't, and rows as they stand in the file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.data.source import (
    ROW,
    batches,
    fingerprint,
    open_source,
    read_source,
    rows_of_other_width,
)
from taxiway.data.source import rows as module

Write = Callable[..., Path]


def raw(path: Path, **options: Any) -> list[tuple[Any, ...]]:
    return [row for batch in batches(open_source(path, **options)) for row in batch.rows()]


def test_csv_is_text_with_row_numbers(write: Write) -> None:
    assert raw(write("a,b\n001,x\nNA,y\n,z\n")) == [(1, "001", "x"), (2, None, "y"), (3, None, "z")]


def test_spellings_of_nothing_can_be_chosen(write: Write) -> None:
    assert raw(write("a,b\nNA,-\n"), nulls=("-",)) == [(1, "NA", None)]


def test_quotes_commas_and_line_breaks(write: Write) -> None:
    path = write('a,b\n"x,\ny","say ""hi"""\n1,2\n')
    assert raw(path) == [(1, "x,\ny", 'say "hi"'), (2, "1", "2")]
    assert list(rows_of_other_width(open_source(path))) == []


@pytest.mark.parametrize(
    "content",
    ["a,b\n1,2\n", b"\xef\xbb\xbfa,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2", "\n\na,b\n\n1,2\n\n\n"],
)
def test_byte_order_mark_line_ends_and_blank_lines(write: Write, content: str | bytes) -> None:
    assert raw(write(content)) == [(1, "1", "2")]


def test_one_column(write: Write) -> None:
    assert raw(write("a\n1\n\n2\n")) == [(1, "1"), (2, None), (3, "2")]


def test_other_separator(write: Write) -> None:
    assert raw(write("a;b\n1;2\n"), separator=";") == [(1, "1", "2")]


def test_name_with_pattern_characters_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "trips[1]*.csv"
    path.write_text("a,b\n1,2\n")
    assert raw(path) == [(1, "1", "2")]
    parquet = tmp_path / "trips[1]*.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(parquet)
    assert raw(parquet) == [(1, 1)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "has a header and no rows"),
        ("a,b\n\n\n", "has a header and no rows"),
        ("a,b\n,\n,\n", "has a header and no rows"),
        ("\n\n", "holds blank lines only"),
        (b"SQLite format 3\0" + b"\0" * 84, "is a SQLite database"),
        ("a,b,a\n1,2,3\n", "has columns twice: a"),
        ("a,,c\n1,2,3\n", "a column without a name, number 2"),
        (b"\xff\xfea\x00,\x00b\x00\n\x00", "has a header and no rows"),
        (b"a,b\n1,\xe9\n", "is not UTF-8: its line 2 holds other bytes, such as 0xe9"),
        (b"\x1f\x8b\x08\x00", "can't be decompressed"),
        (b"PK\x03\x04", "is a zip archive that can't be read"),
        (b"\x28\xb5\x2f\xfd\x00", "is compressed with zstd"),
        (b"PAR1 and then something else", "can't be read"),
    ],
)
def test_what_can_not_be_opened(write: Write, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_source(write(content))


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        open_source(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="is a folder without files"):
        open_source(tmp_path)


def test_parquet_by_name_only(write: Write) -> None:
    with pytest.raises(InputError, match="is not a Parquet file: it starts with b'a,b"):
        open_source(write("a,b\n1,2\n", "trips.parquet"))


def test_parquet_that_is_cut_off_or_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    pl.DataFrame({"a": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="can't be read"):
        open_source(path)
    pl.DataFrame({"a": []}).write_parquet(path)
    with pytest.raises(InputError, match="has columns and no rows"):
        open_source(path)


def test_parquet_with_damaged_rows(tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    pl.DataFrame({"a": [f"text {n}" for n in range(1000)]}).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="can't be read"):
        raw(path)


def test_bytes_that_are_not_utf8_far_down(write: Write) -> None:
    content = b"a,b\n" + b"1,2\n" * 50_000 + b"1,\xff\n"
    source = open_source(write(content))
    with pytest.raises(InputError, match="is not UTF-8: its line 50002"):
        list(batches(source))


def test_row_with_more_fields_is_named(write: Write) -> None:
    source = open_source(write("a,b\n1,2\n1,2,3\n"))
    with pytest.raises(InputError, match="has 3 fields in row 2, and its header has 2"):
        list(batches(source))


def test_quote_that_never_ends(write: Write) -> None:
    source = open_source(write('a,b\n1,2\n"x,3\n'))
    with pytest.raises(InputError, match="a quotation mark in its line 3"):
        list(batches(source))


@pytest.mark.parametrize("value", ['5" pipe', '"y" z', 'a"b"'])
def test_a_quote_within_a_value_is_read_or_named(write: Write, value: str) -> None:
    path = write(f'a,b\n1,"fine, ""so"""\n2,{value}\n3,"x\ny"\n')
    try:
        assert raw(path)[1] == (2, "2", value)
    except InputError as error:
        assert "a quotation mark in its line 3" in str(error)  # noqa: PT017 - either is right


def test_lines_that_end_as_on_old_macs(write: Write) -> None:
    source = open_source(write("a,b\r1,é\r2,3\r".encode("mac-roman")), encoding="mac-roman")
    assert pl.concat(batches(source)).rows() == [(1, "1", "é"), (2, "2", "3")]
    assert "its lines end as those of old Macs do" in source.notes


def test_rows_with_fewer_fields(write: Write) -> None:
    source = open_source(write("a,b\n1,2\n1\n,\n\n3\n"))
    assert list(rows_of_other_width(source)) == [(2, 1), (3, 1)]


def test_typed_rows(trips: Write, contract: Contract) -> None:
    frame = read_source(open_source(trips()), contract).collect()
    assert frame.columns == list(contract.names)
    assert frame.get_column("code").to_list() == ["001", "002", "001"]
    assert frame.get_column("delay").to_list() == [12, None, -3]
    assert frame.get_column("fare").to_list() == [2.5, None, 0.0]


def test_columns_come_in_the_order_of_the_contract(write: Write, contract: Contract) -> None:
    swapped = "delay,night,fare,seats,line,at,code\n7,true,2.5,40,A,2013-03-01T10:00:00Z,001\n"
    frame = read_source(open_source(write(swapped)), contract).collect()
    ten = datetime(2013, 3, 1, 10, tzinfo=UTC)
    assert frame.rows() == [("001", ten, "A", 40, 2.5, True, 7)]


def test_rows_keep_their_order_over_many_batches(write: Write) -> None:
    path = write("a\n" + "".join(f"{n}\n" for n in range(200_000)))
    found = list(batches(open_source(path)))
    assert len(found) > 1
    numbers = pl.concat(found)
    assert numbers.get_column("a").cast(pl.Int64).to_list() == list(range(200_000))
    assert numbers.get_column(ROW).to_list() == list(range(1, 200_001))


def test_fingerprint(write: Write) -> None:
    before = fingerprint(write("a"))
    # sha256 of "a", from `printf a | sha256sum`.
    assert before.digest.startswith("sha256:ca978112ca1bbdcafac231b39a23dc4d")
    assert before.bytes == 1
    assert fingerprint(write("b")) != before


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_file_reads_the_same_in_pieces_of_any_size(
    write: Write, size: int, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        "",
        'a,"b\n c"',
        '1,"x\n,y"',
        "",
        "2,é",
        ",",
        '"3 ""quoted""\n",z',
        '4,"""\n"""',
        "5,last",
    ]
    text = end.join(lines)
    expected = ["1", "2", '3 "quoted"\n', "4", "5"]
    for whole in (text, text + end, text + end + end, "\ufeff" + text.removeprefix(end)):
        monkeypatch.setattr(module, "PIECE_BYTES", 1 << 20)
        at_once = raw(write(whole))
        monkeypatch.setattr(module, "PIECE_BYTES", size)
        assert raw(write(whole)) == at_once
        assert [row[1] for row in at_once] == expected
        assert [row[0] for row in at_once] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_a_parquet_file_reads_the_same_in_pieces_of_any_size(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trips.parquet"
    pl.DataFrame({"a": range(10)}).write_parquet(path, row_group_size=4)
    monkeypatch.setattr(module, "PIECE_ROWS", size)
    monkeypatch.setattr(module, "BATCH_ROWS", 2)
    assert raw(path) == [(n + 1, n) for n in range(10)]
