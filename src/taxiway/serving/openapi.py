"""OpenAPI 3.1 of the endpoint, generated from the contracts of the releases' inputs.

It holds every path, with examples for every kind of body, and every status that can come.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from taxiway.core.artefact import Artefact
from taxiway.serving import schemas
from taxiway.serving.bodies import ARROW, CSV, JSON
from taxiway.serving.case_pages import MOST, SHOWN, STATES, WAITING
from taxiway.serving.examples import example_record
from taxiway.serving.inference import DATATYPES, outputs_of
from taxiway.serving.metrics import CONTENT_TYPE
from taxiway.serving.schemas import ref

Json = dict[str, Any]

REFUSALS: Mapping[str, str] = {
    "400": "The body is not what it is said to be.",
    "401": "The API key is missing, wrong, revoked or at its end.",
    "403": "What the key is for is no permitted use.",
    "404": "No such model is served, or the release has no role in this environment now.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large, or holds too much.",
    "415": "The body is of a kind that is not taken.",
    "422": "Records break the contract.",
    "429": "The key has asked too often.",
    "500": "The model made a mistake; nothing was decided.",
    "503": "Nothing can be decided or logged, or too much waits.",
}
"""Status -> why nothing is decided. A path that is asked in another way than here answers 405."""
LATER = {"429", "503"}
"""Those that may be asked again, after a time."""
GUARDED = ("401", "403", "429", "503")
"""Of a page that needs the key."""
VERSION: Json = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "The number of a release that is the champion or the canary.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
    "example": "1",
}
CASE_REFUSALS: Mapping[str, str] = {
    **REFUSALS,
    "403": "What the key is for is no permitted use; or the signature, or a rule, says no.",
    "404": "No such model, case or person is here.",
    "409": "Somebody else moved the case first.",
    "422": "A part of the request is missing, or is something else.",
}
CASE_ID: Json = {
    "name": "case",
    "in": "path",
    "required": True,
    "description": "The id of its decision.",
    "schema": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,64}$"},
    "example": "01kge1nz00v3x5m8q2d7r9t4wc",
}
CASE_QUERY: list[Json] = [
    {"name": "state", "in": "query", "schema": {"enum": list(STATES), "default": WAITING}},
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": SHOWN},
    },
]
KEY: list[Json] = [{"key": []}, {}]
"""A key, where one is asked for."""
AT = "2026-01-31T08:00:00.000000Z"
EXAMPLES: Mapping[str, Json] = {
    "classification": {"prediction": False, "probability": 0.125},
    "regression": {"prediction": 12.5},
}
"""Kind of model -> what an answer could say."""


def openapi(*artefacts: Artefact) -> Json:
    """The document for the champions of the models that are served."""
    only = artefacts[0] if len(artefacts) == 1 else None
    documented = schemas.schemas_of(*(one.kind for one in artefacts))
    paths: Json = {}
    for one in artefacts:
        deciding = _Deciding(one, named=only is None)
        documented |= deciding.schemas
        paths |= deciding.paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": only.model if only else "taxiway",
            "version": only.release if only else version("taxiway"),
            "description": only.inputs.description
            if only
            else f"Decisions of {', '.join(one.model for one in artefacts)}.",
        },
        "paths": {**paths, **_pages()},
        "components": {
            "schemas": documented,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Deciding:
    """The paths of one model; `named` says that others are served beside it."""

    def __init__(self, artefact: Artefact, *, named: bool) -> None:
        self._artefact = artefact
        self._contract = artefact.inputs
        self._named = named
        self._suffix = f"_{artefact.model}" if named else ""
        self._record = f"Record.{artefact.model}" if named else "Record"
        self._tensors = f"Tensors.{artefact.model}" if named else "Tensors"
        self._example = example_record(artefact.inputs)

    @property
    def schemas(self) -> Json:
        """Those of its own records."""
        return {
            self._record: schemas.record_schema(self._contract),
            self._tensors: schemas.tensors(self._contract, self._artefact.kind),
        }

    def paths(self) -> Json:
        """Its paths; without its name too, if it is the only one."""
        v1, v2 = (f"/{protocol}/models/{self._artefact.model}" for protocol in ("v1", "v2"))
        at = "/versions/{version}"
        alone = {} if self._named else {"/predict": self._native("predict")}
        invoked = {} if self._named else {"/invocations": self._invocations()}
        return {
            **alone,
            f"{v1}/predict": self._native("predict_by_name"),
            f"{v1}{at}/predict": self._native("predict_by_version", VERSION),
            **invoked,
            f"{v2}/infer": self._infer("infer"),
            f"{v2}{at}/infer": self._infer("infer_by_version", VERSION),
            v1: self._page("model", "Its releases and their roles", "Model"),
            v2: self._page("metadata", "Its inputs and outputs as tensors", "Metadata"),
            f"{v2}{at}": self._page("metadata_by_version", "The same", "Metadata", VERSION),
            f"{v2}/ready": self._ready("model_ready"),
            f"{v2}{at}/ready": self._ready("version_ready", VERSION),
            f"{v1}/cases": self._case("cases", "Answers on which a person decides", "Cases"),
            f"{v1}/cases/{{case}}": self._case("case", "How a case stands", "Case"),
            f"{v1}/cases/{{case}}/take": self._case("take", "Take a case", "WholeCase", "Take"),
            f"{v1}/cases/{{case}}/decide": self._case(
                "decide", "Agree with the answer, or override it", "WholeCase", "Decide"
            ),
        }

    def _case(self, name: str, summary: str, answer: str, body: str = "") -> Json:
        """A page about cases; with a body, one that moves a case."""
        refusals = [*GUARDED, "404", "422", *(("400", "408", "409", "413", "415") if body else ())]
        sent = {"required": True, "content": {JSON: {"schema": ref(body)}}}
        return {
            "post" if body else "get": {
                "summary": summary,
                "operationId": f"{name}{self._suffix}",
                "security": KEY,
                "parameters": CASE_QUERY if name == "cases" else [CASE_ID],
                **({"requestBody": sent} if body else {}),
                "responses": {
                    "200": {"description": "As asked.", "content": {JSON: {"schema": ref(answer)}}},
                    **_refused(*sorted(refusals), why=CASE_REFUSALS),
                },
            }
        }

    def _native(self, name: str, *parameters: Json) -> Json:
        content = self._bodies(schemas.one_or_several(ref(self._record)))
        decision = self._decision()
        if self._example:
            content[JSON]["examples"] = {
                "one": {"summary": "One record", "value": self._example},
                "several": {"summary": "A list", "value": [self._example, self._example]},
            }
        answer = {
            "schema": schemas.one_or_several(self._of("Decision")),
            "examples": {"one": {"value": decision}, "several": {"value": [decision, decision]}},
        }
        about = "Decide on one record, or on a list of them"
        return self._operation(name, about, content, answer, parameters)

    def _invocations(self) -> Json:
        content = self._bodies(schemas.invocation(ref(self._record), self._contract.names))
        if one := self._example:
            content[JSON]["examples"] = {
                "dataframe_split": {
                    "value": {"dataframe_split": {"columns": [*one], "data": [[*one.values()]]}}
                },
                "dataframe_records": {"value": {"dataframe_records": [one]}},
                "instances": {"value": {"instances": [one]}},
                "inputs": {"value": {"inputs": {name: [value] for name, value in one.items()}}},
            }
        answer = {
            "schema": self._of("Predictions"),
            "example": {"predictions": [self._decision()]},
        }
        about = "Decide, as clients of MLflow and SageMaker ask"
        return self._operation("invocations", about, content, answer)

    def _infer(self, name: str, *parameters: Json) -> Json:
        content: Json = {JSON: {"schema": ref(self._tensors)}}
        if self._example:
            content[JSON]["example"] = {
                "inputs": [
                    {
                        "name": column.name,
                        "shape": [1],
                        "datatype": DATATYPES[column.type][0],
                        "data": [self._example[column.name]],
                    }
                    for column in self._contract.columns
                ]
            }
        values = {**self._decision(), "review": ""}
        answer = {
            "schema": self._of("Inference"),
            "example": {
                "model_name": self._artefact.model,
                "model_version": self._artefact.release,
                "outputs": [
                    {"name": name, "datatype": datatype, "shape": [1], "data": [values[name]]}
                    for name, datatype in outputs_of(self._artefact.kind).items()
                ],
            },
        }
        about = "Decide, as clients of the Open Inference Protocol (KServe) ask"
        return self._operation(name, about, content, answer, parameters)

    def _bodies(self, schema: Json) -> Json:
        """The kinds of body of a protocol that takes tables too."""
        text: Json = {"schema": schemas.TEXT}
        if self._example:
            text["example"] = _csv(self._example)
        return {JSON: {"schema": schema}, CSV: text, ARROW: {"schema": schemas.STREAM}}

    def _of(self, name: str) -> Json:
        """A schema that is another for each kind of model."""
        return schemas.kind_ref(name, self._artefact.kind)

    def _decision(self) -> Json:
        """A decision as it could be answered."""
        return {
            "decision": "01kge1nz00v3x5m8q2d7r9t4wc",
            "release": self._artefact.release,
            **EXAMPLES[self._artefact.kind.name],
            "reasons": [],
            "at": AT,
        }

    def _operation(
        self, name: str, summary: str, content: Json, answer: Json, parameters: Sequence[Json] = ()
    ) -> Json:
        decided = {"description": "Decided and logged.", "content": {JSON: answer}}
        return {
            "post": {
                "summary": summary,
                "operationId": f"{name}{self._suffix}",
                **({"parameters": list(parameters)} if parameters else {}),
                "security": KEY,
                "requestBody": {"required": True, "content": content},
                "responses": {"200": decided, **_refused(*REFUSALS)},
            }
        }

    def _page(self, name: str, summary: str, schema: str, *parameters: Json) -> Json:
        found = _get(f"{name}{self._suffix}", summary, schema, *GUARDED, "404", key=True)
        found["get"] |= {"parameters": list(parameters)} if parameters else {}
        return found

    def _ready(self, name: str, *parameters: Json) -> Json:
        found = _get(f"{name}{self._suffix}", "Whether it answers", "ModelReady", "404", "503")
        found["get"] |= {"parameters": list(parameters)} if parameters else {}
        return found


def _pages() -> Json:
    """The paths that are there whatever is served."""
    golden = "Whether the golden predictions came out the same"
    metrics = _get("metrics", "Metrics for Prometheus", None, *GUARDED, key=True)
    metrics["get"]["responses"]["200"]["content"] = {
        CONTENT_TYPE.partition(";")[0]: {"schema": schemas.TEXT}
    }
    document = _get("openapi", "This document", None, *GUARDED, key=True)
    document["get"]["responses"]["200"]["content"] = {JSON: {"schema": {"type": "object"}}}
    return {
        "/v1/models": _get(
            "models", "What is served, with releases and roles", "Models", *GUARDED, key=True
        ),
        "/v2": _get("server", "What serves", "Server"),
        "/ready": _get("ready", golden, "Ready", "503"),
        "/ping": _get("ping", "The same, as SageMaker asks", "Ready", "503"),
        "/v2/health/ready": _get("health_ready", "The same, as KServe asks", "Ready", "503"),
        "/live": _get("live", "Whether the process answers", "Live"),
        "/v2/health/live": _get("health_live", "The same, as KServe asks", "Live"),
        "/metrics": metrics,
        "/openapi.json": document,
    }


def _get(name: str, summary: str, schema: str | None, *refusals: str, key: bool = False) -> Json:
    found: Json = {"description": "As asked."}
    if schema:
        found["content"] = {JSON: {"schema": ref(schema)}}
    return {
        "get": {
            "summary": summary,
            "operationId": name,
            **({"security": KEY} if key else {}),
            "responses": {"200": found, **_refused(*sorted(refusals))},
        }
    }


def _refused(*statuses: str, why: Mapping[str, str] = REFUSALS) -> Json:
    retry = {
        "retry-after": {
            "description": "Seconds after which to ask again, where that helps.",
            "schema": {"type": "integer", "minimum": 1},
        }
    }
    return {
        status: {
            "description": why[status],
            **({"headers": retry} if status in LATER else {}),
            "content": {JSON: {"schema": ref("Error")}},
        }
        for status in statuses
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
