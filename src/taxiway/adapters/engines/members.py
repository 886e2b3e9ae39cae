"""A model as the mean of its members: most have one, a calibrated one has one for each fold.

A member is a matrix of numbers, a model that scores it, a link that makes the answer of the score,
and perhaps a calibrator. All but the score is the same for every kind of model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from taxiway.adapters.engines.columns import runner
from taxiway.adapters.engines.sklearn_columns import Split, is_sklearn, split_pipeline
from taxiway.adapters.engines.trees import EXPONENTIAL, IDENTITY, LOGISTIC
from taxiway.core.engine import NotCompilableError


@dataclass(frozen=True, slots=True)
class Member:
    """One fitted model with what stands before and behind it."""

    split: Split
    calibrator: Mapping[str, Any] | None


def members_of(estimator: Any, names: Sequence[str]) -> list[Member]:
    """Takes an estimator apart. Raises `NotCompilableError` for what it can't take."""
    split = split_pipeline(estimator, names)
    if not is_sklearn(split.model, "CalibratedClassifierCV"):
        return [Member(split, None)]
    whole = split.model is estimator
    found = []
    for one in split.model.calibrated_classifiers_:
        inner = split_pipeline(one.estimator, names, None if whole else split)
        of_score = hasattr(inner.model, "decision_function")
        found.append(Member(inner, _calibrator(one, of_score=of_score)))
    return found


def _calibrator(one: Any, *, of_score: bool) -> dict[str, Any]:
    if len(one.calibrators) != 1:
        raise NotCompilableError("a CalibratedClassifierCV of more than two classes")
    (fitted,) = one.calibrators
    kind = {"kind": one.method, "of": "score" if of_score else "probability"}
    if one.method == "sigmoid":
        return kind | {"a": float(fitted.a_), "b": float(fitted.b_)}
    if one.method == "isotonic":
        return kind | {
            "x": [float(x) for x in fitted.X_thresholds_],
            "y": [float(y) for y in fitted.y_thresholds_],
        }
    raise NotCompilableError(f"a CalibratedClassifierCV of the method {one.method}")


def planned(
    members: Sequence[Member], figures: Sequence[Mapping[str, Any]]
) -> tuple[list[Any], list[dict[str, Any]]]:
    """(distinct lists of blocks, a description of each member), as JSON data."""
    matrices: list[Any] = []
    described = []
    for member, of_member in zip(members, figures, strict=True):
        if member.split.blocks not in matrices:
            matrices.append(member.split.blocks)
        described.append(
            {
                "matrix": matrices.index(member.split.blocks),
                "calibrator": member.calibrator,
                **of_member,
            }
        )
    return matrices, described


def answering(
    matrices: Sequence[Any],
    described: Sequence[Mapping[str, Any]],
    scores: Sequence[Callable[[Any], Any]],
) -> Callable[[Any], Any]:
    """The function from a frame of the model's columns to answers, float64."""
    made = [runner(blocks) for blocks in matrices]
    if len(described) == 1:
        (matrix_of,), (score,), finish = made, scores, _finish(described[0])
        return lambda frame: finish(score(matrix_of(frame))) if frame.height else np.empty(0)
    parts = [
        (one["matrix"], score, _finish(one)) for one, score in zip(described, scores, strict=True)
    ]

    def answer(frame: Any) -> Any:
        if not frame.height:
            return np.empty(0)
        numbers = [matrix_of(frame) for matrix_of in made]
        total = np.zeros(frame.height)
        for matrix, score, finish in parts:
            total += finish(score(numbers[matrix]))
        return total / len(parts)

    return answer


def _finish(member: Mapping[str, Any]) -> Callable[[Any], Any]:
    """The function from scores to answers."""
    linked, scale, calibrator = LINKS[member["link"]], member["scale"], member["calibrator"]

    def link(score: Any) -> Any:
        return linked(score if scale == 1 else score * scale)

    if calibrator is None:
        return link
    before = link if calibrator["of"] == "probability" else lambda score: score
    if calibrator["kind"] == "sigmoid":
        a, b = calibrator["a"], calibrator["b"]
        return lambda score: _logistic(-(a * before(score) + b))
    x, y = (np.asarray(calibrator[key], dtype=np.float64) for key in ("x", "y"))
    return lambda score: np.interp(before(score), x, y)


def _logistic(score: Any) -> Any:
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-score))


def _exponential(score: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.exp(score)


LINKS: Mapping[str, Callable[[Any], Any]] = {
    LOGISTIC: _logistic,
    EXPONENTIAL: _exponential,
    IDENTITY: lambda score: score,
}
"""How a score becomes an answer."""
