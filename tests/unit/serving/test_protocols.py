"""Each protocol turns its bodies into the same records, and says what is wrong with their form."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.core.errors import InputError
from taxiway.core.kind import CLASSIFICATION, REGRESSION, Kind
from taxiway.serving.bodies import JSON, Body
from taxiway.serving.deciding import Decider
from taxiway.serving.protocols import PROTOCOLS, shown

from .conftest import CONTRACT, RECORD

OTHER = {**RECORD, "id": 8, "amount": 10.0, "risky": None}
TYPES = {"id": "INT64", "amount": "FP64", "risky": "BOOL"}


def tensors(*records: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "asked-1",
        "inputs": [
            {
                "name": name,
                "shape": [len(records)],
                "datatype": TYPES.get(name, "BYTES"),
                "data": [record[name] for record in records],
            }
            for name in RECORD
        ],
    }


def tensor(**changes: Any) -> dict[str, Any]:
    body = tensors(RECORD)
    body["inputs"][0] |= changes
    return body


FORMS: list[tuple[str, Any]] = [
    ("/predict", [RECORD, OTHER]),
    (
        "/invocations",
        {
            "dataframe_split": {
                "index": [0, 1],
                "columns": list(RECORD),
                "data": [list(RECORD.values()), list(OTHER.values())],
            }
        },
    ),
    ("/invocations", {"dataframe_records": [RECORD, OTHER], "params": {}}),
    ("/invocations", {"instances": [RECORD, OTHER], "signature_name": "serving_default"}),
    ("/invocations", {"inputs": [RECORD, OTHER]}),
    ("/invocations", {"inputs": {name: [RECORD[name], OTHER[name]] for name in RECORD}}),
    ("/v2/models/NAME/infer", tensors(RECORD, OTHER)),
    (
        "/v2/models/NAME/infer",
        {
            "inputs": [
                {**one, "shape": [2, 1], "data": [[value] for value in one["data"]]}
                for one in tensors(RECORD, OTHER)["inputs"]
            ]
        },
    ),
]


@pytest.mark.parametrize(("path", "content"), FORMS)
def test_the_same_records_come_out_of_every_form(path: str, content: Any) -> None:
    assert PROTOCOLS[path].read(Body(JSON, content), CONTRACT) == [RECORD, OTHER]


@pytest.mark.parametrize(("path", "content"), FORMS)
def test_the_same_answer_goes_into_every_form(path: str, content: Any, decider: Decider) -> None:
    decisions = decider.decide([RECORD, OTHER])
    answered: Any = PROTOCOLS[path].show(Body(JSON, content), decisions)
    if path == "/v2/models/NAME/infer":
        assert (answered["model_name"], answered["model_version"]) == ("loans", "loans:3")
        assert answered.get("id") == content.get("id")
        found = {one["name"]: one for one in answered["outputs"]}
        assert found["prediction"]["data"] == [True, False]
        assert found["probability"] == {
            "name": "probability", "datatype": "FP64", "shape": [2], "data": [0.625, 0.13],
        }  # fmt: skip
        assert found["decision"]["data"] == [one.id for one in decisions]
    else:
        several = answered["predictions"] if path == "/invocations" else answered
        assert several == [shown(one) for one in decisions]


def test_one_record_has_one_answer(decider: Decider) -> None:
    (made,) = decider.decide([RECORD])
    assert PROTOCOLS["/predict"].show(Body(JSON, RECORD), [made]) == shown(made)
    assert "stub" not in shown(made)


def test_only_the_outputs_that_are_asked_for_are_answered(decider: Decider) -> None:
    content = {**tensors(RECORD), "outputs": [{"name": "decision"}]}
    answered = PROTOCOLS["/v2/models/NAME/infer"].show(
        Body(JSON, content), decider.decide([RECORD])
    )
    assert [one["name"] for one in answered["outputs"]] == ["decision"]


SPLIT = {"columns": ["id"], "data": [[7]]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "body is not in the form"),
        ({}, "found none of them"),
        ({"instance": [RECORD]}, "Did you mean 'instances'?"),
        ({"instances": [], "inputs": []}, "found inputs, instances"),
        ({"instances": [RECORD], "params": {"x": 1}}, "takes no params"),
        ({"instances": [[1, 2]]}, "a list of records, each an object"),
        ({"instances": []}, "no record in the list"),
        ({"inputs": {"id": [1], "amount": [1, 2]}}, "lists of one length"),
        ({"inputs": {}}, "lists of one length"),
        ({"inputs": 7}, "lists of one length"),
        ({"dataframe_split": [SPLIT]}, "an object of columns and data"),
        ({"dataframe_split": {**SPLIT, "data": 7}}, "a list of rows in data"),
        ({"dataframe_split": {**SPLIT, "columns": [7]}}, "names in columns"),
        ({"dataframe_split": {"columns": ["id", "id"], "data": [[7, 8]]}}, "columns twice: id"),
        ({"dataframe_split": {**SPLIT, "data": [[7], [7, 8], 7]}}, "[2]: is no row"),
        ({"dataframe_split": SPLIT}, "amount: is missing"),
    ],
)
def test_what_is_no_invocation_is_named(content: Any, says: str) -> None:
    with pytest.raises(InputError, match=r"\w") as caught:
        PROTOCOLS["/invocations"].read(Body(JSON, content), CONTRACT)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "no inputs"),
        ({"inputs": []}, "no inputs"),
        ({"inputs": [7]}, "inputs[0]: has no name"),
        ({"inputs": [*tensors(RECORD)["inputs"], tensors(RECORD)["inputs"][0]]}, "twice; found id"),
        (tensor(shape=[2]), "expected [1] or [1, 1], for 1 values, found [2]"),
        (tensor(shape=[True]), "another shape"),
        (tensor(shape=None), "another shape"),
        (tensor(datatype="FP64"), "another datatype; expected one of INT64, INT8"),
        (tensor(datatype=None), "another datatype"),
        (tensor(data=None), "Binary tensors are not taken"),
        (tensor(data=[7, 8], shape=[2]), "different lengths; expected one length, found id 2"),
        (tensor(data=["7"]), 'found the text "7"'),
        (tensor(name="idd"), "Did you mean 'id'?"),
        (tensor(data=[1] * 10_001, shape=[10_001]), "too many values"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_named(content: Any, says: str) -> None:
    with pytest.raises(InputError, match=r"\w") as caught:
        PROTOCOLS["/v2/models/NAME/infer"].read(Body(JSON, content), CONTRACT)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("outputs", "kind", "says"),
    [
        ([{"name": "odds"}], CLASSIFICATION, "There is no output odds; there are prediction, prob"),
        ([{"name": "probability"}], REGRESSION, "There is no output probability; there are pred"),
        (7, CLASSIFICATION, "outputs is no list"),
    ],
)
def test_outputs_that_the_model_does_not_say_are_refused(
    outputs: Any, kind: Kind, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        PROTOCOLS["/v2/models/NAME/infer"].asks({**tensors(RECORD), "outputs": outputs}, kind)
