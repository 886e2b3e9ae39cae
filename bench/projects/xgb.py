"""Thirty numbers into XGBoost: 100 trees of depth 6."""

import polars as pl
from xgboost import XGBClassifier

COLUMNS = [
    f"{when}_{what}"
    for when in ("mean", "error", "worst")
    for what in (
        "radius",
        "texture",
        "perimeter",
        "area",
        "smoothness",
        "compactness",
        "concavity",
        "concave_points",
        "symmetry",
        "fractal_dimension",
    )
]


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """The model's columns, as they are."""
    return frame.select(COLUMNS)


def estimator(seed: int) -> XGBClassifier:
    """One thread, as every server here has."""
    return XGBClassifier(n_estimators=100, max_depth=6, n_jobs=1, random_state=seed)
