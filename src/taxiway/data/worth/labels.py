"""Labels that are probably wrong, of a class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from taxiway.data.leaks.judged import Indices
from taxiway.data.leaks.strength import auc
from taxiway.data.leaks.table import Floats, Table
from taxiway.data.worth.columns import LEAST
from taxiway.data.worth.found import LABELS, Found
from taxiway.data.worth.models import Fit

FOLDS = 3
SUREST, NEXT = 0.15, 0.25
"""The shares of a class's rows in which noise is told from what no column tells."""
MOST = 0.35
APART = 0.93
"""ROC AUC that there would be without the noise: below it, overlap explains as much."""
FLAT = 1.7
"""Of overlapping classes without noise, the next ones are wrong more often by a larger factor."""


def label_noise(table: Table, fit: Fit) -> Iterator[Found]:
    """Labels that a model contradicts where it is surest.

    Without noise, a model is wrong the seldomer the surer it is. Where it is wrong as often among
    its surest rows as among the next ones, and would tell the classes well without that, it is
    noise of the labels. Where classes overlap much, nothing tells these two apart.
    """
    if not table.binary:
        return
    everything = np.arange(table.frame.height)
    told = out_of_fold(everything, fit)
    ones, others = _floor(told, table.label), _floor(1 - told, 1 - table.label)
    if ones is None or others is None:
        return
    base = float(table.label.mean())
    rate = ones * base + others * (1 - base)
    # Noise shrinks what is above one half by as much (Menon et al. 2015, ICML).
    without = 0.5 + (auc(table.label, told) - 0.5) / (1 - ones - others)
    if rate < 5 * LEAST or without < APART:
        return

    def kept(train: Indices) -> Indices:
        return train[~suspects(table.label[train], out_of_fold(train, fit))]

    says = f"about {rate:.1%} of the labels contradict what a model is surest of"
    yield Found(LABELS, "", rate, says, {}, kept=kept)


def out_of_fold(rows: Indices, fit: Fit) -> Floats:
    """Probabilities of rows by models that did not see them."""
    fold = np.random.default_rng(1).integers(0, FOLDS, len(rows))
    told = np.empty(len(rows))
    for at in range(FOLDS):
        told[fold == at] = fit(rows[fold != at], rows[fold == at])
    return told


def _floor(told: Floats, label: Floats) -> float | None:
    """How often the surest are wrong, where they are so as often as the next ones; or None."""
    wrong = 1 - label[np.argsort(-told)]
    one, both = (int(label.sum() * share) for share in (SUREST, SUREST + NEXT))
    if one < 30:
        return None
    first, second = float(wrong[:one].mean()), float(wrong[one:both].mean())
    error = float(np.sqrt((first * (1 - first) + 1 / one) / one))
    if first <= 2 * error:
        return 0.0
    if first > min(MOST, 0.6 * float(wrong.mean())):
        return None
    return first if second + error < FLAT * first else None


def suspects(label: Floats, told: Floats) -> NDArray[np.bool_]:
    """Which labels are confidently contradicted.

    A row counts for the other class where its probability of it is at least the mean of those that
    have that label, and it is the likelier one.
    Source: Northcutt, Jiang, Chuang (2021), Confident learning, JAIR 70.
    """
    ones = label == 1
    for_one, for_none = told[ones].mean(), (1 - told[~ones]).mean()
    hit: NDArray[np.bool_] = np.where(
        ones, (1 - told >= for_none) & (told < 0.5), (told >= for_one) & (told > 0.5)
    )
    return hit
