"""Splits that flatter: the same rows judged by a model that may and may not see their neighbours.

Rows of one time, or of one customer, are alike. A random split puts neighbours on both sides, and a
model that remembers them looks better than it will be on rows from the future or on new customers.
Both models are trained on as many rows and judged on the same ones; only where their training rows
come from differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taxiway.data.leaks.columns import coded_time
from taxiway.data.leaks.judged import METRIC, SCORE, Indices, difference, predicted
from taxiway.data.leaks.table import LOOK, Floats, Leak, Table, coded

MOST_ROWS = 12_000
MOST_COLUMNS = 60
BLOCKS_OF_TIME = 3
"""Blocks of late rows that are judged, each a tenth of all."""
FLATTERS = 0.02
"""Difference of the metric from which on a split is worth a look."""
LEAST_JUDGED = 60
GROUP_ROWS = (1.5, 0.2)
"""Rows a value, and share of distinct values, between which a column may name groups."""


def flattering(table: Table, step: Callable[[str], None] = lambda _: None) -> Iterator[Leak]:
    """Whether a random split flatters a model, by time and by each group."""
    matrix = _matrix(table)
    if table.time is not None:
        step("Comparing splits by time")
        words = ("rows from other times", "earlier rows")
        todo = "Judge on the newest rows: `taxiway train` does."
        yield from _told(table, matrix, _by_time(table), _Spoken(table.time, *words, todo))
    for group in table.groups or _likely_groups(table):
        step(f"Comparing splits by {group}")
        places = coded(table.frame.get_column(group))
        words = (f"rows of the same {group}", f"rows of other values of {group}")
        todo = f"Keep all rows of a {group} on one side of the split."
        yield from _told(table, matrix, _by_group(places), _Spoken(group, *words, todo))


@dataclass(frozen=True, slots=True)
class _Spoken:
    """How a split is spoken of."""

    column: str
    near: str
    apart: str
    todo: str


def _told(
    table: Table,
    matrix: Floats,
    trials: Iterator[tuple[Indices, Indices, Indices]],
    spoken: _Spoken,
) -> Iterator[Leak]:
    judged, free, strict = [], [], []
    for test, honest, random in trials:
        if len(test) < LEAST_JUDGED or len(honest) < LEAST_JUDGED:
            continue
        judged.append(table.label[test])
        strict.append(predicted(table, matrix, honest, test))
        free.append(predicted(table, matrix, random, test))
    if not judged:
        return
    gain, flattered, kept = difference(SCORE[table.binary], judged, free, strict)
    metric = METRIC[table.binary]
    if gain.low > 0 and gain.value >= FLATTERS:
        yield Leak(
            "flattering split",
            (spoken.column,),
            LOOK,
            f"a random split flatters a model by {gain.value:.3f} ({gain.low:.3f} to"
            f" {gain.high:.3f}): {metric} {flattered:.3f} if it saw {spoken.near}, {kept:.3f} if"
            f" it saw only {spoken.apart}",
            {"metric": metric, "random": flattered, "honest": kept, **gain.as_dict()},
            spoken.todo,
        )


def _matrix(table: Table) -> Floats:
    """The inputs as numbers, without those that name groups; bounded in width."""
    names = [n for n in table.inputs if n not in table.groups][:MOST_COLUMNS]
    return np.column_stack([table.codes[name] for name in names]) if names else np.empty((0, 0))


def _by_time(table: Table) -> Iterator[tuple[Indices, Indices, Indices]]:
    """(judged, earlier rows, as many rows of any time), block after block."""
    times = coded_time(table)
    rng = np.random.default_rng(0)
    order = np.argsort(times, kind="stable")
    if len(order) > MOST_ROWS:  # a thinner table in the same order
        order = order[np.sort(rng.permutation(len(order))[:MOST_ROWS])]
    ranked = times[order]
    n = len(order)
    for block in range(BLOCKS_OF_TIME):
        start = int(n * (1 - (BLOCKS_OF_TIME - block) * 0.1))
        end = int(n * (1 - (BLOCKS_OF_TIME - block - 1) * 0.1))
        # Rows of one moment stay together.
        start = int(np.searchsorted(ranked, ranked[start], side="left"))
        end = n if end >= n else int(np.searchsorted(ranked, ranked[end], side="left"))
        if end - start < 2 * LEAST_JUDGED or start < LEAST_JUDGED:
            continue
        inside = rng.permutation(np.arange(start, end))
        test, neighbours = np.sort(inside[: len(inside) // 2]), inside[len(inside) // 2 :]
        elsewhere = np.concatenate([np.arange(start), np.arange(end, n), neighbours])
        chosen = np.sort(rng.permutation(elsewhere)[:start])
        yield order[test], order[:start], order[chosen]


def _by_group(places: Floats) -> Iterator[tuple[Indices, Indices, Indices]]:
    """(judged, rows of other groups, as many rows of any group) for two sets of groups."""
    rng = np.random.default_rng(0)
    rows = np.arange(len(places))
    if len(rows) > MOST_ROWS:
        # Whole groups, so that neighbours stay neighbours.
        _, of = np.unique(places, return_inverse=True)
        shuffled = rng.permutation(int(of.max()) + 1)
        rows = rows[np.argsort(shuffled[of], kind="stable")][:MOST_ROWS]
    distinct, of = np.unique(places[rows], return_inverse=True)
    side = rng.random(len(distinct))
    for low, high in ((0.0, 0.3), (0.3, 0.6)):
        inside = (side[of] >= low) & (side[of] < high)
        shuffled = rng.permutation(rows[inside])
        test, mates = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
        others = rows[~inside]
        any_of = rng.permutation(np.concatenate([others, mates]))[: len(others)]
        yield test, others, any_of


def _likely_groups(table: Table) -> list[str]:
    """Columns whose values recur as those of customers and devices do: many, each a few times, and
    with labels that are more alike within a value than chance makes them."""
    found = []
    least, most = GROUP_ROWS
    for name in table.inputs:
        dtype = table.frame.schema[name]
        if not (dtype.is_integer() or not dtype.is_numeric()) or dtype.is_temporal():
            continue
        places = table.codes[name]
        distinct, of = np.unique(places, return_inverse=True)
        rows_each = len(of) / max(1, len(distinct))
        if rows_each < least or len(distinct) < max(30, most * 0.05 * len(of)):
            continue
        if dtype.is_integer() and len(distinct) < 0.02 * len(of):
            continue
        alike = _alike(of, table.label)
        if alike > 0.1:
            found.append((alike, name))
    return [name for _, name in sorted(found, reverse=True)[:2]]


def _alike(of: NDArray[np.intp], label: Floats) -> float:
    """The intraclass correlation of the label (Donner 1986, analysis of variance)."""
    n = np.bincount(of).astype(np.float64)
    k, total = len(n), float(len(label))
    means = np.bincount(of, weights=label) / n
    between = float((n * (means - label.mean()) ** 2).sum() / max(1, k - 1))
    within = float(((label - means[of]) ** 2).sum() / max(1.0, total - k))
    size = (total - float((n**2).sum()) / total) / max(1, k - 1)
    below = between + (size - 1) * within
    return (between - within) / below if below > 0 else 0.0
