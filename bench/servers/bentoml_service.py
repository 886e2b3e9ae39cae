"""The model as a BentoML service."""

from __future__ import annotations

from typing import Any

import bentoml
from bench.servers.model import Model, workers


@bentoml.service(workers=workers(), traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Scorer:
    """Answers records with probabilities."""

    def __init__(self) -> None:
        self.model = Model()

    @bentoml.api
    def predict(self, records: list[dict[str, Any]]) -> list[float]:
        """The probability for each record."""
        return self.model.probabilities(records)
