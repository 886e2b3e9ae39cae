"""Where the time of a decision goes inside a release: its features, its model, its look-ups."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from taxiway.core.artefact import Artefact


@dataclass(slots=True)
class Spent:
    """Seconds since they were last taken; written by the one thread that decides."""

    features: float = 0.0
    model: float = 0.0
    looked_up: float = 0.0

    def take(self) -> Spent:
        """What was spent; it begins again at zero."""
        taken = replace(self)
        self.features = self.model = self.looked_up = 0.0
        return taken


def clocked(artefact: Artefact, spent: Spent) -> Artefact:
    """The artefact, whose calls add to `spent` what they take; that is a microsecond of a group."""
    explain = artefact.contributions
    return replace(
        artefact,
        features=_clocked(artefact.features, spent, "features"),
        score=_clocked(artefact.score, spent, "model"),
        contributions=explain and _clocked(explain, spent, "model"),
    )


def _clocked(call: Callable[[Any], Any], spent: Spent, name: str) -> Callable[[Any], Any]:
    def run(given: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(given)
        finally:
            setattr(spent, name, getattr(spent, name) + time.perf_counter() - began)

    return run
