"""The document of the endpoint says what the endpoint does."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from taxiway.core.artefact import Artefact
from taxiway.core.errors import InputError
from taxiway.serving.openapi import openapi
from taxiway.serving.records import read_records

from .conftest import CONTRACT, RECORD


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
    assert set(document["paths"]) == {
        "/predict",
        "/v1/models/loans/predict",
        "/v1/models/loans/versions/{version}/predict",
        "/v1/models",
        "/ready",
        "/live",
    }
    names = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", ["/predict", "/ready", "/live"])
def test_every_operation_has_a_name_and_answers(artefact: Artefact, path: str) -> None:
    for operation in openapi(artefact)["paths"][path].values():
        assert operation["operationId"]
        assert "200" in operation["responses"]
