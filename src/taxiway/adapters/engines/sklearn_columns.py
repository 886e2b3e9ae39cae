"""Describes fitted scikit-learn preprocessing as the blocks that `columns` runs.

What can't be described exactly is refused with its name, and the estimator is then served by the
library that fitted it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.adapters.engines.columns import REFUSED
from taxiway.core.engine import NotCompilableError

Blocks = list[dict[str, Any]]
_HISTOGRAMS = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")


@dataclass(frozen=True, slots=True)
class Split:
    """An estimator taken apart."""

    blocks: Blocks
    """They make the matrix that the model is given."""
    model: Any
    encoded: bool = False
    """Whether they make the matrix that histogram gradient boosting makes for itself."""
    sparse: bool = False
    """Whether the model was given a sparse matrix."""


def split_pipeline(estimator: Any, names: Sequence[str], given: Split | None = None) -> Split:
    """Takes a pipeline apart: what stands in front of its model, and the model.

    `names` are the columns of the frame that it was fitted on, or `given` describes the matrix that
    it was fitted on.
    """
    estimator = _thawed(estimator)
    whole = is_sklearn(estimator, "Pipeline")
    steps = [step for _, step in estimator.steps] if whole else [estimator]
    *before, model = [step for step in steps if step not in (None, "passthrough")]
    model = _thawed(model)
    blocks = None if given is None else given.blocks
    sparse = given is not None and given.sparse
    for step in before:
        blocks = _first(step, names) if blocks is None else _after(blocks, step)
        sparse = sparse or bool(getattr(step, "sparse_output_", getattr(step, "sparse_output", 0)))
    if blocks is not None:
        return Split(blocks, model, sparse=sparse)
    own = getattr(model, "_preprocessor", None)
    if own is None or not is_sklearn(model, *_HISTOGRAMS):
        return Split([_numbers(list(names))], model)
    chosen = [bool(one) for one in model.is_categorical_]
    categories = [name for name, one in zip(names, chosen, strict=True) if one]
    others = [name for name, one in zip(names, chosen, strict=True) if not one]
    blocks = _ordinal(own.named_transformers_["encoder"], categories)
    return Split([*blocks, _numbers(others)] if others else blocks, model, encoded=True)


def _thawed(estimator: Any) -> Any:
    return estimator.estimator if is_sklearn(estimator, "FrozenEstimator") else estimator


def _first(step: Any, names: Sequence[str]) -> Blocks:
    if not is_sklearn(step, "ColumnTransformer"):
        return _blocks(step, list(names))
    blocks: Blocks = []
    for _, inner, columns in step.transformers_:
        chosen = _names(columns, names)
        if chosen and not (isinstance(inner, str) and inner == "drop"):
            blocks += _blocks(inner, chosen)
    # A sparse matrix holds the same numbers; that the model answers the same is what parity proves.
    return blocks


def _names(columns: Any, names: Sequence[str]) -> list[str]:
    if isinstance(columns, str):
        return [columns]
    if isinstance(columns, slice) or callable(columns):
        raise NotCompilableError("columns that are chosen by a slice or a function")
    listed = list(columns)
    if all(isinstance(one, bool) for one in listed) and listed:
        return [name for name, chosen in zip(names, listed, strict=True) if chosen]
    return [one if isinstance(one, str) else names[int(one)] for one in listed]


def _blocks(transformer: Any, columns: list[str]) -> Blocks:
    """The blocks of one transformer over some columns."""
    if isinstance(transformer, str) and transformer == "passthrough":
        return [_numbers(columns)]
    if is_sklearn(transformer, "Pipeline"):
        return _chain(
            [step for _, step in transformer.steps if step not in (None, "passthrough")], columns
        )
    return _chain([transformer], columns)


def _chain(steps: Sequence[Any], columns: list[str]) -> Blocks:
    """The blocks of transformers behind each other."""
    if not steps:
        return [_numbers(columns)]
    first, *rest = steps
    if rest and is_sklearn(first, "SimpleImputer") and type(rest[0]).__name__ in _ENCODERS:
        return _filled(first, _chain(rest, columns))
    for name, encode in _ENCODERS.items():
        if is_sklearn(first, name):
            blocks = encode(first, columns)
            break
    else:
        blocks, rest = [_numbers(columns)], list(steps)
    for step in rest:
        blocks = _after(blocks, step)
    return blocks


def _numbers(columns: list[str]) -> dict[str, Any]:
    return {"op": "number", "columns": columns, "steps": []}


def _filled(imputer: Any, blocks: Blocks) -> Blocks:
    """Encoders behind an imputer: what is missing counts as the value that is filled in."""
    if imputer.add_indicator:
        raise NotCompilableError("a SimpleImputer with indicators in front of an encoder")
    for block, value in zip(blocks, imputer.statistics_, strict=True):
        # A text that is missing is None, which an imputer of NaN lets through.
        if isinstance(value, str) and imputer.missing_values is not None:
            continue
        key = "codes" if block["op"] == "ordinal" else "slots"
        block["missing"] = dict(block[key]).get(_plain(value), block["unknown"])
    return blocks


def _after(blocks: Blocks, transformer: Any) -> Blocks:
    """Blocks of numbers with one more step behind them."""
    if is_sklearn(transformer, "FunctionTransformer") and transformer.func is None:
        return blocks
    if len(blocks) != 1 or blocks[0]["op"] != "number":
        raise NotCompilableError(f"{type(transformer).__name__} after an encoder")
    (block,) = blocks
    return [{**block, "steps": [*block["steps"], _step(transformer)]}]


def _step(transformer: Any) -> dict[str, Any]:
    for name, describe in _STEPS.items():
        if is_sklearn(transformer, name):
            return describe(transformer)
    raise NotCompilableError(f"the transformer {type(transformer).__name__}")


def _impute(imputer: Any) -> dict[str, Any]:
    if not _is_nan(imputer.missing_values):
        raise NotCompilableError("a SimpleImputer of other missing values than NaN")
    if any(_missing(value) for value in imputer.statistics_):
        raise NotCompilableError("a SimpleImputer with an empty column")
    shown = imputer.indicator_.features_ if imputer.add_indicator else ()
    return {
        "op": "impute",
        "values": _floats(imputer.statistics_),
        "indicate": [int(place) for place in shown],
    }


def _scale(centre: Any, by: Any) -> dict[str, Any]:
    width = len(by if centre is None else centre) if centre is not None or by is not None else 0
    return {
        "op": "scale",
        "centre": [0.0] * width if centre is None else _floats(centre),
        "by": [1.0] * width if by is None else _floats(by),
    }


def _standard(scaler: Any) -> dict[str, Any]:
    return _scale(
        scaler.mean_ if scaler.with_mean else None, scaler.scale_ if scaler.with_std else None
    )


def _robust(scaler: Any) -> dict[str, Any]:
    return _scale(
        scaler.center_ if scaler.with_centering else None,
        scaler.scale_ if scaler.with_scaling else None,
    )


def _min_max(scaler: Any) -> dict[str, Any]:
    return {
        "op": "stretch",
        "by": _floats(scaler.scale_),
        "plus": _floats(scaler.min_),
        "clip": _floats(scaler.feature_range) if scaler.clip else None,
    }


def _max_abs(scaler: Any) -> dict[str, Any]:
    if getattr(scaler, "clip", False):
        raise NotCompilableError("a MaxAbsScaler that clips")
    return _scale(None, scaler.scale_)


_STEPS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "SimpleImputer": _impute,
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
}


def _ordinal(encoder: Any, columns: list[str]) -> Blocks:
    if getattr(encoder, "_infrequent_enabled", False):
        raise NotCompilableError("an OrdinalEncoder with infrequent categories")
    refuses = encoder.handle_unknown == "error"
    unknown = REFUSED if refuses else _or_none(encoder.unknown_value)
    blocks = []
    for name, categories in zip(columns, encoder.categories_, strict=True):
        missing = unknown
        for code, value in enumerate(categories):
            # None is a category like any other for scikit-learn; NaN has a code of its own.
            if value is None:
                missing = float(code)
            elif _is_nan(value):
                missing = _or_none(encoder.encoded_missing_value)
        blocks.append(_codes(name, categories, range(len(categories)), unknown, missing))
    return blocks


def _target(encoder: Any, columns: list[str]) -> Blocks:
    if encoder.target_type_ not in ("binary", "continuous"):
        raise NotCompilableError(f"a TargetEncoder of a {encoder.target_type_} target")
    unknown = float(encoder.target_mean_)
    blocks = []
    for name, categories, means in zip(
        columns, encoder.categories_, encoder.encodings_, strict=True
    ):
        missing = next(
            (float(mean) for v, mean in zip(categories, means, strict=True) if _missing(v)), unknown
        )
        blocks.append(_codes(name, categories, _floats(means), unknown, missing))
    return blocks


def _codes(
    name: str, categories: Any, codes: Sequence[float], unknown: Any, missing: Any
) -> dict[str, Any]:
    known = [[_plain(v), c] for v, c in zip(categories, codes, strict=True) if not _missing(v)]
    return {"op": "ordinal", "column": name, "codes": known, "unknown": unknown, "missing": missing}


def _onehot(encoder: Any, columns: list[str]) -> Blocks:
    blocks = []
    for at, (name, categories) in enumerate(zip(columns, encoder.categories_, strict=True)):
        slots, infrequent, width = _slots(encoder, at, len(categories))
        # An unknown category is an infrequent one, if there are any and the encoder says so.
        refuses = encoder.handle_unknown == "error"
        taken = infrequent if encoder.handle_unknown == "infrequent_if_exist" else None
        unknown = REFUSED if refuses else taken
        known = [
            [_plain(v), slot] for v, slot in zip(categories, slots, strict=True) if not _missing(v)
        ]
        missing = next(
            (slot for v, slot in zip(categories, slots, strict=True) if _missing(v)), unknown
        )
        blocks.append(
            {
                "op": "onehot",
                "column": name,
                "slots": known,
                "width": width,
                "unknown": unknown,
                "missing": missing,
            }
        )
    return blocks


def _slots(encoder: Any, at: int, size: int) -> tuple[list[int | None], int | None, int]:
    """(category -> its slot, the slot of infrequent ones, how many slots) of a column."""
    slots: list[int | None] = list(range(size))
    infrequent: int | None = None
    width = size
    mapped = getattr(encoder, "_default_to_infrequent_mappings", None)
    if getattr(encoder, "_infrequent_enabled", False) and mapped and mapped[at] is not None:
        slots = [int(slot) for slot in mapped[at]]
        infrequent = max(int(slot) for slot in mapped[at])
        width = infrequent + 1
    dropped = None if encoder.drop_idx_ is None else encoder._drop_idx_after_grouping[at]  # noqa: SLF001 - no other way
    if dropped is None:
        return slots, infrequent, width
    # Every slot behind the one that is dropped moves up.
    moved = [None if s == dropped else s - (s > dropped) for s in slots if s is not None]
    if infrequent is not None:
        infrequent = None if infrequent == dropped else infrequent - (infrequent > dropped)
    return moved, infrequent, width - 1


_ENCODERS: Mapping[str, Callable[[Any, list[str]], Blocks]] = {
    "OrdinalEncoder": _ordinal,
    "OneHotEncoder": _onehot,
    "TargetEncoder": _target,
}


def is_sklearn(thing: Any, *names: str) -> bool:
    """Whether it is exactly such a class of scikit-learn: a subclass may do something else."""
    kind = type(thing)
    return kind.__name__ in names and kind.__module__.partition(".")[0] == "sklearn"


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _missing(value: Any) -> bool:
    return value is None or _is_nan(value)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _or_none(value: Any) -> float | None:
    """A number for JSON, which has no NaN."""
    return None if value is None or _is_nan(float(value)) else float(value)


def _floats(values: Any) -> list[float]:
    return [float(value) for value in values]
