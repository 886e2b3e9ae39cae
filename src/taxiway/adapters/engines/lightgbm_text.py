"""LightGBM's own text format, with the preprocessing as data: for trees with native categories.

It needs LightGBM where it serves, and answers with LightGBM's own bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from taxiway.adapters.engines.columns import plan_of, runner
from taxiway.adapters.engines.sklearn_columns import split_pipeline
from taxiway.core.digest import canonical_json
from taxiway.core.ports import NotCompilableError

MODEL, COLUMNS = "model.lightgbm.txt", "columns.json"
PROTOCOL = 1


def compile_estimator(estimator: Any, names: tuple[str, ...]) -> dict[str, bytes]:
    """Name -> content of the files. Raises `NotCompilableError` for what it can't take."""
    blocks, model = split_pipeline(estimator, names)
    kind = type(model)
    if kind.__name__ != "LGBMClassifier" or not kind.__module__.startswith("lightgbm."):
        raise NotCompilableError(f"{kind.__name__} is no classifier of LightGBM")
    text: str = model.booster_.model_to_string()
    return {
        MODEL: text.encode(),
        COLUMNS: canonical_json({"protocol": PROTOCOL, "blocks": blocks}),
    }


def load(files: Mapping[str, bytes]) -> Callable[[Any], Any]:
    """The function from a frame of the model's columns to probabilities, float64."""
    import lightgbm

    matrix_of = runner(plan_of(files[COLUMNS], PROTOCOL)["blocks"])
    booster = lightgbm.Booster(model_str=files[MODEL].decode())

    def probability(frame: Any) -> Any:
        if not frame.height:
            return np.empty(0)
        answered: Any = booster.predict(matrix_of(frame), num_threads=1)
        return answered

    return probability
