"""A model whose answer is a number, wherever answers are made, shown, counted and compared."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import numpy as np
import polars as pl
import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.decision import Decision
from taxiway.core.errors import InputError
from taxiway.core.kind import REGRESSION
from taxiway.data.frame import plain_frame
from taxiway.serving.bodies import JSON, Body
from taxiway.serving.columns import answered
from taxiway.serving.compared import compare
from taxiway.serving.guardrail import Breach, Guardrail, Limits, Trial
from taxiway.serving.metrics import Metrics
from taxiway.serving.openapi import openapi
from taxiway.serving.oversight import overseen
from taxiway.serving.path import answer, golden_rows, require_golden
from taxiway.serving.protocols import PROTOCOLS, shown
from taxiway.serving.replay import replay_all
from taxiway.serving.stub import stub_decider

from .conftest import ARTEFACT, CONTRACT, NOW, RECORD, make_decider

NUMBER = dataclasses.replace(
    ARTEFACT,
    kind=REGRESSION,
    threshold=None,
    reason_codes="all",
    score=lambda made: np.asarray(
        made["amount"].to_numpy() * 2 - made["risky"].to_numpy() * 300 + made["north"].to_numpy()
    ),
)
"""Twice the amount, 300 less for risky, one more for the north."""
OTHER = {**RECORD, "id": 8, "amount": 250.0, "risky": None, "region": "south"}


def test_an_answer_is_the_number_with_what_moves_it_most() -> None:
    first, second = answer(NUMBER, NUMBER.frame([RECORD, OTHER]))
    assert first == {
        "prediction": 701.0,
        "reasons": [
            {"column": "amount", "value": 500.0, "typical": 250.0, "effect": 500.0},
            {"column": "risky", "value": True, "typical": False, "effect": -300.0},
            {"column": "region", "value": "north", "typical": "south", "effect": 1.0},
        ],
    }
    # All of it is typical: nothing moves it.
    assert second == {"prediction": 500.0, "reasons": []}
    assert all(type(one["prediction"]) is float for one in (first, second))


def test_columns_say_the_same() -> None:
    records = [{**RECORD, "id": at, "amount": at / 7} for at in range(1, 60)]
    frame = NUMBER.frame(records)
    made = answered(NUMBER, frame, plain_frame)
    assert [json.loads(text) for text in made["output"]] == answer(NUMBER, frame)
    assert made.columns == ["prediction", "reasons", "review", "output"]
    assert made["prediction"].dtype == pl.Float64


def test_it_is_logged_replayed_and_has_golden_predictions() -> None:
    log = MemoryDecisions()
    golden = golden_rows(NUMBER, NUMBER.frame([RECORD, OTHER]))
    artefact = dataclasses.replace(NUMBER, golden=golden)
    assert require_golden(artefact) == 2
    made = make_decider(log)(artefact).decide([RECORD, OTHER])
    tally = replay_all(made, lambda _: artefact, plain=plain_frame)
    assert (tally.equal, tally.different) == (2, 0)
    forged = dataclasses.replace(made[0], output={**made[0].output, "prediction": 700.0})
    assert replay_all([forged], lambda _: artefact, plain=plain_frame).different == 1


def test_protocols_show_it_without_a_probability() -> None:
    (made,) = make_decider(MemoryDecisions())(NUMBER).decide([RECORD])
    assert "probability" not in shown(made)
    told: Any = PROTOCOLS["/v2/models/NAME/infer"].show(Body(JSON, {}), [made])
    outputs = {one["name"]: (one["datatype"], one["data"]) for one in told["outputs"]}
    assert outputs["prediction"] == ("FP64", [701.0])
    assert set(outputs) == {"prediction", "decision", "review"}


def test_the_document_says_so_beside_a_classifier() -> None:
    other = dataclasses.replace(NUMBER, model="prices", release="prices:1")
    document = openapi(ARTEFACT, other)
    schemas = document["components"]["schemas"]
    assert "probability" in schemas["Decision"]["required"]
    assert "probability" not in schemas["Decision.regression"]["properties"]
    path = document["paths"]["/v1/models/prices/predict"]["post"]["responses"]["200"]
    assert "Decision.regression" in json.dumps(path)


def test_conditions_ask_about_the_number() -> None:
    rules = [{"name": "large", "when": "prediction > 600 AND amount > 1"}]
    charter = {"kind": "regression", "oversight": {"who": "x", "review": rules}}
    artefact = dataclasses.replace(NUMBER, oversight=overseen(charter, CONTRACT, "sha256:x"))
    made = make_decider(MemoryDecisions())(artefact).decide([RECORD, OTHER])
    assert [one.because for one in made] == [("large",), ()]
    rules[0]["when"] = "probability > 0.5"
    with pytest.raises(InputError, match="no column 'probability'"):
        overseen(charter, CONTRACT, "sha256:x")


def test_metrics_count_numbers_without_a_label_for_each() -> None:
    metrics = Metrics()
    metrics.decided(make_decider(MemoryDecisions())(NUMBER).decide([RECORD, OTHER]))
    text = metrics.text({})
    assert 'taxiway_decisions_total{release="loans:3",prediction="number"} 2' in text


def said(key: object, number: float) -> Decision:
    return Decision(
        id=f"{key}", model="loans", release="loans:3", release_digest="", environment="prod",
        channel="http", key=f"{key}", happened_at=NOW, at=NOW, inputs={},
        output={"prediction": number, "reasons": []}, latency_us=10,
    )  # fmt: skip


def judged(shift: float, *, groups: int = 400) -> Breach | None:
    """Numbers around a million, spread by ten; the canary's are shifted."""
    rng = random.Random(3)
    guardrail = Guardrail(Limits(), "d", "loans:4")
    for at in range(groups):
        own = [said(f"a{at}-{n}", rng.gauss(1e6, 10)) for n in range(5)]
        tried = [said(f"b{at}-{n}", rng.gauss(1e6 + shift, 10)) for n in range(5)]
        breach = guardrail.saw(Trial(own, tried, 0, 0.001, 0.001))
        if breach:
            return breach
    return None


def test_a_canary_whose_numbers_lie_elsewhere_is_taken_off() -> None:
    assert judged(0.0) is None
    assert judged(0.5) is None  # a twentieth of a standard deviation: less than the limit
    breach = judged(10.0)
    assert breach is not None
    assert breach.rule == "number"
    assert "mean prediction" in breach.what


def test_champion_and_shadow_are_compared_by_their_numbers() -> None:
    names = ("loans", "prod", "loans:3", "loans:4")
    found = compare(names, [said("a", 10.0), said("b", 20.0)], [said("a", 10.0), said("b", 26.0)])
    assert (found.score, found.champion_mean, found.challenger_mean) == ("prediction", 15.0, 18.0)
    assert (found.mean_difference, found.largest_difference) == (3.0, 6.0)
    assert found.agreement is not None
    assert found.agreement[0] == 0.5


def test_a_stub_makes_numbers_up() -> None:
    decider = stub_decider(
        CONTRACT,
        "loans",
        frame=ARTEFACT.frame,
        plain=ARTEFACT.plain,
        reason_codes="none",
        kind=REGRESSION,
        now=lambda: NOW,
        new_id=lambda: "1",
    )
    (made,) = decider.decide([RECORD])
    assert set(made.output) == {"prediction", "reasons"}
    assert 0 <= made.output["prediction"] < 100
