"""How one column follows from another, in plain words."""

from __future__ import annotations

from taxiway.data.reconcile.between import Between
from taxiway.data.reconcile.laws import Law, said
from taxiway.data.reconcile.relation import Relation
from taxiway.data.reconcile.views import View

PAIRS_SHOWN = 4


LONGEST = 40


def law_in_words(law: Law) -> str:
    """What the left column is, of the right one.

    >>> law_in_words(Law(100.0, 0.0, "", 1.0, 0.0, 50))
    'the left is 100 times the right (percent and fraction, or cents and whole units?)'
    """
    inner = f"{law.function} of the right" if law.function else "the right"
    times = f"{law.factor:.7g} times " if law.factor != 1 else ""
    plus = f" {'plus' if law.offset > 0 else 'minus'} {abs(law.offset):.7g}" if law.offset else ""
    words = said(law)
    return f"the left is {times}{inner}{plus}" + (f" ({words}?)" if words else "")


def coding_in_words(found: Relation) -> str:
    if found.coding is None:
        return ""
    sides = ("left", "right") if found.detail.get("backward") else ("right", "left")
    pairs = [f"{cut(a)} is {cut(b)}" for a, b in found.coding.table[:PAIRS_SHOWN]]
    more = len(found.coding.table) - PAIRS_SHOWN
    listed = ", ".join(pairs) + (f" and {more} more" if more > 0 else "")
    some = "" if found.coding.both_ways else "; several become one"
    return f"{sides[0]} to {sides[1]}: {listed}{some}"


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def clock_in_words(found: Relation) -> str:
    clock = found.clock
    if clock is None:
        return ""
    unit = "hours" if not clock.period or clock.period == 24 else "steps"
    ahead = " or ".join(f"{offset:+g}" for offset in clock.offsets)
    wraps = f", modulo {clock.period}" if clock.period else ""
    place = ""
    if clock.place:
        local, utc = ("right", "left") if clock.place.startswith("-") else ("left", "right")
        place = f"; the {local} is the time of {clock.place.removeprefix('-')}, the {utc} UTC"
    elif len(clock.offsets) > 1:
        place = "; it follows the summer time of a place"
    return f"the left is the right {ahead} {unit}{wraps}{place}"


def titled(between: Between, x: View, y: View) -> str:
    """Two columns, for the beginning of a sentence."""
    same = x.name == y.name
    names = x.name if same else f"{x.name} and {y.name}"
    return f"{names} of {between.left.name} and {between.right.name}"
