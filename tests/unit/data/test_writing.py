"""Contracts as files of the standard: what is written is read back, and what is not ours stays."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from taxiway.adapters.yaml_document import read_document
from taxiway.bootstrap.data import contracts
from taxiway.bootstrap.data.contracts import write
from taxiway.core.contract import Column, Contract, Reference, Rule
from taxiway.core.document import Document
from taxiway.core.errors import InputError, MissingError
from taxiway.data import writing
from taxiway.data.odcs import read_any
from taxiway.data.writing import document_of, yaml_text

FULL = Contract(
    id="trips",
    version="2.1.0",
    description="Trips of a bus.",
    table="trips",
    columns=(
        Column("code", "string", key=True, pattern="^[0-9]{3}$", examples=("001", "1e5", "no")),
        Column("day", "date", nullable=True, format="%d.%m.%Y", sentinels=("1900-01-01",)),
        Column("at", "timestamp", format="%d.%m.%Y %H:%M", timezone="Europe/Berlin"),
        Column("kind", "string", values=("001", "NO", "1.5"), unique=True, minimum_length=1),
        Column("fare", "number", minimum=0.5, maximum=9.0, unit="EUR", meaning="price", proxy=True),
        Column("seats", "integer", sentinels=(-9999, "unknown"), personal=True, protected=True),
        Column("late", "boolean", nullable=True, known_at="arrival"),
    ),
    moments=("departure", "arrival"),
    decision_at="departure",
    event_time="at",
    owner="bus-data",
    freshness_hours=24.0,
    minimum_rows=2,
    maximum_rows=9,
    rules=(Rule("in order", "fare > seats", "why not"),),
    references=(
        Reference(("code", "day"), "plan", ("code", "on")),
        Reference(("kind",), "kinds", ("name",)),
    ),
    changes="compatible",
)


def test_everything_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "trips.yaml"
    write(FULL, path)
    found = read_any(read_document(path))
    assert found.contract == FULL
    assert found.contract.digest == FULL.digest
    assert found.notes == ()


def test_it_is_a_file_of_the_standard() -> None:
    text = yaml_text(document_of(FULL))
    OpenDataContractStandard.from_string(text)
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
    wrong = list(jsonschema.Draft201909Validator(schema).iter_errors(yaml.safe_load(text)))
    assert [error.message for error in wrong] == []


FOREIGN = """
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
domain: sales
servers:
  - {server: prod, type: postgres, host: db, port: 5432, database: shop, schema: public}
price: {priceAmount: 9.95, priceCurrency: USD, priceUnit: megabyte}
slaProperties:
  - {property: freshness, value: 2, unit: d, element: orders.placed}
customProperties: [{property: theirs, value: {a: [1, 2]}}]
team: [{username: ann, role: Data Owner}]
schema:
  - name: orders
    physicalName: t_orders
    physicalType: table
    customProperties: [{property: event_time, value: placed}]
    quality:
      - {type: library, metric: rowCount, mustBeBetween: [1, 100]}
      - name: sums
        type: sql
        query: SELECT COUNT(*) FROM orders WHERE total < 0
        mustBe: 0
      - {name: theirs, type: custom, engine: soda, implementation: "checks: x"}
    properties:
      - {name: id, physicalType: VARCHAR(20), primaryKey: true, required: true, businessName: order}
      - {name: placed, logicalType: timestamp, required: true}
      - name: total
        logicalType: number
        classification: restricted
        logicalTypeOptions: {exclusiveMinimum: 0, multipleOf: 0.01}
        quality: [{type: library, metric: nullValues, mustBe: 0}]
      - name: state
        logicalType: string
        quality:
          - {type: library, metric: invalidValues, arguments: {validValues: [new, paid]}, mustBe: 0}
          - {type: library, metric: missingValues, arguments: {missingValues: [n/a]}, mustBe: 0}
      - {name: lines, logicalType: array, items: {logicalType: object}}
      - {name: customer, logicalType: string, relationships: [{to: customers.id}]}
  - name: other
    properties: [{name: a, logicalType: string}]
"""


def foreign(text: str = FOREIGN) -> Document:
    return Document(yaml.safe_load(text), {}, "orders.yaml")


def test_a_file_of_another_tool() -> None:
    with pytest.raises(InputError, match=r"has 2 tables[\s\S]*--table: orders, other"):
        read_any(foreign())
    with pytest.raises(MissingError, match="Did you mean 'orders'"):
        read_any(foreign(), table="order")
    found = read_any(foreign(), table="orders")
    held = found.contract
    assert (held.minimum_rows, held.maximum_rows, held.freshness_hours) == (1, 100, 48.0)
    assert held.names == ("id", "placed", "total", "state", "customer")
    assert (held.column("id").type, held.column("id").meaning) == ("string", "order")
    assert held.column("total").minimum == 5e-324
    assert not held.column("total").nullable
    assert held.column("state").values == ("new", "paid")
    assert held.column("state").sentinels == ("n/a",)
    assert held.rules == (Rule("sums", "NOT (total < 0)"),)
    assert held.references == (Reference(("customer",), "customers", ("id",)),)
    assert held.owner == "ann"
    said = "\n".join(found.notes)
    assert "column lines (array) is not held" in said
    assert "`multipleOf` of column total would not be enforced" in said
    assert "the quality rule `theirs` is not held against the data" in said


def test_what_is_not_ours_stays() -> None:
    before = foreign().data
    held = read_any(foreign(), table="orders").contract
    changed = replace(held, columns=tuple(replace(c, description="x") for c in held.columns))
    after: Any = document_of(changed, before)
    for key in ("servers", "price", "slaProperties", "customProperties", "team", "domain"):
        assert after[key] == before[key]
    assert after["schema"][1] == before["schema"][1]
    columns = {c["name"]: c for c in after["schema"][0]["properties"]}
    assert columns["lines"] == {"name": "lines", "logicalType": "array",
                                "items": {"logicalType": "object"}}  # fmt: skip
    assert columns["total"]["classification"] == "restricted"
    assert columns["id"]["physicalType"] == "VARCHAR(20)"
    assert columns["id"]["description"] == "x"
    assert {q.get("engine") for q in after["schema"][0]["quality"]} >= {"soda"}
    assert read_any(Document(after, {}, "x"), table="orders").contract == changed


THEIRS = """
      - {name: at, logicalType: time}
      - {name: count, logicalType: integer, classification: pii, logicalTypeOptions: {format: i32}}
      - {name: due, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}, required: false}
"""


def test_what_says_the_same_is_written_as_it_was(tmp_path: Path) -> None:
    text = FOREIGN.replace("  - name: other", f"{THEIRS.strip(chr(10))}\n  - name: other", 1)
    before = yaml.safe_load(text + "vendor: {of: [what, we, do, not, know]}\n")
    path, out = tmp_path / "theirs.yaml", tmp_path / "ours.yaml"
    path.write_text(yaml.safe_dump(before, sort_keys=False))
    held = read_any(read_document(path), table="orders").contract
    write(held, out, like=path)
    assert yaml.safe_load(out.read_text()) == before
    fewer = replace(held, columns=tuple(c for c in held.columns if c.name != "count"))
    write(fewer, out, like=path)
    after = yaml.safe_load(out.read_text())["schema"][0]["properties"]
    assert after == [c for c in before["schema"][0]["properties"] if c["name"] != "count"]


def test_a_file_that_the_standard_would_not_take_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "VERSION", 3.1)
    with pytest.raises(InputError, match="is no contract of the standard"):
        contracts._require_standard(document_of(FULL), {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mustBeBetween: [1, 100]", "mustBeBetween: [100, 1]", "is below `minimum_rows`"),
        (
            "- {name: customer, ",
            "- {customProperties: [{property: timezone, value: Mars}], name: customer, ",
            "`timezone` is for times",
        ),
        ("value: placed", "value: plcaed", "`event_time` is not a column; did you mean placed"),
        ("missingValues: [n/a]", "missingValues: [paid]", "what stands for none is an allowed"),
    ],
)
def test_contradictory_rules_are_refused(old: str, new: str, message: str) -> None:
    assert old in FOREIGN
    with pytest.raises(InputError, match=message):
        read_any(foreign(FOREIGN.replace(old, new)), table="orders")


def test_keys_that_nobody_knows_are_left_alone_and_said() -> None:
    text = FOREIGN.replace("domain: sales", "domain: sales\nnew_in_version_9: {a: 1}")
    found = read_any(foreign(text), table="orders")
    assert any("new_in_version_9" in note for note in found.notes)
