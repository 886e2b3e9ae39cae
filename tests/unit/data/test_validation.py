"""Validation: every failure is found, counted and shown, in one pass over the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError
from taxiway.data.findings import Failure, Labels, Validation
from taxiway.data.source import open_source
from taxiway.data.source import rows as reading
from taxiway.data.validation import validate

Trips = Callable[..., Path]
ROWS = (
    ("001", "2013-03-01T10:00:00Z", "A", "40", "2.5", "false", "12"),
    ("002", "2013-03-01T11:00:00Z", "B", "0", "", "true", "NA"),
)


def run(path: Path, contract: Contract, **options: Any) -> Validation:
    return validate(open_source(path), contract, **options)


def rules(found: Validation) -> list[tuple[str, str, int]]:
    return [(f.column, f.rule, f.rows) for f in found.failures]


def with_column(contract: Contract, name: str, **changes: Any) -> Contract:
    columns = tuple(replace(c, **changes) if c.name == name else c for c in contract.columns)
    return replace(contract, columns=columns)


def test_good_source_passes(trips: Trips, contract: Contract) -> None:
    assert run(trips(), contract) == Validation(
        rows=3,
        failed_rows=0,
        failures=(),
        extra_columns=(),
        first_time=datetime(2013, 3, 1, 10, tzinfo=UTC),
        last_time=datetime(2013, 3, 2, 9, tzinfo=UTC),
        columns=7,
    )
    assert run(trips(), contract).passed


@pytest.mark.parametrize(
    ("column", "value", "rule", "shown"),
    [
        ("seats", "", "is missing", "nothing"),
        ("seats", "NA", "is missing", "nothing"),
        ("seats", "001", "is of another type", "'001'"),
        ("seats", "4.0", "is of another type", "'4.0'"),
        ("seats", "many", "is of another type", "'many'"),
        ("seats", "99999999999999999999", "is of another type", "'99999999999999999999'"),
        ("seats", "-1", "is too small", "'-1'"),
        ("seats", "91", "is too large", "'91'"),
        ("fare", "nan", "is not finite", "'nan'"),
        ("fare", "-inf", "is not finite", "'-inf'"),
        ("fare", "1.5 EUR", "is of another type", "'1.5 EUR'"),
        ("fare", "-0.5", "is too small", "'-0.5'"),
        ("night", "1", "is of another type", "'1'"),
        ("at", "2013-03-01 10:00", "is of another type", "'2013-03-01 10:00'"),
        ("at", "2012-12-31T23:59:59Z", "is too small", "'2012-12-31T23:59:59Z'"),
        ("line", "C", "is not an allowed value", "'C'"),
        ("code", "12", "does not match its pattern", "'12'"),
        ("code", "", "is missing", "nothing"),
    ],
)
def test_one_bad_value(
    trips: Trips, contract: Contract, column: str, value: str, rule: str, shown: str
) -> None:
    found = run(trips(2, **{column: value}), contract)
    assert (column, rule, 1) in rules(found)
    assert found.failed_rows == 1
    assert not found.passed
    failure = next(f for f in found.failures if f.rule == rule)
    assert failure.samples == ({"row": 2, "value": shown},)


def test_codes_with_leading_zeros_stay_text(trips: Trips, contract: Contract) -> None:
    assert run(trips(code="007"), contract).passed


def test_lengths(trips: Trips, contract: Contract) -> None:
    limited = with_column(contract, "line", values=(), minimum_length=2, maximum_length=3)
    found = run(trips(1, line="long one"), limited)
    assert rules(found) == [("line", "is too short", 2), ("line", "is too long", 1)]
    assert found.failed_rows == 3


def test_several_failures_of_a_row_are_one_failed_row(trips: Trips, contract: Contract) -> None:
    found = run(trips(1, seats="x", line="C", fare="-1"), contract)
    assert rules(found) == [
        ("line", "is not an allowed value", 1),
        ("seats", "is of another type", 1),
        ("fare", "is too small", 1),
    ]
    assert found.failed_rows == 1


def test_samples_are_few_and_short(trips: Trips, contract: Contract) -> None:
    rows = [("001", f"2013-03-01T10:00:{n:02}Z", "x" * 500, "1", "", "", "") for n in range(20)]
    (failure,) = run(trips(rows=rows), contract).failures
    assert (failure.rows, len(failure.samples)) == (20, 5)
    assert [s["row"] for s in failure.samples] == [1, 2, 3, 4, 5]
    assert all(len(s["value"]) < 100 for s in failure.samples)


def test_personal_values_are_not_shown(trips: Trips, contract: Contract) -> None:
    personal = with_column(contract, "code", personal=True)
    found = run(trips(2, code="secret"), personal)
    assert found.failures[0].samples == ({"row": 2, "value": "(personal)"},)
    assert "secret" not in str(run(trips(rows=[("secret", *row[1:]) for row in ROWS]), personal))
    again = run(trips(2, code="001", at="2013-03-01T10:00:00Z"), personal)
    assert {s["value"] for s in again.failures[0].samples} == {"(personal)"}


def test_column_that_the_data_lack(write: Trips, contract: Contract) -> None:
    path = write("code,at,line,seat,fare\n001,2013-03-01T10:00:00Z,A,4,2.5\n")
    found = run(path, contract, target="delay > 15")
    assert rules(found) == [
        ("seats", "the column is not there", 0),
        ("night", "the column is not there", 0),
        ("delay", "the column is not there", 0),
    ]
    assert found.failures[0].expected == "a column of type integer; the source has `seat`"
    assert found.extra_columns == ("seat",)
    assert found.failed_rows == 0
    assert not found.passed


def test_event_time_that_the_data_lack(write: Trips, contract: Contract) -> None:
    found = run(write("code,line\n001,A\n"), contract)
    assert ("at", "the column is not there", 0) in rules(found)
    assert (found.first_time, found.last_time) == (None, None)


def test_extra_columns_are_told_and_no_failure(trips: Trips, contract: Contract) -> None:
    rows = [("001", "2013-03-01T10:00:00Z", "A", "4", "", "", "", "sunny")]
    found = run(trips(rows=rows, header=(*contract.names, "weather")), contract)
    assert found.passed
    assert found.extra_columns == ("weather",)


def test_key_that_repeats(trips: Trips, contract: Contract) -> None:
    # Row 3 becomes row 1's key, written with another offset.
    found = run(trips(3, at="2013-03-01T11:00:00+01:00"), contract)
    assert rules(found) == [("code, at", "the key repeats", 2)]
    assert found.failures[0].samples == (
        {"row": 1, "value": "001, 2013-03-01T10:00:00Z"},
        {"row": 3, "value": "001, 2013-03-01T11:00:00+01:00"},
    )
    assert found.failed_rows == 2


def test_key_that_repeats_in_another_batch(write: Trips) -> None:
    contract = Contract(
        "n", "1", "", "n", (Column("n", "integer", key=True),), ("now",), "now", "n"
    )
    numbers = [*range(150_000), 7]
    found = run(write("n\n" + "\n".join(map(str, numbers)) + "\n"), contract)
    assert rules(found) == [("n", "the key repeats", 2)]
    assert [s["row"] for s in found.failures[0].samples] == [8, 150_001]
    assert found.rows == 150_001


def test_unique_column_ignores_missing_values(trips: Trips, contract: Contract) -> None:
    unique = with_column(contract, "fare", unique=True)
    assert run(trips(1, fare=""), unique).passed  # rows 1 and 2 have none
    assert rules(run(trips(1, fare="0.0"), unique)) == [("fare", "is there more than once", 2)]


def test_rows_that_are_cut_off(write: Trips, trips: Trips, contract: Contract) -> None:
    text = trips().read_text() + "003,2013-03-03T10:00:00Z,A,4\n"
    found = run(write(text), contract)
    assert rules(found) == [("", "the row is cut off", 1)]
    assert found.failures[0].samples == ({"row": 4, "value": "4 fields"},)
    assert found.failed_rows == 1


def test_too_few_rows(trips: Trips, contract: Contract) -> None:
    found = run(trips(), replace(contract, minimum_rows=4))
    assert rules(found) == [("", "there are too few rows", 0)]
    assert found.failures[0].expected == "at least 4 rows, and there are 3"


def test_one_row(trips: Trips, contract: Contract) -> None:
    row = ("001", "2013-03-01T10:00:00Z", "A", "4", "", "", "")
    found = run(trips(rows=[row]), contract)
    assert found.passed
    assert found.first_time == found.last_time
    assert found.notes == ()  # one row is not a constant column


def test_stale_data(trips: Trips, contract: Contract) -> None:
    fresh = replace(contract, freshness_hours=24)
    last = datetime(2013, 3, 2, 9, tzinfo=UTC)
    assert run(trips(), fresh, as_of=last + timedelta(hours=24)).passed
    assert run(trips(), fresh).passed  # nobody asked
    found = run(trips(), fresh, as_of=last + timedelta(hours=24, seconds=1))
    assert rules(found) == [("at", "the data are stale", 0)]
    assert "and it is of 2013-03-02 09:00" in found.failures[0].expected


def test_stale_days_count_to_their_end(write: Trips) -> None:
    contract = Contract(
        "d", "1", "", "d", (Column("day", "date", key=True),), ("now",), "now", "day",
        freshness_hours=24,
    )  # fmt: skip
    path = write("day\n2013-03-01\n")
    assert run(path, contract, as_of=datetime(2013, 3, 2, 23, tzinfo=UTC)).passed
    found = run(path, contract, as_of=datetime(2013, 3, 3, 1, tzinfo=UTC))
    assert rules(found) == [("day", "the data are stale", 0)]
    assert found.last_time == date(2013, 3, 1)


def test_constant_column_is_a_note(trips: Trips, contract: Contract) -> None:
    found = run(trips(2, line="A"), contract)
    assert found.passed
    assert found.notes == ("column line holds one value in all rows: 'A'",)


def test_constants_of_any_type_over_many_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 2)
    entries = pl.Series([[{"key": "k", "value": 1}]] * 5)
    frame = pl.DataFrame({"list": [[1, 2]] * 5, "nan": [float("nan")] * 5, "map": entries})
    frame = frame.with_columns(struct=pl.struct("list"), moved=pl.Series([[1]] * 4 + [[2]]))
    path = tmp_path / "trips.parquet"
    frame.write_parquet(path)
    columns = tuple(Column(name, "string", nullable=True) for name in frame.columns)
    found = run(path, Contract("c", "1", "", "c", columns, ("then",), "then", ""))
    assert [note.split()[1] for note in found.notes] == ["list", "nan", "map", "struct"]
    assert found.notes[0] == "column list holds one value in all rows: [1, 2]"


def test_a_source_whose_rows_have_all_gone(trips: Trips, contract: Contract) -> None:
    full = open_source(trips())
    none = replace(full, format="sql", scan=lambda: pl.LazyFrame(schema=full.schema))
    found = validate(none, contract)
    assert (found.rows, found.passed) == (0, False)


def test_column_without_any_value_is_a_note(trips: Trips, contract: Contract) -> None:
    rows = [("001", f"2013-03-0{n}T10:00:00Z", "AB"[n - 1], f"{n}", f"{n}", "", "") for n in (1, 2)]
    found = run(trips(rows=rows), contract)
    assert "column night holds one value in all rows: nothing" in found.notes


@pytest.mark.parametrize(
    ("target", "labels", "note"),
    [
        ("delay > 5", Labels(2, False, True), None),
        ("delay > 100", Labels(2, False, False), "the target `delay > 100` has only one class"),
        ("delay > -100", Labels(2, True, True), "the target `delay > -100` has only one class"),
        ("delay > fare AND fare > 100", Labels(2, False, False), "only one class"),
    ],
)
def test_classes_of_the_target(
    trips: Trips, contract: Contract, target: str, labels: Labels, note: str | None
) -> None:
    found = run(trips(code="003"), contract, target=target)
    assert found.passed
    assert found.labels == labels
    assert [n for n in found.notes if "target" in n] == [
        n for n in found.notes if note and note in n
    ]
    assert bool(found.notes) == bool(note)


def test_target_without_any_label(trips: Trips, contract: Contract) -> None:
    rows = [("001", f"2013-03-0{n}T10:00:00Z", "AB"[n - 1], f"{n}", f"{n}", "", "") for n in (1, 2)]
    found = run(trips(rows=rows), contract, target="delay > 5")
    assert "the target `delay > 5` has no label at all" in found.notes


def test_target_that_can_not_be_used(trips: Trips, contract: Contract) -> None:
    with pytest.raises(InputError, match=r"there is no column `dely`. Did you mean `delay`"):
        run(trips(), contract, target="dely > 5")


def test_pattern_that_polars_does_not_know(trips: Trips, contract: Contract) -> None:
    endless = with_column(contract, "code", pattern="(a{1000}){1000}{1000}")
    with pytest.raises(InputError, match="The pattern of column code can't be used on data"):
        run(trips(), endless)


def test_progress_is_told_of_all_rows(write: Trips) -> None:
    contract = Contract(
        "n", "1", "", "n", (Column("n", "integer", key=True),), ("now",), "now", "n"
    )
    told: list[int] = []
    run(write("n\n" + "\n".join(map(str, range(150_000))) + "\n"), contract, on_rows=told.append)
    assert len(told) > 1
    assert sum(told) == 150_000


def parquet(folder: Path, **columns: Any) -> Path:
    path = folder / "trips.parquet"
    pl.DataFrame(
        {
            "code": ["001", "002"],
            "at": [datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 3, 2, tzinfo=UTC)],
            "line": ["A", "B"],
            "seats": pl.Series([1, 2], dtype=pl.Int32),
            "fare": [1.0, None],
            "night": [True, False],
            "delay": [3, None],
        }
        | columns
    ).write_parquet(path)
    return path


def test_parquet_with_narrower_types_passes(tmp_path: Path, contract: Contract) -> None:
    assert run(parquet(tmp_path), contract).passed
    assert run(parquet(tmp_path, delay=[None, None]), contract).passed
    assert run(parquet(tmp_path, delay=[3.0, None]), contract).passed


@pytest.mark.parametrize(
    ("column", "values", "rule", "expected"),
    [
        ("delay", [3.5, None], "is of another type", "in a column that is Float64"),
        ("delay", ["3", None], "is of another type", "in a column that is String"),
        ("fare", [float("nan"), 1.0], "is not finite", "a finite number"),
        ("fare", [float("inf"), 1.0], "is not finite", "a finite number"),
        ("code", [1, None], "is missing", "a value"),
        ("at", [datetime(2013, 3, 1), None], "is of another type", "in a column that is Datetime"),  # noqa: DTZ001 - no zone is the point
        ("night", [0, 1], "is of another type", "in a column that is Int64"),
        ("delay", [[1], [2]], "is of another type", "in a column that is List"),
    ],
)
def test_parquet_of_other_types(
    tmp_path: Path, contract: Contract, column: str, values: list[Any], rule: str, expected: str
) -> None:
    found = run(parquet(tmp_path, **{column: values}), contract)
    failure = next(f for f in found.failures if (f.column, f.rule) == (column, rule))
    assert failure.rows >= 1
    assert expected in failure.expected
    assert failure.samples


def test_evidence_is_plain_data(trips: Trips, contract: Contract) -> None:
    import json

    found = run(trips(2, seats="x"), contract).found()
    assert json.loads(json.dumps(found)) == {
        "failed_rows": 1,
        "failures": [
            {
                "column": "seats",
                "rule": "is of another type",
                "rows": 1,
                "expected": "a whole number of at most 64 bits without leading zeros",
                "samples": [{"row": 2, "value": "'x'"}],
            }
        ],
        "columns": 7,
        "extra_columns": [],
        "notes": [],
    }


def test_failures_as_problems() -> None:
    sample = {"row": 7, "value": "'x'"}
    several = Failure("seats", "is of another type", 2, "a whole number", (sample,))
    assert str(several.problem()) == (
        "seats: is of another type in 2 rows; expected a whole number, found 'x' (row 7)"
    )
    whole = Failure("", "there are too few rows", 0, "at least 4 rows")
    assert str(whole.problem()) == "there are too few rows; expected at least 4 rows"


def test_nothing_examined_has_not_passed() -> None:
    assert not Validation(0, 0, (), (), None, None, 7).passed
