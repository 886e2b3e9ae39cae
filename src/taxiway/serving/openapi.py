"""OpenAPI 3.1 of the endpoint, generated from the contract of a release's inputs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from taxiway.core.artefact import Artefact
from taxiway.core.contract import Column, Contract
from taxiway.serving.bodies import ARROW, CSV
from taxiway.serving.examples import example_record

TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}


def openapi(*artefacts: Artefact) -> dict[str, Any]:
    """The document for the champions of the models that are served."""
    only = artefacts[0] if len(artefacts) == 1 else None
    schemas: dict[str, Any] = {"Decision": DECISION, "Error": ERROR}
    paths: dict[str, Any] = {}
    for one in artefacts:
        schema = "Record" if only else f"Record.{one.model}"
        schemas[schema] = record_schema(one.inputs)
        paths |= _paths(one, schema, "" if only else f"_{one.model}", only is not None)
    about = {
        "title": only.model if only else "taxiway",
        "version": only.release if only else version("taxiway"),
        "description": only.inputs.description
        if only
        else f"Decisions of {', '.join(one.model for one in artefacts)}.",
    }
    return {
        "openapi": "3.1.0",
        "info": about,
        "paths": {**paths, **PROBES},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths(artefact: Artefact, schema: str, suffix: str, only: bool) -> dict[str, Any]:
    """The paths that decide for one model; without its name, if it is the only one."""
    operation = _predict(artefact.inputs, schema)
    named = f"/v1/models/{artefact.model}"
    exact = {
        **operation,
        "summary": "Decide by exactly this release, if it answers in this environment now",
        "operationId": f"predict_by_version{suffix}",
        "parameters": [VERSION],
        "responses": {**operation["responses"], "404": NO_VERSION},
    }
    paths = {
        f"{named}/predict": {"post": {**operation, "operationId": f"predict_by_name{suffix}"}},
        f"{named}/versions/{{version}}/predict": {"post": exact},
    }
    return (
        {"/predict": {"post": {**operation, "operationId": "predict"}}, **paths} if only else paths
    )


def _predict(contract: Contract, schema: str) -> dict[str, Any]:
    """The operation that decides, with examples made of those that the contract gives."""
    ref = {"$ref": f"#/components/schemas/{schema}"}
    decision = {"$ref": "#/components/schemas/Decision"}
    problem = PROBLEM
    body = _content({"oneOf": [ref, {"type": "array", "items": ref}]})["content"]
    text: dict[str, Any] = {"schema": _TEXT}
    if record := example_record(contract):
        body["application/json"]["examples"] = {
            "one": {"summary": "One record", "value": record},
            "several": {"summary": "A list of records", "value": [record, record]},
        }
        text["example"] = _csv(record)
    stream = {"schema": {"type": "string", "format": "binary"}}
    return {
        "summary": "Decide on one record, or on a list of them",
        "requestBody": {"required": True, "content": {**body, CSV: text, ARROW: stream}},
        "responses": {
            "200": {
                "description": "Decided and logged.",
                **_content({"oneOf": [decision, {"type": "array", "items": decision}]}),
            },
            "400": {"description": "The body is not what it is said to be.", **problem},
            "401": {"description": "The API key is missing or wrong.", **problem},
            "408": {"description": "The body did not arrive in time.", **problem},
            "413": {"description": "The body is too large.", **problem},
            "415": {"description": "The body is of a kind that is not taken.", **problem},
            "422": {"description": "Records break the contract.", **problem},
            "503": {
                "description": "Nothing can be decided or logged, or too much waits.",
                **problem,
            },
        },
    }


def _csv(record: Mapping[str, Any]) -> str:
    """A record as a CSV body."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(record)
    writer.writerow(
        str(value).lower() if isinstance(value, bool) else value for value in record.values()
    )
    return lines.getvalue()


def record_schema(contract: Contract) -> dict[str, Any]:
    """JSON Schema (2020-12) of one record."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [column.name for column in contract.columns if not column.nullable],
        "properties": {column.name: _property(column) for column in contract.columns},
    }


def _property(column: Column) -> dict[str, Any]:
    schema = dict(TYPES[column.type])
    if column.nullable:
        schema["type"] = [schema["type"], "null"]
    if column.type in {"integer", "number"}:
        schema |= _given(minimum=column.minimum, maximum=column.maximum)
    schema |= _given(
        pattern=column.pattern,
        minLength=column.minimum_length,
        maxLength=column.maximum_length,
        enum=[*column.values, *([None] if column.nullable else [])] if column.values else None,
        description=column.description or None,
        examples=list(column.examples) or None,
    )
    return schema | ({"x-unit": column.unit} if column.unit else {})


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


_TEXT = {"type": "string"}
_REASON = {
    "type": "object",
    "properties": {
        "column": _TEXT,
        "value": {},
        "typical": {},
        "effect": {
            "type": "number",
            "description": "How much the value raised (below zero: lowered) the answer: what it"
            " added to the score, or how far the probability moves if the value were the typical"
            " one. The release says which.",
        },
    },
}
DECISION = {
    "type": "object",
    "required": ["decision", "release", "prediction", "probability", "reasons", "at"],
    "properties": {
        "decision": {**_TEXT, "description": "Id in the decision log; `taxiway replay` takes it."},
        "release": _TEXT,
        "prediction": {"type": "boolean"},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "reasons": {"type": "array", "items": _REASON},
        "at": {**_TEXT, "format": "date-time"},
        "review": {
            "type": "object",
            "required": ["case", "because"],
            "description": "There if a person decides: until then the answer is only proposed.",
            "properties": {"case": _TEXT, "because": {"type": "array", "items": _TEXT}},
        },
        "stub": {"const": True, "description": "Made up from the contract; no model answered."},
    },
}
ERROR = {
    "type": "object",
    "required": ["code", "error"],
    "properties": {
        "code": _TEXT,
        "error": _TEXT,
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": dict.fromkeys(("what", "where", "found", "expected", "todo"), _TEXT),
            },
        },
    },
}
PROBLEM = _content({"$ref": "#/components/schemas/Error"})
NO_VERSION = {"description": "The release has no role in this environment now.", **PROBLEM}
VERSION = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "The number of a release that is the champion or the canary.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
PROBES = {
    "/v1/models": {
        "get": {
            "summary": "The models that are served, with their releases and roles",
            "operationId": "models",
            "responses": {
                "200": {"description": "Those that the key may know of."},
                "401": {"description": "The API key is missing or wrong.", **PROBLEM},
            },
        }
    },
    "/ready": {
        "get": {
            "summary": "Whether the golden predictions came out the same",
            "operationId": "ready",
            "responses": {"200": {"description": "Yes."}, "503": {"description": "No."}},
        }
    },
    "/live": {
        "get": {
            "summary": "Whether the process answers",
            "operationId": "live",
            "responses": {"200": {"description": "Yes."}},
        }
    },
}
