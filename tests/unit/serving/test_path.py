"""The one prediction path: exact figures, golden predictions, and the same bits everywhere."""

from __future__ import annotations

import dataclasses

import pytest

from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError
from taxiway.serving.path import answer, require_golden, same

from .conftest import RECORD


def test_the_answer_is_the_model_s_and_the_threshold_s(artefact: Artefact) -> None:
    first, second = answer(artefact, artefact.frame([RECORD, {**RECORD, "amount": 0.0}]))
    assert (first["probability"], first["prediction"]) == (0.625, True)
    assert (second["probability"], second["prediction"]) == (0.375, False)


def test_the_threshold_itself_is_a_yes(artefact: Artefact) -> None:
    (only,) = answer(artefact, artefact.frame([{**RECORD, "amount": 250.0}]))
    assert (only["probability"], only["prediction"]) == (0.5, True)


def test_a_row_answers_the_same_alone_and_among_others(artefact: Artefact) -> None:
    records = [{**RECORD, "id": n, "amount": n * 7.3} for n in range(1, 90)]
    together = answer(artefact, artefact.frame(records))
    alone = [answer(artefact, artefact.frame([one]))[0] for one in records]
    assert same(together, alone)


def test_a_model_that_is_not_row_exact_is_asked_row_by_row(artefact: Artefact) -> None:
    """A model whose answer depends on how many rows there are, as some batched ones do."""
    asked: list[int] = []

    def drifting(made: object) -> object:
        asked.append(len(made))  # type: ignore[arg-type]
        return artefact.score(made) + (len(made) - 1) * 1e-9  # type: ignore[arg-type]

    strange = dataclasses.replace(artefact, score=drifting, row_exact=False)
    records = [RECORD, {**RECORD, "amount": 900.0}]
    assert same(answer(strange, strange.frame(records)), answer(artefact, artefact.frame(records)))
    assert set(asked) == {1}


def test_no_row_has_no_answer(artefact: Artefact) -> None:
    exact = answer(artefact, artefact.frame([]))
    alone = dataclasses.replace(artefact, row_exact=False)
    assert exact == answer(alone, alone.frame([])) == []


def test_golden_predictions_come_out_the_same(artefact: Artefact) -> None:
    assert require_golden(artefact) == 2


def test_a_golden_prediction_that_differs_in_the_last_bit_is_named(artefact: Artefact) -> None:
    first = artefact.golden[0]
    near = {**first["output"], "probability": 0.6250000000000001}
    changed = dataclasses.replace(artefact, golden=[{**first, "output": near}])
    with pytest.raises(IntegrityError, match=r"1 of 1 golden predictions differ.*0\.625000000"):
        require_golden(changed)


def test_no_golden_prediction_is_no_proof(artefact: Artefact) -> None:
    with pytest.raises(IntegrityError, match="no golden predictions"):
        require_golden(dataclasses.replace(artefact, golden=()))
