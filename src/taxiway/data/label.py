"""Labels: what the target's definition, a SQL expression over columns, says of each row."""

from __future__ import annotations

import json

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.data.column_types import DTYPES, schema_of

OTHER_ROWS = frozenset({"Agg", "All", "Any", "Len", "Over", "Quantile", "Rolling", "Window"})
"""What polars calls the parts of an expression that look at more than one row."""

TODO = {
    "boolean": "For instance `arr_delay > 15`: a condition over columns of the contract.",
    "number": "For instance `arr_delay`, or `price / area`: a number from columns of the contract.",
}
"""Type of the label -> how to say what it is."""


def label(frame: pl.DataFrame, definition: str, type: str = "boolean") -> pl.Series:
    """The label of each row, of a type, named `label`; null where the definition has no answer.

    Raises `InputError` if the definition is not SQL, names a column that is not there, or does not
    answer with true or false (a number, for the type `number`).

    >>> label(pl.DataFrame({"arr_delay": [20, 3, None]}), "arr_delay > 15").to_list()
    [True, False, None]
    >>> label(pl.DataFrame({"price": [20.0, 3.0], "area": [8, 0]}), "price / area", "number")[0]
    2.5
    """
    return frame.select(defined(definition, frame.schema, type).alias("label")).to_series()


def columns_of(definition: str, contract: Contract, type: str = "boolean") -> tuple[str, ...]:
    """The contract columns that a definition reads, in the contract's order.

    Raises `InputError` like `label`.
    """
    roots = set(defined(definition, schema_of(contract), type).meta.root_names())
    return tuple(name for name in contract.names if name in roots)


def defined(definition: str, schema: pl.Schema, type: str = "boolean") -> pl.Expr:
    """A definition as an expression of a type over the columns of a row. Raises `InputError`.

    Numbers are floats; one that is none, or infinite (something by zero, say), is no label.
    """
    todo = TODO[type]
    headline = "The target's definition can't be used."
    where = f"definition `{shortened(definition, 80)}`"
    try:
        expression = pl.sql_expr(definition)
    except pl.exceptions.PolarsError as error:
        what = f"it is not a SQL expression: {_first_line(error)}"
        raise InputError(headline, [Problem(what, where=where, todo=todo)]) from None
    roots = expression.meta.root_names()
    unknown = [name for name in dict.fromkeys(roots) if name not in schema]
    if unknown:
        raise InputError(headline, [_unknown(name, schema, where) for name in unknown])
    if not roots:
        raise InputError(headline, [Problem("it names no column", where=where, todo=todo)])
    if _looks_at_other_rows(expression):
        problem = Problem("it looks at other rows than the one it labels", where=where, todo=todo)
        raise InputError(headline, [problem])
    try:
        answer = pl.DataFrame(schema=schema).select(expression)
    except pl.exceptions.PolarsError as error:
        raise InputError(headline, [Problem(_first_line(error), where=where, todo=todo)]) from None
    found = answer.dtypes[0]
    if not (found.is_numeric() if type == "number" else found == DTYPES["boolean"]):
        expected = "a number" if type == "number" else "true or false"
        problem = Problem("it has another type", str(found), expected, where, todo)
        raise InputError(headline, [problem])
    if type == "boolean":
        return expression
    number = expression.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number)


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
