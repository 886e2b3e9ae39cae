"""Reason codes: the effects of a model that can be worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from taxiway.core.artefact import Artefact
from taxiway.serving.path import answer

from .conftest import RECORD


def reasons(artefact: Artefact, **changes: Any) -> list[tuple[str, float]]:
    (only,) = answer(artefact, artefact.frame([{**RECORD, **changes}]))
    return [(one["column"], one["effect"]) for one in only["reasons"]]


def test_effects_are_those_of_replacing_one_column_by_its_typical_value(
    artefact: Artefact,
) -> None:
    # Typical: 250 EUR (250 less: 0.125), not risky (0.25 less), the south (0.125 less).
    assert reasons(artefact) == [("risky", 0.25), ("amount", 0.125), ("region", 0.125)]


def test_a_reason_shows_what_was_sent_and_what_is_typical(artefact: Artefact) -> None:
    (only,) = answer(artefact, artefact.frame([RECORD]))
    assert only["reasons"][1] == {
        "column": "amount",
        "value": 500.0,
        "typical": 250.0,
        "effect": 0.125,
    }


def test_a_column_that_does_not_speak_for_the_decision_is_no_reason(artefact: Artefact) -> None:
    assert reasons(artefact, amount=1000.0, risky=False, region="south") == [("amount", 0.375)]


def test_only_adverse_decisions_are_explained_unless_all_are_asked_for(
    artefact: Artefact,
) -> None:
    assert reasons(artefact, amount=0.0) == []
    everything = dataclasses.replace(artefact, reason_codes="all")
    # A no: what lowered the probability is its reason, with the sign of its effect.
    assert reasons(everything, amount=0.0) == [("amount", -0.125)]
    assert reasons(dataclasses.replace(artefact, reason_codes="none")) == []


def test_contributions_are_asked_for_the_rows_that_need_reasons_and_for_no_other(
    artefact: Artefact,
) -> None:
    asked: list[int] = []

    def contributions(made: Any) -> Any:
        asked.append(made.height)
        return np.array([[0.5, -0.25, 0.125]] * made.height)

    exact = dataclasses.replace(artefact, contributions=contributions)
    outputs = answer(exact, exact.frame([RECORD, {**RECORD, "amount": 0.0}, RECORD]))
    assert asked == [2]
    assert [[(r["column"], r["effect"]) for r in o["reasons"]] for o in outputs] == [
        [("amount", 0.5), ("region", 0.125)],
        [],
        [("amount", 0.5), ("region", 0.125)],
    ]
    answer(exact, exact.frame([{**RECORD, "amount": 0.0}]))
    assert asked == [2]
