"""Training sets over real definitions and sources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from taxiway.bootstrap.data import features as wired
from taxiway.core.errors import InputError
from taxiway.data.features.training_set import TrainingSet
from taxiway.data.features.view import Catalogue

Edit = Callable[..., Catalogue]
DAY = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def asks(tmp_path: Path) -> Path:
    """Unsorted, with an entity twice, one nobody knows, one without a key, one without a time."""
    path = tmp_path / "asks.parquet"
    hours = [13, 12, 9, 12, 12, None, 15]
    pl.DataFrame(
        {
            "at": [None if hour is None else DAY.replace(hour=hour) for hour in hours],
            "line": ["A", "A", "A", "C", None, "A", "A"],
            "n": range(7),
        }
    ).with_columns(pl.col("at").dt.convert_time_zone("Asia/Kolkata")).write_parquet(path)
    return path


def built(catalogue: Catalogue, asks: Path) -> TrainingSet:
    return wired.build(catalogue, wired.chosen(catalogue, "trip"), str(asks), None)


def test_each_row_gets_what_was_known_at_its_time(catalogue: Catalogue, asks: Path) -> None:
    made = built(catalogue, asks)
    # The delay of 12 o'clock is known at 13; at 15 it is three hours old, and two is its life.
    assert made.frame["riders"].to_list() == [7, 7, None, None, None, None, 7]
    assert made.frame["minutes"].to_list() == [0.30000000000000004, 0.1, *[None] * 5]
    assert made.frame["n"].to_list() == list(range(7))
    assert made.frame.columns == ["at", "line", "n", "riders", "minutes"]
    riders, delays = made.told
    assert (riders.found, riders.expired, riders.unknown, riders.without_key) == (3, 0, 4, 1)
    assert (delays.found, delays.expired, delays.unknown) == (2, 1, 4)


def test_a_text_file_asks_as_a_typed_one_does(catalogue: Catalogue, asks: Path) -> None:
    text = asks.with_suffix(".csv")
    frame = pl.read_parquet(asks)
    frame.with_columns(pl.col("at").dt.strftime("%+")).write_csv(text)
    names = ["riders", "minutes"]
    assert built(catalogue, text).frame[names].equals(built(catalogue, asks).frame[names])


def test_one_view_may_be_asked_by_two_columns(edit: Edit, tmp_path: Path) -> None:
    catalogue = edit(
        "trip.yaml",
        ("- {view: riders@1}", "- {view: riders@1, on: {line: first}, prefix: first_}"),
        ("- {view: delays@1}", "- {view: riders@1, on: {line: then}, prefix: then_}"),
    )
    path = tmp_path / "asks.parquet"
    noon = DAY.replace(hour=12)
    pl.DataFrame({"first": ["A", "B"], "then": ["C", "A"], "at": [noon, noon]}).write_parquet(path)
    frame = built(catalogue, path).frame
    assert frame["first_riders"].to_list() == [7, None]
    assert frame["then_riders"].to_list() == [None, 7]


def test_a_known_at_column_is_kept_to(edit: Edit, folder: Path, asks: Path) -> None:
    sql = "SELECT at, line, minutes FROM seen"
    late = "SELECT at, line, minutes, at + INTERVAL '2 hours' AS told FROM seen"
    catalogue = edit("delays.yaml", ("delay: 1h", "known_at: told"), (sql, late))
    assert built(catalogue, asks).frame["minutes"].to_list()[:2] == [0.1, None]


def test_a_value_that_was_known_before_it_happened_is_refused(edit: Edit, asks: Path) -> None:
    sql = "SELECT at, line, minutes FROM seen"
    early = "SELECT at, line, minutes, at - INTERVAL '1 second' AS told FROM seen"
    catalogue = edit("delays.yaml", ("delay: 1h", "known_at: told"), (sql, early))
    with pytest.raises(InputError, match="2 of 2 rows that they were known before they happened"):
        built(catalogue, asks)


def test_polars_expressions_give_what_sql_gives(
    catalogue: Catalogue, edit: Edit, folder: Path, asks: Path
) -> None:
    before = built(catalogue, asks).frame
    (folder / "delays.py").write_text("def frame(sources):\n    return sources['seen']\n")
    after = edit("delays.yaml", ("sql: SELECT at, line, minutes FROM seen", "polars: delays.py"))
    assert built(after, asks).frame.equals(before)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("frame = 1", "can't be run"),
        ("def frame(sources):\n    return 3", "a LazyFrame was expected"),
        ("def frame(sources):\n    return sources['nothing']", "KeyError"),
        ("def frame(sources)", "SyntaxError"),
    ],
)
def test_code_that_gives_no_rows_is_an_error(
    edit: Edit, folder: Path, asks: Path, code: str, says: str
) -> None:
    (folder / "delays.py").write_text(code)
    after = edit("delays.yaml", ("sql: SELECT at, line, minutes FROM seen", "polars: delays.py"))
    with pytest.raises(InputError, match=says):
        built(after, asks)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT at, line FROM seen", "the query gives no column 'minutes'"),
        ("SELECT at, line, CAST(minutes AS VARCHAR) AS minutes FROM seen", "of another type"),
        ("SELECT at, 1 AS line, minutes FROM seen", "of another type"),
        ("SELECT 'x' AS at, line, minutes FROM seen", "'at' is no time"),
        ("SELECT at, line, minutes FROM sean", "can't be asked"),
        ("SELECT at, line, minute FROM seen", "can't be asked"),
        ("DROP TABLE seen", "has to be one SELECT"),
        ("SELECT * FROM read_csv('/etc/hostname')", "none of its sources"),
        ("SELECT FROM WHERE", "can't be asked"),
    ],
)
def test_a_query_that_does_not_give_the_view_is_an_error(
    edit: Edit, asks: Path, sql: str, says: str
) -> None:
    catalogue = edit("delays.yaml", ("SELECT at, line, minutes FROM seen", sql))
    with pytest.raises(InputError, match=says):
        built(catalogue, asks)


def test_values_that_are_not_of_their_type_are_never_nulls(
    catalogue: Catalogue, folder: Path, asks: Path
) -> None:
    with (folder.parent / "riders.csv").open("a") as file:
        file.write("2025-01-01T13:00:00Z,A,many\n")
    with pytest.raises(InputError, match="1 values of 'riders' are no integer"):
        built(catalogue, asks)


def test_columns_that_are_missing_or_there_already_are_told_at_once(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "asks.parquet"
    pl.DataFrame({"lines": ["A"], "at": [DAY], "riders": [1]}).write_parquet(path)
    with pytest.raises(InputError) as error:
        built(catalogue, path)
    assert "no column 'line'; Did" not in str(error.value)
    assert "there is no column 'line'" in str(error.value)
    assert "'riders' is there already" in str(error.value)


def test_the_table_is_written_whole_and_not_over_another(
    catalogue: Catalogue, asks: Path, tmp_path: Path
) -> None:
    asked, out = wired.chosen(catalogue, None), tmp_path / "out.parquet"
    wired.build(catalogue, asked, str(asks), out, dry_run=True)
    assert not out.exists()
    made = wired.build(catalogue, asked, str(asks), out)
    assert pl.read_parquet(out).equals(made.frame)
    with pytest.raises(Exception, match="is already there"):
        wired.build(catalogue, asked, str(asks), out)
