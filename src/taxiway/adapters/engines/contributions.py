"""Exact contributions of a tree ensemble's columns to its score: path-dependent Shapley values.

They are those of Lundberg et al., "From local explanations to global understanding with explainable
AI for trees" (2020): a column that is not known sends a row down both sides of a split, weighted by
how much of the training data went there. For one leaf, with the columns on its path as players, the
expected value is v * product over the columns of (t o + (1 - t) z), where o says whether the row
meets the column's conditions on the path, z is the share of training data that does, and t is the
chance that the column is known. A column's Shapley value is the integral over t of that product
without its own factor, times v (o - z): a polynomial, which Gauss and Legendre's points integrate
exactly.

Leaves with few columns keep the values for every pattern of o in a table. Every row is worked out
by itself, so that it has the same bits in any batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from taxiway.adapters.engines.trees import Trees

NODE = np.dtype(
    [
        ("root", "?"),
        ("feature", "<i4"),
        ("threshold", "<f8"),
        ("yes", "<i4"),
        ("no", "<i4"),
        ("missing_yes", "?"),
        ("value", "<f8"),
        ("cover", "<f8"),
    ]
)
"""A node as it is stored; children are counted from the start of the file."""
MEMBER = np.dtype([("node", "<i4"), ("category", "<f8")])
TABLE_COLUMNS, TABLE_BYTES = 8, 32 * 1024**2
"""Leaves with more columns are integrated for each row: their tables would be large."""
MOST_STEPS = 400_000
"""Products for a row that are still quicker than asking the model again for each column."""

Contribute = Callable[[Any], Any]
"""A row of the matrix -> what each group of its columns adds."""


def stored(ensemble: Trees) -> tuple[Any, Any]:
    """(nodes, categories that they name) as arrays whose bytes are the files."""
    parts, named = [], []
    start = 0
    for tree in ensemble.trees:
        part = np.zeros(len(tree.yes), NODE)
        part["root"][0] = True
        for name in ("feature", "threshold", "missing_yes", "value", "cover"):
            part[name] = getattr(tree, name)
        for name in ("yes", "no"):
            children = getattr(tree, name)
            part[name] = np.where(children < 0, -1, children + start)
        for node, categories in tree.members.items():
            # A split that names no category sends nothing to `yes`: no number compares with NaN.
            part["threshold"][node] = np.nan
            named += [(start + node, category) for category in categories]
        parts.append(part)
        start += len(part)
    return np.concatenate(parts), np.array(named, dtype=MEMBER)


@dataclass(frozen=True, slots=True)
class Leaves:
    """The leaves that have equally many columns on their paths."""

    conditions: Any
    """(columns, leaves): which condition a column has to meet."""
    features: Any
    """(columns, leaves)"""
    shares: Any
    """(columns, leaves): how much of the training data meets it."""
    values: Any
    """(leaves,)"""


def too_slow(nodes: Any, share: int) -> bool:
    """Whether a row would take too many products: `contributions` has none of such trees."""
    return _paths(nodes, MOST_STEPS // share) is None


def contributions(
    nodes: Any,
    members: Any,
    groups: Sequence[int],
    width: int,
    *,
    strict: bool,
    share: int = 1,
) -> tuple[float, Contribute] | None:
    """(expected sum over the trees, contributions to it by group), or None if that were slow.

    `groups` says for each column of the matrix to which of `width` contributions its own is added;
    `share` is how many such ensembles divide between them what a row may take.
    """
    paths = _paths(nodes, MOST_STEPS // share)
    if paths is None:
        return None
    by_size = _by_size(nodes, paths)
    decide = _decisions(nodes, members, strict=strict)
    meets = _conditions(nodes, paths)
    parts = []
    room = TABLE_BYTES // share
    for size, leaves in sorted(by_size.items()):
        group_of = np.asarray(groups)[leaves.features]
        room -= leaves.conditions.size * 2**size * 8 if size <= TABLE_COLUMNS else room
        if room > 0:
            parts.append((leaves.conditions, group_of.T.ravel(), _tabled(leaves)))
        else:
            parts.append((leaves.conditions, group_of.ravel(), _integrated(leaves)))

    def contribute(row: Any) -> Any:
        met = meets(decide(row))
        total = np.zeros(width)
        for conditions, group_of, values in parts:
            total += np.bincount(group_of, values(met[conditions]).ravel(), width)
        return total

    return paths.expected, contribute


@dataclass(slots=True)
class _Paths:
    """For each node but the roots: the splits of its parent's column on the way to it."""

    edges: dict[int, tuple[int, ...]]
    """Node -> the nodes on the way to it, itself included, whose parents split that column."""
    leaves: list[tuple[int, dict[int, int]]]
    """(leaf, column -> the last node on the way whose parent splits it)"""
    share: dict[int, float]
    """Node -> how much of the training data takes all of its `edges`."""
    expected: float = 0.0
    steps: int = 0
    """Products that a row takes."""


def _paths(nodes: Any, most: int) -> _Paths | None:
    """The paths of all trees, or None as soon as they take too many products."""
    found = _Paths({}, [], {})
    feature, yes, no = (nodes[name].tolist() for name in ("feature", "yes", "no"))
    value, cover = nodes["value"].tolist(), nodes["cover"].tolist()
    waiting: list[tuple[int, dict[int, int], float]] = [
        (int(root), {}, 1.0) for root in np.flatnonzero(nodes["root"])
    ]
    visits = 0
    while waiting:
        node, last, weight = waiting.pop()
        visits += 1
        if visits > len(nodes):
            raise ValueError("nodes that are no trees")
        if yes[node] < 0:
            found.leaves.append((node, last))
            found.expected += weight * value[node]
            found.steps += len(last) * ((len(last) + 1) // 2)
            if found.steps > most:
                return None
            continue
        column = feature[node]
        before = last.get(column)
        for child in (yes[node], no[node]):
            share = cover[child] / cover[node] if cover[node] else 0.0
            if before is None:
                found.edges[child], found.share[child] = (child,), share
            else:
                found.edges[child] = (*found.edges[before], child)
                found.share[child] = found.share[before] * share
            waiting.append((child, {**last, column: child}, weight * share))
    return found


def _by_size(nodes: Any, paths: _Paths) -> dict[int, Leaves]:
    number = {node: at for at, node in enumerate(paths.edges)}
    grouped: dict[int, list[tuple[int, dict[int, int]]]] = {}
    for leaf, last in paths.leaves:
        if last:
            grouped.setdefault(len(last), []).append((leaf, last))
    return {
        size: Leaves(
            conditions=_across([number[node] for node in last.values()] for _, last in leaves),
            features=_across(list(last) for _, last in leaves),
            shares=_across([paths.share[node] for node in last.values()] for _, last in leaves),
            values=nodes["value"][[leaf for leaf, _ in leaves]],
        )
        for size, leaves in grouped.items()
    }


def _across(leaves: Iterable[Sequence[Any]]) -> Any:
    """(columns, leaves) from a list for each leaf: numpy is quickest along many."""
    return np.ascontiguousarray(np.array(list(leaves)).T)


def _decisions(nodes: Any, members: Any, *, strict: bool) -> Callable[[Any], Any]:
    """A function from a row to whether it goes to `yes`, for each node."""
    feature, threshold = nodes["feature"].astype(np.intp), nodes["threshold"].copy()
    missing_yes = nodes["missing_yes"].copy()
    categorical: list[tuple[int, Any, Any, dict[float, int]]] = []
    named = np.unique(members["node"])
    for column in np.unique(feature[named]).tolist():
        chosen = named[feature[named] == column]
        known = np.unique(members["category"][np.isin(members["node"], chosen)])
        # Two more rows, for what no split names and for what is missing.
        table = np.zeros((len(known) + 2, len(chosen)), dtype=bool)
        table[-1] = missing_yes[chosen]
        for at, node in enumerate(chosen):
            named_here = members["category"][members["node"] == node]
            table[np.searchsorted(known, named_here), at] = True
        categorical.append((column, chosen, table, {c: at for at, c in enumerate(known.tolist())}))

    def decide(row: Any) -> Any:
        numbers = row[feature]
        yes = numbers < threshold if strict else numbers <= threshold
        missing = np.isnan(row)
        if missing.any():
            yes = np.where(missing[feature], missing_yes, yes)
        for column, chosen, table, known in categorical:
            other = len(known) + missing[column]
            yes[chosen] = table[known.get(float(row[column]), other)]
        return yes

    return decide


def _conditions(nodes: Any, paths: _Paths) -> Callable[[Any], Any]:
    """A function from decisions to which conditions are met, in the order of `paths.edges`."""
    size = len(nodes)
    # Where a node's `yes` is, the decision of its parent counts; where its `no` is, the opposite.
    place = np.zeros(size, dtype=np.intp)
    inner = np.flatnonzero(nodes["yes"] >= 0)
    place[nodes["yes"][inner]] = inner
    place[nodes["no"][inner]] = inner + size
    edges = list(paths.edges.values())
    first = place[[one[0] for one in edges]]
    # Most conditions are one split; the others are met if every further split is, too.
    further = []
    for depth in range(1, max(map(len, edges), default=0)):
        longer = [at for at, one in enumerate(edges) if len(one) > depth]
        further.append((np.array(longer), place[[edges[at][depth] for at in longer]]))

    def meets(yes: Any) -> Any:
        taken = np.concatenate([yes, ~yes])
        met = taken[first]
        for longer, edge in further:
            met[longer] &= taken[edge]
        return met

    return meets


def _points(size: int) -> tuple[Any, Any]:
    """Points and weights on 0 to 1 that integrate polynomials of the degree `size` - 1 exactly."""
    points, weights = np.polynomial.legendre.leggauss((size + 1) // 2)
    return (points + 1) / 2, weights / 2


def _tabled(leaves: Leaves) -> Callable[[Any], Any]:
    """A function from met conditions to contributions, looked up by the pattern of the former.

    The contributions stand leaf by leaf.
    """
    size, count = leaves.conditions.shape
    patterns = np.arange(2**size)[:, None] >> np.arange(size) & 1 == 1
    integrate = _integrated(leaves)
    table = np.empty((count, len(patterns), size))
    for at, pattern in enumerate(patterns):
        table[:, at] = integrate(np.broadcast_to(pattern[:, None], (size, count))).T
    table = table.reshape(-1, size)
    starts = np.arange(count) * len(patterns)

    def values(met: Any) -> Any:
        bits = met.view(np.uint8)
        pattern = bits[0]
        for column in range(1, size):
            pattern = pattern | bits[column] << column
        return table.take(starts + pattern, axis=0)

    return values


def _integrated(leaves: Leaves) -> Callable[[Any], Any]:
    """A function from met conditions to contributions: integrated over how much is known.

    The contributions stand column by column.
    """
    share = leaves.shares
    steps = []
    for point, weight in zip(*_points(len(share)), strict=True):
        met, unmet = point + (1 - point) * share, (1 - point) * share
        steps.append((leaves.values * weight, met, unmet, (1 - share) / met, -1 / (1 - point)))

    def values(met: Any) -> Any:
        total = np.zeros(met.shape)
        for scale, if_met, if_unmet, gain, loss in steps:
            product = np.where(met, if_met, if_unmet).prod(axis=0) * scale
            total += product * np.where(met, gain, loss)
        return total

    return values
