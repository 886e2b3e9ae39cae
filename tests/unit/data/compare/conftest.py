"""Comparisons of frames by the statistics that monitoring uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from taxiway.bootstrap.data.comparing import statistics
from taxiway.data.compare.comparison import Asked, Comparison, compare
from taxiway.data.compare.measures import Limits
from taxiway.data.survey.rows import rows_of_frame

Held = Callable[..., Comparison]


@pytest.fixture(scope="session")
def held() -> Held:
    """Holds one frame against another."""

    def holding(
        training: pl.DataFrame,
        production: pl.DataFrame,
        *,
        limits: Limits | None = None,
        classifier: bool = False,
        **asked: Any,
    ) -> Comparison:
        return compare(
            rows_of_frame(training, "training"),
            rows_of_frame(production, "production"),
            statistics(),
            limits or Limits(),
            asked=Asked(classifier=classifier, **asked),
        )

    return holding
