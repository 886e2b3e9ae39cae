from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from taxiway.core.contract import Column, Contract
from taxiway.core.decision import Decision, record_key
from taxiway.core.errors import ConflictError, InputError, RefusedError
from taxiway.core.kind import CLASSIFICATION, REGRESSION
from taxiway.core.ports import Actor, Desk
from taxiway.data.label import label
from taxiway.monitoring.outcomes import Joined, add_outcomes

START = datetime(2013, 3, 1, tzinfo=UTC)
CONTRACT = Contract(
    id="flights",
    version="1",
    description="flights",
    table="flights",
    columns=(
        Column("at", "timestamp", key=True),
        Column("flight", "integer", key=True),
        Column("arr_delay", "number", nullable=True),
    ),
    moments=("scheduling", "arrival"),
    decision_at="scheduling",
    event_time="at",
)


def landed(delays: list[float | None], *, first: int = 0) -> pl.DataFrame:
    hours = [START + timedelta(hours=first + hour) for hour in range(len(delays))]
    return pl.DataFrame(
        {
            "at": pl.Series(hours, dtype=pl.Datetime("us", "UTC")),
            "flight": pl.Series(range(len(delays)), dtype=pl.Int64),
            "arr_delay": pl.Series(delays, dtype=pl.Float64),
        }
    )


def decided(desk: Desk, hours: int) -> None:
    desk.decisions.append(
        [
            Decision(
                f"{hour:03d}",
                "flight-delays",
                "flight-delays:1",
                "sha256:0",
                "prod",
                "http",
                record_key({"at": START + timedelta(hours=hour), "flight": hour}, CONTRACT.key),
                START + timedelta(hours=hour),
                START,
                {},
                {},
                10,
            )
            for hour in range(hours)
        ]
    )


def add(desk: Desk, frame: pl.DataFrame, **changes: Any) -> Joined:
    arguments: dict[str, Any] = {
        "model": "flight-delays",
        "contract": CONTRACT,
        "target": "late",
        "label": lambda rows: label(rows, "arr_delay > 15"),
        "kind": CLASSIFICATION,
        "source": "march.parquet",
        "digest": "sha256:ab",
    }
    return add_outcomes(desk, frame=frame, **{**arguments, **changes})


def test_labels_come_from_the_definition_and_find_their_decisions(engineer: Desk) -> None:
    decided(engineer, 4)
    joined = add(engineer, landed([20.0, -3.0, None]))
    assert (joined.rows, joined.with_label, joined.added, joined.known) == (3, 2, 2, 0)
    # The file is about the first three hours; the third flight was cancelled.
    assert (joined.decisions, joined.unmatched) == (3, 0)
    assert joined.coverage == pytest.approx(2 / 3)
    key = '{"at":"2013-03-01T00:00:00.000000Z","flight":0}'
    assert engineer.decisions.outcomes("flight-delays")[key] is True


def test_a_target_that_is_there_by_name_is_taken_as_it_is(engineer: Desk) -> None:
    decided(engineer, 2)
    frame = landed([20.0, 20.0]).with_columns(late=pl.Series([False, None], dtype=pl.Boolean))
    joined = add(engineer, frame.drop("arr_delay"))
    assert joined.with_label == 1
    assert list(engineer.decisions.outcomes("flight-delays").values()) == [False]


def test_the_ledger_tells_of_the_file(engineer: Desk) -> None:
    decided(engineer, 1)
    add(engineer, landed([20.0]))
    [event] = engineer.record.events()
    assert (event.action, event.subject, event.digest) == (
        "outcomes.added",
        "march.parquet",
        "sha256:ab",
    )
    assert (event.details["added"], event.details["coverage"]) == (1, 1.0)


def test_adding_a_file_again_changes_nothing(engineer: Desk) -> None:
    decided(engineer, 2)
    add(engineer, landed([20.0, 3.0]))
    again = add(engineer, landed([20.0, 3.0]))
    assert (again.added, again.known, again.coverage) == (0, 2, 1.0)


def test_outcomes_of_nobody_s_decision_are_counted_and_kept(engineer: Desk) -> None:
    decided(engineer, 1)
    joined = add(engineer, landed([20.0, 3.0]))
    assert (joined.added, joined.unmatched) == (2, 1)


def test_an_outcome_that_contradicts_the_known_one_is_refused_by_key(engineer: Desk) -> None:
    decided(engineer, 2)
    add(engineer, landed([20.0, 3.0]))
    with pytest.raises(ConflictError, match="1 of 2 outcomes are already known") as error:
        add(engineer, landed([20.0, 30.0]))
    assert '"flight":1' in str(error.value)
    assert list(engineer.decisions.outcomes("flight-delays").values()) == [True, False]
    assert len(list(engineer.record.events())) == 1


def test_a_key_with_two_outcomes_in_one_file_is_refused(engineer: Desk) -> None:
    frame = pl.concat([landed([20.0]), landed([3.0])])
    with pytest.raises(InputError, match=r'two outcomes in one file: \{"at":"2013'):
        add(engineer, frame)


def test_everything_that_is_wrong_is_said_at_once(engineer: Desk) -> None:
    frame = landed([20.0]).clear().rename({"flight": "flihgt"})
    frame = frame.with_columns(late=pl.lit(1), at=pl.lit("2013-03-01"))
    with pytest.raises(InputError, match="can't be joined") as error:
        add(engineer, frame)
    text = str(error.value)
    assert "key column 'flight' is missing" in text
    assert "Did you mean 'flihgt'?" in text
    assert "no rows" in text
    assert "expected true or false, found Int32" in text
    assert "key column 'at' has another type; expected timestamp, found String" in text


def test_a_time_without_a_zone_is_refused(engineer: Desk) -> None:
    frame = landed([20.0]).with_columns(pl.col("at").dt.replace_time_zone(None))
    with pytest.raises(InputError, match="expected timestamp, found Datetime"):
        add(engineer, frame)


def test_a_dry_run_says_the_same_and_writes_nothing(engineer: Desk) -> None:
    decided(engineer, 2)
    joined = add(engineer, landed([20.0, 3.0]), dry_run=True)
    assert (joined.added, joined.coverage) == (2, 1.0)
    assert engineer.decisions.outcomes("flight-delays") == {}
    assert list(engineer.record.events()) == []


def test_an_auditor_adds_no_outcomes(desk: Desk) -> None:
    auditor = Actor("flights-auditor", ("auditor",), lambda _: "")
    with pytest.raises(RefusedError, match="takes the role owner or developer or engineer"):
        add(dataclasses.replace(desk, actor=auditor), landed([20.0]))


def test_outcomes_of_a_number_are_numbers(engineer: Desk) -> None:
    decided(engineer, 3)
    number: dict[str, Any] = {
        "kind": REGRESSION,
        "target": "arr_delay",
        "label": lambda rows: label(rows, "arr_delay", "number"),
    }
    joined = add(engineer, landed([20.5, float("nan"), 3.0]), **number)
    assert (joined.added, joined.with_label) == (2, 2)
    assert sorted(engineer.decisions.outcomes("flight-delays").values()) == [3.0, 20.5]
    named = landed([1.0]).with_columns(minutes=pl.lit("late"))
    with pytest.raises(InputError, match="expected a number, found String"):
        add(engineer, named, **{**number, "target": "minutes"})
