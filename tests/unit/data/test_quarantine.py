"""Quarantine: each row is used or set aside with all its reasons, and none is both or neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.data.quarantine import Limit, Portion, portions, require_within
from taxiway.data.source import open_source
from taxiway.data.source import rows as module
from taxiway.data.validation import examine

Trips = Callable[..., Path]
GOOD = ("001", "2013-03-01T10:00:00Z", "A", "40", "2.5", "false", "12")


def rows(count: int, **changed: tuple[int, str]) -> list[list[str]]:
    """Good rows with codes of their own; `name=(row, value)` changes one."""
    header = ("code", "at", "line", "seats", "fare", "night", "delay")
    made = [[f"{n:03}", *GOOD[1:]] for n in range(1, count + 1)]
    for name, (row, value) in changed.items():
        made[row - 1][header.index(name)] = value
    return made


def sorted_out(path: Path, contract: Contract) -> list[Portion]:
    source = open_source(path)
    _, marks = examine(source, contract)
    return list(portions(source, contract, marks))


def test_rows_are_parted_with_their_numbers_and_reasons(trips: Trips, contract: Contract) -> None:
    made = rows(6, line=(2, "C"), seats=(2, "91"), code=(5, "004"), fare=(6, "free"))
    (part,) = sorted_out(trips(rows=made), contract)
    assert part.numbers == [1, 3]
    assert part.sound["code"].to_list() == ["001", "003"]
    assert part.sound["seats"].dtype == pl.Int64
    assert part.broken.columns[:3] == ["row", "reasons", "code"]
    assert part.broken["row"].to_list() == [2, 4, 5, 6]
    reasons = part.broken["reasons"].to_list()
    assert reasons[0] == (
        "line is not an allowed value, expected one of A, B; seats is too large, expected at most"
        " 90"
    )
    assert reasons[1] == reasons[2] == "code, at: the key repeats"
    assert reasons[3].startswith("fare is of another type, expected a number")
    assert part.broken["fare"].to_list()[3] == "free"  # as it stands in the source


def test_a_row_that_is_cut_off_says_so(write: Trips, contract: Contract) -> None:
    (part,) = sorted_out(
        write(
            "code,at,line,seats,fare,night,delay\n"
            "001,2013-03-01T10:00:00Z,A,40,2.5,false,12\n"
            "002,2013-03-01T10:00:00Z,A,40\n"
        ),
        contract,
    )
    assert part.broken["reasons"].to_list() == ["the row is cut off, it has 4 fields of 7"]


def test_a_source_s_own_columns_keep_their_names(write: Trips, contract: Contract) -> None:
    frame = pl.DataFrame(
        {"row": [7], "code": ["1"], "at": [None], "line": ["A"], "seats": [1], "fare": [None]}
        | {"night": [None], "delay": [None]},
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )
    path = write(b"", "trips.parquet")
    frame.write_parquet(path)
    (part,) = sorted_out(path, contract)
    assert part.broken.columns[:3] == ["row_", "reasons", "row"]
    assert part.broken.row(0)[:3] == (1, part.broken["reasons"][0], 7)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_every_row_is_used_or_set_aside_whatever_the_batches(
    trips: Trips, contract: Contract, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", size)
    made = rows(20, line=(13, "C"), code=(20, "004"))
    parts = sorted_out(trips(rows=made), contract)
    used = [n for part in parts for n in part.numbers]
    aside = [n for part in parts for n in part.broken["row"]]
    assert aside == [4, 13, 20]
    assert used == [n for n in range(1, 21) if n not in aside]
    assert sum(part.sound.height for part in parts) == 17
    assert len({tuple(part.broken.schema.items()) for part in parts}) == 1


# The limit


@pytest.mark.parametrize(
    ("text", "broken", "rows_", "allowed"),
    [
        ("0", 0, 10, True),
        ("0", 1, 10, False),
        ("3", 3, 10, True),
        ("1%", 1, 100, True),
        ("1%", 2, 100, False),
        ("0.1%", 1, 1000, True),
        ("100%", 10, 10, True),
    ],
)
def test_limits(text: str, broken: int, rows_: int, allowed: bool) -> None:
    assert Limit.read(text).allows(broken=broken, rows=rows_) is allowed


@pytest.mark.parametrize("text", ["", "%", "-1", "1.5", "101%", "nan%", "many", "1 %%"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(InputError, match="is no limit; expected a number of rows"):
        Limit.read(text)


def require(path: Path, contract: Contract, limit: str) -> None:
    source = open_source(path)
    validation, _ = examine(source, contract)
    require_within(source, validation, Limit.read(limit), so="Nothing was decided.")


def test_more_than_the_limit_is_refused_with_all_failures(trips: Trips, contract: Contract) -> None:
    path = trips(rows=rows(4, line=(2, "C"), seats=(3, "-1")))
    require(path, contract, "50%")
    with pytest.raises(
        InputError, match=r"2 of 4 rows fail. At most 1 may be set aside. Nothing was decided"
    ) as caught:
        require(path, contract, "1")
    assert [problem.where for problem in caught.value.problems] == ["line", "seats"]


def test_a_missing_column_is_no_matter_of_rows(write: Trips, contract: Contract) -> None:
    path = write("code,at\n001,2013-03-01T10:00:00Z\n")
    with pytest.raises(InputError, match="does not hold its contract"):
        require(path, contract, "100%")


def test_if_no_row_is_left_nothing_is_done(trips: Trips, contract: Contract) -> None:
    with pytest.raises(InputError, match=r"1 of 1 rows fail. Nothing was decided"):
        require(trips(rows=rows(1, line=(1, "C"))), contract, "100%")


def test_good_rows_need_no_limit(trips: Trips, contract: Contract) -> None:
    (part,) = sorted_out(trips(), contract)
    assert part.broken.height == 0
    assert part.broken.columns[:2] == ["row", "reasons"]
    require(trips(), contract, "0")
