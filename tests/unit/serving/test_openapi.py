"""The document of the endpoint says what the endpoint does."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import jsonschema
import pytest

from taxiway.adapters.ids import new_id
from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import InputError
from taxiway.serving.access import Gate
from taxiway.serving.cast import Cast
from taxiway.serving.http import Application
from taxiway.serving.openapi import openapi
from taxiway.serving.records import read_records
from taxiway.serving.routes import NAME, VERSIONED
from taxiway.serving.served import Served
from taxiway.serving.stub import Standing, stub_decider

from .conftest import CONTRACT, NOW, RECORD, make_decider


def accepts(schema: dict[str, Any], record: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(record))


def test_schema_and_reader_agree(artefact: Artefact) -> None:
    schema = openapi(artefact)["components"]["schemas"]["Record"]
    jsonschema.Draft202012Validator.check_schema(schema)
    changes: list[dict[str, Any]] = [
        {},
        {"id": 0},
        {"id": "7"},
        {"id": None},
        {"amount": 1001},
        {"risky": None},
        {"risky": 0},
        {"region": "west"},
        {"region": None},
        {"code": None},
        {"code": "a1"},
        {"iban": "DE"},
        {"other": 1},
    ]
    for change in changes:
        record = RECORD | change
        try:
            read_records(record, CONTRACT)
            reads = True
        except InputError:
            reads = False
        assert accepts(schema, record) is reads, change


def test_it_says_units_and_examples_and_which_release_it_is(artefact: Artefact) -> None:
    document = openapi(artefact)
    properties = document["components"]["schemas"]["Record"]["properties"]
    assert document["info"]["version"] == "loans:3"
    assert properties["amount"]["x-unit"] == "EUR"
    assert properties["id"]["examples"] == [7]
    names = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


def test_every_path_of_the_server_is_in_the_document_and_nothing_else(artefact: Artefact) -> None:
    served = Served("loans", Standing(Cast(make_decider(MemoryDecisions())(artefact))), common())
    shapes = Application([served])._routes._shapes
    versions = {path.replace(NAME, f"{NAME}/versions/{{version}}") for path in VERSIONED}
    paths = {path.replace(NAME, "loans") for path in (*shapes, *versions)}
    document = openapi(artefact)
    assert set(document["paths"]) == paths
    for path, operations in document["paths"].items():
        (method,) = operations
        assert method.upper() == shapes[shape(path)].method
        needs_key = not shapes[shape(path)].open
        assert ("security" in operations[method]) is needs_key
        assert ("401" in operations[method]["responses"]) is needs_key


def shape(path: str) -> str:
    return path.replace("loans", NAME).replace("/versions/{version}", "")


def common() -> Gate:
    return Gate(lambda: ((), ()), lambda: NOW, lambda: 0.0)


def test_beside_others_a_model_has_only_the_paths_with_its_name(artefact: Artefact) -> None:
    cards = dataclasses.replace(artefact, model="cards", release="cards:1")
    document = openapi(artefact, cards)
    assert {"/v1/models/loans/predict", "/v2/models/cards/infer"} <= set(document["paths"])
    assert not {"/predict", "/invocations"} & set(document["paths"])
    assert {"Record.loans", "Record.cards"} <= set(document["components"]["schemas"])
    names = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("several", [False, True])
def test_every_reference_leads_somewhere_and_every_schema_is_one(
    artefact: Artefact, several: bool
) -> None:
    cards = dataclasses.replace(artefact, model="cards")
    document = openapi(artefact, cards) if several else openapi(artefact)
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert set(schemas) - named == ({"Predictions"} if several else set())
    assert named <= set(schemas)


def test_a_stub_of_the_same_contract_has_the_same_document(artefact: Artefact) -> None:
    stub = stub_decider(
        CONTRACT,
        "loans",
        frame=artefact.frame,
        plain=artefact.plain,
        reason_codes="all",
        now=lambda: NOW,
        new_id=new_id,
    ).artefact
    real, made = (json.dumps(openapi(one)) for one in (artefact, stub))
    assert real.replace("loans:3", "loans:stub") == made
