"""Guesses what one column is, from its name and a sample of its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl

from taxiway.core.contract import Column
from taxiway.core.errors import shortened
from taxiway.data.column_types import from_text
from taxiway.data.infer import names, sentinels
from taxiway.data.infer.look import Look, numbers_of, times_of
from taxiway.data.infer.record import Guess
from taxiway.data.infer.spellings import Spelling, in_many, parse, spellings
from taxiway.data.privacy.names import PROTECTED, named
from taxiway.data.privacy.personal import of_values

ALMOST = 0.98
"""Share of the values that have to be of a type for the others to be worth a word."""
LISTED = 30
"""How many values an enumeration has at the most."""
LIST_CHARACTERS = 40
ENOUGH = 50
"""How many rows it takes to say that a value is always there."""
TRUTHS = ({"yes", "no"}, {"y", "n"}, {"t", "f"}, {"ja", "nein"}, {"oui", "non"}, {"si", "no"})
AMOUNT = r"^[-+(]?[$€£¥]?\s?[-+]?(\d{1,3}([.,'’\s]\d{3})+|\d+)([.,]\d+)?\s?[$€£¥]?\)?$"
GROUPED = r"[$€£¥]|\d[.,'’\s]\d{3}\b"
PERIOD = r"(?i)^(19|20)\d\d[-/. ]?(q[1-4]|[wm]?\d\d?)$"
"""Quarters, months and weeks: there will be others than were seen."""
WITH_UNIT = r"^[+-]?\d+(?:[.,]\d+)?\s*([A-Za-z%°€$£µ²/]{1,6})$"


ROOM = "the limits leave half of that as room"


def guess(look: Look, *, declared: str | None = None, is_text: bool = True) -> Guess:
    """What a column seems to be. Unless the source `is_text`, its texts are meant to be some."""
    column, sure = _typed(look, declared)
    if not is_text and look.values.dtype == pl.String() and column.type != "string":
        look.say(f"text in a file with types: {column.type} only once it is written as one")
        column, sure = Column(look.name, "string", nullable=True), 0.6
    column, sure = _absent(look, column, sure)
    rest = _limited(look, column)
    about = _about(look, replace(column, **rest))
    nullable = not (look.nulls == 0 and look.rows >= ENOUGH and not column.sentinels)
    if not nullable:
        look.say(f"a value in each of {look.rows:,} rows")
    return Guess(replace(column, nullable=nullable, **rest, **about), sure, tuple(look.reasons))


# Types


def _typed(look: Look, declared: str | None) -> tuple[Column, float]:
    """The column with its type; what was found of sentinels in text is in it."""
    blank = Column(look.name, "string", nullable=True)
    if look.values.dtype != pl.String():
        return _of_values(look, blank)
    if declared == "string":
        look.say("the database declares it as text")
        return blank, 0.99
    if not look.filled:
        look.say("no value in any row")
        return blank, 0.1
    absent = sentinels.texts_in(look.values, sentinels.AMONG_OTHERS)
    rest = look.without(absent) if 0 < look.share(absent) < 1 else look
    for of_kind in (_codes, _truths, _numbers, _times):
        if found := of_kind(rest, blank):
            column, sure = found
            if rest is not look and column.type != "string":
                named = look.values.filter(absent).sort().to_list()
                look.say(f"{_shown(named)} among values of another kind: it stands for none")
                column, sure = replace(column, sentinels=tuple(named)), min(sure, 0.9)
            look.reasons.extend(r for r in rest.reasons if r not in look.reasons)
            if declared and declared == column.type:
                look.say(f"the database declares it as {declared}")
            return column, sure
    return _text(look, blank)


def _of_values(look: Look, blank: Column) -> tuple[Column, float]:
    """Values that the file has typed already."""
    dtype = look.values.dtype
    look.say(f"the file holds it as {dtype}")
    if dtype == pl.Null():
        return blank, 0.1
    if dtype.is_integer():
        if look.values.cast(pl.Int64(), strict=False).has_nulls():
            look.say("whole numbers beyond 64 bits, which would fail")
            return replace(blank, type="number"), 0.4
        return replace(blank, type="integer"), 0.98
    if dtype.is_float() or dtype.is_decimal():
        return replace(blank, type="number"), 0.98
    if dtype == pl.Boolean():
        return replace(blank, type="boolean"), 1.0
    if dtype == pl.Date():
        return replace(blank, type="date"), 1.0
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone:
            return replace(blank, type="timestamp"), 1.0
        look.say("times without a zone: UTC is a guess, to be confirmed")
        return replace(blank, type="timestamp", timezone="UTC"), 0.6
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return blank, 0.98
    look.say("a type that contracts have no word for")
    return blank, 0.2


def _codes(look: Look, blank: Column) -> tuple[Column, float] | None:
    """Digits that are no number: with zeros in front, too many for 64 bits, or called a code."""
    digits = look.values.str.contains(r"^[+-]?\d+$")
    if look.share(digits) < ALMOST:
        return None
    zeros = look.values.str.contains(r"^0\d")
    share = look.share(zeros)
    if share and not _compact(look):
        look.say(
            f"{share:.0%} of the values begin with 0, which a number would lose"
            if share >= 0.01
            else "some values begin with 0, which a number would lose"
        )
        return _patterned(look, blank), 0.97
    if named := names.CODES.intersection(look.words):
        look.say(f"digits, and `{min(named)}` in the name: a code, no amount")
        return _patterned(look, blank), 0.85
    if look.values.filter(digits).cast(pl.Int64(), strict=False).has_nulls():
        look.say("whole numbers of more than 64 bits: as numbers they would lose digits")
        return blank, 0.95
    return None


def _compact(look: Look) -> bool:
    """Whether digits such as 01032013 or 20130301 are dates, and differ enough to be sure."""
    eight = look.share(look.values.str.contains(r"^\d{8}$")) == 1
    return eight and look.share(parse(look.values, "date", "%Y%m%d").is_not_null()) == 1


def _patterned(look: Look, blank: Column) -> Column:
    lengths = look.values.str.len_chars()
    if look.filled >= ENOUGH and lengths.n_unique() == 1 and 1 < (n := int(lengths[0])) <= 40:
        look.say(f"each of {n} digits")
        return replace(blank, pattern=f"^[0-9]{{{n}}}$")
    return blank


def _truths(look: Look, blank: Column) -> tuple[Column, float] | None:
    if look.values.len() > 4:
        return None
    low = set(look.values.str.to_lowercase())
    if low <= {"true", "false"}:
        look.say("true and false")
        return replace(blank, type="boolean"), 0.99 if len(low) == 2 else 0.8
    if len(low) == 2 and low in TRUTHS:
        look.say(f"{_shown(sorted(look.values))}: a yes or no that is spelled as text")
        return replace(blank, values=tuple(sorted(look.values))), 0.9
    return None


def _numbers(look: Look, blank: Column) -> tuple[Column, float] | None:
    if _compact(look) and look.values.len() >= 3:
        return None
    for kind in ("integer", "number"):
        held = _held(look, kind)
        share = look.share(held)
        if share == 1:
            look.say("whole numbers" if kind == "integer" else "numbers")
            if kind == "number" and look.values.str.contains(r"^[+-]?\d+\.0+$").all():
                look.say(
                    "all of them end in .0, as pandas writes whole numbers that may be missing"
                )
            if kind == "integer" and names.IDENTIFIERS.intersection(look.words):
                look.say("an identifier by its name, no amount")
            return replace(blank, type=kind), 0.97 if look.filled >= 20 else 0.7
        if share >= ALMOST and kind == "number":
            odd = look.values.filter(~held.fill_null(value=False))
            kept = "integer" if look.share(_held(look, "integer") | ~held) == 1 else "number"
            look.say(f"{share:.1%} of the values are numbers; others are not: {_odd(look, odd)}")
            return replace(blank, type=kept), 0.6
    return None


def _held(look: Look, type: str) -> pl.Series:
    frame = pl.DataFrame({"v": look.values})
    return (
        frame.select(from_text(pl.col("v"), type, decimal=look.decimal)).to_series().is_not_null()
    )


def _times(look: Look, blank: Column) -> tuple[Column, float] | None:
    found = spellings(look.values, look.counts)
    if not found:
        return None
    best = found[0]
    if best.share >= ALMOST and not (in_many(found) and best.share < 0.99):
        column, sure = _in_one(look, blank, best)
        if best.share < 1:
            look.say(f"{best.share:.1%} of the values are; others are not")
            sure = min(sure, 0.6)
        return column, sure
    together = min(1.0, sum(one.share for one in found))
    if together >= ALMOST and look.filled >= 5:
        kinds = ", ".join(f"{one.format or 'ISO 8601'} ({one.share:.0%})" for one in found[:5])
        look.say(
            f"dates that are spelled in {len(found)} ways: {kinds}; one way would let them be"
            " read as dates"
        )
        return blank, 0.5
    return None


def _in_one(look: Look, blank: Column, best: Spelling) -> tuple[Column, float]:
    spelled = best.format or "ISO 8601 with an offset"
    look.say(f"{'dates' if best.type == 'date' else 'times'} spelled as {spelled}")
    sure = 0.97 if look.filled >= 20 else 0.8
    if best.ambiguous:
        look.say("no day is after the 12th, so day and month may be the other way round")
        sure = 0.5
    written = None if best.format == "%Y-%m-%d" else best.format
    if best.type == "date":
        return replace(blank, type="date", format=written), sure
    if best.offset:
        return replace(blank, type="timestamp", format=written), sure
    look.say("no offset from UTC is written: UTC is a guess, to be confirmed")
    if written in {"%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"}:
        written = None
    return replace(blank, type="timestamp", format=written, timezone="UTC"), min(sure, 0.65)


def _text(look: Look, blank: Column) -> tuple[Column, float]:
    units = look.values.str.extract(WITH_UNIT, 1)
    if look.share(units.is_not_null()) >= ALMOST and units.drop_nulls().n_unique() <= 3:
        named = sorted(set(units.drop_nulls()))
        look.say(
            f"numbers with their unit in the text ({', '.join(named)}): text until it is split off"
        )
        return replace(blank, unit=named[0] if len(named) == 1 else None), 0.7
    amounts = look.values.str.contains(AMOUNT)
    if look.share(amounts) >= ALMOST and look.share(look.values.str.contains(GROUPED)) >= 0.1:
        look.say(
            "amounts with a sign of money or a mark between thousands: text until they are written"
            " as plain numbers"
        )
        return blank, 0.7
    numbers = look.share(_held(look, "number"))
    if numbers >= 0.5:
        look.say(f"only {numbers:.0%} of the values are numbers")
        return blank, 0.6
    other = "," if look.decimal == "." else "."
    swapped = look.values.str.contains(rf"^[+-]?\d+\{other}\d+$")
    if (share := look.share(swapped)) >= 0.02 and share + numbers >= ALMOST:
        look.say(f"{share:.0%} of the values have {other!r} before their decimals, others not")
        return blank, 0.5
    look.say("text")
    return blank, 0.95 if look.filled >= 20 else 0.7


# Sentinels, limits, and what else is to be said


def _absent(look: Look, column: Column, sure: float) -> tuple[Column, float]:
    """The column with the values that stand for none."""
    finds: dict[str, Callable[[], list[Any]]] = {
        "string": lambda: _texts_absent(look),
        "integer": lambda: sentinels.among_numbers(*numbers_of(look)),
        "number": lambda: sentinels.among_numbers(*numbers_of(look)),
        "date": lambda: sentinels.among_days(*times_of(look, column)),
        "timestamp": lambda: sentinels.among_days(*times_of(look, column)),
    }
    found = finds[column.type]() if column.type in finds and look.filled else []
    listed: list[Any] = list(column.sentinels or ())
    for value, count, why in found:
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
        listed.append(int(value) if whole else value)
        look.say(
            f"{listed[-1]} in {count:,} of {look.rows:,} rows, {why}: it seems to stand for none"
        )
    return (replace(column, sentinels=tuple(listed)), min(sure, 0.85)) if listed else (column, sure)


def _texts_absent(look: Look) -> list[tuple[str, int, str]]:
    if look.values.dtype != pl.String():
        return []
    mask = sentinels.texts_in(look.values, sentinels.CLEAR)
    if not 0 < look.share(mask) < 1:
        return []
    pairs = zip(look.values.filter(mask), look.counts.filter(mask), strict=True)
    return [(value, count, "a word for what is not known") for value, count in pairs]


def _limited(look: Look, column: Column) -> dict[str, Any]:
    """Enumerations and ranges."""
    if column.type == "string" and not column.pattern and not column.values:
        return _enumerated(look, column)
    if column.type not in {"integer", "number"}:
        return {}
    values, _ = numbers_of(look)
    gone = [v for v in column.sentinels or () if not isinstance(v, str)]
    values = values.filter(~values.is_in(pl.Series(gone, dtype=pl.Float64()).implode()))
    if values.len() < 2 or look.filled < ENOUGH:
        return {}
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    if column.type == "integer" and set(values) == {0.0, 1.0}:
        look.say("0 and 1 only")
        return {"values": (0, 1)}
    if names.IDENTIFIERS.intersection(look.words):
        return {"minimum": 0} if low >= 0 else {}
    if look.words and look.words[-1] in names.NATURAL:
        least, most = names.NATURAL[look.words[-1]]
        if least <= low and high <= most:
            look.say(f"{low:g} to {high:g} was seen, {least} to {most} is possible")
            return {"minimum": least, "maximum": most}
    room = (high - low) / 2
    bottom, top = _round(low - room, down=True), _round(high + room, down=False)
    if low >= 0:
        bottom = 0.0
    if low >= 0 and high <= 1 and column.type == "number":
        bottom, top = 0.0, 1.0
    look.say(f"{low:g} to {high:g} was seen; {ROOM}")
    whole = column.type == "integer"
    return {"minimum": int(bottom) if whole else bottom, "maximum": int(top) if whole else top}


def _enumerated(look: Look, column: Column) -> dict[str, Any]:
    if look.values.dtype != pl.String() or named(look.name):
        return {}
    values = look.values.filter(~look.values.is_in(list(column.sentinels or ())))
    few = 0 < values.len() <= LISTED and look.filled >= max(ENOUGH, 10 * values.len())
    if not few or values.str.len_chars().gt(LIST_CHARACTERS).any():
        return {}
    if values.str.contains(PERIOD).all():
        look.say("parts of years: later ones will come")
        return {}
    look.say(f"{values.len()} values in {look.filled:,} rows")
    return {"values": tuple(sorted(values))}


def _round(value: float, *, down: bool) -> float:
    """A limit with two digits that matter."""
    if not value:
        return 0.0
    step = 10.0 ** (len(f"{abs(value):.0f}") - 2) if abs(value) >= 1 else 0.01
    cut = value // step * step if down else -(-value // step) * step
    return float(f"{cut:.12g}")


def _about(look: Look, column: Column) -> dict[str, Any]:
    """The unit, and whose data they are."""
    about: dict[str, Any] = {}
    if column.type in {"integer", "number"}:
        unit = names.unit_of(look.words, look.beside)
        if unit:
            look.say(f"{unit} by its name")
        elif {"temp", "temperature", "dewpoint", "dewp"}.intersection(look.words):
            unit = _degrees(look)
        if unit:
            about["unit"] = unit
    # Whether somebody has an address is a fact about them, and names nobody.
    flag = column.type == "boolean" or column.values == (0, 1)
    personal = named(look.name) is not None and not flag
    if personal:
        look.say("personal by its name")
    elif (found := of_values(look.values)) and found.rows > look.values.len() / 2:
        look.say(f"{found.says}: {found.kind}, which is personal")
        personal = True
    if personal:
        about["personal"] = True
    if named(look.name, PROTECTED):
        look.say("protected by its name")
        about["protected"] = True
    return about


def _degrees(look: Look) -> str | None:
    """Celsius or Fahrenheit, by where most of the values lie."""
    values, counts = numbers_of(look)
    if not counts.sum():
        return None
    mean = float((values * counts).sum()) / float(counts.sum())
    most = float(values.max())  # type: ignore[arg-type]
    if mean > 45 and most < 140:
        look.say("°F by its values")
        return "°F"
    if mean < 35 and most < 60:
        look.say("°C by its values")
        return "°C"
    return None


def _odd(look: Look, odd: pl.Series) -> str:
    """The values that are of another kind, or how many they are if they may be personal."""
    if named(look.name) or len(odd) > 5:
        return f"{len(odd)} values"
    return _shown(odd.to_list())


def _shown(values: list[str]) -> str:
    return ", ".join(repr(shortened(value, 20)) for value in values[:5])
