"""What the repair of each defect earns: models with it and without it, on the same rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.core.interval import Interval
from taxiway.data.leaks.judged import METRIC, SCORE, Case, Indices, Measure, difference, worth_more
from taxiway.data.leaks.table import Table
from taxiway.data.worth.columns import missing, sentinels, stale, units
from taxiway.data.worth.found import Found
from taxiway.data.worth.labels import label_noise
from taxiway.data.worth.models import Fit, Model
from taxiway.data.worth.rows import duplicates, keys_of, shifted

MOST_ROWS = 12_000
MOST_DEFECTS = 40
"""Of more, those with the highest rates are judged."""
FOLDS = 3
LEAST_GAIN = 0.001
"""What training makes of chance is no gain, and no harm; intervals tell the rows' chance only."""

WORTH_IT, NOTHING, HARMS = "worth it", "nothing shown", "harms"
REPAIRED, AGAIN = "repaired", "estimated"


@dataclass(frozen=True, slots=True)
class Gain:
    """What the repair of one defect earns."""

    defect: str
    column: str
    rate: float
    says: str
    how: str
    """`repaired`: measured; `estimated`: what the same rate of it once more loses."""
    gain: Interval
    """In the metric; below 0 where a model does better with the defect."""
    verdict: str
    value: Interval | None = None
    """Per answer, if it is known what answers are worth."""


@dataclass(frozen=True, slots=True)
class Worth:
    """All defects, the one that earns most first."""

    rows: int
    """Rows that were looked at."""
    metric: str
    score: float
    """Of a model that is trained with all defects."""
    gains: tuple[Gain, ...]
    currency: str = ""
    per: str = ""
    """What a value is of, in a word, where there is one."""
    notes: tuple[str, ...] = ()

    def found(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


def worth(
    table: Table,
    model: Model,
    *,
    known: Mapping[str, Sequence[Any]] | None = None,
    case: Case | None = None,
    measure: Measure | None = None,
    step: Callable[[int, int], None] = lambda *_: None,
) -> Worth:
    """The defects of a table and what their repair earns. `step` is told (done, of how many).

    `known` are sentinels by column; without a `measure` it is ROC AUC of a class, and R² of a
    number. Every model is judged on rows that it was not trained on: the
    same ones for all, each once, repaired where what serves the model could repair them, too; their
    labels are left as they are.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # so few rows keep one processor busy; more wait for each other
        judged_by = measure or Measure(METRIC[table.binary], SCORE[table.binary])
        return _worth(_fewer(table), model, known or {}, case, judged_by, step)


def _worth(
    table: Table,
    model: Model,
    known: Mapping[str, Sequence[Any]],
    case: Case | None,
    measure: Measure,
    step: Callable[[int, int], None],
) -> Worth:
    fit = model(table, {})
    defects = found_in(table, fit, known)
    notes: tuple[str, ...] = ()
    if len(defects) > MOST_DEFECTS:
        notes = (
            f"{len(defects)} defects were found; the {MOST_DEFECTS} most frequent were judged",
        )
        defects = sorted(defects, key=lambda one: -one.rate)[:MOST_DEFECTS]
    splits = _splits(table)
    judged = [table.label[test] for _, test in splits]
    as_is = [fit(train, test) for train, test in splits]
    done, most = 1, len(defects) + 1
    step(done, most)
    gains = []
    for one in defects:
        other = model(table, one.columns)
        told = [other(one.kept(train), test) for train, test in splits]
        better, worse = (as_is, told) if one.again else (told, as_is)
        gain, _, _ = difference(measure.score, judged, better, worse)
        value = worth_more(case, judged, better, worse) if case else None
        gains.append(
            Gain(
                one.defect,
                one.column,
                one.rate,
                one.says,
                AGAIN if one.again else REPAIRED,
                gain,
                _verdict(gain),
                value,
            )
        )
        done += 1
        step(done, most)
    gains.sort(key=lambda one: -one.gain.value)
    pairs = zip(judged, as_is, strict=True)
    score = float(np.mean([measure.score(label, told) for label, told in pairs]))
    return Worth(
        rows=table.frame.height,
        metric=measure.name,
        score=-score if measure.lower_is_better else score,
        gains=tuple(gains),
        currency=case.currency if case else "",
        per=case.per if case else "",
        notes=notes,
    )


def found_in(table: Table, fit: Fit, known: Mapping[str, Sequence[Any]]) -> list[Found]:
    """The defects of a table."""
    return [
        *missing(table),
        *sentinels(table, known),
        *units(table),
        *shifted(table),
        *stale(table),
        *duplicates(table),
        *label_noise(table, fit),
    ]


def _fewer(table: Table) -> Table:
    """Some of the rows, spread over all; copies of one row stay or go together."""
    height = table.frame.height
    if height <= MOST_ROWS:
        return table
    keys = keys_of(table).to_numpy()
    some = keys % 1_000_003 < 1_000_003 * MOST_ROWS / height
    frame = table.frame.filter(pl.Series(some))
    return dataclasses.replace(table, frame=frame, label=table.label[some], held=None)


def _splits(table: Table) -> list[tuple[Indices, Indices]]:
    """Rows to train on and rows to judge on, each of these once; no copy is on both sides."""
    keys = keys_of(table)
    first: NDArray[np.bool_] = keys.is_first_distinct().to_numpy()
    folds = np.random.default_rng(0).integers(0, FOLDS, len(keys))
    fold = folds[keys.rank("dense").to_numpy() - 1]
    return [
        (np.flatnonzero(fold != at), np.flatnonzero((fold == at) & first)) for at in range(FOLDS)
    ]


def _verdict(gain: Interval) -> str:
    if gain.low > LEAST_GAIN:
        return WORTH_IT
    return HARMS if gain.high < -LEAST_GAIN else NOTHING
