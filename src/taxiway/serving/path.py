"""The one prediction path: endpoint, batch, replay, rehearsal and golden predictions all use it."""

from __future__ import annotations

from typing import Any

import numpy as np

from taxiway.core.artefact import Artefact
from taxiway.core.digest import canonical_json
from taxiway.core.errors import IntegrityError, shortened
from taxiway.serving.reasons import reasons

SHOWN = 3


def answer(artefact: Artefact, frame: Any) -> list[dict[str, Any]]:
    """One output for each row of a frame of raw, validated rows.

    An output holds what the model's kind says, such as {prediction: bool, probability: float} or
    {prediction: float}, and `reasons`; a row has the same output to the bit whichever rows stand
    beside it.
    """
    scores = score(artefact, frame)
    said = artefact.kind.says(scores, artefact.threshold)
    explained = reasons(artefact, frame, scores, score)
    names = (*said, "reasons")
    columns = [values.tolist() for values in said.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, explained, strict=True)]


def score(artefact: Artefact, frame: Any) -> Any:
    """What the model makes of each row, float64 of shape (rows,)."""
    if artefact.row_exact:
        return artefact.score(artefact.features(frame))
    alone = [frame[row : row + 1] for row in range(frame.height)]
    return np.concatenate([np.empty(0), *(artefact.score(artefact.features(row)) for row in alone)])


def golden_rows(artefact: Artefact, frame: Any) -> list[dict[str, Any]]:
    """The golden predictions of a release: rows {inputs, output} that must come out the same."""
    outputs = answer(artefact, frame)
    inputs = artefact.plain(frame.select(artefact.inputs.names))
    return [{"inputs": i, "output": o} for i, o in zip(inputs, outputs, strict=True)]


def require_golden(artefact: Artefact) -> int:
    """Replays the golden predictions, and says how many there are.

    Raises `IntegrityError` if one comes out differently, or if there is none.
    """
    rows = artefact.golden
    if not rows:
        raise IntegrityError(f"{artefact.release} has no golden predictions to replay.")
    outputs = answer(artefact, artefact.frame([row["inputs"] for row in rows]))
    differing = [
        (row["output"], output)
        for row, output in zip(rows, outputs, strict=True)
        if not same(row["output"], output)
    ]
    if differing:
        shown = "; ".join(
            f"expected {shortened(expected)}, found {shortened(found)}"
            for expected, found in differing[:SHOWN]
        )
        raise IntegrityError(
            f"{artefact.release} does not answer as it did when it was released: {len(differing)}"
            f" of {len(rows)} golden predictions differ. {shown}.",
            todo="Install the versions of its requirements.lock, or train it again.",
        )
    return len(rows)


def same(left: Any, right: Any) -> bool:
    """Whether two outputs are equal to the bit."""
    return canonical_json(left) == canonical_json(right)
