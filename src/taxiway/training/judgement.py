"""The evidence of a run: how the candidate does, against what, and whether it can be believed."""

from __future__ import annotations

from typing import Any

import numpy as np

from taxiway.core import evidence as kinds
from taxiway.core.digest import utc_text
from taxiway.core.evidence import Observation
from taxiway.training.estimators import simple_scores
from taxiway.training.explain import METHOD, MINIMUM_STABILITY, importance
from taxiway.training.fit import Fitted, Order, fit
from taxiway.training.leakage import leakage
from taxiway.training.metrics import gain, interval, measure
from taxiway.training.slices import slices


def code_evidence(order: Order) -> Observation:
    return kinds.CODE, len(order.code.files), {"files": order.code.digests, **order.origin}, {}


def judgement(order: Order, candidate: Fitted) -> list[Observation]:
    charter, y = order.charter, candidate.holdout_labels
    bar, seed = charter.training.bar, charter.training.seed
    simple = simple_scores(
        charter.kind,
        candidate.train_features,
        candidate.train_labels,
        candidate.holdout_features,
        seed,
    )
    trivial = np.full(len(y), constant(bar.metric, candidate.train_labels))
    scored = {"model": candidate.holdout_scores, "simple": simple, "trivial": trivial}
    metrics = {
        who: {name: interval(name, y, p, seed=seed).as_dict() for name in order.kind.metrics}
        for who, p in scored.items()
    }
    better = gain(bar.metric, y, candidate.holdout_scores, simple, seed=seed)
    found = {
        "primary": bar.metric,
        **metrics,
        "gain": better.as_dict(),
        **_labels(order, y),
        "train_rows": candidate.split.train.height,
        "holdout_from": utc_text(candidate.split.cut),
        "parameters": _parameters(candidate.estimator),
        "tuning": "parameters as they stand in the code; no search was run",
    }
    least = bar.at_least if bar.at_least is not None else bar.at_most
    leak_found, leak_required = leakage(
        order.contract,
        read=candidate.inputs,
        target_columns=order.target_columns,
        split=candidate.split,
        features=candidate.functions.features,
        labels=candidate.train_labels,
        kind=order.kind,
    )
    slice_found, slice_required = slices(
        candidate.split.holdout, y, candidate.holdout_scores, charter
    )
    return [
        (kinds.METRICS, len(y), found, {"metric": bar.metric, "bar": least}),
        (kinds.LEAKAGE, len(order.contract.columns), leak_found, leak_required),
        (kinds.SLICES, len(y), slice_found, slice_required),
    ]


def constant(metric: str, labels: Any) -> float:
    """The one answer that does best on all rows by a metric: the trivial baseline.

    The mean, of a class its share, makes squared distances smallest; the median, absolute ones.
    """
    return float(np.median(labels) if metric in {"mae", "mape"} else np.mean(labels))


def _labels(order: Order, labels: Any) -> dict[str, Any]:
    """What is to be said of the holdout's labels, and from where on the answer is yes."""
    charter = order.charter
    if not order.kind.yes_or_no:
        return {"labels": {"mean": float(labels.mean()), "deviation": float(labels.std())}}
    chosen = charter.deployment.threshold is not None
    return {
        "threshold": charter.threshold,
        "threshold_source": "the charter" if chosen else "break-even of the value case",
        "positives": int(labels.sum()),
    }


def _parameters(estimator: Any) -> dict[str, str]:
    """The estimator's parameters as text, without those of the objects inside it."""
    given = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    return {"estimator": type(estimator).__name__} | {
        name: repr(value)[:2000] for name, value in sorted(given.items())
    }


def rerun(order: Order, first: Fitted) -> Observation:
    """A second fit from the same inputs: does it give the same numbers?"""
    second = fit(order)
    y = first.holdout_labels
    same_rows = first.split.holdout.equals(second.split.holdout)
    values = [
        {name: measure(name, y, candidate.holdout_scores) for name in order.kind.metrics}
        for candidate in (first, second)
    ]
    differing = int((first.holdout_scores != second.holdout_scores).sum())
    found = {
        "identical": same_rows and differing == 0 and values[0] == values[1],
        "first": values[0],
        "second": values[1],
        "differing_predictions": differing,
    }
    return kinds.RERUN, len(y), found, {}


def explanations(order: Order, candidate: Fitted, golden: list[dict[str, Any]]) -> Observation:
    table, stability, rows = importance(
        candidate.split.holdout,
        candidate.holdout_labels,
        candidate.inputs,
        candidate.predict,
        metric=order.charter.training.bar.metric,
        seed=order.charter.training.seed,
    )
    explained = [row["output"]["reasons"] for row in golden if row["output"]["reasons"]]
    leading = [reasons[0]["column"] for reasons in explained]
    found = {
        "importance": table,
        "method": METHOD,
        "stability": stability,
        "reason_codes": [
            {"reason": name, "share": leading.count(name) / len(leading)}
            for name in sorted(set(leading))
        ],
        "explained_share": len(explained) / len(golden) if golden else 0.0,
    }
    return kinds.EXPLANATIONS, rows, found, {"stability": MINIMUM_STABILITY}
