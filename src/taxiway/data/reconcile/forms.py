"""Forms of a value: what it says, whatever its type, so that 7, 7.0 and "7" are the same.

A column is read in one way (`Form`), told from some of its rows. `exact` is the text of what it
says; `loose` leaves out what people write differently: case, padding, leading zeros, a prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

NUMBER, TIME, TEXT = "number", "time", "text"

LAYOUTS = (
    "%Y-%m-%d",
    "%+",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%d.%m.%y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%Y%m%d",
)
"""How text spells a time; the first that fits is taken: years of two digits before those of four,
which would be read as the first century."""

MOSTLY = 0.8
"""A column is read as numbers or times if so many of its texts are: the others stay as they are."""
SURELY = 0.99
SEED = 20_130_101
_NUMERAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_ZEROS = r"^[+-]?0\d"
MARKS = r"[$€£¥%\s]"
_PADS = r"[^\p{L}\p{N}]+"


@dataclass(frozen=True, slots=True)
class Form:
    """How a column is read."""

    kind: str
    layout: str = ""
    """How its text spells a time; empty if it is no text."""
    comma: bool = False
    """Whether a comma stands before its decimals."""
    marks: bool = False
    """Whether signs of money or percent, or commas between thousands, stand in its numbers."""
    prefix: str = ""
    """What its texts begin with, all of them, before digits; in small letters."""


def form_of(values: pl.Series) -> Form:
    """How a column is read, from some of its values."""
    dtype = values.dtype
    if isinstance(dtype, pl.Date | pl.Datetime):
        return Form(TIME)
    if dtype.is_numeric() or isinstance(dtype, pl.Duration):
        days = values.drop_nulls().unique()
        if dtype.is_integer() and len(days) > 1 and _is_days(days.cast(pl.String)):
            return Form(TIME, "%Y%m%d")
        return Form(NUMBER)
    if dtype != pl.String:
        return Form(TEXT)
    return _form_of_text(values.drop_nulls().str.strip_chars().unique())


def _form_of_text(texts: pl.Series) -> Form:
    texts = texts.filter(texts != "")
    if not len(texts):
        return Form(TEXT)
    numerals = texts.str.contains(_NUMERAL)
    if share_of(numerals) >= MOSTLY:
        if len(texts) > 1 and _is_days(texts):
            return Form(TIME, "%Y%m%d")
        if share_of(texts.filter(numerals).str.contains(_ZEROS)) <= 0.01:
            return Form(NUMBER)
    elif share_of(texts.str.contains(r"^[+-]?\d+(,\d+)?$")) >= SURELY and not _thousands(texts):
        return Form(NUMBER, comma=True)
    if share_of(bare(texts).str.contains(_NUMERAL)) >= SURELY and share_of(numerals) < MOSTLY:
        return Form(NUMBER, marks=True)
    for layout in LAYOUTS[:-1]:
        if share_of(_times(texts, layout).is_not_null()) >= MOSTLY:
            return Form(TIME, layout)
    plain = texts.str.to_lowercase().str.replace_all(_PADS, "")
    prefixes = plain.str.extract(r"^(\p{L}+)\d+$").value_counts(sort=True)
    top = prefixes.row(0)
    if top[0] is not None and len(texts) > 1 and top[1] >= SURELY * len(texts):
        return Form(TEXT, prefix=top[0])
    return Form(TEXT)


def bare(texts: pl.Series) -> pl.Series:
    """Texts of numbers without signs of money and percent, and without commas between thousands."""
    plain = texts.str.replace_all(MARKS, "")
    grouped = plain.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
    return plain.str.replace_all(",", "", literal=True).zip_with(grouped.fill_null(False), plain)


def _is_days(texts: pl.Series) -> bool:
    return (
        bool((texts.str.len_bytes() == 8).all())
        and bool(texts.str.contains("^(19|20)").all())
        and share_of(_times(texts, "%Y%m%d").is_not_null()) >= SURELY
    )


def _thousands(texts: pl.Series) -> bool:
    """Whether commas only stand before three digits: one can't tell what they mean."""
    commas = texts.filter(texts.str.contains(","))
    return bool(commas.str.contains(r",\d{3}$").all())


def share_of(holds: pl.Series) -> float:
    """The share of rows where it holds; where it is not known, it does not."""
    return float(holds.sum() or 0) / len(holds) if len(holds) else 0.0


def _times(texts: pl.Series, layout: str) -> pl.Series:
    if layout == "%+":
        return texts.str.to_datetime(
            layout, time_unit="us", time_zone="UTC", strict=False
        ).dt.replace_time_zone(None)
    if "%H" in layout:
        return texts.str.to_datetime(layout, time_unit="us", strict=False)
    return texts.str.to_date(layout, strict=False).cast(pl.Datetime("us"))


def times(values: pl.Series, form: Form) -> pl.Series:
    """The values as times without zone (those with one in UTC); null where they are none."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone:
            values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return values.dt.cast_time_unit("us")
    if dtype == pl.Date:
        return values.cast(pl.Datetime("us"))
    if form.kind == TIME and form.layout:
        return _times(values.cast(pl.String).str.strip_chars(), form.layout)
    return pl.Series(values.name, [None] * len(values), pl.Datetime("us"))


def numbers(values: pl.Series, form: Form) -> Floats:
    """The values as 64-bit floats, times as microseconds since 1970; NaN where they are none."""
    if form.kind == TIME:
        return times(values, form).to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()
    return _floats(values, form).fill_null(np.nan).to_numpy()


def _floats(values: pl.Series, form: Form) -> pl.Series:
    if isinstance(values.dtype, pl.Duration):
        return values.dt.total_microseconds().cast(pl.Float64)
    if values.dtype == pl.String:
        text = values.str.strip_chars()
        if form.marks:
            text = bare(text)
        if form.comma:
            text = text.str.replace(",", ".")
        return pl.select(
            pl.when(text.str.contains(_NUMERAL)).then(text.cast(pl.Float64, strict=False))
        ).to_series()
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64)
    return pl.Series(values.name, [None] * len(values), pl.Float64)


def exact(values: pl.Series, form: Form) -> pl.Series:
    """What the values say, as text; null where they say nothing."""
    if form.kind == TIME:
        return _time_text(values, form)
    if isinstance(values.dtype, pl.Duration):
        return values.dt.total_microseconds().cast(pl.String)
    if values.dtype.is_integer():
        return values.cast(pl.String)
    text = _text(values)
    if form.kind != NUMBER:
        return text
    number = _floats(values, form)
    whole = number.is_finite() & (number == number.floor()) & (number.abs() < 1e15)
    short = (text.str.len_bytes() <= 15) if values.dtype == pl.String else pl.lit(True)
    return pl.select(
        pl.when(whole & short)
        .then(number.cast(pl.Int64, strict=False).cast(pl.String))
        .when(number.is_not_nan() & short)
        .then(number.cast(pl.String))
        .when(number.is_not_null() & number.is_nan())
        .then(None)
        .otherwise(text)
    ).to_series()


def _text(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        text = values.str.strip_chars()
        return text.replace("", None)
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        return values.hash(SEED).cast(pl.String).zip_with(values.is_not_null(), _nothing(values))
    return values.cast(pl.String)


def _nothing(values: pl.Series) -> pl.Series:
    return pl.Series(values.name, [None] * len(values), pl.String)


def _time_text(values: pl.Series, form: Form) -> pl.Series:
    at = times(values, form)
    day = at.dt.truncate("1d") == at
    written = pl.select(
        pl.when(day)
        .then(at.dt.strftime("%Y-%m-%d"))
        .otherwise(at.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f"))
    ).to_series()
    if values.dtype != pl.String:
        return written
    return pl.select(pl.coalesce(written, _text(values))).to_series()


def loose(said: pl.Series, form: Form) -> pl.Series:
    """What `exact` says, without what people write differently."""
    if form.kind == TIME:
        return said
    plain = said.str.to_lowercase()
    if form.kind == NUMBER:
        return plain
    plain = plain.str.replace_all(_PADS, "")
    if form.prefix:
        plain = plain.str.strip_prefix(form.prefix)
    bare = plain.str.strip_chars_start("0")
    return pl.select(
        pl.when((bare == "") & (plain != ""))
        .then(pl.lit("0"))
        .when(bare == "")
        .then(None)
        .otherwise(bare)
    ).to_series()


def hashed(text: pl.Series) -> Hashes:
    """Numbers that stand for texts: 0 for none."""
    found = text.hash(SEED).to_numpy().copy()
    found[found == 0] = 1
    found[text.is_null().to_numpy()] = 0
    return found
