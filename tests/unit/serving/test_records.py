"""Records from outside: everything that is wrong is said at once, and nothing is coerced."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import polars as pl
import pytest

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError
from taxiway.data.column_types import read_as
from taxiway.data.frame import plain_records
from taxiway.serving.records import MOST_RECORDS, PLAIN_PATTERN, POSSESSIVE, read_records
from taxiway.serving.typed import read_typed

from .conftest import CONTRACT, RECORD


def problems(body: Any) -> list[str]:
    with pytest.raises(InputError, match=r"record") as caught:
        read_records(body, CONTRACT)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_record_is_taken_as_it_is() -> None:
    assert read_records(RECORD, CONTRACT) == [RECORD]
    assert read_records([RECORD, RECORD], CONTRACT) == [RECORD, RECORD]


def test_what_may_be_missing_is_null() -> None:
    lean = {k: v for k, v in RECORD.items() if k not in {"born", "code", "iban", "risky"}}
    (found,) = read_records(lean, CONTRACT)
    assert (found["born"], found["code"], found["risky"]) == (None, None, None)
    assert list(found) == list(CONTRACT.names)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"asked_at": "2026-11-01T10:00:00+02:00"}, {"asked_at": "2026-11-01T08:00:00.000000Z"}),
        ({"asked_at": "2026-11-01T08:00:00.5Z"}, {"asked_at": "2026-11-01T08:00:00.500000Z"}),
        ({"amount": 5}, {"amount": 5.0}),
        ({"id": 7.0}, {"id": 7}),
    ],
)
def test_the_same_value_written_in_another_way_is_kept_in_one_way(
    sent: dict[str, Any], kept: dict[str, Any]
) -> None:
    (found,) = read_records(RECORD | sent, CONTRACT)
    assert found == RECORD | kept
    assert all(type(found[name]) is type(value) for name, value in kept.items())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "7"}, 'id: is of another type; expected a whole number.*found the text "7"'),
        ({"id": 7.5}, "id: is of another type.*found the number 7.5"),
        ({"id": True}, "id: is of another type.*found true"),
        ({"id": 2**63}, "id: is of another type.*64 bits"),
        ({"id": None}, "id: is missing"),
        ({"id": 0}, "id: is too small; expected at least 1, found 0"),
        ({"amount": "12"}, "amount: is of another type"),
        ({"amount": False}, "amount: is of another type"),
        ({"amount": 1000.1}, "amount: is too large; expected at most 1000"),
        ({"amount": float("inf")}, "amount: is of another type; expected a finite number"),
        ({"amount": 2**60}, "amount: is of another type"),
        ({"risky": 1}, "risky: is of another type; expected true or false"),
        ({"risky": "yes"}, "risky: is of another type"),
        ({"region": "west"}, "region: is not an allowed value; expected one of north, south"),
        ({"region": ["north"]}, "region: is of another type.*a list of 1"),
        ({"code": "a1"}, r"code: does not match its pattern"),
        ({"code": "A1\n"}, "code: does not match its pattern"),
        ({"code": "A12"}, "code: is too long; expected at most 2 characters"),
        ({"iban": "DE1"}, r"iban: is too short; expected at least 5.*found \(personal\)"),
        ({"born": "29.02.1980"}, "born: is of another type; expected a date"),
        ({"born": "1981-02-29"}, "born: is of another type"),
        ({"born": "20110101"}, "born: is of another type"),
        ({"born": "2011-01-01"}, "born: is too large; expected at most 2010-12-31"),
        ({"asked_at": "2026-11-01T08:00:00"}, "asked_at: is of another type.*with its offset"),
        ({"asked_at": "2026-11-01"}, "asked_at: is of another type"),
        ({"asked_at": 1762000000}, "asked_at: is of another type"),
        ({"asked_at": "2026-11-01T08:00:00.1234567Z"}, "asked_at: is of another type"),
        ({"asked_at": "0001-01-01T00:00:00+14:00"}, "asked_at: is of another type"),
        ({"asked_at": "2019-12-31T23:59:59Z"}, "asked_at: is too small"),
        ({"regoin": "north"}, "regoin: is no input of this model. Did you mean 'region'?"),
        ({"x" * 500: 1}, r"x{200}… \(500 characters\): is no input"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(change: dict[str, Any], says: str) -> None:
    found = problems(RECORD | change)
    assert len(found) == (2 if len(str(change.get("code"))) == 3 else 1)
    assert any(re.match(says, text) for text in found), found


def test_every_problem_of_every_record_is_said_with_its_place() -> None:
    bad = RECORD | {"id": 0, "amount": -1, "region": "west"}
    found = problems([RECORD, bad, 5, None, []])
    assert [text.partition(":")[0] for text in found] == [
        "[1].id",
        "[1].amount",
        "[1].region",
        "[2]",
        "[3]",
        "[4]",
    ]
    with pytest.raises(InputError, match="4 of 5 records can't be used: 6 problems"):
        read_records([RECORD, bad, 5, None, []], CONTRACT)


def test_a_personal_value_is_never_repeated() -> None:
    assert all("DE1" not in text for text in problems(RECORD | {"iban": "DE1"}))
    assert all("4711" not in text for text in problems(RECORD | {"iban": 4711}))


@pytest.mark.parametrize("body", ["text", 5, None, True])
def test_what_is_no_record_is_refused(body: Any) -> None:
    assert "is no record" in problems(body)[0]


def test_an_empty_list_and_too_long_a_list_are_refused() -> None:
    with pytest.raises(InputError, match="no record in the list"):
        read_records([], CONTRACT)
    with pytest.raises(InputError, match=r"10,001 records; one request takes at most 10,000"):
        read_records([RECORD] * (MOST_RECORDS + 1), CONTRACT)


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        ("^[A-Z]{2}$", True),
        ("^[A-Z0-9]{1,3}(?:-[a-z]+)?$", True),
        ("a|b", True),
        ("^(north|south)$", True),
        (r"^\d+$", False),
        ("(?i)abc", False),
        ("a++b", False),
        ("[^a]", False),
        ("a$b", False),
        ("é", False),
    ],
)
def test_only_patterns_that_both_engines_read_alike_are_judged_by_python_s(
    pattern: str, plain: bool
) -> None:
    is_plain = bool(PLAIN_PATTERN.fullmatch(pattern)) and not POSSESSIVE.search(pattern)
    assert is_plain is plain


def test_values_that_stand_for_none_are_none_as_in_training() -> None:
    """The same values by the endpoint, and by the frames that training and batches read."""
    sentinels: dict[str, tuple[Any, ...]] = {
        "n": (-9999, "unknown"),
        "x": (-1, "n/a"),
        "s": ("unknown",),
        "d": ("1900-01-01",),
    }
    types = {"n": "integer", "x": "number", "s": "string", "d": "date"}
    columns = tuple(
        Column(name, types[name], nullable=True, sentinels=sentinels[name]) for name in types
    )
    contract = Contract("t", "1", "", "t", columns, ("now",), "now", "d")
    sent = [
        {"n": -9999, "x": -1, "s": "unknown", "d": "1900-01-01"},
        {"n": "unknown", "x": -1.0, "s": "n/a", "d": "2026-03-01"},
        {"n": 1, "x": "n/a", "s": "-9999", "d": None},
    ]
    body = json.dumps(sent).encode()
    assert read_typed(body, contract) is None
    assert read_records(sent, contract) == [
        {"n": None, "x": None, "s": None, "d": None},
        {"n": None, "x": None, "s": "n/a", "d": "2026-03-01"},
        {"n": 1, "x": None, "s": "-9999", "d": None},
    ]
    text = pl.DataFrame(
        [{k: None if v is None else str(v) for k, v in one.items()} for one in sent]
    )
    read = text.select(
        read_as(column, pl.col(column.name), None).alias(column.name) for column in columns
    )
    assert plain_records(read) == read_records(sent, contract)
    needed = dataclasses.replace(
        contract, columns=(dataclasses.replace(columns[0], nullable=False),), event_time="n"
    )
    with pytest.raises(InputError, match="is missing"):
        read_records({"n": "unknown"}, needed)
