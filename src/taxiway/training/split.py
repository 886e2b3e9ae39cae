"""The split: the newest rows are the holdout, as production is newer than training."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from taxiway.core.errors import InputError

MINIMUM_SIDE = 50
"""Fewer rows than this on one side of the split prove nothing."""


@dataclass(frozen=True, slots=True)
class Split:
    """Rows for training and the frozen holdout, which begins at `cut`."""

    train: pl.DataFrame
    holdout: pl.DataFrame
    cut: datetime

    def overlap(self, key: tuple[str, ...]) -> int:
        """How many rows of the holdout have a key that is also in the training rows."""
        names = list(key)
        return self.holdout.join(self.train.select(names), on=names, how="semi").height


def split_by_time(frame: pl.DataFrame, *, time: str, share: float) -> Split:
    """The rows before and from the time at which about `share` of the rows remain.

    Rows of one moment stay together, so the holdout starts where the time changes.
    """
    ordered = frame.sort(time, maintain_order=True)
    if ordered.height < 2 * MINIMUM_SIDE:
        raise InputError(
            f"{ordered.height} rows with a label can't be split: each side needs {MINIMUM_SIDE}.",
            todo="Take a snapshot with more rows, or check the definition of the target.",
        )
    cut = ordered[time][int(ordered.height * (1 - share))]
    train, holdout = ordered.filter(pl.col(time) < cut), ordered.filter(pl.col(time) >= cut)
    if min(train.height, holdout.height) < MINIMUM_SIDE:
        raise InputError(
            f"The split at {cut} leaves {train.height} rows for training and {holdout.height} for"
            f" the holdout; each side needs {MINIMUM_SIDE}.",
            todo=f"Is {time} the column that says when a row happened? Its values hardly change.",
        )
    return Split(train, holdout, cut)
