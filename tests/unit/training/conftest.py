"""A small data set with a signal, its contract, and the code of a model."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from taxiway.core.contract import Column, Contract
from taxiway.training.code import Code

MODEL = b"""
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def features(frame):
    return frame.select(pl.col("amount"), pl.col("age").cast(pl.Float64))


def estimator(seed):
    return make_pipeline(StandardScaler(), LogisticRegression(random_state=seed))
"""


@pytest.fixture
def contract() -> Contract:
    return Contract(
        id="loans",
        version="1.0.0",
        description="Loans",
        table="loans",
        columns=(
            Column("id", "integer", key=True),
            Column("asked_at", "timestamp"),
            Column("amount", "number"),
            Column("age", "integer"),
            Column("region", "string"),
            Column("days_late", "integer", nullable=True, known_at="due"),
        ),
        moments=("asked", "due"),
        decision_at="asked",
        event_time="asked_at",
    )


@pytest.fixture
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    rows = 2000
    amount = rng.normal(100, 20, rows)
    age = rng.integers(20, 80, rows)
    late = (amount - 100) / 20 + rng.normal(0, 1, rows) > 0.5
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "asked_at": [
                datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(rows)
            ],
            "amount": amount,
            "age": age,
            "region": rng.choice(["north", "south"], rows),
            "days_late": np.where(late, 30, 0),
        },
        schema_overrides={"asked_at": pl.Datetime("us", "UTC")},
    )


@pytest.fixture
def code() -> Code:
    return Code({"model.py": MODEL}, "model.py")
