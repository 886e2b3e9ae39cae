"""What a run hands to packaging: the parts of a release, with golden rows and typical values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.artefact import Parts
from taxiway.core.digest import canonical_json, digest_bytes, utc_text
from taxiway.training.environment import Environment
from taxiway.training.estimators import SCORES
from taxiway.training.fit import Fitted, Order
from taxiway.training.leakage import sources

GOLDEN_ROWS = 100

Profile = Callable[[pl.DataFrame, Any], dict[str, Any]]
"""The reference profile of raw rows and of the output."""


def parts_of(order: Order, candidate: Fitted, profile: Profile, surroundings: Environment) -> Parts:
    charter, train_rows = order.charter, candidate.split.train
    scores = SCORES[charter.kind](candidate.estimator, candidate.train_features)
    raw = train_rows.select(candidate.inputs)
    return Parts(
        model=charter.name,
        kind=charter.kind,
        estimator=candidate.estimator,
        code=order.code.files,
        code_main=order.code.main,
        features=candidate.functions.features,
        charter=canonical_json(charter.model_dump(mode="json")),
        contract=order.contract,
        input_names=candidate.inputs,
        feature_names=tuple(candidate.train_features.columns),
        reasons_by=charter.deployment.reasons_by,
        sources=sources(train_rows, candidate.inputs, candidate.functions.features),
        target=charter.target.name,
        threshold=charter.threshold,
        reason_codes=charter.deployment.reason_codes,
        reference={name: _typical(raw[name]) for name in candidate.inputs},
        profile=profile(train_rows, scores),
        golden=_golden_rows(candidate, charter.threshold),
        training=candidate.train_features,
        holdout=candidate.holdout_features,
        maximum_difference=charter.deployment.maximum_difference,
        lock=surroundings.lock(),
        bill_of_materials=surroundings.bill_of_materials(charter.name),
        snapshot=order.snapshot.id,
        seed=charter.training.seed,
    )


def _typical(column: pl.Series) -> Any:
    """The value that stands for a column in reason codes: median, or the most frequent one."""
    known = column.drop_nulls()
    if known.is_empty():
        return None
    if known.dtype.is_numeric():
        middle = known.median()
        return int(middle) if known.dtype.is_integer() else float(middle)  # type: ignore[arg-type]
    if known.dtype == pl.Datetime:
        return utc_text(known.sort()[known.len() // 2])
    if known.dtype == pl.Date:
        return known.sort()[known.len() // 2].isoformat()
    # Of values that are equally frequent the first in their order, so that a rerun agrees.
    counts = known.value_counts().sort(["count", column.name], descending=[True, False])
    value: Any = counts[column.name][0]
    return value


def _golden_rows(candidate: Fitted, threshold: float | None) -> pl.DataFrame:
    """Rows of the holdout that show the model's range: evenly spread over its answers.

    Where it says yes or no, half of them lie next to the threshold, where a small difference would
    change the answer.
    """
    p = candidate.holdout_scores
    evenly = GOLDEN_ROWS if threshold is None else GOLDEN_ROWS // 2
    spread = np.argsort(p, kind="stable")[:: max(1, len(p) // evenly)]
    near = np.argsort(np.abs(p - (np.median(p) if threshold is None else threshold)), kind="stable")
    chosen: list[int] = list(dict.fromkeys([*spread.tolist(), *near.tolist()]))[:GOLDEN_ROWS]
    return candidate.split.holdout[sorted(chosen)]


def digest_of_rows(rows: pl.DataFrame) -> str:
    """A digest of a frame's rows in their order, so that a comparison says what it was made on."""
    return digest_bytes(rows.write_csv(datetime_format="%+").encode())
