"""Which rows of two tables stand side by side, once their key is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxiway.data.reconcile.forms import Hashes
from taxiway.data.reconcile.joins import Trial

Indices = npt.NDArray[np.intp]


def matched(trial: Trial, most: int = 5_000) -> tuple[Indices, Indices, int]:
    """The places of rows that match, side by side, and how many keys there are.

    A key counts once, so that a frequent one does not speak for all; with few keys up to some
    rows of each.
    """
    order = np.random.default_rng(5)
    one, other = (_shuffled(ids, order) for ids in (trial.left_ids, trial.right_ids))
    keys = np.intersect1d(trial.left_ids, trial.right_ids)
    keys = keys[keys != 0][:most]
    if len(keys) >= 200 or not len(keys):
        return (
            _first_of(one, keys, trial.left_ids),
            _first_of(other, keys, trial.right_ids),
            len(keys),
        )
    each = -(-2_000 // len(keys))
    unique_right = trial.uniqueness[1] >= trial.uniqueness[0]
    many, few = (one, other) if unique_right else (other, one)
    many_ids, few_ids = (
        (trial.left_ids, trial.right_ids) if unique_right else (trial.right_ids, trial.left_ids)
    )
    several = _some_of(many, keys, many_ids, each)
    single = dict(zip(keys.tolist(), _first_of(few, keys, few_ids).tolist(), strict=True))
    partners = np.array([single[key] for key in many_ids[several].tolist()], np.intp)
    return (several, partners, len(keys)) if unique_right else (partners, several, len(keys))


def _shuffled(ids: Hashes, order: np.random.Generator) -> Indices:
    return order.permutation(len(ids))


def _first_of(places: Indices, keys: Hashes, ids: Hashes) -> Indices:
    """The first place of each key, in the order of the keys."""
    unique, first = np.unique(ids[places], return_index=True)
    return places[first[np.searchsorted(unique, keys)]]


def _some_of(places: Indices, keys: Hashes, ids: Hashes, each: int) -> Indices:
    """Up to `each` places of each key."""
    wanted = places[np.isin(ids[places], keys)]
    by_key = wanted[np.argsort(ids[wanted], kind="stable")]
    _, start, count = np.unique(ids[by_key], return_index=True, return_counts=True)
    rank = np.arange(len(by_key)) - np.repeat(start, count)
    return by_key[rank < each]
