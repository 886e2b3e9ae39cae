import numpy as np
import polars as pl
import pytest

from taxiway.training.explain import importance


def test_importance_finds_the_column_that_matters_and_its_order_is_stable() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({name: rng.normal(size=4000) for name in ("strong", "weak", "noise")})
    score = 2 * frame["strong"].to_numpy() + 0.7 * frame["weak"].to_numpy()
    labels = score + rng.normal(size=4000) > 0

    def predict(raw: pl.DataFrame) -> np.ndarray:
        z = 2 * raw["strong"].to_numpy() + 0.7 * raw["weak"].to_numpy()
        return np.asarray(1 / (1 + np.exp(-z)))

    table, stability, rows = importance(
        frame, labels, frame.columns, predict, metric="roc_auc", seed=1
    )
    assert [row["column"] for row in table] == ["strong", "weak", "noise"]
    assert table[0]["low"] > table[1]["high"] > 0.01
    assert table[2]["drop"] == pytest.approx(0)
    assert stability == pytest.approx(1)
    assert rows == 4000


def test_a_single_column_has_a_stable_order() -> None:
    frame = pl.DataFrame({"x": np.linspace(0, 1, 100)})
    labels = frame["x"].to_numpy() > 0.5
    _, stability, _ = importance(
        frame, labels, ["x"], lambda raw: raw["x"].to_numpy(), metric="roc_auc", seed=1
    )
    assert stability == 1.0
