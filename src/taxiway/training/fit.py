"""Fitting a candidate: split, features, and an estimator that saw the training rows only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from taxiway.core.charter import Charter
from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.core.facts import Snapshot
from taxiway.core.kind import KINDS, Kind
from taxiway.training.code import Code, Functions, guarded, load_code
from taxiway.training.estimators import SCORES, fitted
from taxiway.training.leakage import columns_read
from taxiway.training.split import Split, split_by_time


@dataclass(frozen=True, slots=True)
class Order:
    """What to train: the plan, the data, the code."""

    charter: Charter
    contract: Contract
    snapshot: Snapshot
    frame: pl.DataFrame
    """The snapshot's rows."""
    labels: pl.Series
    """The label of each row; null where it is not known."""
    target_columns: tuple[str, ...]
    code: Code
    origin: Mapping[str, Any]
    """Where the code comes from: commit, dirty, template, template_version."""

    @property
    def kind(self) -> Kind:
        """What kind of model it is to be."""
        return KINDS[self.charter.kind]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted candidate on its split."""

    functions: Functions
    estimator: Any
    inputs: tuple[str, ...]
    split: Split
    train_features: pl.DataFrame
    holdout_features: pl.DataFrame
    train_labels: Any
    holdout_labels: Any
    holdout_scores: Any
    """Probabilities, or predicted numbers."""
    predict: Callable[[pl.DataFrame], Any]


def labelled_split(order: Order) -> tuple[Split, Any, Any]:
    """The split of the rows with a label, and the labels of both sides (arrays of bool or float).

    Raises `InputError` if there are too few rows, or one label only on a side.
    """
    charter, contract = order.charter, order.contract
    known = order.labels.is_not_null()
    frame = order.frame.with_columns(order.labels.alias("__label__")).filter(known)
    split = split_by_time(frame, time=contract.event_time, share=charter.training.split.holdout)
    train_labels = split.train["__label__"].to_numpy()
    holdout_labels = split.holdout["__label__"].to_numpy()
    what = "class" if order.kind.yes_or_no else "value"
    for side, labels in (("training rows", train_labels), ("holdout", holdout_labels)):
        if labels.min() == labels.max():
            raise InputError(
                f"The target {charter.target.name!r} has one {what} only in the {side}:"
                f" {len(labels)} rows are all {labels[0].item()}.",
                todo=f"Check its definition in the charter: {charter.target.definition}",
            )
    split = dataclasses.replace(
        split, train=split.train.drop("__label__"), holdout=split.holdout.drop("__label__")
    )
    return split, train_labels, holdout_labels


def fit(order: Order) -> Fitted:
    """The candidate: split, features, and an estimator fitted on the training rows only."""
    charter, code, scores = order.charter, order.code, SCORES[order.charter.kind]
    split, train_labels, holdout_labels = labelled_split(order)
    functions = load_code(code)
    inputs = columns_read(split.train, code, functions)
    if not inputs:
        raise InputError(
            f"features in {code.main} reads no column of the contract: it answers the same whatever"
            " the data are."
        )

    def features(raw: pl.DataFrame) -> pl.DataFrame:
        made = guarded(code, "features", functions.features, raw.select(inputs))
        assert isinstance(made, pl.DataFrame)  # noqa: S101 - columns_read has refused anything else
        return made

    train_features, holdout_features = features(split.train), features(split.holdout)
    estimator = guarded(
        code,
        "estimator",
        fitted,
        functions.estimator,
        charter.training.seed,
        train_features,
        train_labels,
    )

    def predict(raw: pl.DataFrame) -> Any:
        return scores(estimator, features(raw))

    return Fitted(
        functions=Functions(features, functions.estimator),
        estimator=estimator,
        inputs=inputs,
        split=split,
        train_features=train_features,
        holdout_features=holdout_features,
        train_labels=train_labels,
        holdout_labels=holdout_labels,
        holdout_scores=guarded(
            code,
            "predict_proba" if order.kind.yes_or_no else "predict",
            scores,
            estimator,
            holdout_features,
        ),
        predict=predict,
    )
