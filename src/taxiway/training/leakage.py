"""What the features really read, and what they must not have read.

Which columns `features` reads is measured, not declared: a column that can be taken away without a
change was not read. Columns that are known only after the decision, and those of the target's
definition, are leaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, Problem
from taxiway.core.kind import CLASSIFICATION, REGRESSION, Kind
from taxiway.training.code import Code, Functions, guarded
from taxiway.training.metrics import labels_of, measure
from taxiway.training.split import Split

SAMPLE_ROWS = 500
SOURCE_ROWS = 2_000
ALONE_ROWS = 20
"""Rows of the sample whose features are also made alone."""
STRONGEST_BELOW = 0.95
"""A single feature that tells the classes apart (ROC AUC) or orders the numbers (rank correlation)
this well is more likely a leak."""


def columns_read(frame: pl.DataFrame, code: Code, functions: Functions) -> tuple[str, ...]:
    """The raw columns that `features` reads, in the frame's order.

    Each column is taken away, and then turned upside down, on a sample; if the function fails or
    answers something else, it reads the column.
    """
    sample = frame.gather_every(max(1, frame.height // SAMPLE_ROWS))
    expected = guarded(code, "features", functions.features, sample)
    if not isinstance(expected, pl.DataFrame):
        raise InputError(
            f"features in {code.main} answered {type(expected).__name__}, expected a polars"
            " DataFrame with one row for each row it was given."
        )
    if expected.height != sample.height:
        raise InputError(
            f"features in {code.main} answered {expected.height} rows for {sample.height}; every"
            " row needs its features, in the same order."
        )

    _require_row_by_row(sample, expected, code, functions)

    def reads(name: str) -> bool:
        try:
            if not functions.features(sample.drop(name)).equals(expected):
                return True
            flipped = sample.with_columns(pl.col(name).reverse())
            return not functions.features(flipped).equals(expected)
        except Exception:  # noqa: BLE001 - whatever the user's code raises: it misses the column
            return True

    return tuple(name for name in frame.columns if reads(name))


def sources(
    frame: pl.DataFrame, inputs: Sequence[str], features: Callable[[pl.DataFrame], pl.DataFrame]
) -> dict[str, tuple[str, ...]]:
    """The model's columns, each with the raw columns that it was measured to be made from.

    Each input is turned upside down, and then left out, on a sample; the model's columns
    that change were made from it, all of them if `features` fails.
    """
    sample = frame.select(inputs).gather_every(max(1, frame.height // SOURCE_ROWS))
    expected = features(sample)
    found: dict[str, list[str]] = {name: [] for name in expected.columns}
    for name in inputs:
        changed = set()
        for column in (pl.col(name).reverse(), pl.lit(None, sample.schema[name]).alias(name)):
            try:
                after = features(sample.with_columns(column))
                changed |= {c for c in found if not after[c].equals(expected[c], null_equal=True)}
            except Exception:  # noqa: BLE001 - whatever the user's code raises: it reads the column
                changed |= set(found)
        for made in changed:
            found[made].append(name)
    return {name: tuple(read) for name, read in found.items()}


def _require_row_by_row(
    sample: pl.DataFrame, expected: pl.DataFrame, code: Code, functions: Functions
) -> None:
    """Raises `InputError` if a row has other features alone than among others.

    The endpoint sees one row at a time: a mean over the frame, or categories that are made of what
    is there, would make it answer otherwise than training.
    """
    for at in range(0, sample.height, max(1, sample.height // ALONE_ROWS)):
        alone = guarded(code, "features", functions.features, sample[at : at + 1])
        if not alone.equals(expected[at : at + 1]):
            raise InputError(
                f"features in {code.main} answers otherwise for a row alone than for the same row"
                " among others.",
                [Problem("the row alone", str(alone.to_dicts()), str(expected[at].to_dicts()))],
                todo="Make each row's features from that row only; what is learnt from many rows"
                " (means, categories) belongs into the estimator's pipeline.",
            )


def strongest_feature(features: pl.DataFrame, labels: Any, kind: Kind) -> dict[str, Any]:
    """The single feature that tells most of the label by its own values: by ROC AUC of a class, by
    rank correlation (without its sign) of a number."""
    metric, told = TOLD[kind.name]
    best: dict[str, Any] = {"column": "", "metric": metric, "value": 0.5 if kind.yes_or_no else 0.0}
    y = labels_of(kind, labels)
    for name in features.columns:
        column = features[name]
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            values = column.cast(pl.Float64).to_numpy()
        else:
            # A category speaks through the share of positives, or the mean label, that it has; half
            # of the rows say how large it is, the other half is judged, or rare values would look
            # like leaks.
            values = _rates(column, y)
        known = np.isfinite(values)
        judged = known & (np.arange(len(y)) % 2 == 1)
        if not judged.any() or y[judged].min() == y[judged].max():
            continue
        value = told(y[judged], values[judged])
        if value > best["value"]:
            best = {"column": name, "metric": metric, "value": round(value, 6)}
    return best


def _area(labels: Any, values: Any) -> float:
    area = measure("roc_auc", labels, values)
    return max(area, 1 - area)


def _order(labels: Any, values: Any) -> float:
    from scipy.stats import spearmanr

    if values.min() == values.max():
        return 0.0
    return abs(float(spearmanr(labels, values).statistic))


TOLD: Mapping[str, tuple[str, Callable[[Any, Any], float]]] = {
    CLASSIFICATION.name: ("roc_auc", _area),
    REGRESSION.name: ("rank correlation", _order),
}
"""Kind of model -> by what it is judged how much a single feature tells."""


def _rates(column: pl.Series, labels: Any) -> Any:
    frame = pl.DataFrame({"value": column.cast(pl.String), "label": labels}).with_row_index()
    rates = frame.filter(pl.col("index") % 2 == 0).group_by("value").agg(pl.col("label").mean())
    joined = frame.join(rates, on="value", how="left", suffix="_rate", maintain_order="left")
    return joined["label_rate"].fill_null(float(np.mean(labels))).to_numpy()


def leakage(
    contract: Contract,
    *,
    read: Sequence[str],
    target_columns: Sequence[str],
    split: Split,
    features: Callable[[pl.DataFrame], pl.DataFrame],
    labels: Any,
    kind: Kind,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`found` and `required` of the evidence LEAKAGE, over the training rows and their labels."""
    late = [
        {"column": name, "known_at": contract.known_at(name)}
        for name in read
        if not contract.is_known(name)
    ]
    time = contract.event_time
    found = {
        "decision_at": contract.decision_at,
        "columns_read": list(read),
        "late": late,
        "target_columns": sorted(set(read) & set(target_columns)),
        "split_overlap_rows": split.overlap(contract.key) if contract.key else 0,
        "time_ordered": bool(split.train[time].max() < split.holdout[time].min()),  # type: ignore[operator]
        "strongest": strongest_feature(features(split.train), labels, kind),
    }
    return found, {"strongest_below": STRONGEST_BELOW}
