"""Reason codes: the effects of a model that can be worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

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
