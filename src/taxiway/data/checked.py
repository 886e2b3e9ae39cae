"""Rows that may be believed: read from a source only after every one of them held its contract."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.data.findings import Validation
from taxiway.data.source import Source, read_source
from taxiway.data.validation import validate


def refuse_failures(source: Source, validation: Validation, *, so: str) -> None:
    """Raises `InputError` with every failure of a validation; `so` says what was not done."""
    if validation.passed:
        return
    raise InputError(
        f"{source.name} does not hold its contract: {validation.failed_rows} of"
        f" {validation.rows} rows fail. {so}",
        [failure.problem() for failure in validation.failures],
        todo="Correct the data at their source, or the contract with its owner; see"
        " `taxiway data check`.",
    )


def read_checked(source: Source, contract: Contract, *, so: str) -> pl.DataFrame:
    """The contract's columns of a source, typed, where any number of rows will do.

    For what is used at once and not kept, such as a sample of production or a file of outcomes;
    hand in `contract.only(...)` for a file with some of the columns. Raises `InputError` with all
    failures: without the check, a value of another type would read as none at all.
    """
    wanted = replace(contract, minimum_rows=1, freshness_hours=None)
    refuse_failures(source, validate(source, wanted), so=so)
    return read_source(source, wanted).collect()
