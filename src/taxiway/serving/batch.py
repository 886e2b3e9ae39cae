"""Batch scoring: a frame of validated rows along the same path as the endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from taxiway.core.decision import Decision
from taxiway.serving.deciding import Decider

CHUNK_ROWS = 20_000
"""Rows that are decided, and logged in one transaction, at a time."""


def score(
    decider: Decider, frame: Any, *, on_rows: Callable[[int], None] = lambda _: None
) -> list[dict[str, Any]]:
    """A row {key columns, prediction, probability, reasons, release, decision} for each row given.

    Reasons are JSON text, so that every table format holds them.
    """
    artefact = decider.artefact
    wanted = frame.select(artefact.inputs.names)
    scored: list[dict[str, Any]] = []
    for start in range(0, frame.height, CHUNK_ROWS):
        rows = wanted[start : start + CHUNK_ROWS]
        decided = decider.decide(artefact.plain(rows), rows)
        scored += [_row(decision, artefact.inputs.key) for decision in decided]
        on_rows(rows.height)
    return scored


def _row(decision: Decision, key: Sequence[str]) -> dict[str, Any]:
    return {
        **{name: decision.inputs[name] for name in key},
        "prediction": decision.output["prediction"],
        "probability": decision.output["probability"],
        "reasons": json.dumps(decision.output["reasons"]),
        "release": decision.release,
        "decision": decision.id,
    }
