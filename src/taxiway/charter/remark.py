"""What a plan has to say about a charter: an error, something missing, or advice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from taxiway.core.document import Place
from taxiway.core.errors import Problem

Severity = Literal["error", "missing", "advice"]

BEFORE = ("training", "dev", "qa", "prod")
"""What an answer can be needed for, in the order in which a model gets there."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a charter.

    An `error` contradicts itself or the rest and stops training; what is `missing` is needed
    `before` training or before an environment; `advice` stops nothing. `place` is where in the
    charter it belongs until the line is known (`Problem.where`).
    """

    severity: Severity
    problem: Problem
    before: str = ""
    place: Place = ()


def error(
    place: str, what: str, *, found: str | None = None, expected: str | None = None, todo: str = ""
) -> Remark:
    """An error at a place such as `owners.validation`."""
    problem = Problem(what, found, expected, todo=todo or None)
    return Remark("error", problem, place=tuple(place.split(".")))


def missing(before: str, place: str, what: str, *, todo: str = "") -> Remark:
    """Something that has to be there before training or before an environment."""
    return Remark("missing", Problem(what, todo=todo or None), before, tuple(place.split(".")))


def advice(place: str, what: str, *, todo: str = "") -> Remark:
    """Something to think about."""
    return Remark("advice", Problem(what, todo=todo or None), place=tuple(place.split(".")))
