"""Quarantine: rows that break their contract are set aside with their reasons, up to a limit.

The rest is used. A source that breaks its contract as a whole (a column is not there) has no rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.data.checked import refuse_failures
from taxiway.data.findings import Validation
from taxiway.data.rules import Known, Rule, raw_name, rules_of
from taxiway.data.source import ROW, Source, batches, typed
from taxiway.data.tally import Marks


@dataclass(frozen=True, slots=True)
class Limit:
    """How many rows may be set aside: so many, or such a share of all rows."""

    text: str
    most: float
    share: bool

    @classmethod
    def read(cls, text: str) -> Limit:
        """A limit as people write it. Raises `InputError` for anything else.

        >>> Limit.read("2.5%").allows(broken=25, rows=1000)
        True
        >>> Limit.read("10").allows(broken=11, rows=1000)
        False
        """
        share = text.endswith("%")
        try:
            most = float(text[:-1]) if share else int(text)
        except ValueError:
            most = -1
        if not 0 <= most <= (100 if share else float("inf")):
            raise InputError(
                f"{text!r} is no limit; expected a number of rows such as 100, or a share such as"
                " 0.5%."
            )
        return cls(text, most, share)

    def allows(self, *, broken: int, rows: int) -> bool:
        """Whether so many broken rows of all rows are within the limit."""
        return broken * 100 <= self.most * rows if self.share else broken <= self.most


@dataclass(frozen=True, slots=True)
class Portion:
    """Some rows of a source, those that hold the contract and those that don't."""

    numbers: list[int]
    """Of the rows that hold it, counted from 1."""
    sound: pl.DataFrame
    """The contract's columns, typed."""
    broken: pl.DataFrame
    """Row number, reasons, and the source's columns as they stand."""


def require_within(source: Source, validation: Validation, limit: Limit, *, so: str) -> None:
    """Raises `InputError` with every failure if more rows break the contract than may be set aside.

    So does a failure of the source as a whole, and a source of which no row would be left.
    """
    whole = any(failure.rows == 0 for failure in validation.failures)
    broken, rows = validation.failed_rows, validation.rows
    if whole or broken == rows:
        refuse_failures(source, validation, so=so)
    if not limit.allows(broken=broken, rows=rows):
        refuse_failures(source, validation, so=f"At most {limit.text} may be set aside. {so}")


def portions(
    source: Source, contract: Contract, marks: Marks, known: Known | None = None
) -> Iterator[Portion]:
    """A source that was examined, in its order, a batch at a time."""
    rules = rules_of(contract, source, known)
    for raw in batches(source):
        failed = marks.failed.slice(raw[ROW][0] - 1, raw.height)
        held = raw.filter(~failed)
        yield Portion(
            numbers=held[ROW].to_list(),
            sound=held.select(typed(source, contract)),
            broken=_set_aside(raw.filter(failed), source, contract, rules, marks),
        )


def _set_aside(
    raw: pl.DataFrame, source: Source, contract: Contract, rules: list[Rule], marks: Marks
) -> pl.DataFrame:
    """The rows as they stand, after their number and what is wrong with them."""
    batch = raw.select(
        ROW,
        *(pl.col(r).alias(raw_name(r)) for r in contract.names if r in source.schema),
        *typed(source, contract),
    )
    said: list[list[str]] = [[] for _ in range(raw.height)]
    for rule in rules:
        for at in batch.select(rule.broken.fill_null(value=False)).to_series().arg_true():
            said[at].append(f"{rule.where} {rule.name}, expected {rule.expected}")
    for at, row in enumerate(raw[ROW]):
        for columns, twice in marks.repeated.items():
            if twice[row - 1]:
                what = "the key repeats" if columns == contract.key else "is there more than once"
                said[at].append(f"{', '.join(columns)}: {what}")
        if row in marks.short:
            fields = f"it has {marks.short[row]} fields of {len(source.columns)}"
            said[at].append(f"the row is cut off, {fields}")
    numbers = raw[ROW].cast(pl.Int64).alias(_free("row", source))
    reasons = pl.Series(_free("reasons", source), ["; ".join(s) for s in said], dtype=pl.String)
    return pl.DataFrame([numbers, reasons]).hstack(raw.drop(ROW))


def _free(name: str, source: Source) -> str:
    """A name that no column of the source has."""
    while name in source.schema:
        name = f"{name}_"
    return name
