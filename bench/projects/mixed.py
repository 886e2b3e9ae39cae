"""Twelve mixed columns with gaps: one-hot and scaler, then histogram gradient boosting."""

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

CATEGORIES = ["carrier", "origin", "dest", "engine"]
NUMBERS = ["hour", "distance", "seats", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
COLUMNS = [*CATEGORIES, *NUMBERS]


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """The model's columns, as they are."""
    return frame.select(COLUMNS)


def estimator(seed: int) -> Pipeline:
    """scikit-learn's defaults; early stopping off, so that a rerun is equal."""
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
            (StandardScaler(), NUMBERS),
            verbose_feature_names_out=False,
        ),
        HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
    )
