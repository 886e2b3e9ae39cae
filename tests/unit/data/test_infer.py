"""Drafts: what columns seem to be, and what a draft doesn't dare to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from taxiway.data.infer import Draft, Guess, draft
from taxiway.data.source import open_source
from taxiway.data.validation import validate

Write = Callable[..., Path]
N = 200


@pytest.fixture
def drafted(write: Write) -> Callable[..., Guess]:
    """The draft of a column of text, beside a column that tells rows apart."""

    def drafting(values: Sequence[object], name: str = "x") -> Guess:
        frame = pl.DataFrame({"row_id": range(len(values)), name: [str(v) for v in values]})
        found = draft(open_source(write(frame.write_csv(), "x.csv")))
        return found.columns[1]

    return drafting


def why(guess: Guess) -> str:
    return "; ".join(guess.reasons)


@pytest.mark.parametrize(
    ("values", "type", "reason"),
    [
        ([f"{n:03}" for n in range(N)], "string", "begin with 0"),
        (range(10_000, 10_000 + N), "integer", "whole numbers"),
        ([n / 7 for n in range(N)], "number", "numbers"),
        ([2**64 + n for n in range(N)], "string", "more than 64 bits"),
        (["true", "False"] * N, "boolean", "true and false"),
        (["yes", "no"] * N, "string", "a yes or no"),
        (["red", "green", "blue"] * N, "string", "3 values in 600 rows"),
        ([f"{n} kg" for n in range(N)], "string", "with their unit in the text (kg)"),
        ([f"${n},{n % 900 + 100}.50" for n in range(1, N)], "string", "a sign of money"),
        ([f"{n}.{n % 900 + 100}.000" for n in range(1, N)], "string", "a mark between thousands"),
        (["2019Q1", "2019Q2", "2020Q1"] * N, "string", "later ones will come"),
        (["2019-01", "2019-02", "2020-11"] * N, "string", "later ones will come"),
        ([""] * N, "string", "no value in any row"),
    ],
)
def test_types(drafted: Callable[..., Guess], values: list[object], type: str, reason: str) -> None:
    found = drafted(values)
    assert (found.column.type, reason in why(found)) == (type, True), found


def test_a_code_by_its_name(drafted: Callable[..., Guess]) -> None:
    found = drafted(range(10_000, 10_000 + N), "zip_code")
    assert found.column.type == "string"
    assert found.column.pattern == "^[0-9]{5}$"
    assert found.confidence < 0.9


DAYS = [date(1969, 3, 1) + timedelta(days=9 * n) for n in range(N)]


@pytest.mark.parametrize(
    "format", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%Y%m%d", "%B %d, %Y"]
)
def test_dates_in_many_formats(drafted: Callable[..., Guess], format: str) -> None:
    values = [f'"{day:{format}}"' if "," in format else f"{day:{format}}" for day in DAYS]
    values = [value.strip('"') for value in values]
    found = drafted(values)
    assert found.column.type == "date"
    assert (found.column.format or "%Y-%m-%d") == format
    assert found.confidence > 0.9


def test_day_and_month_that_could_be_the_other_way_round(drafted: Callable[..., Guess]) -> None:
    values = [f"{1 + n % 12:02}/{1 + n % 11:02}/2013" for n in range(N)]
    found = drafted(values)
    assert found.column.type == "date"
    assert found.confidence == 0.5
    assert "may be the other way round" in why(found)


def test_five_formats_in_one_column_stay_text(drafted: Callable[..., Guess]) -> None:
    formats = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y", "%Y/%m/%d"]
    values = [f"{day:{formats[n % 5]}}" for n, day in enumerate(DAYS)]
    found = drafted(values)
    assert found.column.type == "string"
    assert "dates that are spelled in" in why(found)


@pytest.mark.parametrize(
    ("spelled", "format", "timezone"),
    [
        ("{}T05:00:00Z", None, None),
        ("{}T05:00:00.123+02:00", None, None),
        ("{} 05:00:00", None, "UTC"),
        ("{}T05:00:00", None, "UTC"),
        ("{} 05:00", "%Y-%m-%d %H:%M", "UTC"),
    ],
)
def test_times(
    drafted: Callable[..., Guess], spelled: str, format: str | None, timezone: str | None
) -> None:
    found = drafted([spelled.format(day) for day in DAYS], "at")
    assert (found.column.type, found.column.format, found.column.timezone) == (
        "timestamp",
        format,
        timezone,
    )
    assert ("UTC is a guess" in why(found)) == bool(timezone)


@pytest.mark.parametrize(
    ("values", "sentinels"),
    [
        ([*range(N), *[-9999] * 9], (-9999,)),
        ([*range(N), *[999999] * 9], (999999,)),
        ([*range(N), *["unknown"] * 9], ("unknown",)),
        ([*range(N), *["N/A"] * 9, *["-"] * 3], ("-", "N/A")),
        ([*[n / 3 for n in range(N)], *[-999.0] * 9], (-999,)),
        ([*range(3, N), *[-1] * 9], (-1,)),
        ([*["red", "green"] * N, *["unknown"] * 20], ("unknown",)),
        ([*DAYS, *["1900-01-01"] * 30], ("1900-01-01",)),
        ([*DAYS, *["9999-12-31"] * 30], ("9999-12-31",)),
    ],
)
def test_sentinels(
    drafted: Callable[..., Guess], values: list[object], sentinels: tuple[object, ...]
) -> None:
    found = drafted(values)
    assert found.column.sentinels == sentinels
    assert found.column.nullable
    assert all(str(sentinel) in why(found) for sentinel in sentinels)


@pytest.mark.parametrize(
    "values",
    [
        range(-150, 150),
        [n * 1.5 for n in range(9_000)],
        [*range(90, 110)] * 9,
        [-1, 0, 1] * N,
        ["none of these", "some"] * N,
        [date(1899, 1, 1) + timedelta(days=31 * n) for n in range(N * 4)],
        [999] * N,
        [n % 1000 for n in range(5000)],
        [date(1970 + n % 13, 1, 1) for n in range(N)],
    ],
)
def test_no_sentinels(drafted: Callable[..., Guess], values: Sequence[object]) -> None:
    assert drafted(values).column.sentinels is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [("distance_km", "km"), ("price_eur", "EUR"), ("tempC", "°C"), ("km", "km"), ("m", None)],
)
def test_units_by_name(drafted: Callable[..., Guess], name: str, unit: str | None) -> None:
    assert drafted(range(N), name).column.unit == unit


def test_a_least_value_is_no_minute(write: Write) -> None:
    names = ["temp_min", "temp_max", "wait_min", "score_a", "score_c", "tank_c"]
    rows = [[n % 40 + at for n in range(N)] for at, _ in enumerate(names)]
    found = of(pl.DataFrame(rows, schema=names), write)
    units = {g.name: g.column.unit for g in found.columns if g.column.unit}
    assert units == {"temp_min": "°C", "temp_max": "°C", "wait_min": "min", "tank_c": "°C"}


def test_degrees_by_value(drafted: Callable[..., Guess]) -> None:
    assert drafted([10 + n % 25 for n in range(N)], "temp").column.unit == "°C"
    assert drafted([30 + n % 70 for n in range(N)], "temp").column.unit == "°F"


def test_personal_and_protected(drafted: Callable[..., Guess]) -> None:
    assert drafted(["Ann", "Bo"] * N, "First Name").column.personal
    mails = drafted([f"p{n}@example.org" for n in range(N)], "contact")
    assert mails.column.personal
    assert "p1@" not in why(mails)
    assert not drafted([0, 1] * N, "has_email").column.personal
    assert drafted(["f", "m"] * N, "gender").column.protected
    assert not drafted(range(N), "manage").column.protected


def of(frame: pl.DataFrame, write: Write, **options: object) -> Draft:
    return draft(open_source(write(frame.write_csv(), "x.csv")), **options)  # type: ignore[arg-type]


def test_keys_and_the_time_of_a_row(write: Write) -> None:
    times = [f"2013-01-01T{n % 24:02}:00:00Z" for n in range(72)]
    found = of(
        pl.DataFrame({"n": [n % 5 for n in range(72)], "at": times, "line": list("ABC" * 24)}).sort(
            "line"
        ),
        write,
    )
    assert found.contract.event_time == "at"
    single = of(pl.DataFrame({"v": range(72), "trip_id": range(72)}), write)
    assert single.contract.key == ("trip_id",)
    assert of(pl.DataFrame({"v": [1, 1] * 72}), write).contract.key == ()


def test_what_is_unique_by_chance_is_no_key(write: Write) -> None:
    names = [f"{a}{b}" for a in ("An", "Bo", "Cy") for b in "abcdefghijklmnopqrst"]
    frame = pl.DataFrame(
        {
            "first_name": names,
            "paid": [(n * 7919) % 100_003 for n in range(60)],
            "games": [(n * 37) % 53 for n in range(60)],
            "points": [(n * 61) % 47 for n in range(60)],
        }
    )
    assert of(frame, write).contract.key == ()
    panel = {"site": [n // 20 for n in range(60)], "year": [1990 + n % 20 for n in range(60)]}
    panelled = frame.with_columns(pl.Series(name, values) for name, values in panel.items())
    assert of(panelled, write).contract.key == ("site", "year")


def test_a_number_that_is_the_key_has_no_largest(write: Write) -> None:
    found = of(pl.DataFrame({"row": range(1, N + 1), "v": [n % 7 for n in range(N)]}), write)
    key = found.columns[0]
    assert (found.contract.key, key.column.minimum, key.column.maximum) == (("row",), 0, None)
    assert "room" not in why(key)


def test_text_of_a_typed_file_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    texts = {"day": [str(day) for day in DAYS], "n": [str(n) for n in range(N)]}
    pl.DataFrame(texts).write_parquet(path)
    found = draft(open_source(path))
    assert {g.column.type for g in found.columns} == {"string"}
    assert "only once it is written as one" in why(found.columns[0])
    assert validate(open_source(path), found.contract).passed


def test_what_only_the_last_rows_show_is_taken_back(write: Write) -> None:
    rows = 30_000
    frame = pl.DataFrame({"id": range(rows), "n": range(rows), "c": ["a", "b"] * (rows // 2)})
    text = frame.write_csv() + f"{rows - 1},x,zz\n"
    found = draft(open_source(write(text)), rows=1000)
    assert found.whole
    assert found.rows == rows + 1
    assert found.contract.key == ()
    assert found.contract.column("c").values == ()
    assert "others are not: 'x'" in why(found.columns[1])
    assert "1 of all 30,001 rows are of another type" in why(found.columns[1])
    assert not draft(open_source(write(text)), rows=1000, whole=False).whole


def test_what_was_drafted_holds(write: Write) -> None:
    """Rows hold the contract that was drafted from them."""
    frame = pl.DataFrame(
        {
            "id": [f"{n:05}" for n in range(N)],
            "day": [f"{day:%d.%m.%Y}" for day in DAYS],
            "at": [f"{day} 10:00:00" for day in DAYS],
            "paid": [*[n / 4 for n in range(N - 3)], -9999, -9999, -9999],
            "kind": ["a", "b"] * (N // 2),
            "ok": ["true", ""] * (N // 2),
        },
        strict=False,
    )
    path = write(frame.write_csv(separator=";", decimal_comma=True), "x.csv")
    found = draft(open_source(path))
    checked = validate(open_source(path), found.contract)
    assert checked.passed, checked.failures
    assert found.contract.key == ("id",)
    assert [c.type for c in found.contract.columns] == [
        "string", "date", "timestamp", "number", "string", "boolean",
    ]  # fmt: skip
    assert found.found()["columns"][3]["sentinels"] == [-9999]


@pytest.mark.parametrize("text", ["a\n1\n", 'a\n""\n', "a,b\n,\n1,\n", "ü ß,\t\n1,2\n"])
def test_very_little(write: Write, text: str) -> None:
    assert draft(open_source(write(text))).rows >= 1


def test_typed_files(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame(
        {
            "i": pl.Series([1, None], dtype=pl.Int8),
            "f": [float("nan"), float("inf")],
            "d": [date(1, 1, 1), None],
            "c": pl.Series(["a", "b"], dtype=pl.Categorical),
            "n": [None, None],
            "l": [[1], [2]],
            "u": pl.Series([2**64 - 1, 1], dtype=pl.UInt64),
            "m": pl.Series(["1.10", "2.20"]).str.to_decimal(scale=2),
        }
    ).write_parquet(path)
    types = {g.name: g.column.type for g in draft(open_source(path)).columns}
    assert types == {
        "i": "integer", "f": "number", "d": "date", "c": "string", "n": "string", "l": "string",
        "u": "number", "m": "number",
    }  # fmt: skip
