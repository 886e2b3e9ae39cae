"""Schemas: JSON Schema (2020-12) of what goes in and out of an endpoint, through each protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.contract import Column, Contract
from taxiway.core.kind import Kind
from taxiway.core.moves import CASE
from taxiway.serving.inference import DATATYPES, outputs_of
from taxiway.serving.records import MOST_RECORDS
from taxiway.serving.values import LARGEST

TYPES: Mapping[str, Mapping[str, Any]] = {
    "string": {"type": "string"},
    "integer": {
        "type": "integer",
        "format": "int64",
        "minimum": -LARGEST,
        "maximum": LARGEST - 1,
    },
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}
TEXT: Mapping[str, Any] = {"type": "string"}
STREAM: Mapping[str, Any] = {"type": "string", "format": "binary"}


def ref(name: str) -> dict[str, str]:
    """A schema of the document, by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record_schema(contract: Contract) -> dict[str, Any]:
    """One record."""
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
    elif column.type in {"date", "timestamp"}:
        # JSON Schema has no word for it; a reader finds it beside the format.
        schema |= _given(**{"x-minimum": column.minimum, "x-maximum": column.maximum})
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


def _list(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def several(schema: Any) -> dict[str, Any]:
    """A list of records, as many as one request takes."""
    return _list(schema, minItems=1, maxItems=MOST_RECORDS)


def one_or_several(schema: Any) -> dict[str, Any]:
    """One record or a list of them: the native protocol, in and out."""
    return {"oneOf": [schema, several(schema)]}


def invocation(record: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """MLflow's scoring protocol, in its four forms."""
    values = several({})
    split = _object(
        ["columns", "data"],
        columns=_list({"enum": list(names)}, uniqueItems=True),
        data=several(_list({})),
        index=_list({}),
    )
    columns = {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(names, values),
    }
    unused = {
        "params": {"type": ["object", "null"], "maxProperties": 0},
        "signature_name": {},
    }
    return {
        "oneOf": [
            _object(["dataframe_split"], dataframe_split=split, **unused),
            _object(["dataframe_records"], dataframe_records=several(record), **unused),
            _object(["instances"], instances=several(record), **unused),
            _object(["inputs"], inputs={"oneOf": [several(record), columns]}, **unused),
        ]
    }


def tensors(contract: Contract, kind: Kind) -> dict[str, Any]:
    """A request of the Open Inference Protocol."""
    shape = _list({"type": "integer", "minimum": 0}, minItems=1, maxItems=2)
    inputs = [
        _object(
            ["name", "shape", "datatype", "data"],
            name={"const": column.name},
            shape=shape,
            datatype={"enum": list(DATATYPES[column.type])},
            data=several({}),
            parameters={"type": "object"},
        )
        for column in contract.columns
    ]
    names = {"enum": list(outputs_of(kind))}
    outputs = _object(["name"], name=names, parameters={"type": "object"})
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": TEXT,
            "inputs": _list({"oneOf": inputs}, minItems=1),
            "outputs": _list(outputs),
        },
    }


REASON = _object(
    ["column", "value", "typical", "effect"],
    column=TEXT,
    value={},
    typical={},
    effect={
        "type": "number",
        "description": "How much the value raised (below zero: lowered) the answer: what it added"
        " to the score, or how far the answer moves if the value were the typical one. The release"
        " says which.",
    },
)
SAID: Mapping[str, Mapping[str, Any]] = {
    "classification": {
        "prediction": {"type": "boolean"},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "regression": {"prediction": {"type": "number"}},
}
"""Kind of model -> what its outputs hold but for reasons."""


def kind_ref(name: str, kind: Kind) -> dict[str, str]:
    """A schema of the document that is another for each kind of model."""
    return ref(_of_kind(name, kind.name))


def _of_kind(name: str, kind: str) -> str:
    return name if kind == "classification" else f"{name}.{kind}"


def _answers(kind: Kind) -> dict[str, Any]:
    """The schemas of what a kind of model answers."""
    said = SAID[kind.name]
    decision = _object(
        ["decision", "release", *said, "reasons", "at"],
        decision={**TEXT, "description": "Id in the decision log; `taxiway replay` takes it."},
        release=TEXT,
        **said,
        reasons=_list(REASON),
        at={**TEXT, "format": "date-time"},
        review=_object(["case", "because"], case=TEXT, because=_list(TEXT))
        | {"description": "There if a person decides: until then the answer is only proposed."},
        stub={"const": True, "description": "Made up from the contract; no model answered."},
    )
    output = _object(
        ["name", "datatype", "shape", "data"],
        name={"enum": list(outputs_of(kind))},
        datatype=TEXT,
        shape=_list({"type": "integer"}),
        data=_list({}),
    )
    return {
        "Decision": decision,
        "Predictions": _object(["predictions"], predictions=several(kind_ref("Decision", kind))),
        "Inference": _object(
            ["model_name", "model_version", "outputs"],
            id=TEXT,
            model_name=TEXT,
            model_version=TEXT,
            outputs=_list(output),
        ),
    }


PROBLEM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["what"],
    "properties": dict.fromkeys(("what", "where", "found", "expected", "todo"), TEXT),
}
ERROR = _object(
    ["code", "error", "problems"],
    code={**TEXT, "pattern": "^TW-[0-9]$", "description": "What kind of error it is."},
    error={**TEXT, "description": "What happened, for people."},
    problems=_list(PROBLEM),
    more_problems={"type": "integer", "description": "How many are not shown."},
    todo=TEXT,
)
READY = {
    "type": "object",
    "required": ["ready"],
    "properties": {"ready": {"const": True}, "release": TEXT, "digest": TEXT, "note": TEXT},
}
LIVE = _object(["live"], live={"const": True})
MODEL = {
    "type": "object",
    "required": ["name", "ready", "releases"],
    "properties": {
        "name": TEXT,
        "ready": {"type": "boolean"},
        "environment": TEXT,
        "releases": _list(
            _object(
                ["release", "digest", "role", "share"],
                release=TEXT,
                digest=TEXT,
                role={"enum": ["champion", "canary", "challenger"]},
                share={"type": "number"},
            )
        ),
    },
}
MODELS = _object(["models"], models=_list(ref("Model")))
_TENSOR = _object(
    ["name", "datatype", "shape"], name=TEXT, datatype=TEXT, shape=_list({"type": "integer"})
)
METADATA = _object(
    ["name", "versions", "platform", "inputs", "outputs"],
    name=TEXT,
    versions=_list(TEXT),
    platform=TEXT,
    inputs=_list(_TENSOR),
    outputs=_list(_TENSOR),
)
SERVER = _object(["name", "version", "extensions"], name=TEXT, version=TEXT, extensions=_list(TEXT))
MODEL_READY = _object(["name", "ready"], name=TEXT, ready={"const": True})

_ANSWER = {"enum": ["yes", "no"]}
_MOMENT = {**TEXT, "format": "date-time"}
_STANDING: dict[str, Any] = {
    "case": {**TEXT, "description": "The id of its decision."},
    "model": TEXT,
    "release": TEXT,
    "environment": TEXT,
    "because": _list(TEXT),
    "proposed": {**TEXT, "description": "What the model answered: yes, no, or a number."},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "state": {"enum": list(CASE)},
    "answer": {"type": ["string", "null"], "description": "The one that counts; null: not yet."},
    "opened_at": _MOMENT,
    "due": _MOMENT,
    "taken_by": {"type": ["string", "null"]},
    "decided_by": {"type": ["string", "null"]},
    "decided_at": {**_MOMENT, "type": ["string", "null"]},
}
_ALWAYS = [name for name in _STANDING if name != "probability"]
"""A case about a number has no probability."""
_ABOUT: dict[str, Any] = {
    "inputs": {"type": "object"},
    "reasons": _list(REASON),
    "reason": {"type": ["string", "null"]},
}
_SIGNED: dict[str, Any] = {
    "person": {**TEXT, "description": "Who does it, by name."},
    "signature": {
        **TEXT,
        "description": "Ed25519, base64, over the canonical JSON of the move (docs/cases.md).",
    },
}
CASES = _object(["cases"], cases=_list(ref("Case")))
TAKE = _object(list(_SIGNED), **_SIGNED)
DECIDE = _object([*_SIGNED, "answer", "reason"], **_SIGNED, answer=_ANSWER, reason=TEXT)

SCHEMAS: Mapping[str, Any] = {
    "Case": _object(_ALWAYS, **_STANDING),
    "WholeCase": _object([*_ALWAYS, *_ABOUT], **_STANDING, **_ABOUT),
    "Cases": CASES,
    "Take": TAKE,
    "Decide": DECIDE,
    "Error": ERROR,
    "Ready": READY,
    "Live": LIVE,
    "Model": MODEL,
    "Models": MODELS,
    "Metadata": METADATA,
    "Server": SERVER,
    "ModelReady": MODEL_READY,
}
"""Those that are the same for every model."""


def schemas_of(*kinds: Kind) -> dict[str, Any]:
    """All of a document that answers for models of these kinds."""
    of_kinds = {
        _of_kind(name, kind.name): schema
        for kind in kinds
        for name, schema in _answers(kind).items()
    }
    return {**SCHEMAS, **of_kinds}
