"""Preprocessing as data: a list of blocks, each making columns of numbers from a frame's columns.

It does what scikit-learn's ColumnTransformer does with the transformers that `sklearn_columns` can
describe, without importing it. A block is JSON data:

    {"op": "number", "columns": [name, ...], "steps": [step, ...]}    one column each
    {"op": "ordinal", "column": name, "codes": [[value, code], ...], "unknown": x, "missing": x}
    {"op": "onehot", "column": name, "slots": [[value, slot or null], ...], "width": n,
     "unknown": slot or null, "missing": slot or null}

and a step is {"op": "impute", "values": [x, ...], "indicate": [place, ...]},
{"op": "scale", "centre": [...], "by": [...]} or {"op": "stretch", "by": [...], "plus": [...],
"clip": [low, high] or null}, with one number for each column. Values that no code is known for take
`unknown`, nulls and NaN `missing`; either may be "refused", where the encoder would raise.

First every column becomes a column of numbers (codes stand for values), then numpy makes blocks of
them. Few rows are read row by row and many column by column; the numbers are the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.errors import InputError, IntegrityError, shortened

Block = Mapping[str, Any]
Matrix = Any
"""A float64 array of shape (rows, columns)."""
REFUSED = "refused"
FEW, MANY = 64, 4_096
"""Rows up to which they are read one by one, and from which polars looks codes up."""


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


Place = tuple[str, tuple[float, float] | None]
"""A column of the frame, and (times, plus) that make its value of the matrix's, if numbers do."""


def places(blocks: Sequence[Block]) -> list[Place]:
    """For each column of the matrix, where it comes from."""
    found: list[Place] = []
    for block in blocks:
        if block["op"] != "number":
            found += [(block["column"], None)] * block.get("width", 1)
            continue
        made: list[Place] = [(name, (1.0, 0.0)) for name in block["columns"]]
        for step in block["steps"]:
            undo = _UNDO[step["op"]](step)
            made = [
                (name, back and (times * back[0], plus * back[0] + back[1]))
                for (name, back), (times, plus) in zip(made, undo, strict=True)
            ]
            made += [(made[place][0], None) for place in step.get("indicate", ())]
        found += made
    return found


_UNDO: Mapping[str, Callable[[Block], list[tuple[float, float]]]] = {
    "impute": lambda step: [(1.0, 0.0) for _ in step["values"]],
    "scale": lambda step: list(zip(step["by"], step["centre"], strict=True)),
    "stretch": lambda step: [
        (1 / by, -plus / by) for by, plus in zip(step["by"], step["plus"], strict=True)
    ],
}
"""Step -> (times, plus) for each column, which take it back."""


class _Codes(dict[Any, float]):
    """Value -> number; NaN is missing, and everything else that is not there unknown."""

    def __init__(self, block: Block) -> None:
        known = block["codes" if block["op"] == "ordinal" else "slots"]
        super().__init__({value: _float(code) for value, code in known})
        self.column, self.texts = block["column"], all(isinstance(v, str) for v, _ in known)
        self.unknown, self.missing = block["unknown"], block["missing"]
        if self.missing != REFUSED:
            self[None] = _float(self.missing)

    def __missing__(self, value: Any) -> float:
        code = self.missing if value is None or value != value else self.unknown  # noqa: PLR0124 - NaN
        if code == REFUSED:
            raise InputError(
                f"The model has never seen {shortened(value)} in its column {self.column}, and its"
                " encoder refuses what it has not seen.",
                todo="Let the encoder take it: handle_unknown in the estimator; and train again.",
            )
        return _float(code)


def runner(blocks: Sequence[Block]) -> Callable[[Any], Matrix]:
    """A function from a polars frame to the matrix that the blocks describe."""
    names: list[str] = []
    coded: dict[int, _Codes] = {}
    made: list[Callable[[Matrix], Matrix]] = []
    plain = True
    for block in blocks:
        start = len(names)
        if block["op"] == "number":
            names += block["columns"]
        else:
            coded[start] = _Codes(block)
            names.append(block["column"])
        plain = plain and block["op"] != "onehot" and not block.get("steps")
        made.append(_part(block, start, len(names)))
    read = _reader(names, coded)
    if plain:
        return read

    def run(frame: Any) -> Matrix:
        numbers = read(frame)
        parts = [make(numbers) for make in made]
        return np.ascontiguousarray(np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0])

    return run


def _reader(names: Sequence[str], coded: Mapping[int, _Codes]) -> Callable[[Any], Matrix]:
    """A function from a frame to the named columns as numbers."""
    lookups = tuple(coded.items())
    known: dict[tuple[str, ...], Callable[[Any], Any]] = {}

    def few(frame: Any) -> Matrix:
        columns = tuple(frame.columns)
        take = known.get(columns)
        if take is None:
            at = [columns.index(name) for name in names]
            take = known[columns] = itemgetter(*at) if len(at) > 1 else lambda row: (row[at[0]],)
        rows = [list(take(row)) for row in frame.rows()]
        for row in rows:
            for place, codes in lookups:
                row[place] = codes[row[place]]
        # A null becomes NaN, as it is for scikit-learn.
        return np.array(rows, dtype=np.float64)

    def many(frame: Any) -> Matrix:
        matrix = np.empty((frame.height, len(names)))
        for place, name in enumerate(names):
            series = frame.get_column(name)
            codes = coded.get(place)
            matrix[:, place] = _numbers(series) if codes is None else _coded(series, codes)
        return matrix

    def read(frame: Any) -> Matrix:
        if 0 < frame.height <= FEW:
            try:
                return few(frame)
            except (TypeError, ValueError):  # a type that only polars makes a number of
                return many(frame)
        return many(frame)

    return read


def _numbers(series: Any) -> Any:
    if series.dtype.is_decimal():  # as Python rounds it, however many rows there are
        return np.array(series.to_list(), dtype=np.float64)
    return series.cast(pl.Float64).to_numpy()


def _coded(series: Any, codes: _Codes) -> Any:
    if series.len() < MANY:
        return [codes[value] for value in series.to_list()]
    default = None if codes.unknown == REFUSED else _float(codes.unknown)
    if series.dtype == pl.String and codes.texts and None in codes and default is not None:
        known = dict(codes)
    else:
        # Whatever the values are, each of them is looked up once, as it is for few rows.
        known = {value: codes[value] for value in series.unique().to_list()}
    old = pl.Series(list(known), dtype=series.dtype)
    new = pl.Series(list(known.values()), dtype=pl.Float64)
    return series.replace_strict(old, new, default=default, return_dtype=pl.Float64).to_numpy()


def _part(block: Block, start: int, stop: int) -> Callable[[Matrix], Matrix]:
    if block["op"] == "onehot":
        width = block["width"]

        def onehot(numbers: Matrix) -> Matrix:
            slots = numbers[:, start]
            rows = np.flatnonzero(slots == slots)  # noqa: PLR0124 - NaN has no slot
            part = np.zeros((len(slots), width))
            part[rows, slots[rows].astype(np.intp)] = 1.0
            return part

        return onehot
    steps = [_STEPS[step["op"]](step) for step in block.get("steps", ())]

    def number(numbers: Matrix) -> Matrix:
        part = numbers[:, start:stop]
        for step in steps:
            part = step(part)
        return part

    return number


def _impute(step: Block) -> Callable[[Matrix], Matrix]:
    values = np.asarray(step["values"], dtype=np.float64)
    indicate = list(step.get("indicate", ()))

    def impute(matrix: Matrix) -> Matrix:
        missing = np.isnan(matrix)
        filled = np.where(missing, values, matrix)
        if not indicate:
            return filled
        return np.concatenate([filled, missing[:, indicate].astype(np.float64)], axis=1)

    return impute


def _scale(step: Block) -> Callable[[Matrix], Matrix]:
    centre, by = (np.asarray(step[key], dtype=np.float64) for key in ("centre", "by"))
    return lambda matrix: (matrix - centre) / by


def _stretch(step: Block) -> Callable[[Matrix], Matrix]:
    by, plus = (np.asarray(step[key], dtype=np.float64) for key in ("by", "plus"))
    clip = step["clip"]
    if clip is None:
        return lambda matrix: matrix * by + plus
    return lambda matrix: np.clip(matrix * by + plus, *clip)


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


_STEPS: Mapping[str, Callable[[Block], Callable[[Matrix], Matrix]]] = {
    "impute": _impute,
    "scale": _scale,
    "stretch": _stretch,
}
