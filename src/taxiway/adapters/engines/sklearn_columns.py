"""Describes fitted scikit-learn preprocessing as the blocks that `columns` runs.

What can't be described exactly is refused with its name, and the estimator is then served by the
library that fitted it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from taxiway.core.ports import NotCompilableError


def split_pipeline(estimator: Any, names: Sequence[str]) -> tuple[list[dict[str, Any]], Any]:
    """(blocks that make the final model's matrix, the final model), from an estimator.

    `names` are the columns of the frame that the estimator was fitted on.
    """
    steps = [step for _, step in estimator.steps] if _is(estimator, "Pipeline") else [estimator]
    *before, model = [step for step in steps if step not in (None, "passthrough")]
    if not before:
        return [{"op": "number", "columns": list(names), "steps": []}], model
    first, *more = before
    if _is(first, "ColumnTransformer"):
        blocks = _column_transformer(first, names)
    else:
        blocks = _blocks(first, list(names))
    for step in more:
        blocks = _after(blocks, step)
    return blocks, model


def _column_transformer(transformer: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for _, inner, columns in transformer.transformers_:
        chosen = _names(columns, names)
        if not chosen or (isinstance(inner, str) and inner == "drop"):
            continue
        blocks += _blocks(inner, chosen)
    if getattr(transformer, "sparse_output_", False):
        # The final model saw a sparse matrix; the same numbers, but another path through it.
        raise NotCompilableError("a ColumnTransformer with sparse output")
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


def _blocks(transformer: Any, columns: list[str]) -> list[dict[str, Any]]:
    """The blocks of one transformer over some columns."""
    if isinstance(transformer, str) and transformer == "passthrough":
        return [_numbers(columns)]
    if _is(transformer, "FunctionTransformer") and transformer.func is None:
        return [_numbers(columns)]
    if _is(transformer, "Pipeline"):
        first, *more = [step for _, step in transformer.steps if step not in (None, "passthrough")]
        blocks = _blocks(first, columns)
        for step in more:
            blocks = _after(blocks, step)
        return blocks
    if _is(transformer, "OrdinalEncoder"):
        return _ordinal(transformer, columns)
    if _is(transformer, "OneHotEncoder"):
        return _onehot(transformer, columns)
    return _after([_numbers(columns)], transformer)


def _numbers(columns: list[str]) -> dict[str, Any]:
    return {"op": "number", "columns": columns, "steps": []}


def _after(blocks: list[dict[str, Any]], transformer: Any) -> list[dict[str, Any]]:
    """Blocks of numbers with one more step behind them."""
    if len(blocks) != 1 or blocks[0]["op"] != "number":
        raise NotCompilableError(f"{type(transformer).__name__} after an encoder")
    (block,) = blocks
    return [{**block, "steps": [*block["steps"], _step(transformer, len(block["columns"]))]}]


def _step(transformer: Any, width: int) -> dict[str, Any]:
    if _is(transformer, "SimpleImputer"):
        statistics = [float(value) for value in transformer.statistics_]
        if transformer.add_indicator or any(math.isnan(value) for value in statistics):
            raise NotCompilableError("a SimpleImputer with indicators or with an empty column")
        if not _is_nan(transformer.missing_values):
            raise NotCompilableError("a SimpleImputer of other missing values than NaN")
        return {"op": "impute", "values": statistics}
    if _is(transformer, "StandardScaler"):
        centre = transformer.mean_ if transformer.with_mean else [0.0] * width
        by = transformer.scale_ if transformer.with_std else [1.0] * width
        return {"op": "scale", "centre": _floats(centre), "by": _floats(by)}
    if _is(transformer, "RobustScaler"):
        centre = transformer.center_ if transformer.with_centering else [0.0] * width
        by = transformer.scale_ if transformer.with_scaling else [1.0] * width
        return {"op": "scale", "centre": _floats(centre), "by": _floats(by)}
    raise NotCompilableError(f"the transformer {type(transformer).__name__}")


def _ordinal(encoder: Any, columns: list[str]) -> list[dict[str, Any]]:
    if encoder.handle_unknown != "use_encoded_value":
        raise NotCompilableError("an OrdinalEncoder that raises for unknown categories")
    if getattr(encoder, "_infrequent_enabled", False):
        raise NotCompilableError("an OrdinalEncoder with infrequent categories")
    unknown = _or_none(encoder.unknown_value)
    blocks = []
    for name, categories in zip(columns, encoder.categories_, strict=True):
        known = [[_plain(v), code] for code, v in enumerate(categories) if not _missing(v)]
        missing = unknown
        for code, value in enumerate(categories):
            # None is a category like any other for scikit-learn; NaN has a code of its own.
            if value is None:
                missing = float(code)
            elif _is_nan(value):
                missing = _or_none(encoder.encoded_missing_value)
        blocks.append(
            {
                "op": "ordinal",
                "column": name,
                "codes": known,
                "unknown": unknown,
                "missing": missing,
            }
        )
    return blocks


def _onehot(encoder: Any, columns: list[str]) -> list[dict[str, Any]]:
    if encoder.handle_unknown == "error":
        raise NotCompilableError("a OneHotEncoder that raises for unknown categories")
    if encoder.drop is not None:
        raise NotCompilableError("a OneHotEncoder that drops a category")
    if encoder.sparse_output:
        raise NotCompilableError("a OneHotEncoder with sparse output")
    blocks = []
    for at, (name, categories) in enumerate(zip(columns, encoder.categories_, strict=True)):
        if getattr(encoder, "_infrequent_enabled", False) and (
            encoder.infrequent_categories_[at] is not None
        ):
            raise NotCompilableError("a OneHotEncoder with infrequent categories")
        slots = [[_plain(v), slot] for slot, v in enumerate(categories) if not _missing(v)]
        missing = next((slot for slot, v in enumerate(categories) if _missing(v)), None)
        blocks.append(
            {
                "op": "onehot",
                "column": name,
                "slots": slots,
                "width": len(categories),
                "unknown": None,
                "missing": missing,
            }
        )
    return blocks


def _is(thing: Any, name: str) -> bool:
    """Whether it is exactly this class of scikit-learn: a subclass may do something else."""
    kind = type(thing)
    return kind.__name__ == name and kind.__module__.partition(".")[0] == "sklearn"


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
