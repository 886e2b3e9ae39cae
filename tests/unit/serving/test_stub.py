"""The stub answers from the contract alone, in the form that the real endpoint will have."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import jsonschema
import pytest

from taxiway.adapters.ids import new_id
from taxiway.core.contract import Column, Contract
from taxiway.data.frame import frame_of, plain_records
from taxiway.serving.cast import Cast
from taxiway.serving.deciding import Decider
from taxiway.serving.examples import example_record
from taxiway.serving.openapi import openapi
from taxiway.serving.oversight import overseen
from taxiway.serving.path import same
from taxiway.serving.protocols import shown
from taxiway.serving.records import read_records
from taxiway.serving.stub import Standing, stub_decider

from .conftest import CONTRACT, NOW, RECORD


def stub(contract: Contract = CONTRACT) -> Decider:
    return stub_decider(
        contract,
        "loans",
        frame=partial(frame_of, contract=contract),
        plain=plain_records,
        reason_codes="all",
        now=lambda: NOW,
        new_id=new_id,
    )


def test_it_says_where_a_person_will_decide() -> None:
    """As the charter of a project says that has no model yet."""
    review = [{"name": "small", "when": "amount < 100"}]
    oversight = overseen(
        {"kind": "classification", "oversight": {"review": review}}, CONTRACT, CONTRACT.digest
    )
    plain = stub()
    decider = dataclasses.replace(
        plain, artefact=dataclasses.replace(plain.artefact, oversight=oversight)
    )
    small, large = decider.decide([{**RECORD, "amount": amount} for amount in (9.0, 900.0)])
    assert shown(small)["review"] == {"case": small.id, "because": ["small"]}
    assert "review" not in shown(large)


def test_an_example_is_made_of_what_the_contract_says() -> None:
    example = example_record(CONTRACT)
    assert example is not None
    assert (example["id"], example["region"], example["iban"]) == (7, "north", None)
    read_records(example, CONTRACT)


def test_without_an_example_for_a_pattern_there_is_none() -> None:
    coded = Column("code", "string", pattern=r"^[A-Z]\d$")
    contract = dataclasses.replace(CONTRACT, columns=(*CONTRACT.columns[:2], coded))
    assert example_record(contract) is None
    assert stub(contract).artefact.reason_codes == "none"
    shown_with = dataclasses.replace(coded, examples=("bad", "B2"))
    named = dataclasses.replace(contract, columns=(*contract.columns[:2], shown_with))
    example = example_record(named)
    assert example is not None
    assert example["code"] == "B2"


def test_the_same_record_has_the_same_answer_marked_as_made_up() -> None:
    records: list[dict[str, Any]] = [{**RECORD, "id": n} for n in range(1, 60)]
    decider = stub()
    together = decider.decide(records)
    alone = [stub().decide([record])[0] for record in records]
    assert same([one.output for one in together], [one.output for one in alone])
    assert {one.output["prediction"] for one in together} == {True, False}
    assert any(one.output["reasons"] for one in together)
    assert all(shown(one)["stub"] and one.id.startswith("stub-") for one in together)


def test_its_answers_obey_the_document_that_the_real_one_has() -> None:
    decider = stub()
    schema = openapi(decider.artefact)["components"]["schemas"]["Decision"]
    for number in range(1, 20):
        (made,) = decider.decide([{**RECORD, "id": number}])
        jsonschema.validate(shown(made), schema)


def test_it_stands_by_itself() -> None:
    standing = Standing(Cast(stub()))
    standing.refresh()
    assert standing.answering().champion.artefact.release == "loans:stub"
    assert (standing.golden, standing.problem) == (0, "")
    assert "no model has answered" in standing.note


@pytest.mark.parametrize("path", ["/predict", "/v1/models/loans/predict"])
def test_examples_in_the_document_are_records_that_are_taken(path: str) -> None:
    content = openapi(stub().artefact)["paths"][path]["post"]["requestBody"]["content"]
    for example in content["application/json"]["examples"].values():
        read_records(example["value"], CONTRACT)
    assert content["text/csv"]["example"].startswith("id,asked_at,")
    assert set(content) == {"application/json", "text/csv", "application/vnd.apache.arrow.stream"}
