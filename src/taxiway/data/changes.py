"""What differs between two contracts, whether it breaks anything, and for whom.

A contract is a promise of the producer: what it promises may be kept better without harm to those
who read the data, and not less well. An endpoint stands the other way round: what it asks of its
callers may become less, and not more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import close_match, shortened

PRODUCER = "producer"
CONSUMERS = "consumers"
MODEL = "model inputs"
CALLERS = "endpoint callers"
ALL = (PRODUCER, CONSUMERS, MODEL, CALLERS)

WIDER = {("integer", "number")}
"""Types of which the first one's values are all of the second, too."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, what, and whom it breaks (nobody: it is compatible)."""

    where: str
    """The column; empty for the table."""
    what: str
    before: Any
    after: Any
    breaks: tuple[str, ...] = ()
    why: str = ""

    @property
    def breaking(self) -> bool:
        return bool(self.breaks)

    def found(self) -> dict[str, Any]:
        """Plain data."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**plain, "breaks": list(self.breaks), "breaking": self.breaking}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between one contract and another."""

    before: str
    after: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def breaking(self) -> bool:
        return any(change.breaking for change in self.changes)

    def found(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "before": self.before,
            "after": self.after,
            "breaking": self.breaking,
            "changes": [change.found() for change in self.changes],
            "notes": list(self.notes),
        }


def compare(before: Contract, after: Contract, *, notes: Sequence[str] = ()) -> Comparison:
    """All differences that mean something; the order of columns and the wording mean nothing."""
    changes = [*_columns(before, after), *_table(before, after)]
    called = [f"{c.id} {c.version}" for c in (before, after)]
    return Comparison(called[0], called[1], tuple(changes), tuple(notes))


SEEN = frozenset({"type", "nullable", "format"})
"""What rows show of a column; all else in a draft is a guess."""


def as_drafted(one: Contract, other: Contract) -> tuple[Contract, Contract]:
    """Two contracts, at least one of them a draft, without all that a draft only guesses.

    What is the same on both sides makes no change: names, types, and whether values may be missing
    remain.
    """
    kept = []
    for contract in (one, other):
        columns = tuple(
            Column(**{name: getattr(column, name) for name in ("name", *sorted(SEEN))})
            for column in contract.columns
        )
        kept.append(
            replace(
                contract,
                columns=columns,
                moments=("recorded",),
                decision_at="recorded",
                event_time="",
                owner="",
                freshness_hours=None,
                minimum_rows=1,
                maximum_rows=None,
                rules=None,
                references=None,
                changes=None,
            )
        )
    return kept[0], kept[1]


# Columns


def _columns(before: Contract, after: Contract) -> Iterator[Change]:
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    added = [name for name in new if name not in old]
    for name, column in old.items():
        if name in new:
            yield from _column(column, new[name])
            continue
        match = close_match(name, [n for n in added if new[n].type == column.type])
        hint = f"; it may be `{match}` now" if match else ""
        breaks = (CONSUMERS, MODEL, *([] if column.nullable else [CALLERS]))
        yield Change(
            name, "is gone", column.type, None, breaks, f"who reads it finds nothing{hint}"
        )
    for name in added:
        column = new[name]
        if column.nullable:
            yield Change(name, "is new", None, column.type, (), "nobody has to read or send it")
        else:
            why = "the producer has to fill it, and callers have to send it"
            yield Change(name, "is new and required", None, column.type, (PRODUCER, CALLERS), why)


def _column(old: Column, new: Column) -> Iterator[Change]:
    for part in PARTS:
        yield from part(old, new)


def _type(old: Column, new: Column) -> Iterator[Change]:
    if old.type == new.type:
        return
    breaks: tuple[str, ...]
    if (old.type, new.type) in WIDER:
        breaks, why = (CONSUMERS, MODEL), "fractions may come where whole numbers were"
    elif (new.type, old.type) in WIDER:
        breaks, why = (PRODUCER, CALLERS), "fractions are refused now"
    else:
        breaks, why = ALL, "values of one are not values of the other"
    yield Change(old.name, "has another type", old.type, new.type, breaks, why)


def _presence(old: Column, new: Column) -> Iterator[Change]:
    if old.nullable and not new.nullable:
        why = "a row without a value is refused now"
        yield Change(old.name, "is required", False, True, (PRODUCER, CALLERS), why)
    elif new.nullable and not old.nullable:
        why = "values may be missing where there were none missing before"
        yield Change(old.name, "may be missing", True, False, (CONSUMERS, MODEL), why)


def _tighter(why: str = "values that were allowed are refused now") -> tuple[tuple[str, ...], str]:
    return (PRODUCER, CALLERS), why


def _looser(why: str = "values may come that never came before") -> tuple[tuple[str, ...], str]:
    return (CONSUMERS, MODEL), why


def _limits(old: Column, new: Column) -> Iterator[Change]:
    breaks: tuple[str, ...]
    for name, sign in (
        ("minimum", 1),
        ("maximum", -1),
        ("minimum_length", 1),
        ("maximum_length", -1),
    ):
        a, b = getattr(old, name), getattr(new, name)
        if a == b:
            continue
        what = f"has another {name.replace('_', ' ')}"
        if a is None:
            breaks, why = _tighter()
        elif b is None:
            breaks, why = _looser()
        elif isinstance(a, str) != isinstance(b, str):
            breaks, why = ALL, "the limits are not of one type"
        else:
            breaks, why = _tighter() if (b > a) == (sign > 0) else _looser()
        yield Change(old.name, what, a, b, breaks, why)


def _values(old: Column, new: Column) -> Iterator[Change]:
    a, b = set(old.values), set(new.values)
    if a == b:
        return
    if not a or not b:
        breaks, why = _tighter() if b else _looser()
        what = "has allowed values now" if b else "has no list of allowed values any more"
        yield Change(old.name, what, sorted(a, key=str), sorted(b, key=str), breaks, why)
        return
    if gone := sorted(a - b, key=str):
        breaks, why = _tighter()
        yield Change(old.name, "allows fewer values", gone, None, breaks, why)
    if came := sorted(b - a, key=str):
        breaks, why = _looser("values may come that no reader and no model has seen")
        yield Change(old.name, "allows more values", None, came, breaks, why)


def _pattern(old: Column, new: Column) -> Iterator[Change]:
    if old.pattern == new.pattern:
        return
    breaks: tuple[str, ...]
    if old.pattern is None:
        breaks, why = _tighter()
    elif new.pattern is None:
        breaks, why = _looser()
    else:
        breaks, why = ALL, "which of two patterns allows more can't be told"
    yield Change(old.name, "has another pattern", old.pattern, new.pattern, breaks, why)


def _keys(old: Column, new: Column) -> Iterator[Change]:
    if old.unique and not new.unique:
        why = "values may repeat, and joins may multiply rows"
        yield Change(old.name, "may repeat", True, False, (CONSUMERS,), why)
    elif new.unique and not old.unique:
        yield Change(old.name, "is unique", False, True, (PRODUCER,), "a value may come only once")


def _said(
    name: str, what: str, breaks: tuple[str, ...], why: str
) -> Callable[[Column, Column], Iterator[Change]]:
    """A part that either is the same or means something else."""

    def differs(old: Column, new: Column) -> Iterator[Change]:
        a, b = getattr(old, name), getattr(new, name)
        if (a or None) != (b or None):
            # What was not said before is no other thing; what is said no more is not promised now.
            first = a in {None, ""} and name in {"unit", "meaning"}
            yield Change(old.name, what, a, b, () if first else breaks, "" if first else why)

    return differs


def _sentinels(old: Column, new: Column) -> Iterator[Change]:
    a, b = set(old.sentinels or ()), set(new.sentinels or ())
    if a != b:
        breaks = (CONSUMERS, MODEL)
        why = "a value that meant something means nothing now, or the other way round"
        what, was, now = (
            "has other values that stand for none",
            *(sorted(s, key=str) for s in (a, b)),
        )
        yield Change(old.name, what, was, now, breaks, why)


def _care(old: Column, new: Column) -> Iterator[Change]:
    for name in ("personal", "protected", "proxy"):
        a, b = bool(getattr(old, name)), bool(getattr(new, name))
        if b and not a:
            why = "whoever holds or uses it needs a reason to, and has to look after it"
            yield Change(old.name, f"is {name}", False, True, (CONSUMERS, MODEL), why)
        elif a and not b:
            yield Change(old.name, f"is not {name} any more", True, False)


PARTS: tuple[Callable[[Column, Column], Iterator[Change]], ...] = (
    _type,
    _presence,
    _limits,
    _values,
    _pattern,
    _keys,
    _said("unit", "has another unit", ALL, "the same number says something else"),
    _said("meaning", "has another meaning", ALL, "the same value says something else"),
    _said(
        "format", "is spelled in another way", ALL, "what was read as a date is not, or as another"
    ),
    _said("timezone", "is in another time zone", ALL, "the same text is another moment"),
    _said("known_at", "is known at another moment", (MODEL,), "it may be too late to decide with"),
    _said("cost", "costs another amount", (), ""),
    _sentinels,
    _care,
)


# The table


def _table(before: Contract, after: Contract) -> Iterator[Change]:
    if before.key != after.key:
        a, b = ", ".join(before.key), ", ".join(after.key)
        why = "what tells rows apart, and finds them again, is another"
        yield Change("", "has another key", a, b, ALL, why)
    if before.event_time != after.event_time:
        breaks = (CONSUMERS, MODEL) if before.event_time else ()
        why = "rows belong to other times" if before.event_time else ""
        yield Change("", "has another event time", before.event_time, after.event_time, breaks, why)
    if before.decision_at != after.decision_at or before.moments != after.moments:
        a, b = (f"{c.decision_at} of {', '.join(c.moments)}" for c in (before, after))
        yield Change("", "has other moments", a, b, (MODEL,), "what is known in time may differ")
    yield from _promise(before, after, "minimum_rows", 1, "rows at least")
    yield from _promise(before, after, "maximum_rows", -1, "rows at most")
    yield from _promise(before, after, "freshness_hours", -1, "hours of age at most")
    yield from _rules(before, after)
    were, are = (set(c.references or ()) for c in (before, after))
    for one in were - are:
        said = f"{', '.join(one.columns)} in {one.table}"
        yield Change("", "no longer refers to", said, None, (CONSUMERS,), "joins may lose rows")
    for one in are - were:
        said = f"{', '.join(one.columns)} in {one.table}"
        yield Change("", "refers to", None, said, (PRODUCER,), "a row without it is refused now")
    if before.owner != after.owner:
        yield Change("", "has another owner", before.owner, after.owner)
    if before.changes == "none":
        why = "the contract said that nothing would change"
        if before.columns != after.columns:
            yield Change("", "changes in spite of `changes: none`", None, None, ALL, why)


def _promise(
    before: Contract, after: Contract, name: str, sign: int, what: str
) -> Iterator[Change]:
    a, b = getattr(before, name), getattr(after, name)
    if a == b:
        return
    more = b is not None and (a is None or (b > a) == (sign > 0))
    breaks = (PRODUCER,) if more else (CONSUMERS,)
    why = "more is promised" if more else "less is promised"
    yield Change("", f"promises other {what}", a, b, breaks, why)


def _rules(before: Contract, after: Contract) -> Iterator[Change]:
    old = {rule.name: rule.condition for rule in before.rules or ()}
    new = {rule.name: rule.condition for rule in after.rules or ()}
    for name in {**old, **new}:
        a, b = old.get(name), new.get(name)
        called = f"rule `{shortened(name, 60)}`"
        if a is None:
            yield Change(
                "", f"has a new {called}", a, b, (PRODUCER,), "rows that break it fail now"
            )
        elif b is None:
            yield Change("", f"has no {called} any more", a, b, (CONSUMERS,), "rows may break it")
        elif a != b:
            yield Change(
                "", f"has another {called}", a, b, (PRODUCER, CONSUMERS), "it says another"
            )
