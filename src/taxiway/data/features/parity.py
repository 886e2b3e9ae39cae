"""Offline/online parity: the same key at the same moment has the same bits on both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from taxiway.core.ports import OnlineFeatures
from taxiway.data.features.online import compile_lookup
from taxiway.data.features.query import Read
from taxiway.data.features.training_set import training_set
from taxiway.data.features.view import FeatureSet, FeatureView, Part

SEED = 1
TIME = "\0at"


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found of one view."""

    view: str
    digest: str
    as_of: str
    rows: int
    """Keys that were asked on both sides, at the moment of the materialisation and later."""
    differing: int
    columns: tuple[str, ...]
    """Features that differ somewhere."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Of all views of a set."""

    set: str
    views: tuple[Compared, ...]

    @property
    def rows(self) -> int:
        return sum(view.rows for view in self.views)

    @property
    def equal(self) -> bool:
        """Whether rows were compared, and none differs."""
        return all(view.rows and not view.differing for view in self.views)

    def found(self) -> dict[str, Any]:
        """What evidence holds of it."""
        views = [{**asdict(view), "columns": list(view.columns)} for view in self.views]
        return {"set": self.set, "differing": sum(v.differing for v in self.views), "views": views}


def compare(
    asked: FeatureSet,
    views: Sequence[FeatureView],
    store: OnlineFeatures,
    read: Callable[[FeatureView], Read],
    *,
    rows: int,
) -> Parity:
    """Asks at most `rows` keys of each view on both sides, drawn with a fixed seed."""
    distinct = {view.id: view for view in views}.values()
    return Parity(asked.name, tuple(_compared(view, store, read(view), rows) for view in distinct))


def _compared(view: FeatureView, store: OnlineFeatures, read: Read, rows: int) -> Compared:
    about = store.about(view.id) or {}
    as_of = datetime.fromisoformat(about["as_of"])
    keys = read.values.keys.unique(maintain_order=True)
    drawn = keys.sample(min(rows, keys.height), seed=SEED).rename(
        {str(at): name for at, name in enumerate(view.keys)}
    )
    whole = Part(view.id, view.names, tuple((key, key) for key in view.keys))
    alone = FeatureSet(view.id, TIME, (whole,))
    lookup = compile_lookup(alone, [view], store)
    # Later than the materialisation too, where values are past their time-to-live; what became
    # known since is not online yet, and is none of the question.
    moments = (
        [as_of] if view.ttl is None else [as_of, as_of + timedelta(microseconds=view.ttl // 2)]
    )
    wrong: dict[str, None] = {}
    differing = 0
    known = _known_by(read, as_of)
    for moment in moments:
        asks = drawn.with_columns(pl.lit(moment, pl.Datetime("us", "UTC")).alias(TIME))
        offline = training_set(asks, alone, [view], lambda _: known).frame
        for row in offline.iter_rows(named=True):
            online = lookup(row, moment)
            unlike = [name for name in view.names if not same(row[name], online[name])]
            wrong |= dict.fromkeys(unlike)
            differing += bool(unlike)
    return Compared(
        view.id, view.digest, about["as_of"], drawn.height * len(moments), differing, tuple(wrong)
    )


def _known_by(read: Read, at: datetime) -> Read:
    """The rows that were known at a moment."""
    from taxiway.data.features.online import since_epoch

    values = read.values
    seen = values.known <= since_epoch(at)
    mask = pl.Series(seen)
    return replace(
        read,
        values=replace(
            values,
            keys=values.keys.filter(mask),
            event=values.event[seen],
            known=values.known[seen],
            features=values.features.filter(mask),
        ),
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values have the same bits; a NaN is a NaN.

    >>> same(0.0, -0.0), same(float("nan"), float("nan")), same(1, 1.0), same(None, 0)
    (False, True, False, False)
    """
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    return type(one) is type(other) and bool(one == other)
