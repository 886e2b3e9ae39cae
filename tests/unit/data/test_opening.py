"""What is opened by itself: other delimiters, encodings, packed files, folders and patterns."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import ConflictError, InputError
from taxiway.data.source import (
    Source,
    batches,
    fingerprint,
    open_source,
    raw_frame,
    read_source,
    require_unchanged,
)
from taxiway.data.source.form import form_of

Write = Callable[..., Path]
TEXT = 'name,paid\n"Müller, Jan",1.5\nÖzil,2.5\n'
ROWS = [("Müller, Jan", "1.5"), ("Özil", "2.5")]


def rows(source: Source) -> list[tuple[object, ...]]:
    return [row[1:] for batch in batches(source) for row in batch.rows()]


def contract(*columns: Column) -> Contract:
    return Contract("c", "1", "", "c", columns, ("then",), "then", "")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_an_encoding_that_shows_itself(write: Write, encoding: str) -> None:
    source = open_source(write(TEXT.encode(encoding)))
    assert rows(source) == ROWS == raw_frame(source).collect().rows()
    said = [note for note in source.notes if "read as" in note]
    assert said == ([f"it is read as {encoding}"] if "8" not in encoding else [])


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "cp1250"])
def test_an_encoding_of_single_bytes_has_to_be_named(write: Write, encoding: str) -> None:
    path = write(TEXT.encode(encoding))
    with pytest.raises(InputError, match=r"line 2 holds other bytes.*\n.*--encoding cp1252"):
        rows(open_source(path))
    named = open_source(path, encoding=encoding)
    assert rows(named) == ROWS
    assert named.notes[0].startswith("it is read as ")


def test_an_encoding_that_is_none_or_does_not_fit(write: Write) -> None:
    with pytest.raises(InputError, match="'ebcdic9' is no encoding"):
        open_source(write(TEXT), encoding="ebcdic9")
    with pytest.raises(InputError, match="is not in utf-16"):
        open_source(write(b"a,b\n1,\x00\xd8\x00\xd8\n"), encoding="utf-16")


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
def test_the_delimiter_is_found_out(write: Write, mark: str) -> None:
    lines = [["id", "text", "n"], ["1", "x; y, z\t|", "7"], ["2", 'with "quotes"\nand lines', "8"]]
    out = io.StringIO()
    csv.writer(out, delimiter=mark, lineterminator="\n").writerows(lines)
    source = open_source(write(out.getvalue()))
    assert source.separator == mark
    assert rows(source) == [tuple(line) for line in lines[1:]]
    assert bool(source.notes) == (mark != ",")


def test_the_wrong_delimiter_is_told(write: Write) -> None:
    with pytest.raises(InputError, match="seems to be separated by ';', and ',' was expected"):
        open_source(write("a;b\n1;2\n"), separator=",")
    with pytest.raises(InputError, match="is no delimiter"):
        open_source(write("a;b\n1;2\n"), separator=";;")


def test_one_column_whose_text_has_commas_in_quotes(write: Write) -> None:
    source = open_source(write('said\n"a, b"\n"c; d"\ne\n'))
    assert rows(source) == [("a, b",), ("c; d",), ("e",)]


def test_decimal_commas(write: Write) -> None:
    source = open_source(write("day;paid\n1;1,5\n2;-2,25\n3;7\n4;1.5\n"))
    assert source.decimal == ","
    assert "1 with a decimal point; a decimal comma is expected" in source.notes[-1]
    read = read_source(source, contract(Column("paid", "number", nullable=True))).collect()
    assert read["paid"].to_list() == [1.5, -2.25, 7.0, None]


def test_grouped_digits_are_not_taken_for_decimals() -> None:
    form = form_of("a;b\n1;1,500\n2;2,250\n")
    assert form.decimal == "."
    assert "may be grouped, or have a decimal comma" in form.notes[-1]
    assert form_of("a;b\n1;1,500\n2;2,25\n").decimal == ","


def packed(path: Path, kind: str, content: bytes) -> None:
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data/trips.csv", content)
            archive.writestr("__MACOSX/data/._trips.csv", b"x")
    else:
        packs: dict[str, Callable[[bytes], bytes]] = {
            "gz": gzip.compress,
            "bz2": bz2.compress,
            "xz": lzma.compress,
        }
        pack = packs[kind]
        path.write_bytes(pack(content))


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zip"])
def test_packed_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"trips.csv.{kind}"
    packed(path, kind, TEXT.replace(",", ";").encode("utf-16"))
    source = open_source(path)
    assert source.path == path
    assert [r[-1] for r in rows(source)] == ["1.5", "2.5"]
    packed(path, kind, TEXT.encode())
    assert rows(open_source(path)) == ROWS
    parquet = io.BytesIO()
    pl.DataFrame({"a": [1, 2]}).write_parquet(parquet)
    packed(path, kind, parquet.getvalue())
    assert rows(open_source(path)) == [(1,), (2,)]
    packed(path, kind, b"")
    with pytest.raises(InputError, match="holds an empty file"):
        open_source(path)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zip"])
def test_packed_files_that_are_cut_off(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"trips.csv.{kind}"
    packed(path, kind, os.urandom(60_000))
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(InputError, match=r"can't be decompressed|is a zip archive that can't be"):
        open_source(path)


def test_zip_of_many_of_none_and_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "trips.zip"
    for names, message in [
        (["a.csv", "b.csv"], r"holds 2 files, and one was expected.\n.*a.csv, b.csv"),
        ([], "holds 0 files|can't be read"),
        (["[Content_Types].xml", "xl/workbook.xml"], "is a workbook"),
    ]:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "a,b\n1,2\n")
        with pytest.raises(InputError, match=message):
            open_source(path)


@pytest.mark.parametrize("name", ["trips.arrow", "trips.feather", "trips"])
def test_arrow_files_and_streams(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"a": range(10), "b": [None, *"ABCDEFGHI"]})
    frame.write_ipc(tmp_path / name)
    assert rows(open_source(tmp_path / name)) == frame.rows()
    frame.write_ipc_stream(tmp_path / name)
    assert rows(open_source(tmp_path / name)) == frame.rows()
    (tmp_path / name).write_bytes(b"FEA1....")
    with pytest.raises(InputError, match="Feather file of version 1"):
        open_source(tmp_path / name)
    (tmp_path / name).write_bytes(b"ARROW1 and more")
    with pytest.raises(InputError, match="can't be read"):
        open_source(tmp_path / name)


def test_a_folder_of_parts_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "trips"
    (folder / "day=1").mkdir(parents=True)
    (folder / "_SUCCESS").touch()
    (folder / ".crc").write_text("x")
    (folder / "b.csv").write_text("a;b\n3;4\n")
    (folder / "day=1" / "a.csv.gz").write_bytes(gzip.compress(b"a;b\n5;6\n"))
    (folder / "a.csv").write_text("a;b\n1;2\n")
    (folder / "c.csv").touch()
    source = open_source(folder)
    assert rows(source) == [("1", "2"), ("3", "4"), ("5", "6")]
    assert "3 files are read as one table" in source.notes
    assert "empty files are left out: c.csv" in source.notes
    pattern = open_source(folder / "?.csv")
    assert rows(pattern) == [("1", "2"), ("3", "4")]
    with pytest.raises(InputError, match="There is no file"):
        open_source(folder / "*.tsv")
    (folder / "d.csv").write_text("a;c\n1;2\n")
    with pytest.raises(InputError, match=r"d.csv: has no column b[\s\S]*d.csv: has a column c"):
        open_source(folder)


def test_parquet_parts(tmp_path: Path) -> None:
    for at in (1, 2):
        pl.DataFrame({"a": [at, at], "b": ["x", None]}).write_parquet(tmp_path / f"{at}.parquet")
    assert rows(open_source(tmp_path)) == [(1, "x"), (1, None), (2, "x"), (2, None)]
    pl.DataFrame({"a": ["1"], "b": ["x"]}).write_parquet(tmp_path / "3.parquet")
    with pytest.raises(InputError, match="column a of another type; expected Int64, found String"):
        open_source(tmp_path)
    (tmp_path / "3.parquet").write_text("a,b\n1,x\n")
    with pytest.raises(InputError, match="is not a Parquet file"):
        open_source(tmp_path)


def test_a_file_that_changes_while_it_is_read(write: Write, tmp_path: Path) -> None:
    path = write(TEXT)
    source = open_source(path)
    path.write_text(TEXT + "more,1\n")
    with pytest.raises(ConflictError, match="was changed while it was read"):
        rows(source)
    source = open_source(path)
    path.unlink()
    with pytest.raises(ConflictError, match="was changed while it was read"):
        rows(source)


def test_the_fingerprint_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    before = fingerprint(tmp_path)
    require_unchanged(tmp_path, before)
    assert fingerprint(tmp_path) == before
    (tmp_path / "b.csv").write_text("a\n1\n")
    assert fingerprint(tmp_path) != before
    with pytest.raises(ConflictError, match="was changed"):
        require_unchanged(tmp_path, before)
