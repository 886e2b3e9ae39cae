"""Labels: what the target's definition, a SQL expression over columns, says of each row."""

from __future__ import annotations

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.data.column_types import DTYPES, schema_of

TODO = "For instance `arr_delay > 15`: a condition over columns of the contract."


def label(frame: pl.DataFrame, definition: str) -> pl.Series:
    """The label of each row, Boolean, named `label`; null where the definition has no answer.

    Raises `InputError` if the definition is not SQL, names a column that is not there, or does not
    answer with true or false.

    >>> label(pl.DataFrame({"arr_delay": [20, 3, None]}), "arr_delay > 15").to_list()
    [True, False, None]
    """
    condition(definition, frame.schema)
    return frame.select(pl.sql_expr(definition).alias("label")).to_series()


def columns_of(definition: str, contract: Contract) -> tuple[str, ...]:
    """The contract columns that a definition reads, in the contract's order.

    Raises `InputError` like `label`.
    """
    roots = set(condition(definition, schema_of(contract)).meta.root_names())
    return tuple(name for name in contract.names if name in roots)


def condition(definition: str, schema: pl.Schema) -> pl.Expr:
    """A definition as a Boolean expression over columns, one answer a row. Raises `InputError`."""
    headline = "The target's definition can't be used."
    where = f"definition `{shortened(definition, 80)}`"
    try:
        expression = pl.sql_expr(definition)
    except pl.exceptions.PolarsError as error:
        what = f"it is not a SQL expression: {_first_line(error)}"
        raise InputError(headline, [Problem(what, where=where, todo=TODO)]) from None
    roots = expression.meta.root_names()
    unknown = [name for name in dict.fromkeys(roots) if name not in schema]
    if unknown:
        raise InputError(headline, [_unknown(name, schema, where) for name in unknown])
    if not roots:
        raise InputError(headline, [Problem("it names no column", where=where, todo=TODO)])
    # Two rows tell an answer for each row from one for all of them.
    probe = pl.DataFrame(schema=schema).clear(2)
    try:
        answer = probe.select(expression)
    except pl.exceptions.PolarsError as error:
        raise InputError(headline, [Problem(_first_line(error), where=where, todo=TODO)]) from None
    found = answer.dtypes[0]
    if found != DTYPES["boolean"]:
        problem = Problem("it has another type", str(found), "true or false", where, TODO)
        raise InputError(headline, [problem])
    if answer.height != probe.height:
        problem = Problem("it gives one answer for all rows", where=where, todo=TODO)
        raise InputError(headline, [problem])
    return expression


def _unknown(name: str, schema: pl.Schema, where: str) -> Problem:
    match = close_match(name, schema.names())
    known = shortened(", ".join(schema.names()))
    todo = f"Did you mean `{match}`?" if match else f"Columns: {known}."
    return Problem(f"there is no column `{name}`", where=where, todo=todo)


def _first_line(error: Exception) -> str:
    return shortened(str(error).strip().split("\n", 1)[0])
