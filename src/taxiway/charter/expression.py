"""The columns that a target's definition speaks of, without a database to ask."""

from __future__ import annotations

import re

# fmt: off
WORDS = frozenset([
    "all", "and", "any", "as", "asc", "at", "between", "case", "cast", "desc", "distinct", "else",
    "end", "exists", "false", "for", "from", "ilike", "in", "interval", "is", "like", "not", "null",
    "or", "regexp", "rlike", "then", "true", "try_cast", "when", "xor", "zone",
])
# fmt: on
"""Words of SQL expressions that are no columns unless they are quoted."""

TOKEN = re.compile(
    r"""
      (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<word>[^\W\d]\w*)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)
    | (?P<other>::|\S)
    """,
    re.VERBOSE,
)


def columns_of(definition: str) -> list[str]:
    """The column names in a SQL expression, each once, in their order.

    Left out are texts, numbers, words of the language, functions, the types of casts and literals,
    and the part that `EXTRACT(part FROM column)` takes.

    >>> columns_of("arr_delay > 15 AND lower(origin) IN ('JFK', 'LGA')")
    ['arr_delay', 'origin']
    >>> columns_of('CAST("sum insured" AS DOUBLE) > limit_eur::float')
    ['sum insured', 'limit_eur']
    """
    tokens = [(str(m.lastgroup), m.group()) for m in TOKEN.finditer(definition)]
    found: dict[str, None] = {}
    for at, (kind, text) in enumerate(tokens):
        if kind == "quoted":
            found[text[1:-1].replace('""', '"')] = None
        elif kind == "word" and text.lower() not in WORDS and not _no_column(tokens, at):
            found[text] = None
    return list(found)


def _no_column(tokens: list[tuple[str, str]], at: int) -> bool:
    before = tokens[at - 1][1].lower() if at else ""
    kind, after = tokens[at + 1] if at + 1 < len(tokens) else ("", "")
    return (
        before in {"as", "::", "interval"}
        or after == "("
        or after.lower() == "from"
        or kind == "text"  # date '2013-01-01'
    )
