"""What repairs earn inside a project: its own model, its metric, its value, on real flights."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from .conftest import Firm


@pytest.fixture
def dirty(planned: Firm) -> Firm:
    """Flights of which a tenth has thousands of miles as miles, and some an hour that is none."""
    path = planned.project / "data" / "flights.parquet"
    flights = pl.read_parquet(path).head(9_000)
    rng = np.random.default_rng(0)
    off, none = (pl.Series(rng.random(flights.height) < share) for share in (0.1, 0.06))
    distance, hour = pl.col("distance"), pl.col("sched_dep_time")
    flights.with_columns(
        distance=pl.when(off).then(distance * 1000).otherwise(distance),
        sched_dep_time=pl.when(none).then(9999).otherwise(hour),
    ).write_parquet(planned.project / "dirty.parquet")
    return planned


def test_repairs_are_told_in_the_charters_metric_and_value_by_its_own_model(dirty: Firm) -> None:
    found = dirty.ask("data", "worth", "dirty.parquet")
    assert (found["model"], found["metric"]) == ("own", "roc_auc")
    assert (found["currency"], found["per"]) == ("USD", "decision")
    gains = {(one["defect"], one["column"]): one for one in found["gains"]}
    assert gains["units", "distance"]["rate"] == pytest.approx(0.1, abs=0.02)
    assert gains["sentinels", "sched_dep_time"]["rate"] == pytest.approx(0.06, abs=0.01)
    for one in gains.values():
        assert one["value"]["low"] <= one["value"]["value"] <= one["value"]["high"]
        assert one["gain"]["low"] <= one["gain"]["value"] <= one["gain"]["high"]
    # The model's own code is trained: what it reads is repaired, and its mistakes are its own.
    code = dirty.project / "model.py"
    code.write_text(code.read_text().replace("def estimator(", "def no_estimator("))
    said = dirty.run("data", "worth", "dirty.parquet", code=2)
    assert "estimator" in said
    assert dirty.ask("data", "worth", "dirty.parquet", "--model", "trees")["metric"] == "roc_auc"


def test_another_target_is_none_of_the_charters(dirty: Firm) -> None:
    words = ("data", "worth", "dirty.parquet", "--target", "dep_delay > 60")
    found = dirty.ask(*words, "--leave-out", "dep_delay")
    assert (found["model"], found["metric"], found["currency"]) == ("trees", "ROC AUC", "")
    assert "--model trees" in dirty.run(*words, "--model", "own", code=2)
