"""Which columns of other names may say the same: cheap looks at all pairs, before a close one.

Columns that were settled by their name take no part. What few values share by accident is kept out
by asking for more agreement than any of all these pairs would show by chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from taxiway.data.reconcile.dependence import chance
from taxiway.data.reconcile.names import alike
from taxiway.data.reconcile.ranks import ranks
from taxiway.data.reconcile.relation import Relation, relation
from taxiway.data.reconcile.views import View, equal

MOST_COLUMNS = 300
"""Columns of a side that are looked at."""
LOOKED_AT = 400
"""Pairs that are looked at closely, the likely ones first."""
BY_CHANCE = 1e-4
"""How likely it may be that one of all the pairs agrees by chance."""
GLANCE = 1_000
"""Rows that a cheap look takes."""


def partners(
    left: Sequence[View], right: Sequence[View], keys: int, *, only: str = ""
) -> list[tuple[View, View, Relation]]:
    """Pairs of columns of other names of which one follows from the other, each column once; only
    by relations of one name, if that is given."""
    if not left or not right or not len(left[0].ids):
        return []
    left, right = left[:MOST_COLUMNS], right[:MOST_COLUMNS]
    likely = _equal(left, right)
    likely = np.maximum(likely, np.abs(_ranks(left) @ _ranks(right).T) - 0.001)
    likely = np.maximum(likely, _codings(left, right))
    places = np.argwhere(likely >= 0.9)
    weights = [likely[i, j] + 0.2 * alike(left[i].name, right[j].name) for i, j in places]
    found = []
    for at in np.argsort(-np.array(weights), kind="stable")[:LOOKED_AT] if len(places) else []:
        i, j = places[at]
        related = relation(left[i], right[j])
        if only and related.name != only:
            continue
        worth = _worth(left[i], right[j], related, keys, len(left) * len(right))
        if worth > 0:
            found.append((worth + 0.2 * alike(left[i].name, right[j].name), i, j, related))
    taken: tuple[set[int], set[int]] = (set(), set())
    chosen = []
    for _, i, j, related in sorted(found, key=lambda one: -one[0]):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            chosen.append((left[i], right[j], related))
    return chosen


def _equal(left: Sequence[View], right: Sequence[View]) -> npt.NDArray[np.float64]:
    """For each pair the share of rows that are equal, in their loose form, where both say one."""
    others = np.stack([y.loose for y in right])
    there = others != 0
    found = np.zeros((len(left), len(right)))
    for i, x in enumerate(left):
        both = there & (x.loose != 0)
        same = (others == x.loose) & both
        found[i] = same.sum(axis=1) / np.maximum(1, both.sum(axis=1))
    return found


def _ranks(views: Sequence[View]) -> npt.NDArray[np.float64]:
    """Ranks of numbers, of length 1, so that their products are correlations; else 0."""
    found = np.zeros((len(views), len(views[0].ids)))
    for i, view in enumerate(views):
        finite = np.isfinite(view.floats)
        if not view.is_numeric or finite.sum() < 0.3 * len(finite) or view.distinct < 5:
            continue
        found[i, finite] = ranks(view.floats[finite])
        found[i, finite] -= found[i, finite].mean()
        length = np.linalg.norm(found[i])
        found[i] /= length or 1.0
    return found


def _codings(left: Sequence[View], right: Sequence[View]) -> npt.NDArray[np.float64]:
    """1 where two columns with equally many values, few of them, pair them one to one."""
    found = np.zeros((len(left), len(right)))
    ours, others = [_coded(x) for x in left], [_coded(y) for y in right]
    for i, one in enumerate(ours):
        for j, other in enumerate(others):
            if one is None or other is None or not 0.8 <= one[1] / other[1] <= 1.25:
                continue
            first, second = one[0][:GLANCE], other[0][:GLANCE]
            both = (first >= 0) & (second >= 0)
            pairs = np.bincount(first[both] * other[1] + second[both])
            # One to one: about as many pairs as values, but for some wrong rows.
            often = np.sort(pairs)[::-1][: max(one[1], other[1])]
            found[i, j] = float(often.sum() / max(1, both.sum()) >= 0.95)
    return found


def _coded(view: View) -> tuple[npt.NDArray[np.int64], int] | None:
    values, codes = np.unique(view.ids, return_inverse=True)
    count = len(values) - int(values[0] == 0) if len(values) else 0
    if not 2 <= count <= min(500, len(view.ids) / 4):
        return None
    codes = codes.astype(np.int64) - int(values[0] == 0)
    return codes, count


def _worth(x: View, y: View, related: Relation, keys: int, pairs: int) -> float:
    """How sure it is that two columns say the same; 0 if chance could do it."""
    if related.name in {"same", "spelling"}:
        return _beyond_chance(x, y, related, keys, pairs)
    if related.name in {"law", "clock"}:
        many = min(x.distinct, y.distinct)
        if related.law and (related.law.function and many < 20):
            return 0.0
        return related.explained if many >= 8 or _both_ways(x, y, keys, pairs) else 0.0
    if related.name == "coding" and related.coding and related.coding.both_ways:
        return related.explained - 0.05 if _both_ways(x, y, keys, pairs) else 0.0
    return 0.0


def _beyond_chance(x: View, y: View, related: Relation, keys: int, pairs: int) -> float:
    from scipy.special import bdtrc

    expected = chance(x.loose, y.loose)
    agreement = (related.explained - expected) / max(1e-9, 1 - expected)
    rows = min(keys, related.rows)
    likely = bdtrc(int(related.explained * rows) - 1, rows, max(expected, 1e-9))
    if agreement < 0.9 or likely > BY_CHANCE / pairs:
        return 0.0
    same = equal(x, y) if related.name == "same" else x.there & (x.loose == y.loose)
    _, counts = np.unique(x.ids[same], return_counts=True)
    # A frequent value on both sides agrees by itself; the rest has to agree as well.
    return agreement if same.sum() - counts.max(initial=0) >= 5 else 0.0


def _both_ways(x: View, y: View, keys: int, pairs: int) -> bool:
    """Whether pairing values one to one says more than chance would: a test of independence."""
    from scipy.special import chdtrc

    both = x.there & y.there
    _, a = np.unique(x.ids[both], return_inverse=True)
    _, b = np.unique(y.ids[both], return_inverse=True)
    if not len(a) or min(a.max(), b.max()) < 1:
        return False
    wide, high = int(a.max()) + 1, int(b.max()) + 1
    table = np.bincount(a * high + b, minlength=wide * high).reshape(wide, high).astype(float)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / len(a)
    statistic = float(((table - expected) ** 2 / expected).sum()) * min(1.0, keys / len(a))
    rare = len(a) - table.max()
    likely = chdtrc((wide - 1) * (high - 1), statistic)
    return bool(rare >= 5 and likely < BY_CHANCE / pairs)
