"""Production-likeness, with a comparison whose answers are known."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from taxiway.data.likeness import likeness


def compare(reference: list[int], current: list[int]) -> tuple[float, float]:
    """Half the sum of the differences of shares, and a p-value that follows it."""
    shares = [
        abs(r / max(1, sum(reference)) - c / max(1, sum(current)))
        for r, c in zip(reference, current, strict=True)
    ]
    effect = sum(shares) / 2
    return effect, 0.0 if effect > 0.05 else 1.0


def run(training: pl.DataFrame, production: pl.DataFrame, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "source": "schedule.parquet",
        "compare": compare,
        "adjust": list,
        "effect": 0.1,
        "false_discovery_rate": 0.01,
        "minimum_rows": 4,
    }
    found, required = likeness(training, production, **{**given, **options})
    assert set(required) == {"effect", "false_discovery_rate", "minimum_rows"}
    json.dumps([found, required], allow_nan=False)
    return found


def only_in(training: pl.Series, production: pl.Series) -> list[str]:
    """What production has in a column and training has not."""
    found = run(training.alias("x").to_frame(), production.alias("x").to_frame(), minimum_rows=0)
    told: list[str] = found["columns"][0]["only_production"]
    return told


TRAINING = pl.DataFrame(
    {"line": ["A", "A", "B", "B"], "seats": [1, 2, 3, 4], "night": [True, False, True, False]}
)


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {c["name"]: c["verdict"] for c in found["columns"]}


def test_the_same_data_are_the_same() -> None:
    found = run(TRAINING, TRAINING)
    assert verdicts(found) == {"line": "same", "seats": "same", "night": "same"}
    assert found["different"] == []
    assert found["training_rows"] == 4
    alike = {
        "name": "line",
        "effect": 0.0,
        "p_value": 1.0,
        "verdict": "same",
        "only_production": [],
    }
    assert alike.items() <= found["columns"][0].items()


def test_what_differs_is_named_with_what_is_new() -> None:
    production = TRAINING.with_columns(
        line=pl.Series(["A", "C", "C", "D"]), seats=pl.Series([4, 9, 8, 0])
    )
    found = run(TRAINING, production)
    assert found["different"] == ["line", "seats"]
    line, seats, night = found["columns"]
    assert line["only_production"] == ["C (2 rows)", "D (1 row)"]
    assert seats["only_production"] == ["below 1 (1 row)", "above 4 (2 rows)"]
    assert night["only_production"] == []


@pytest.mark.parametrize(("effect", "verdict"), [(0.5, "different"), (0.51, "same")])
def test_small_effects_are_the_same_however_certain(effect: float, verdict: str) -> None:
    # Half of the rows moved from A to C: the shares differ by 0.5.
    production = TRAINING.with_columns(line=pl.Series(["C", "C", "B", "B"]))
    assert verdicts(run(TRAINING, production, effect=effect))["line"] == verdict


def test_adjusted_p_values_decide() -> None:
    production = TRAINING.with_columns(line=pl.Series(["C", "C", "B", "B"]))
    found = run(TRAINING, production, adjust=lambda p_values: [0.02 for _ in p_values])
    assert found["columns"][0]["p_value"] == 0.02
    assert found["different"] == []


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_too_few_rows_say_nothing(rows: int) -> None:
    found = run(TRAINING, TRAINING.head(rows))
    assert set(verdicts(found).values()) == {"insufficient data"}
    assert found["different"] == []
    assert found["columns"][0]["effect"] is None


def test_column_that_production_does_not_send() -> None:
    found = run(TRAINING, TRAINING.drop("seats"))
    assert found["different"] == ["seats"]
    assert found["columns"][-1]["only_production"] == ["production does not send it"]


def test_times_are_left_out_and_extra_columns_ignored() -> None:
    at = pl.Series("at", [datetime(2013, 3, 1, tzinfo=UTC)] * 4)
    found = run(TRAINING.with_columns(at), TRAINING.with_columns(at, weather=pl.lit("sun")))
    assert "at" not in verdicts(found)
    assert "weather" not in verdicts(found)


def test_new_values_are_bounded() -> None:
    production = pl.Series([f"v{n}" for n in range(100)])
    told = only_in(pl.Series(["a"]), production)
    assert told == [*(f"v{n} (1 row)" for n in (0, 1, 10, 11, 12)), "and 95 more values"]


def test_training_without_any_number() -> None:
    assert only_in(pl.Series([None], dtype=pl.Float64), pl.Series([1.0])) == []
    assert only_in(pl.Series([1.0, float("nan")]), pl.Series([5.0])) == ["above 1 (1 row)"]


def test_missing_values_that_training_never_had() -> None:
    assert only_in(pl.Series([1]), pl.Series([1, None])) == ["nothing (1 row)"]
    assert only_in(pl.Series([1, None]), pl.Series([1, None])) == []
