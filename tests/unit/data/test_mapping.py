"""Mappings done to text and to typed columns, in the words that people write and sign."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.core.errors import InputError
from taxiway.data.mapped import mapped_rows
from taxiway.data.mapping import Mapped, Step, mapped, mapping_from, step_of
from taxiway.data.source import ROW, batches, open_source, raw_frame


def done(values: list[Any], *steps: Step, dtype: Any = None) -> list[Any]:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    made, _ = mapped(frame.lazy(), [Mapped("t", "x", steps)], frame.schema)
    return made.collect().to_series().to_list()


LAW = {"do": "law", "factor": 0.01, "offset": 0.0}


@pytest.mark.parametrize(
    ("values", "step", "expected"),
    [
        ([41250, None], LAW, [412.5, None]),
        (["$1,234", "12.5 %"], LAW, ["12.34", "0.125"]),
        (["41250", " 700", "abc", None], LAW, ["412.5", "7", "abc", None]),
        ([50.0, 212.0], {"do": "law", "factor": 5 / 9, "offset": -160 / 9}, [10.0, 100.0]),
        (
            [1.0, 100.0],
            {"do": "law", "factor": 1.0, "offset": 0.0, "function": "inverse"},
            [1, 0.01],
        ),
        (["0", "1", "x"], {"do": "recode", "table": {"0": "no", "1": "yes"}}, ["no", "yes", "x"]),
        (
            [True, False, None],
            {"do": "recode", "table": {"true": "Y", "false": "N"}},
            ["Y", "N", None],
        ),
        ([1.0, 2.0], {"do": "recode", "table": {"1": "Jan", "2": "Feb"}}, ["Jan", "Feb"]),
        ([-9999, 4], {"do": "null", "values": ["-9999"]}, [None, 4]),
        (["-9999.0", "4"], {"do": "null", "values": ["-9999"]}, [None, "4"]),
        (["unknown", "JFK"], {"do": "null", "values": ["unknown"]}, [None, "JFK"]),
        ([22, 3], {"do": "wrap", "offset": 5, "period": 24}, [3, 8]),
        ([12, 1], {"do": "wrap", "offset": 1, "period": 12, "least": 1}, [1, 2]),
        (
            ["c-7"],
            {"do": "spell", "as": {"without prefix": "c-", "width": 3, "prefix": "C"}},
            ["C007"],
        ),
        (["0070"], {"do": "spell", "as": {"without zeros": True}}, ["70"]),
        ([" de "], {"do": "spell", "as": {"case": "upper"}}, ["DE"]),
        (
            ["2013-01-01 05:00:00"],
            {"do": "hours", "hours": -5.0},
            ["2013-01-01T00:00:00Z"],
        ),
        ([1356998400], {"do": "epoch", "unit": "s"}, [datetime(2013, 1, 1, tzinfo=UTC)]),
        ([date(2013, 1, 1)], {"do": "hours", "hours": 24}, [datetime(2013, 1, 2)]),  # noqa: DTZ001
    ],
)
def test_a_step_does_what_it_says(
    values: list[Any], step: dict[str, Any], expected: list[Any]
) -> None:
    assert done(values, step) == expected
    assert Mapped("t", "x", (step,)).says


def test_a_zone_s_clock_becomes_universal_and_the_hour_that_is_left_out_nothing() -> None:
    values = [datetime(2013, 1, 1), datetime(2013, 7, 1), datetime(2013, 3, 10, 2, 30)]  # noqa: DTZ001
    step = {"do": "zone", "from": "America/New_York", "to": "UTC"}
    assert done(values, step) == [
        datetime(2013, 1, 1, 5),  # noqa: DTZ001
        datetime(2013, 7, 1, 4),  # noqa: DTZ001
        None,
    ]


def test_steps_follow_one_another_and_a_rename_is_the_column_s_name() -> None:
    frame = pl.DataFrame({"x": ["-9", "200"], "y": [1, 2]})
    steps = ({"do": "null", "values": ["-9"]}, LAW, {"do": "rename", "to": "euros"})
    made, schema = mapped(frame.lazy(), [Mapped("t", "x", steps)], frame.schema)
    assert made.collect().to_dict(as_series=False) == {"euros": [None, "2"], "y": [1, 2]}
    assert schema.names() == ["euros", "y"]


def test_what_stands_for_nothing_goes_before_another_mapping_of_the_column() -> None:
    frame = pl.LazyFrame({"f": [50.0, -9999.0]})
    celsius = Mapped("b", "f", ({"do": "law", "factor": 5 / 9, "offset": -160 / 9},))
    none = Mapped("b", "f", ({"do": "null", "values": ["-9999"]},))
    for order in ([celsius, none], [none, celsius]):
        made, _ = mapped(frame, order, frame.collect_schema())
        assert made.collect()["f"].to_list() == [10.0, None]


def test_what_can_t_be_done_is_said_all_at_once() -> None:
    frame = pl.DataFrame({"x": [1], "y": [2]})
    wrong = [Mapped("t", "z", (LAW,)), Mapped("t", "x", ({"do": "rename", "to": "y"},))]
    with pytest.raises(InputError, match="can't be done") as error:
        mapped(frame.lazy(), wrong, frame.schema)
    assert len(error.value.problems) == 2


def test_another_grain_is_written_down_and_changes_nothing() -> None:
    grain = Mapped("t", "x", ({"do": "aggregate", "how": "sum", "by": ["day"]},))
    assert not grain.changes
    assert done([1, 2], *grain.steps) == [1, 2]
    assert mapping_from(grain.found()) == grain


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("plus=273.15", {"do": "law", "factor": 1.0, "offset": 273.15}),
        ("null=-9999", {"do": "null", "values": ["-9999"]}),
        ("rename=plane_year", {"do": "rename", "to": "plane_year"}),
        ("hours=-5", {"do": "hours", "hours": -5.0}),
    ],
)
def test_people_write_steps(text: str, step: dict[str, Any]) -> None:
    assert step_of(text) == step


@pytest.mark.parametrize(
    "text", ["", "scale", "scale=", "scale=much", "scale=nan", "recode:a", "x=1"]
)
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no step"):
        step_of(text)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_source_reads_as_mapped_in_batches_too(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"x.{ending}"
    frame = pl.DataFrame({"x": [100, 250], "name": ["a", "b"]})
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    source = mapped_rows(open_source(path), [Mapped("x", "x", (LAW, {"do": "rename", "to": "y"}))])
    expected = ["1", "2.5"] if ending == "csv" else [1.0, 2.5]
    assert source.path == path
    assert source.columns == ["y", "name"]
    assert raw_frame(source).collect()["y"].to_list() == expected
    (batch,) = batches(source)
    assert batch[ROW].to_list() == [1, 2]
    assert batch["y"].to_list() == expected


def test_ragged_rows_are_not_mapped(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("x,y\n1,2\n3\n")
    with pytest.raises(InputError, match="1 fields in row 2"):
        mapped_rows(open_source(path), [Mapped("x", "x", (LAW,))])
