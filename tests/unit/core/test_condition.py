"""Conditions: what they mean, held against two databases, and what they refuse."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.core.condition import read_condition
from taxiway.core.errors import InputError

COLUMNS = {
    "amount": "number",
    "seats": "integer",
    "origin": "string",
    "known": "boolean",
    "day": "date",
    "at": "timestamp",
    "sum insured": "number",
}
ROW: dict[str, Any] = {
    "amount": 2.5,
    "seats": 2,
    "origin": "JFK",
    "known": True,
    "day": "2027-03-01",
    "at": "2027-03-01T10:00:00.000000Z",
    "sum insured": None,
}

MEANT = [
    ("amount > 2 AND seats = 2", True),
    ("amount BETWEEN 2.5 AND 3", True),
    ("amount NOT BETWEEN seats AND 3", False),
    ("seats IN (1, 2, 3) and origin in ('JFK')", True),
    ("origin LIKE 'J_%' AND origin NOT LIKE '%X'", True),
    ("origin like 'jfk'", False),
    ("origin = 'it''s'", False),
    ("day >= '2027-03-01' AND day < DATE '2027-03-02'", True),
    ("'2027-04-01' > day", True),
    ("at = '2027-03-01T11:00:00+01:00'", True),
    ("at < TIMESTAMP '2027-03-01 10:00:00.000001'", True),
    ("known", True),
    ("NOT known = FALSE", True),
    ('"sum insured" > 1', None),
    ('"sum insured" > 1 OR known', True),
    ('"sum insured" > 1 AND NOT known', False),
    ('"sum insured" IS NULL AND amount IS NOT NULL', True),
    ('("sum insured" > 1) IS NOT TRUE', True),
    ('"sum insured" IN (1.0)', None),
    ("amount / (seats - 2) > 0", None),
    ("-amount * 2 + seats = -3.0", True),
    ("- - seats = 2", True),
    ("1e308 * 10 * amount > 0", None),
    ("seats = 2.0 AND amount <> 3 AND amount != 3", True),
]


@pytest.mark.parametrize(("text", "expected"), MEANT)
def test_what_a_condition_means(text: str, expected: bool | None) -> None:
    assert read_condition(text, COLUMNS).holds(ROW) is expected


REFUSED = [
    ("amonut > 1 AND orgin = 'JFK'", "Did you mean 'amount'?"),
    ("amonut > 1 AND orgin = 'JFK'", "Did you mean 'origin'?"),
    ("xyzzy", "Known: amount, seats"),
    ("amount", "it is no condition; expected true or false, found a number"),
    ("amount AND known", "it is no condition"),
    ("amount > 'a'", "`>` compares a number with text"),
    ("origin BETWEEN 1 AND 'x'", "`BETWEEN` compares text with a number"),
    ("origin IN ('a', 3)", "`IN` compares text with a number"),
    ("seats IN (amount)", "a list holds values, no columns"),
    ("known < TRUE", "true and false have no order"),
    ("known BETWEEN TRUE AND TRUE", "true and false have no order"),
    ("amount = NULL", "expected IS NULL or IS NOT NULL"),
    ("day > 'tomorrow'", "'tomorrow' is not a date"),
    ("at > '0001-01-01T00:00:00+23:00'", "is not a time"),
    ("origin + 1 > 2", "`+` takes numbers; found text"),
    ("-origin > 2", "`-` takes a number"),
    ("amount LIKE 'a'", "LIKE takes text"),
    ("origin LIKE amount", "expected a pattern such as 'JF%', found amount"),
    ("lower(origin) = 'x'", "there are no functions here"),
    ("amount > 1e999", "the number is too large"),
    ("amount >", "it can't be read at character 9; expected a column or a value, found its end"),
    ("amount > 1; drop", "expected AND, OR or the end, found ;"),
    ("amount NOT > 1", "expected BETWEEN, IN or LIKE"),
    ("(amount > 1", "expected ), found its end"),
    ("amount IS 3", "expected NULL, TRUE or FALSE"),
    ("origin = 'open", "found '"),
    ("", "found its end"),
    ("(" * 200, "it nests too deep"),
    ("NOT " * 200 + "known", "it nests too deep"),
    ("-" * 200 + "1 > 0", "it nests too deep"),
    ("known AND " * 200 + "known", "it is too long"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_a_condition_refuses(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_condition(text, COLUMNS)
    assert said in str(refused.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InputError) as refused:
        read_condition("amonut > 1 OR origin > 3 OR known < true OR day = 'x'", COLUMNS)
    assert len(refused.value.problems) == 4


# Random conditions against SQLite, which divides by zero as we do, and polars, which has booleans.

numbers = st.sampled_from(["amount", "seats", "0", "1.5", "-2", "(seats + 1)", "(amount * -1)"])
texts = st.sampled_from(["origin", "'JFK'", "'LGA'", "''"])
signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
tests = st.one_of(
    st.tuples(numbers, signs, numbers).map(" ".join),
    st.tuples(texts, signs, texts).map(" ".join),
    st.tuples(numbers, st.sampled_from(["", "NOT "]), numbers, numbers).map(
        lambda t: f"{t[0]} {t[1]}BETWEEN {t[2]} AND {t[3]}"
    ),
    st.sampled_from(
        [
            "known",
            "origin IN ('JFK', 'EWR')",
            "origin NOT IN ('JFK')",
            "seats IN (1, 2)",
            "origin LIKE 'J%'",
            "origin IS NULL",
            "known IS NOT NULL",
            "amount IS NULL",
        ]
    ),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("NOT ({})".format),
    ),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {
        "amount": st.none() | st.sampled_from([-2.0, 0.0, 1.0, 1.5, 1e300]),
        "seats": st.none() | st.sampled_from([-2, 0, 1, 2]),
        "origin": st.none() | st.sampled_from(["", "JFK", "LGA", "jfk"]),
        "known": st.none() | st.booleans(),
    }
)
SCHEMA = {"amount": pl.Float64, "seats": pl.Int64, "origin": pl.String, "known": pl.Boolean}


@given(text=conditions, several=st.lists(rows, min_size=1, max_size=4))
def test_two_databases_agree(text: str, several: list[dict[str, Any]]) -> None:
    condition = read_condition(text, COLUMNS)
    found = [condition.holds(row) for row in several]
    assert found == [_sqlite(text, row) for row in several]
    frame = pl.DataFrame(several, schema=SCHEMA)
    expression = pl.sql_expr(text)
    if expression.meta.root_names():
        assert found == frame.select(expression.alias("held"))["held"].to_list()


def _sqlite(text: str, row: dict[str, Any]) -> bool | None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("PRAGMA case_sensitive_like = ON")
        database.execute("CREATE TABLE t (amount REAL, seats INTEGER, origin TEXT, known INTEGER)")
        database.execute("INSERT INTO t VALUES (?, ?, ?, ?)", [row[name] for name in SCHEMA])
        (found,) = database.execute(f"SELECT {text} FROM t").fetchone()  # noqa: S608 - ours
    return None if found is None else bool(found)
