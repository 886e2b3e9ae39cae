"""A release says how its reasons are measured, proved it, and gives the same ones anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import taxiway
from taxiway.bootstrap.artefacts import load_replayed
from taxiway.core.evidence import PARITY, Evidence

from .conftest import DEVELOPER, MODEL, Firm, in_environment

ONE = f"{MODEL}:1"


def of_release(firm: Firm) -> tuple[Any, dict[str, Any]]:
    """The release as it is loaded, with what the evidence says of its reasons."""
    with in_environment(firm), taxiway.Workspace.open(firm.folder) as workspace:
        artefact = load_replayed(workspace, workspace.find_release(ONE))
        (parity,) = workspace.record.find(Evidence, subject=ONE, kind=PARITY)
        return artefact, parity.found["reasons"]


def test_a_model_s_column_made_from_two_inputs_leaves_typical_values_to_compare_with(
    trained: Firm,
) -> None:
    artefact, said = of_release(trained)
    assert said["method"] == artefact.manifest["reasons"]["method"] == "replacement"
    assert said["why"] == (
        "the model's column block is made from sched_dep_time and sched_arr_time"
    )
    assert artefact.contributions is None


def test_reasons_are_exact_where_each_column_is_made_from_one_input(planned: Firm) -> None:
    model = planned.project / "model.py"
    code = model.read_text()
    model.write_text(code.replace('((arrival - departure) % 1440).alias("block"),\n', ""))
    assert model.read_text() != code
    planned.commit("One input for each column")
    planned.run("train", by=DEVELOPER)

    artefact, said = of_release(planned)
    assert artefact.manifest["reasons"] == {
        "method": "contributions",
        "unit": "log-odds",
        "why": "",
    }
    assert artefact.manifest["sources"]["departure"] == ["sched_dep_time"]
    assert said["rows"] >= 64
    assert said["largest_difference"] < 1e-9
    assert 0 < said["row_us"] < 1500

    explained = [row for row in artefact.golden if row["output"]["reasons"]]
    assert explained
    frame = artefact.frame([row["inputs"] for row in explained])
    effects = artefact.contributions(artefact.features(frame))
    for row, found in zip(explained, effects, strict=True):
        strongest = np.argsort(-found, kind="stable")[: len(row["output"]["reasons"])]
        assert [one["effect"] for one in row["output"]["reasons"]] == found[strongest].tolist()
        named = [artefact.input_names[at] for at in strongest]
        assert [one["column"] for one in row["output"]["reasons"]] == named
    # Beside the expected score they add up to the answer's.
    odds = [row["output"]["probability"] / (1 - row["output"]["probability"]) for row in explained]
    beside = np.log(odds) - effects.sum(axis=1)
    assert beside == pytest.approx(beside[0], abs=1e-9)


def test_the_charter_can_ask_for_typical_values(planned: Firm) -> None:
    model, charter = planned.project / "model.py", planned.project / "taxiway.yaml"
    model.write_text(
        model.read_text().replace('((arrival - departure) % 1440).alias("block"),\n', "")
    )
    said = charter.read_text()
    charter.write_text(
        said.replace("reason_codes: adverse", "reason_codes: adverse\n  reasons_by: replacement")
    )
    assert charter.read_text() != said
    planned.commit("Compare with typical values")
    planned.run("train", by=DEVELOPER)
    artefact, found = of_release(planned)
    assert found == {"method": "replacement", "unit": "probability", "why": "the charter says so"}
    assert artefact.contributions is None
