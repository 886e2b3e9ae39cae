"""The smallest test that training asks for."""

import polars as pl
from model import COLUMNS, features  # type: ignore[import-not-found]


def test_features_are_columns_as_they_are() -> None:
    made = features(pl.DataFrame({"more": [0], **{name: [1] for name in COLUMNS}}))
    assert made.columns == COLUMNS
