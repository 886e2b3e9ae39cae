"""Preprocessing as data: a list of blocks, each making columns of numbers from a frame's columns.

It does what scikit-learn's ColumnTransformer does with the transformers that `sklearn_columns` can
describe, without importing it. A block is JSON data:

    {"op": "number", "columns": [name, ...], "steps": [step, ...]}    one column each
    {"op": "ordinal", "column": name, "codes": [[value, code], ...], "unknown": x, "missing": x}
    {"op": "onehot", "column": name, "slots": [[value, slot or null], ...], "width": n,
     "unknown": slot or null, "missing": slot or null}

and a step is {"op": "impute", "values": [x, ...]}, {"op": "scale", "centre": [...], "by": [...]},
with one number for each column. Values that no code is known for take `unknown`, nulls `missing`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.errors import IntegrityError

Block = Mapping[str, Any]
Matrix = Any
"""A float64 array of shape (rows, columns)."""


def plan_of(content: bytes, protocol: int) -> dict[str, Any]:
    """An engine's plan from its file. Raises `IntegrityError` for another protocol than its own."""
    plan: dict[str, Any] = json.loads(content)
    if plan.get("protocol") != protocol:
        raise IntegrityError(
            f"The compiled model has protocol {plan.get('protocol')}; this taxiway reads"
            f" {protocol}.",
            todo="Upgrade taxiway, or train again.",
        )
    return plan


def runner(blocks: Sequence[Block]) -> Callable[[Any], Matrix]:
    """A function from a polars frame to the matrix that the blocks describe."""
    made = [_BLOCKS[block["op"]](block) for block in blocks]

    def run(frame: Any) -> Matrix:
        parts = [make(frame) for make in made]
        return np.ascontiguousarray(np.hstack(parts)) if len(parts) > 1 else parts[0]

    return run


def _number(block: Block) -> Callable[[Any], Matrix]:
    names = list(block["columns"])
    steps = [_STEPS[step["op"]](step) for step in block["steps"]]

    def make(frame: Any) -> Matrix:
        matrix = np.empty((frame.height, len(names)))
        for at, name in enumerate(names):
            # A null is NaN, as it is for scikit-learn.
            matrix[:, at] = frame.get_column(name).cast(pl.Float64).to_numpy()
        for step in steps:
            matrix = step(matrix)
        return matrix

    return make


def _impute(step: Block) -> Callable[[Matrix], Matrix]:
    values = np.asarray(step["values"], dtype=np.float64)
    return lambda matrix: np.where(np.isnan(matrix), values, matrix)


def _scale(step: Block) -> Callable[[Matrix], Matrix]:
    centre, by = (np.asarray(step[key], dtype=np.float64) for key in ("centre", "by"))
    return lambda matrix: (matrix - centre) / by


def _ordinal(block: Block) -> Callable[[Any], Matrix]:
    name, unknown = block["column"], _float(block["unknown"])
    codes = {value: float(code) for value, code in block["codes"]}
    codes[None] = _float(block["missing"])

    def make(frame: Any) -> Matrix:
        values = frame.get_column(name).to_list()
        return np.array([[codes.get(value, unknown)] for value in values]).reshape(-1, 1)

    return make


def _onehot(block: Block) -> Callable[[Any], Matrix]:
    name, width, unknown = block["column"], block["width"], block["unknown"]
    slots = dict(block["slots"])
    slots[None] = block["missing"]

    def make(frame: Any) -> Matrix:
        matrix = np.zeros((frame.height, width))
        for row, value in enumerate(frame.get_column(name).to_list()):
            slot = slots.get(value, unknown)
            if slot is not None:
                matrix[row, slot] = 1.0
        return matrix

    return make


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


_BLOCKS: Mapping[str, Callable[[Block], Callable[[Any], Matrix]]] = {
    "number": _number,
    "ordinal": _ordinal,
    "onehot": _onehot,
}
_STEPS: Mapping[str, Callable[[Block], Callable[[Matrix], Matrix]]] = {
    "impute": _impute,
    "scale": _scale,
}
