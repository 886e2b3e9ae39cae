"""Contract files: what is read, and everything that is wrong with one at once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from taxiway.adapters.yaml_document import read_document
from taxiway.core.contract import Column, Contract, contract_from
from taxiway.core.document import Document
from taxiway.core.errors import InputError
from taxiway.data.odcs import read_contract

MINIMAL = """\
apiVersion: v3.0.2
kind: DataContract
id: trips
version: 1.0.0
status: active
schema:
  - name: trips
    customProperties:
      - {property: moments, value: [departure, arrival]}
      - {property: decision_at, value: departure}
      - {property: event_time, value: at}
    properties:
      - name: at
        logicalType: timestamp
        required: true
        primaryKey: true
      - name: seats
        logicalType: integer
        logicalTypeOptions: {minimum: 0, maximum: 90}
        customProperties:
          - {property: unit, value: people}
          - {property: known_at, value: arrival}
"""


def read(text: str) -> Contract:
    """The contract in a text, by way of PyYAML's own reader; lines are tested apart."""
    return read_contract(Document(yaml.safe_load(text), {(): 1}, "trips.yaml"))


def problems(text: str) -> str:
    with pytest.raises(
        InputError, match=r"trips.yaml is not a contract that can be kept"
    ) as caught:
        read(text)
    return str(caught.value)


def test_minimal_contract() -> None:
    assert read(MINIMAL) == Contract(
        id="trips",
        version="1.0.0",
        description="",
        table="trips",
        columns=(
            Column("at", "timestamp", key=True),
            Column(
                "seats",
                "integer",
                nullable=True,
                minimum=0,
                maximum=90,
                unit="people",
                known_at="arrival",
            ),
        ),
        moments=("departure", "arrival"),
        decision_at="departure",
        event_time="at",
    )


def test_everything_we_read() -> None:
    document = yaml.safe_load(MINIMAL)
    document["description"] = {
        "purpose": "Planning.",
        "limitations": "No trams.",
        "usage": "Fares.",
    }
    document["team"] = {"members": [{"username": "flights-owner", "role": "owner"}]}
    table = document["schema"][0]
    table["customProperties"] += [
        {"property": "minimum_rows", "value": 5},
        {"property": "freshness_hours", "value": 24},
    ]
    table["properties"].append(
        {
            "name": "line",
            "logicalType": "string",
            "required": True,
            "unique": True,
            "description": " The line. ",
            "logicalTypeOptions": {"pattern": "^[A-Z]$", "minLength": 1, "maxLength": 2},
            "examples": ["A"],
            "customProperties": [
                {"property": "values", "value": ["A", "B"]},
                {"property": "personal", "value": True},
                {"property": "protected", "value": True},
            ],
        }
    )
    contract = read_contract(Document(document))
    assert contract.description == "Planning.\nLimitations: No trams.\nUsage: Fares."
    assert contract.owner == "flights-owner"
    assert (contract.minimum_rows, contract.freshness_hours) == (5, 24)
    assert contract.column("line") == Column(
        "line",
        "string",
        "The line.",
        unique=True,
        pattern="^[A-Z]$",
        minimum_length=1,
        maximum_length=2,
        values=("A", "B"),
        personal=True,
        protected=True,
        examples=("A",),
    )


def test_contract_survives_its_canonical_json() -> None:
    import json

    from taxiway.core.digest import canonical_json

    contract = read(MINIMAL)
    assert contract_from(json.loads(canonical_json(contract))) == contract


def test_team_as_version_3_0_wrote_it_and_without_an_owner() -> None:
    listed = MINIMAL + "team: [{username: flights-owner, role: Owner}]\n"
    assert read(listed).owner == "flights-owner"
    assert read(MINIMAL + "team: [{username: flights-developer, role: steward}]\n").owner == ""


def test_other_keys_of_the_standard_are_left_alone() -> None:
    document = yaml.safe_load(MINIMAL)
    document |= {"domain": "buses", "servers": [{"server": "a", "type": "local"}], "tags": ["x"]}
    document["schema"][0] |= {"physicalName": "trips_1", "quality": [{"type": "text"}]}
    document["schema"][0]["properties"][1] |= {"physicalType": "int", "tags": [], "quality": []}
    document["schema"][0]["customProperties"].append({"property": "steward", "value": "team-bus"})
    assert read_contract(Document(document)) == read(MINIMAL)


def test_enumeration_of_version_3_2_is_enforced_like_our_values() -> None:
    document = yaml.safe_load(MINIMAL)
    column = document["schema"][0]["properties"][1]
    column["enum"] = [{"value": 1, "label": "one"}, {"value": 2}]
    del column["logicalTypeOptions"]
    assert read_contract(Document(document)).column("seats").values == (1, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("status: active", "statis: active", "`statis` is not a known key. Did you mean `status`?"),
        ("status: active\n", "", "`status` is missing"),
        ("v3.0.2", "v2.2.2", "found 'v2.2.2'"),
        ("version: 1.0.0", "version: 1.0", 'in quotes: "1.0"'),
        ("required: true", "requird: true", "Did you mean `required`?"),
        ("logicalType: integer", "logicalType: int", "Did you mean `integer`?"),
        ("minimum: 0,", "minimun: 0,", "Did you mean `minimum`?"),
        ("property: known_at", "property: knownat", "Did you mean `known_at`?"),
        ("property: moments", "property: moment", "Did you mean `moments`?"),
        ("[departure, arrival]", "departure", "`moments` is not what it should be"),
        ("value: arrival", "value: 7", "`known_at` is not what it should be"),
        ("minimum: 0,", "exclusiveMinimum: 0,", "`exclusiveMinimum` of column seats would not be"),
        ("minimum: 0,", "multipleOf: 2,", "`multipleOf` of column seats would not be enforced"),
        ("minimum: 0,", "minimum: true,", "`minimum` is not what it should be"),
        ("required: true", "required: false", "column at is part of the key and not required"),
        ("value: at}", "value: att}", "`event_time` is not a column; did you mean at?"),
        ("primaryKey: true", "primaryKey: false", "no column is part of the key"),
        ("name: seats", "name: at", "column at is there 2 times"),
        ("value: departure", "value: depart", "`decision_at` is not one of the moments"),
        ("value: arrival", "value: arival", "`known_at` is not one of the moments"),
        ("maximum: 90", "maximum: -1", "`minimum` is above `maximum`; expected -1, found 0"),
    ],
)
def test_what_is_wrong(old: str, new: str, message: str) -> None:
    assert old in MINIMAL
    assert message in problems(MINIMAL.replace(old, new, 1))


def test_property_that_is_there_twice() -> None:
    doubled = MINIMAL.replace(
        "value: people}", "value: people}\n          - {property: unit, value: x}"
    )
    assert "`unit` is there twice" in problems(doubled)


@pytest.mark.parametrize("tables", [[], None])
def test_empty_schema(tables: Any) -> None:
    document = yaml.safe_load(MINIMAL) | {"schema": tables}
    with pytest.raises(InputError, match="`schema` is not what it should be"):
        read_contract(Document(document))


def test_two_tables() -> None:
    document = yaml.safe_load(MINIMAL)
    document["schema"].append(copy.deepcopy(document["schema"][0]))
    with pytest.raises(InputError, match=r"document schema.* more than one table"):
        read_contract(Document(document))


def test_no_columns() -> None:
    document = yaml.safe_load(MINIMAL)
    document["schema"][0]["properties"] = []
    with pytest.raises(InputError, match=r"schema\[0\].properties: .*at least 1 of them"):
        read_contract(Document(document))


def test_document_that_is_no_mapping() -> None:
    with pytest.raises(InputError, match="expected a mapping of keys to values, found a list"):
        read_contract(Document(["a"], {(): 1}))


def test_all_problems_come_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "trips.yaml"
    broken = MINIMAL.replace("maximum: 90", "maximum: -1").replace("value: arrival", "value: later")
    path.write_text(broken.replace("required: true", "required: false"))
    with pytest.raises(InputError, match="not a contract") as caught:
        read_contract(read_document(path))
    assert sorted(str(p.where).split(" ")[0] for p in caught.value.problems) == [
        "trips.yaml:15",  # required: false
        "trips.yaml:19",  # minimum above maximum
        "trips.yaml:22",  # known_at
    ]
