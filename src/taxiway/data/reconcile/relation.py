"""How two columns relate on matched rows: the first of an ordered list of explanations that fits.

The order is from simple to far: the same, the same but for spelling, a sentinel for nothing, a
clock, a law of numbers, another coding; and if nothing explains them, whether they have anything to
do with one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from taxiway.data.reconcile.clocks import Clock, of_parts, of_times
from taxiway.data.reconcile.codings import Coding, coding_of
from taxiway.data.reconcile.dependence import chance, dependence_of
from taxiway.data.reconcile.forms import share_of
from taxiway.data.reconcile.laws import EXPLAINED, FEWEST, Law, about, law_of
from taxiway.data.reconcile.views import Flags, View, equal

FEW, FEW_CURVED = 8, 12
"""Values that a law has to go through which people don't know; one that is no straight line."""
SAME = 0.98
"""Share of equal rows from which two columns are the same."""


@dataclass(frozen=True, slots=True)
class Sentinel:
    """A value on one side that stands where the other side has nothing."""

    side: str
    """`left` or `right`: where the value is; `both` if either side has one of its own."""
    value: str
    rows: int
    share: float
    """Of the rows where only the other side has nothing, or where the sides differ."""
    other: str = ""
    """The right side's value, if both sides have one."""
    beside: bool = False
    """Whether the other side has values there, now this and now that, and `share` is that of the
    rows in which the value stands."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How x (left) relates to y (right)."""

    name: str
    """`same`, `spelling`, `precision`, `clock`, `law`, `mixed` or `coding` where one column follows
    from the other; else `differs`, `related`, `unrelated` or, with too few rows, `unknown`."""
    explained: float
    rows: int
    equal: float
    sentinels: tuple[Sentinel, ...] = ()
    law: Law | None = None
    clock: Clock | None = None
    coding: Coding | None = None
    steps: tuple[str, ...] = ()
    """What has to be done to the spelling of both so that they are equal."""
    dependence: float = 0.0
    missing: tuple[float, float] = (0.0, 0.0)
    """Share of the rows where only left, only right has nothing."""
    detail: dict[str, float] = field(default_factory=dict)

    @property
    def explains(self) -> bool:
        """Whether one column follows from the other."""
        return self.name in {"same", "spelling", "precision", "clock", "law", "mixed", "coding"}


def relation(x: View, y: View) -> Relation:
    """The first explanation that fits."""
    sentinels = sentinels_between(x, y)
    both = x.there & y.there
    for one in sentinels:
        both &= _without(one, x, y)
    found = _of_rows(x.only(both), y.only(both))
    if not sentinels and found.explained < 1:
        for one in _beside_values(x, y):
            rest = both & _without(one, x, y)
            other = _of_rows(x.only(rest), y.only(rest))
            # Only if all becomes plain without it: columns that differ anyhow show no sentinel.
            if other.explains and other.explained >= max(SAME, found.explained):
                found, sentinels = other, (*sentinels, one)
                both = rest
    rows = max(1, len(both))
    missing = (float((y.there & ~x.there).sum()) / rows, float((x.there & ~y.there).sum()) / rows)
    return replace(found, sentinels=sentinels, missing=missing)


def _without(one: Sentinel, x: View, y: View) -> Flags:
    """The rows without a sentinel."""
    side = y if one.side == "right" else x
    rows: Flags = side.said.fill_null("").ne(one.value).to_numpy()
    return rows


def _of_rows(x: View, y: View) -> Relation:
    rows = len(x.ids)
    if rows < FEWEST:
        return Relation("unknown", 0.0, rows, 0.0)
    same = equal(x, y)
    share = float(same.mean())
    if share >= SAME:
        return Relation("same", share, rows, share)
    plain = Relation("unrelated", 0.0, rows, share)
    for explain in (_spelled, _clocked, _lawful, _mixed, _coded):
        found = explain(x, y, plain)
        if found:
            return found
    dependence = dependence_of(x, y)
    noisy = _noisy(x, y)
    if noisy:
        return replace(
            plain, name="differs", explained=noisy.explained, law=noisy, dependence=dependence
        )
    if share >= 0.3 and share - chance(x.ids, y.ids) > 0.2:
        return replace(plain, name="differs", explained=share, dependence=dependence)
    name = "related" if dependence >= 0.5 else "unrelated"
    return replace(plain, name=name, dependence=dependence)


def _spelled(x: View, y: View, plain: Relation) -> Relation | None:
    if x.is_numeric and y.is_numeric and not _codes(x, y):
        return None
    share = float(((x.loose == y.loose) & (x.loose != 0)).mean())
    if share < SAME or share < plain.equal + 0.01:
        return None
    return replace(plain, name="spelling", explained=share, steps=spelling(x.said, y.said))


def _codes(x: View, y: View) -> bool:
    return x.column.form.kind == "text" or y.column.form.kind == "text"


PLAINER: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "case": lambda text: text.str.to_lowercase(),
    "punctuation": lambda text: text.str.replace_all(r"[^\p{L}\p{N}]+", ""),
    "leading zeros": lambda text: text.str.strip_chars_start("0"),
}
"""What people write differently -> how to leave it out."""


def spelling(x: pl.Series, y: pl.Series) -> tuple[str, ...]:
    """The least that has to be done to texts so that they are equal: their case, what is no letter
    or digit, leading zeros, a prefix."""
    both = pl.DataFrame({"x": x, "y": y}).drop_nulls()
    done: list[str] = []
    for name, plainer in PLAINER.items():
        before = share_of(both["x"] == both["y"])
        both = both.select(plainer(pl.all()))
        if share_of(both["x"] == both["y"]) > before + 0.01:
            done.append(name)
    if share_of(both["x"] == both["y"]) < 0.9:
        done.append("prefix")
    return tuple(done)


def _clocked(x: View, y: View, plain: Relation) -> Relation | None:
    if x.is_time and y.is_time:
        clock = of_times(x.floats, y.floats)
        cut = None if clock else _cut(x, y)
        if cut:
            return replace(plain, name="precision", explained=cut, detail={"cut": 1.0})
    elif x.is_numeric and y.is_numeric and not (x.is_time or y.is_time):
        clock = of_parts(x.floats, y.floats)
    else:
        return None
    if clock is None:
        return None
    return replace(plain, name="clock", explained=clock.explained, clock=clock)


def _cut(x: View, y: View) -> float | None:
    """The share of rows where one time is the other, cut to an hour or a day."""
    apart = np.abs(x.floats - y.floats)
    for unit in (3.6e9, 8.64e10):
        for cut, other in ((x, y), (y, x)):
            holds = (cut.floats % unit == 0) & (apart < unit) & (other.floats >= cut.floats)
            if holds.mean() >= EXPLAINED:
                return float(holds.mean())
    return None


def _lawful(x: View, y: View, plain: Relation) -> Relation | None:
    if not (x.is_numeric and y.is_numeric) or (x.is_time and y.is_time):
        return None
    law = law_of(x.floats, y.floats)
    if law is None or law.explained < EXPLAINED:
        return None
    # Through a few values some curve goes whatever they are: they are codes.
    if min(x.distinct, y.distinct) < (FEW_CURVED if law.function else FEW) and not law.is_plain:
        return None
    return replace(
        plain, name="precision" if law.is_identity else "law", explained=law.explained, law=law
    )


def _mixed(x: View, y: View, plain: Relation) -> Relation | None:
    """Some rows are the same, and the others follow a law."""
    if not (x.is_numeric and y.is_numeric) or x.is_time or y.is_time or plain.equal < 0.05:
        return None
    rest = ~equal(x, y)
    if rest.sum() < max(FEWEST, 0.01 * len(rest)):
        return None
    law = law_of(x.floats[rest], y.floats[rest])
    few = min(len(np.unique(side.ids[rest])) for side in (x, y)) < FEW
    if law is None or law.explained < 0.9 or law.is_identity or few:
        return None
    whole = plain.equal + law.explained * float(rest.mean())
    return replace(
        plain, name="mixed", explained=whole, law=law, detail={"share": float(rest.mean())}
    )


def _coded(x: View, y: View, plain: Relation) -> Relation | None:
    coding, back = coding_of(x, y), None
    if coding is None:
        back = coding_of(y, x)
        if back is None:
            return None
    found = coding or back
    assert found is not None  # noqa: S101 - one of the two is there
    detail = {} if coding else {"backward": 1.0}
    # A constant beside the others says nothing; a mapping to itself is no other coding.
    if plain.equal > 0.5 and found.explained < plain.equal + 0.02:
        return None
    return replace(plain, name="coding", explained=found.explained, coding=found, detail=detail)


def _noisy(x: View, y: View) -> Law | None:
    if not (x.is_numeric and y.is_numeric) or x.is_time or y.is_time:
        return None
    return about(x.floats, y.floats)


def sentinels_between(x: View, y: View) -> tuple[Sentinel, ...]:
    """Values that stand on one side where the other side has nothing."""
    found = []
    for side, full, empty in (("left", x, y), ("right", y, x)):
        alone = full.there & ~empty.there
        count = int(alone.sum())
        if count < 5:
            continue
        values, counts = np.unique(full.ids[alone], return_counts=True)
        top = int(counts.argmax())
        everywhere = int((full.ids == values[top]).sum())
        if counts[top] >= 5 and counts[top] >= 0.8 * count and counts[top] >= 0.8 * everywhere:
            text = full.said_by(values[top : top + 1])[0]
            found.append(Sentinel(side, text, int(counts[top]), float(counts[top] / count)))
    if not found:
        two = _two_sentinels(x, y)
        found += [two] if two else []
    return tuple(found)


def _beside_values(x: View, y: View) -> list[Sentinel]:
    """Values of one side, never equal to the other side's, which has now this and now that there.

    A value that means something stands beside one value, or beside a few that lie close.
    """
    both = x.there & y.there
    apart = both & ~equal(x, y)
    found = []
    for side, full, other in (("left", x, y), ("right", y, x)):
        values, counts = np.unique(full.ids[apart], return_counts=True)
        for at in np.argsort(-counts)[:2]:
            rows = both & (full.ids == values[at])
            count = int(rows.sum())
            if counts[at] < 5 or counts[at] < 0.95 * count or count > 0.5 * both.sum():
                continue
            if _is_spread(other, rows, both & ~rows):
                text = full.said_by(values[at : at + 1])[0]
                share = float(count / both.sum())
                found.append(Sentinel(side, text, count, share, beside=True))
    return found


def _is_spread(view: View, some: Flags, others: Flags) -> bool:
    """Whether a column varies in some rows as it does in others."""
    if view.is_numeric:
        with np.errstate(invalid="ignore"):
            widths = [
                np.subtract(*np.nanquantile(view.floats[r], [0.9, 0.1])) for r in (some, others)
            ]
        if widths[1] > 0:
            return bool(widths[0] >= 0.4 * widths[1])
    several = len(np.unique(view.ids[some]))
    return several >= max(3, 0.4 * min(int(some.sum()), len(np.unique(view.ids[others]))))


def _two_sentinels(x: View, y: View) -> Sentinel | None:
    """Two numbers that stand for the same nothing, one on each side: all else is equal."""
    if not (x.is_numeric and y.is_numeric) or x.is_time or y.is_time:
        return None
    both = x.there & y.there
    apart = both & ~equal(x, y)
    if apart.sum() < 5 or apart.sum() > 0.7 * both.sum():
        return None
    pairs, counts = np.unique(np.stack([x.ids[apart], y.ids[apart]]), axis=1, return_counts=True)
    top = int(counts.argmax())
    words = [
        (side.said_by(pairs[row, top : top + 1])[0], int((side.ids == pairs[row, top]).sum()))
        for row, side in enumerate((x, y))
    ]
    count = int(counts[top])
    if count < 0.9 * apart.sum() or any(count < 0.8 * often for _, often in words):
        return None
    return Sentinel("both", words[0][0], count, float(count / apart.sum()), words[1][0])
