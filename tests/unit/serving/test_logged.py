"""Decisions are found by what people write of a key, and become tables."""

from __future__ import annotations

import dataclasses
import json

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.contract import Column
from taxiway.core.errors import InputError, MissingError
from taxiway.serving import logged
from taxiway.serving.deciding import Decider
from taxiway.serving.logged import COLUMNS, key_values, table

from .conftest import CONTRACT, RECORD

TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
EVERY = dataclasses.replace(
    CONTRACT, columns=tuple(Column(f"a_{type_}", type_, key=True) for type_ in TYPES)
)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["a_string=x=y"], {"a_string": "x=y"}),
        (["a_integer=11", "a_number=1"], {"a_integer": 11, "a_number": 1.0}),
        (["a_boolean=True", "a_date=2027-03-01"], {"a_boolean": True, "a_date": "2027-03-01"}),
        (["a_timestamp=2027-03-01T10:00:00+01:00"], {"a_timestamp": "2027-03-01T09:00:00.000000Z"}),
        (['{"a_integer": 11, "a_string": "11"}'], {"a_integer": 11, "a_string": "11"}),
        (['{"a_boolean": false, "a_number": 1.5}'], {"a_boolean": False, "a_number": 1.5}),
    ],
)
def test_a_key_as_people_write_it(texts: list[str], values: dict[str, object]) -> None:
    assert key_values(texts, EVERY) == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a_integer=1.5", "a_integer: is no value of it; expected a whole number, found '1.5'"),
        ("a_number=many", "expected a number"),
        ("a_boolean=1", "expected true or false"),
        ("a_date=March", "expected a date such as"),
        ("a_timestamp=2027-03-01T10:00:00", "expected a time with its offset"),
        ('{"a_string": 5}', "expected text, found 5"),
        ('{"a_integer": null}', "expected a whole number"),
        ("a_integer", "is no key; expected name=value, or a JSON object"),
        ("{a_integer", "The key is not JSON"),
    ],
)
def test_what_is_no_key(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        key_values([text], EVERY)
    assert says in str(caught.value)


def test_a_column_that_is_not_in_the_key() -> None:
    with pytest.raises(MissingError, match="No key column named 'idd'"):
        key_values(["idd=7"], CONTRACT)
    with pytest.raises(MissingError, match="No key column named 'amount'"):
        key_values(["amount=7"], CONTRACT)


def test_what_is_found_by_a_key_is_what_was_logged_under_it(
    decider: Decider, log: MemoryDecisions
) -> None:
    decider.decide([RECORD, {**RECORD, "id": 77}])
    (found,) = log.scan("loans", key=key_values(["id=7"], CONTRACT))
    assert found.inputs["id"] == 7


def test_a_table_in_chunks(
    decider: Decider, log: MemoryDecisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged, "CHUNK_ROWS", 2)
    made = decider.decide([{**RECORD, "id": n} for n in range(1, 6)])
    chunks = list(table(log.scan("loans")))
    assert [len(chunk["decision"]) for chunk in chunks] == [2, 2, 1]
    assert [id_ for chunk in chunks for id_ in chunk["decision"]] == [d.id for d in made]
    assert json.loads(chunks[0]["inputs"][0]) == {**RECORD, "id": 1}
    assert json.loads(chunks[0]["reasons"][0]) == made[0].output["reasons"]
    (empty,) = table([])
    assert empty == {name: [] for name in COLUMNS}
