"""The fitted model in a neighbour's server: what every hand-written handler needs, and no more."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

FILE = "BENCH_MODEL"
"""The variable with the path of the model by joblib; its columns are beside it, as JSON."""
WORKERS = "BENCH_WORKERS"
PORT = "BENCH_PORT"
BATCH = "BENCH_BATCH"
"""How many requests a server may answer together; 1 where it is left as it comes."""


class Model:
    """A fitted model with `predict_proba`, asked with records."""

    def __init__(self) -> None:
        path = Path(os.environ[FILE])
        about = json.loads(path.with_suffix(".json").read_text())
        self.columns: list[str] = about["columns"]
        self.numbers: dict[str, str] = dict.fromkeys(about["numbers"], "float64")
        self.estimator = joblib.load(path)

    def probabilities(self, records: Sequence[Mapping[str, Any]]) -> list[float]:
        """Of the positive class, one a record."""
        frame = pd.DataFrame.from_records(records, columns=self.columns)
        # One record with a null makes a column of objects.
        frame = frame.astype(self.numbers)
        answer: list[float] = self.estimator.predict_proba(frame)[:, 1].tolist()
        return answer


def workers() -> int:
    """How many worker processes are asked for."""
    return int(os.environ[WORKERS])


def batch() -> int:
    """How many requests may be answered together."""
    return int(os.environ.get(BATCH, "1"))


def port() -> int:
    """The port to listen on, on loopback."""
    return int(os.environ[PORT])
