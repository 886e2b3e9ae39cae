"""Engines: ways to a model's answers, and to what each column adds, without its own library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class NotCompilableError(Exception):
    """An engine can't take an estimator; the text says what of it. Never reaches a user raw."""


LOG_ODDS, LOG, ANSWER = "log-odds", "log", "answer"
"""A score is in log-odds of the answer, its logarithm, or the answer itself."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each of the model's columns adds to its score, exactly, beside the expected score."""

    columns: tuple[str, ...]
    expected: float
    unit: str
    """What the score is: `LOG_ODDS`, `LOG` or `ANSWER`, or, of calibrated models, the `mean` of
    those or what they are `before calibration`."""
    of: Callable[[Any], Any]
    """Frame of the model's columns -> float64 of shape (rows, columns), row by row the same bits in
    any batch."""
    score: Callable[[Any], Any] | None = None
    """Frame of the model's columns -> the score, where it can't be told from the answer."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A way to get an estimator's answers without the library that fitted it."""

    name: str
    compile: Callable[[Any, tuple[str, ...]], dict[str, bytes]]
    """(fitted estimator, names of the model's columns) -> files, which are data and no code.
    Raises `NotCompilableError`."""
    load: Callable[[Mapping[str, bytes]], Callable[[Any], Any]]
    """Verified files -> (frame of the model's columns -> probabilities or numbers, float64 of shape
    (rows,))."""
    edges: Callable[[Mapping[str, bytes]], Mapping[str, Sequence[float]]] = lambda _: {}
    """Files -> column -> the values at which the model turns, which a proof has to try."""
    background: Callable[[Mapping[str, bytes], Any], dict[str, bytes]] = lambda files, _: {**files}
    """(files, frame of the model's columns in training) -> files with what contributions need of
    those rows."""
    contributions: Callable[[Mapping[str, bytes]], Contributions | None] = lambda _: None
    """Files -> exact contributions, if the engine has them for this model."""
