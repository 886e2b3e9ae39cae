"""The contract as a record."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.core.contract import TYPES, Column, Contract, contract_from
from taxiway.core.digest import canonical_json
from taxiway.core.errors import MissingError

MOMENTS = ("booking", "departure", "arrival")
CONTRACT = Contract(
    id="flights",
    version="1.0.0",
    description="Flights from New York.",
    table="flights",
    columns=(
        Column("at", "timestamp", key=True),
        Column("origin", "string", values=("JFK", "LGA")),
        Column("flight", "integer", key=True, minimum=1),
        Column("wind", "number", nullable=True, known_at="departure", unit="m/s"),
        Column("delay", "number", nullable=True, known_at="arrival"),
    ),
    moments=MOMENTS,
    decision_at="departure",
    event_time="at",
)

words = st.text(max_size=10)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
columns = st.builds(
    Column,
    name=words,
    type=st.sampled_from(TYPES),
    description=words,
    nullable=st.booleans(),
    key=st.booleans(),
    unique=st.booleans(),
    minimum=st.none() | numbers | words,
    maximum=st.none() | numbers | words,
    pattern=st.none() | words,
    minimum_length=st.none() | st.integers(0, 99),
    maximum_length=st.none() | st.integers(0, 99),
    values=st.lists(words | st.integers(), max_size=3).map(tuple),
    unit=st.none() | words,
    known_at=st.none() | st.sampled_from(MOMENTS),
    personal=st.booleans(),
    protected=st.booleans(),
    examples=st.lists(words | numbers | st.booleans(), max_size=3).map(tuple),
)
contracts = st.builds(
    Contract,
    id=words,
    version=words,
    description=words,
    table=words,
    columns=st.lists(columns, max_size=4).map(tuple),
    moments=st.just(MOMENTS),
    decision_at=st.sampled_from(MOMENTS),
    event_time=words,
    owner=words,
    freshness_hours=st.none() | st.floats(0, 1e6),
    minimum_rows=st.integers(0),
)


@settings(max_examples=40)
@given(contract=contracts)
def test_canonical_json_and_back(contract: Contract) -> None:
    back = contract_from(json.loads(canonical_json(contract)))
    assert back == contract
    assert back.digest == contract.digest
    assert canonical_json(back) == canonical_json(contract)


@settings(max_examples=40)
@given(contract=contracts)
def test_a_contract_from_its_json_is_hashable_like_any_other(contract: Contract) -> None:
    assert hash(contract_from(json.loads(canonical_json(contract)))) == hash(contract)


def test_names_and_key_keep_the_order_of_the_contract() -> None:
    assert CONTRACT.names == ("at", "origin", "flight", "wind", "delay")
    assert CONTRACT.key == ("at", "flight")


def test_a_column_by_its_name() -> None:
    assert CONTRACT.column("wind").unit == "m/s"
    with pytest.raises(
        MissingError, match=r"No column in contract flights named 'orgin'\. Did you mean 'origin'"
    ):
        CONTRACT.column("orgin")


@pytest.mark.parametrize(
    ("decision_at", "known"),
    [
        ("booking", {"at", "origin", "flight"}),
        ("departure", {"at", "origin", "flight", "wind"}),
        ("arrival", {"at", "origin", "flight", "wind", "delay"}),
    ],
)
def test_what_is_known_when_the_model_has_to_answer(decision_at: str, known: set[str]) -> None:
    contract = dataclasses.replace(CONTRACT, decision_at=decision_at)
    assert {name for name in contract.names if contract.is_known(name)} == known


def test_a_column_without_a_moment_is_known_from_the_first_on() -> None:
    assert CONTRACT.known_at("origin") == "booking"
    assert CONTRACT.known_at("delay") == "arrival"
    with pytest.raises(MissingError, match="No column in contract flights named 'late'"):
        CONTRACT.is_known("late")


def test_only_some_of_the_columns() -> None:
    some = CONTRACT.only(["delay", "at", "nothing"])
    assert some.names == ("at", "delay")
    assert some == dataclasses.replace(CONTRACT, columns=some.columns)
    assert CONTRACT.only([]).names == ()
    assert CONTRACT.only(reversed(CONTRACT.names)) == CONTRACT


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Column)])
def test_every_property_of_a_column_is_in_the_digest(field: str) -> None:
    column = CONTRACT.columns[1]
    value = getattr(column, field)
    other: Any = {bool: not value, tuple: ("other",)}.get(type(value), "other")
    changed = dataclasses.replace(column, **{field: other})
    columns = (CONTRACT.columns[0], changed, *CONTRACT.columns[2:])
    assert dataclasses.replace(CONTRACT, columns=columns).digest != CONTRACT.digest
