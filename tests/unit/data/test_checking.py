"""Checks without a project: rules over columns, references, sentinels, counts, the quarantine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from taxiway.bootstrap.data.checking import Asked, Checked, check_file
from taxiway.bootstrap.data.contracts import infer, write
from taxiway.cli import main
from taxiway.core.contract import Column, Contract, Reference, Rule
from taxiway.core.errors import ConflictError, InputError, MissingError
from taxiway.data.odcs import MOMENT
from taxiway.data.source import open_source
from taxiway.data.validation import validate

Write = Callable[..., Path]

COLUMNS = (
    Column("id", "string", key=True, pattern="^[0-9]{3}$"),
    Column("start", "integer", nullable=True, sentinels=(-9999,)),
    Column("end", "integer", nullable=True),
    Column("plane", "string", nullable=True, sentinels=("unknown",)),
)
ROWS = "id,start,end,plane\n001,1,2,N1\n002,-9999,2,unknown\n003,3,4,N2\n"


def contract(*columns: Column, **given: Any) -> Contract:
    return Contract("trips", "1", "", "trips", columns or COLUMNS, (MOMENT,), MOMENT, "", **given)


@pytest.fixture
def check(write: Write, tmp_path: Path) -> Callable[..., Checked]:
    def checking(made: Contract, text: str | bytes | Path = ROWS, **asked: Any) -> Checked:
        out = tmp_path / "trips.yaml"
        write_file(made, out)
        source = text if isinstance(text, Path) else write(text)
        return check_file(Asked(str(source), **asked), out)

    return checking


def write_file(made: Contract, out: Path) -> None:
    write(made, out)


def said(found: Checked) -> list[tuple[str, str, int]]:
    return [(f.column, f.rule, f.rows) for f in found.validation.failures]


def test_sentinels_are_read_as_missing_and_counted(check: Callable[..., Checked]) -> None:
    found = check(contract())
    assert found.validation.passed, found.validation.failures
    assert "column start: -9999 stands for none in 1 rows" in found.validation.notes
    needed = tuple(Column(c.name, c.type, sentinels=c.sentinels) for c in COLUMNS)
    found = check(contract(*needed))
    assert said(found) == [("start", "is missing", 1), ("plane", "is missing", 1)]


def test_conditions_over_columns(check: Callable[..., Checked]) -> None:
    rule = Rule("in order", '"end" > "start"')
    found = check(contract(rules=(rule,)), ROWS + "004,9,1,N1\n005,,1,\n")
    assert said(found) == [("start, end", "breaks `in order`", 1)]
    sample = found.validation.failures[0].samples[0]
    assert sample == {"row": 4, "value": "start '9', end '1'"}
    with pytest.raises(InputError, match=r"A rule of the contract can't be held[\s\S]*no column"):
        check(contract(rules=(Rule("odd", "strat > 1"),)))


def test_references_to_other_tables(check: Callable[..., Checked], tmp_path: Path) -> None:
    planes = tmp_path / "planes.csv"
    planes.write_text("tailnum,year\nN1,2000\nN3,2001\n")
    refers = contract(references=(Reference(("plane",), "planes", ("tailnum",)),))
    found = check(refers, others=(f"planes={planes}",))
    assert said(found) == [("plane", "is not in planes", 1)]
    assert found.validation.failures[0].samples == ({"row": 3, "value": "'N2'"},)
    assert said(check(refers)) == [("plane", "was not checked", 0)]
    for others, error, message in (
        (("plane=x.csv",), MissingError, "Did you mean 'planes'"),
        (("planes",), InputError, "expected NAME=SOURCE"),
        ((f"planes={tmp_path / 'no.csv'}",), InputError, "There is no file"),
    ):
        with pytest.raises(error, match=message):
            check(refers, others=others)
    planes.write_text("tail,year\nN1,2000\n")
    with pytest.raises(InputError, match="has no column tailnum"):
        check(refers, others=(f"planes={planes}",))


def test_numbers_of_rows(check: Callable[..., Checked]) -> None:
    assert said(check(contract(maximum_rows=2))) == [("", "there are too many rows", 0)]
    assert said(check(contract(minimum_rows=4))) == [("", "there are too few rows", 0)]
    with pytest.raises(InputError, match="`maximum_rows` is below `minimum_rows`"):
        check(contract(minimum_rows=4, maximum_rows=2))


@pytest.mark.parametrize("suffix", ["csv", "parquet", "delta"])
def test_the_quarantine(check: Callable[..., Checked], tmp_path: Path, suffix: str) -> None:
    aside = tmp_path / f"aside.{suffix}"
    assert check(contract(), quarantine=aside).quarantined == 0
    assert not aside.exists()
    text = ROWS + "003,1,2,N1\nx,1,2,N1\n006,1\n"
    found = check(contract(rules=(Rule("positive", "start > 0"),)), text, quarantine=aside)
    assert found.quarantined == found.validation.failed_rows == 4
    reads: dict[str, Callable[[str], pl.DataFrame]] = {
        "csv": pl.read_csv,
        "parquet": pl.read_parquet,
        "delta": pl.read_delta,
    }
    rows = reads[suffix](str(aside))
    assert rows["row"].to_list() == [3, 4, 5, 6]
    assert "the key repeats" in rows["reasons"][0]
    assert "does not match its pattern" in rows["reasons"][2]
    assert "the row is cut off" in rows["reasons"][3]
    with pytest.raises(ConflictError, match="is already there"):
        check(contract(), text, quarantine=aside)


def test_the_quarantine_is_not_what_is_checked(check: Callable[..., Checked], write: Write) -> None:
    source = write(ROWS, "rows.csv")
    with pytest.raises(InputError, match="is what is checked"):
        check(contract(), source, quarantine=source, overwrite=True)
    assert source.read_text() == ROWS


def test_personal_values_are_never_shown(check: Callable[..., Checked]) -> None:
    columns = (Column("id", "string"), Column("mail", "integer", personal=True))
    rule = Rule("both", "mail > 5 AND id <> 'a'")
    found = check(contract(*columns, rules=(rule,)), "id,mail\na,ann@example.org\nb,3\n")
    assert "ann@" not in str(found.found())
    assert "(personal)" in str(found.found())


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (["2013-03-31 01:59:00", "2013-03-31 03:00:00"], 0),
        (["2013-03-31 02:30:00", "2013-10-27 02:30:00"], 2),  # left out, and there twice
        (["2013-03-31T01:00:00Z", "31.03.2013 01:00"], 2),
    ],
)
def test_times_of_a_zone(check: Callable[..., Checked], values: list[str], wrong: int) -> None:
    made = contract(Column("at", "timestamp", timezone="Europe/Berlin"))
    found = check(made, "at\n" + "\n".join(values) + "\n")
    assert sum(rows for *_, rows in said(found)) == wrong
    if wrong:
        assert "once on the clocks of Europe/Berlin" in found.validation.failures[0].expected


def test_numbers_beyond_64_bits_and_mixed_decimals(check: Callable[..., Checked]) -> None:
    made = contract(Column("n", "integer"), Column("x", "number"))
    found = check(made, f"n;x\n{2**63};1,5\n{-(2**63)};2,5\n7;1.5\n")
    assert said(found) == [("n", "is of another type", 1), ("x", "is of another type", 1)]


def test_ten_thousand_columns(write: Write) -> None:
    names = [f"c{n}" for n in range(10_000)]
    made = contract(*(Column(name, "integer", nullable=True) for name in names))
    text = ",".join(names) + "\n" + ("1," * 9_999 + "1\n") * 3 + ",".join(["x"] * 10_000) + "\n"
    found = validate(open_source(write(text)), made)
    assert (len(found.failures), found.failed_rows) == (10_000, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a,b\n1,2\n1,2,3\n", "has 3 fields in row 2"),
        (b"a,a\n1,2\n", "has columns twice"),
        (b"id,start,end,plane\n", "has a header and no rows"),
        (b"id,start,end,plane\n1,2,3,\xe9\n", "is not UTF-8"),
    ],
)
def test_what_can_not_be_read(check: Callable[..., Checked], text: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(contract(), text)


def test_embedded_line_breaks_and_one_column(check: Callable[..., Checked]) -> None:
    made = contract(Column("said", "string", unique=True))
    assert check(made, 'said\n"a\nb"\nc\n').validation.rows == 2
    assert said(check(made, 'said\n"a\nb"\n"a\nb"\n')) == [("said", "is there more than once", 2)]


def test_a_truncated_parquet_file(check: Callable[..., Checked], tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    pl.DataFrame({"id": ["001"] * 1000}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="can't be read"):
        check(contract(), path)


def run(*words: str | Path) -> tuple[object, str]:
    with pytest.raises(SystemExit) as ended, redirect_stdout(StringIO()) as out:
        main([str(word) for word in words])
    return ended.value.code, out.getvalue()


def test_from_a_file_to_its_check(write: Write, tmp_path: Path) -> None:
    """Drafted, corrected by hand, checked: without any project."""
    rows = "".join(f"{n:03};{n},5;N{n % 3}\n" for n in range(100))
    path, out = write("id;paid;plane\n" + rows), tmp_path / "trips.yaml"
    assert run("data", "infer", path, "--out", out)[0] == 0
    assert run("data", "infer", path, "--out", out)[0] == ConflictError.exit_code
    assert run("data", "check", path, "--contract", out)[0] == 0
    document = yaml.safe_load(out.read_text())
    document["schema"][0]["properties"][1]["logicalTypeOptions"]["maximum"] = 50
    out.write_text(yaml.safe_dump(document))
    code, text = run("data", "check", path, "--contract", out)
    assert code == 1
    assert "rows/s): 50 of them fail" in text
    assert "is separated" not in text
    assert "its values are separated by semicolons" in text
    code, text = run("data", "check", path, "--contract", out, "--json")
    assert (code, '"rows_per_second"' in text) == (1, True)


def test_a_draft_says_how_sure_it_is(write: Write) -> None:
    found = infer(str(write("id,at\n" + "1,01/02/2013\n" * 60)))
    assert [round(g.confidence, 1) for g in found.columns] == [1.0, 0.5]
