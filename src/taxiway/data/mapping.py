"""Mappings: what has to be done to a column so that it says what another source says.

A mapping is plain data, so that people can sign it and the record can keep it; `mapped` does it to
rows as they are read, before the contract is held against them. Text stays text, as a CSV file's
columns are, so that types are judged by the contract and by nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from taxiway.core.errors import InputError, Problem

Step = Mapping[str, Any]

DIGITS = 12
"""Significant digits of a number that was calculated: no more were ever measured."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What is to be done to a column, in this order."""

    table: str
    column: str
    steps: tuple[Step, ...]

    def found(self) -> dict[str, Any]:
        """As plain data."""
        return {"table": self.table, "column": self.column, "steps": [dict(s) for s in self.steps]}

    @property
    def changes(self) -> bool:
        """Whether it changes rows as they are read; another grain only says what a column is."""
        return any(step["do"] in STEPS or step["do"] == "rename" for step in self.steps)

    @property
    def says(self) -> str:
        """In words.

        >>> Mapped("b", "miles", ({"do": "law", "factor": 1.609344, "offset": 0.0},)).says
        'miles of b: times 1.609344'
        """
        words = "; ".join(SAYS[step["do"]](step) for step in self.steps)
        return f"{self.column} of {self.table}: {words}"


def mapping_from(plain: Mapping[str, Any]) -> Mapped:
    """A mapping from its plain data."""
    return Mapped(plain["table"], plain["column"], tuple(dict(step) for step in plain["steps"]))


def _law_in_words(step: Step) -> str:
    inner = f"{step['function']}(value)" if step.get("function") else ""
    factor, offset = step["factor"], step["offset"]
    times = f"times {factor:.10g}" if factor != 1 or not (inner or offset) else ""
    plus = f"{'plus' if offset > 0 else 'minus'} {abs(offset):.10g}" if offset else ""
    return ", ".join(part for part in (inner, times, plus) if part)


def _recode_in_words(step: Step) -> str:
    pairs = [f"{old} becomes {new}" for old, new in list(step["table"].items())[:4]]
    more = len(step["table"]) - 4
    return ", ".join(pairs) + (f" and {more} more" if more > 0 else "")


SAYS: dict[str, Callable[[Step], str]] = {
    "law": _law_in_words,
    "recode": _recode_in_words,
    "null": lambda step: f"nothing instead of {', '.join(map(str, step['values']))}",
    "hours": lambda step: f"plus {step['hours']:g} hours",
    "epoch": lambda step: f"the time that is so many {step['unit']} after 1970",
    "zone": lambda step: f"from {step['from']} to {step['to']}",
    "wrap": lambda step: f"plus {step['offset']:g}, modulo {step['period']}",
    "spell": lambda step: "spelled " + ", ".join(f"{k} {v}" for k, v in step["as"].items()),
    "rename": lambda step: f"called {step['to']}",
    "aggregate": lambda step: f"{step['how']} by {', '.join(step['by'])}",
}
"""What a step does -> in words."""


def mapped(
    frame: pl.LazyFrame, mappings: Sequence[Mapped], schema: pl.Schema
) -> tuple[pl.LazyFrame, pl.Schema]:
    """Rows with mappings done to them, and their columns then.

    Raises `InputError` for a column that is not there, or a name that would be there twice.
    """
    problems = [
        Problem(f"there is no column {one.column}", where=one.table)
        for one in mappings
        if one.column not in schema
    ]
    renamed = {
        one.column: str(step["to"])
        for one in mappings
        for step in one.steps
        if step["do"] == "rename"
    }
    after = [renamed.get(name, name) for name in schema.names()]
    problems += [
        Problem(f"two columns would be called {name}")
        for name in sorted(set(after))
        if after.count(name) > 1
    ]
    if problems:
        raise InputError("Signed mappings can't be done to these data.", problems)
    changed: dict[str, pl.Expr] = {}
    # What stands for nothing is said as the source says it, before anything else is done to it.
    for one in sorted(mappings, key=lambda one: any(s["do"] != "null" for s in one.steps)):
        value = changed.get(one.column, pl.col(one.column))
        for step in one.steps:
            if step["do"] in STEPS:
                value = STEPS[step["do"]](value, step, schema[one.column])
        changed[one.column] = value.alias(one.column)
    frame = frame.with_columns(list(changed.values())).rename(renamed)
    return frame, frame.collect_schema()


def _number(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        plain = value.str.replace_all(r"[$€£¥%\s]", "")
        grouped = plain.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
        whole = pl.when(grouped).then(plain.str.replace_all(",", "")).otherwise(plain)
        return whole.cast(pl.Float64, strict=False)
    return value.cast(pl.Float64, strict=False)


def _written(number: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A calculated number: as text in a column of text, where what is no number stays."""
    rounded = number.round_sig_figs(DIGITS)
    if dtype != pl.String:
        return rounded
    whole = (rounded == rounded.floor()) & (rounded.abs() < 1e15)
    text = (
        pl.when(whole)
        .then(rounded.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(rounded.cast(pl.String))
    )
    return pl.when(number.is_null()).then(value).otherwise(text)


FUNCTIONS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "": lambda y: y,
    "log": lambda y: y.log(),
    "exp": lambda y: y.exp(),
    "log1p": lambda y: y.log1p(),
    "expm1": lambda y: y.exp() - 1,
    "inverse": lambda y: 1 / y,
    "logit": lambda y: (y / (1 - y)).log(),
    "sigmoid": lambda y: 1 / (1 + (-y).exp()),
    "square": lambda y: y * y,
    "sqrt": lambda y: y.sqrt(),
}


def _law(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    made = FUNCTIONS[step.get("function", "")](_number(value, dtype))
    made = made * step["factor"] + step["offset"]
    return _written(pl.when(made.is_finite()).then(made), value, dtype)


def _wrap(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    least = step.get("least", 0)
    made = (_number(value, dtype) - least + step["offset"]) % step["period"] + least
    return _written(made, value, dtype)


def _recode(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    text = _said(value, dtype)
    return text.replace(list(step["table"]), list(step["table"].values()))


def _said(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Values as they are said: whole floats without their decimals."""
    if dtype == pl.Boolean:
        return pl.when(value).then(pl.lit("true")).when(~value).then(pl.lit("false"))
    if dtype.is_float():
        whole = value.is_finite() & (value == value.floor()) & (value.abs() < 1e15)
        return (
            pl.when(whole)
            .then(value.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(value.cast(pl.String))
        )
    return value.cast(pl.String).str.strip_chars()


def _null(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    values = [str(one) for one in step["values"]]
    numbers = [n for n in map(_float_or_none, values) if n is not None]
    is_one = _said(value, dtype).is_in(values)
    if numbers:
        is_one = is_one | _number(value, dtype).is_in(numbers).fill_null(value=False)
    return pl.when(~is_one).then(value)


def _float_or_none(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _time(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return pl.coalesce(
            value.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False),
            *(
                value.str.to_datetime(layout, time_unit="us", strict=False).dt.replace_time_zone(
                    "UTC"
                )
                for layout in ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M")
            ),
        )
    at = value.cast(pl.Datetime("us", getattr(dtype, "time_zone", None)))
    return (
        at.dt.convert_time_zone("UTC")
        if getattr(dtype, "time_zone", None)
        else at.dt.replace_time_zone("UTC")
    )


def _time_written(at: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A time in UTC, of the type or the spelling that the column had."""
    if dtype == pl.String:
        return at.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    return at if getattr(dtype, "time_zone", None) else at.dt.replace_time_zone(None)


def _hours(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    later = _time(value, dtype) + pl.duration(seconds=round(step["hours"] * 3600))
    return _time_written(later, dtype)


def _epoch(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    factor = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3, "d": 86_400e6}[step["unit"]]
    at = (_number(value, dtype) * factor).round().cast(pl.Int64, strict=False)
    return _time_written(
        at.cast(pl.Datetime("us", "UTC")),
        pl.String() if dtype == pl.String else pl.Datetime("us", "UTC"),
    )


def _zone(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    """A clock's time from one zone to another. The hour that a summer's end repeats is the first;
    the hour that its beginning leaves out is none."""
    clock = _time(value, dtype).dt.replace_time_zone(None)
    there = clock.dt.replace_time_zone(step["from"], ambiguous="earliest", non_existent="null")
    moved = there.dt.convert_time_zone(step["to"]).dt.replace_time_zone(None)
    return _time_written(moved.dt.replace_time_zone("UTC"), dtype)


CASES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "upper": lambda text: text.str.to_uppercase(),
    "lower": lambda text: text.str.to_lowercase(),
    "title": lambda text: text.str.to_titlecase(),
}


def _spell(value: pl.Expr, step: Step, dtype: pl.DataType) -> pl.Expr:
    how = step["as"]
    text = _said(value, dtype)
    if how.get("without prefix"):
        text = text.str.strip_prefix(how["without prefix"])
    if how.get("bare"):
        text = text.str.replace_all(r"[^\p{L}\p{N}]+", "")
    if how.get("without zeros"):
        text = text.str.replace(r"^0+(.)", "${1}")
    if how.get("case") in CASES:
        text = CASES[how["case"]](text)
    if how.get("width"):
        text = text.str.zfill(how["width"])
    return pl.lit(how["prefix"]) + text if how.get("prefix") else text


STEPS: dict[str, Callable[[pl.Expr, Step, pl.DataType], pl.Expr]] = {
    "law": _law,
    "wrap": _wrap,
    "recode": _recode,
    "null": _null,
    "hours": _hours,
    "epoch": _epoch,
    "zone": _zone,
    "spell": _spell,
}
"""What a step does to a column's values; the others change its name, or only say what it is."""


def step_of(text: str) -> Step:
    """A step as people write it: `scale=0.01`, `plus=273.15`, `null=-9999`, `rename=plane_year`,
    `hours=-5`, or `OLD=NEW` in `recode:OLD=NEW,OLD=NEW`.

    >>> step_of("scale=0.01")
    {'do': 'law', 'factor': 0.01, 'offset': 0.0}
    >>> step_of("recode:0=no,1=yes")
    {'do': 'recode', 'table': {'0': 'no', '1': 'yes'}}
    """
    if text.startswith("recode:"):
        pairs = [pair.partition("=") for pair in text.removeprefix("recode:").split(",")]
        if all(equals and old for old, equals, _ in pairs):
            return {"do": "recode", "table": {old.strip(): new.strip() for old, _, new in pairs}}
    word, _, value = text.partition("=")
    try:
        if word in WRITTEN and value:
            return WRITTEN[word](value)
    except ValueError:
        pass
    raise InputError(
        f"{text!r} is no step of a mapping.",
        todo="Write one of scale=NUMBER, plus=NUMBER, null=VALUE, rename=NAME, hours=NUMBER,"
        " recode:OLD=NEW,OLD=NEW.",
    )


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


WRITTEN: dict[str, Callable[[str], Step]] = {
    "scale": lambda text: {"do": "law", "factor": _finite(text), "offset": 0.0},
    "plus": lambda text: {"do": "law", "factor": 1.0, "offset": _finite(text)},
    "null": lambda text: {"do": "null", "values": [text]},
    "rename": lambda text: {"do": "rename", "to": text},
    "hours": lambda text: {"do": "hours", "hours": _finite(text)},
}
"""How people write a step."""
