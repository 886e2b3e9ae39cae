"""Bodies that are made to be costly are refused in about the time that it takes to look at them."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from taxiway.core.contract import Column
from taxiway.core.errors import InputError
from taxiway.serving import inference
from taxiway.serving.bodies import CSV, JSON, Body, TooLargeError, read_csv, read_json
from taxiway.serving.protocols import NATIVE, PROTOCOLS
from taxiway.serving.records import MOST_PROBLEMS, read_records

from .conftest import CONTRACT, RECORD

SECONDS = 10.0
"""Each of these took minutes, or gigabytes; on a machine with nothing else to do it is a tenth of a
second now."""


def in_time(refused: Callable[[], Any]) -> InputError:
    began = time.monotonic()
    with pytest.raises(InputError) as error:
        refused()
    assert time.monotonic() - began < SECONDS
    assert len(str(error.value)) < 30_000
    return error.value


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (read_json, b"[" + b"[]," * 1_000_000 + b"[]]"),
        (read_json, b"[" + b'{"a":1},' * 1_000_000 + b"{}]"),
        (read_json, b'{"a":[' + b"0," * 1_000_000 + b"0]}"),
        (read_csv, b"a\n" + b"1\n" * 1_000_000),
        (read_csv, b"ab," * 1_000_001),
        (read_csv, b"a\r" * 1_000_001),
    ],
)
def test_more_values_than_records_can_have_are_not_read(
    read: Callable[[bytes], Any], body: bytes
) -> None:
    refused = in_time(lambda: read(body))
    assert isinstance(refused, TooLargeError)
    assert "at most 1,000,000" in str(refused)


def test_names_are_counted_in_one_pass() -> None:
    many = 400_000
    assert "twice" in str(in_time(lambda: read_csv(b"ab," * many + b"ab\n")))
    twice = b"{" + b",".join(b'"ab":1' for _ in range(many)) + b"}"
    assert "more than once" in str(in_time(lambda: read_json(twice)))
    split = {"dataframe_split": {"columns": ["ab"] * many, "data": []}}
    read = PROTOCOLS["/invocations"].read
    assert "twice" in str(in_time(lambda: read(Body(JSON, split), CONTRACT)))


@pytest.mark.parametrize(
    "given",
    [
        {**RECORD, **{f"amuont{number}": 1 for number in range(400_000)}},
        {**RECORD, "a" * 4_000_000: 1, "b" * 4_000_000: 2},
        [{f"amuont{number}": 1} for number in range(10_000)],
        [[]] * 10_000,
    ],
)
def test_so_many_problems_are_looked_for_and_no_more(given: Any) -> None:
    refused = in_time(lambda: read_records(given, CONTRACT))
    assert len(refused.problems) <= MOST_PROBLEMS
    assert len(refused.problems) < MOST_PROBLEMS or "more than 100" in refused.headline


def test_tensors_without_a_name_are_not_all_told() -> None:
    refused = in_time(lambda: inference.records({"inputs": [{}] * 300_000}, CONTRACT))
    assert len(refused.problems) == MOST_PROBLEMS


@pytest.mark.parametrize("text", ["1" * 130_000 + "x", "1" * 60_000 + "." * 60_000, "9" * 130_000])
def test_a_field_that_is_nearly_a_number_is_read_in_one_pass(text: str) -> None:
    fields = {**RECORD, "amount": text}
    sent = (",".join(fields) + "\n" + ",".join(map(str, fields.values())) + "\n").encode()
    refused = in_time(lambda: NATIVE.read(Body(CSV, read_csv(sent)), CONTRACT))
    assert any(problem.where == "[0].amount" for problem in refused.problems)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(?:A*)*B$", "A" * 40),
        (r"^(A|AA)+B$", "A" * 90),
        (r"^A*A*A*A*B$", "A" * 5_000),
        (r"^[A-Z]*[A-Z0-9]*[0-9]*-$", "A" * 20_000),
    ],
)
def test_a_pattern_takes_no_longer_for_a_text_that_nearly_matches(pattern: str, text: str) -> None:
    column = Column("code", "string", pattern=pattern)
    contract = dataclasses.replace(CONTRACT, columns=(column,))
    refused = in_time(lambda: read_records({"code": text}, contract))
    assert "pattern" in refused.problems[0].what


@pytest.mark.parametrize("records", [10_001, 300_000])
@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "instances", "inputs"])
def test_every_form_counts_its_records_before_it_makes_them(form: str, records: int) -> None:
    content: Any = [{"amount": 1}] * records
    if form == "dataframe_split":
        content = {"columns": ["amount"], "data": [[1]] * records}
    elif form == "inputs":
        content = {"amount": [1] * records}
    body = Body(JSON, json.loads(json.dumps({form: content})))
    refused = in_time(lambda: PROTOCOLS["/invocations"].read(body, CONTRACT))
    assert f"{records:,} records" in refused.headline
