"""Labels: what the target's definition, a SQL expression over columns, says of each row."""

from __future__ import annotations

import json

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.data.column_types import DTYPES, schema_of

OTHER_ROWS = frozenset({"Agg", "All", "Any", "Len", "Over", "Quantile", "Rolling", "Window"})
"""What polars calls the parts of an expression that look at more than one row."""

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
    """A definition as a Boolean expression over the columns of a row. Raises `InputError`."""
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
    if _looks_at_other_rows(expression):
        problem = Problem("it looks at other rows than the one it labels", where=where, todo=TODO)
        raise InputError(headline, [problem])
    try:
        answer = pl.DataFrame(schema=schema).select(expression)
    except pl.exceptions.PolarsError as error:
        raise InputError(headline, [Problem(_first_line(error), where=where, todo=TODO)]) from None
    found = answer.dtypes[0]
    if found != DTYPES["boolean"]:
        problem = Problem("it has another type", str(found), "true or false", where, TODO)
        raise InputError(headline, [problem])
    return expression


def _looks_at_other_rows(expression: pl.Expr) -> bool:
    """Whether an average, a count or a window makes a row's label depend on its neighbours.

    Such a label would change with the rows around it: in training, and once outcomes arrive.
    """
    nodes = [json.loads(expression.meta.serialize(format="json"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if not OTHER_ROWS.isdisjoint(node):
                return True
            nodes += [inner for name, inner in node.items() if name != "Literal"]
        elif isinstance(node, list):
            nodes += node
        elif node in OTHER_ROWS:
            return True
    return False


def _unknown(name: str, schema: pl.Schema, where: str) -> Problem:
    match = close_match(name, schema.names())
    known = shortened(", ".join(schema.names()))
    todo = f"Did you mean `{match}`?" if match else f"Columns: {known}."
    return Problem(f"there is no column `{name}`", where=where, todo=todo)


def _first_line(error: Exception) -> str:
    return shortened(str(error).strip().split("\n", 1)[0])
