"""What is found between two tables that were changed on purpose, and nothing where they were not
changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from taxiway.core.errors import InputError
from taxiway.data.mapping import mapped
from taxiway.data.reconcile.tables import reconcile

from .conftest import found_between, kinds, table

Change = Callable[[pl.DataFrame], pl.DataFrame]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sample(fraction=1, shuffle=True, seed=3)


def _some(frame: pl.DataFrame, share: float) -> pl.Series:
    return pl.Series(np.random.default_rng(5).random(frame.height) < share)


CHANGES: dict[str, tuple[Change, set[tuple[str, str, str]]]] = {
    "cents": (
        lambda f: f.with_columns((pl.col("amount") * 100).round().cast(pl.Int64)),
        {("unit", "amount", "amount")},
    ),
    "times 41": (lambda f: f.with_columns(pl.col("amount") * 41), {("unit", "amount", "amount")}),
    "pounds": (
        lambda f: f.with_columns((pl.col("kilograms") / 0.45359237).round(2)),
        {("unit", "kilograms", "kilograms")},
    ),
    "Fahrenheit, whole": (
        lambda f: f.with_columns((pl.col("degrees") * 1.8 + 32).round()),
        {("unit", "degrees", "degrees")},
    ),
    "logarithm": (lambda f: f.with_columns(pl.col("amount").log()), {("unit", "amount", "amount")}),
    "odds": (
        lambda f: f.with_columns(((-pl.col("degrees") / 10).exp() + 1) ** -1),
        {("unit", "degrees", "degrees")},
    ),
    "the other sign": (lambda f: f.with_columns(-pl.col("amount")), {("unit", "amount", "amount")}),
    "some rows in cents": (
        lambda f: f.with_columns(
            pl.when(_some(f, 0.2)).then(pl.col("amount") * 100).otherwise(pl.col("amount"))
        ),
        {("mixed", "amount", "amount")},
    ),
    "names of months": (
        lambda f: f.with_columns(pl.col("month").replace_strict(list(range(1, 13)), MONTHS)),
        {("coding", "month", "month")},
    ),
    "yes and no": (
        lambda f: f.with_columns(pl.col("paid").replace_strict([True, False], ["yes", "no"])),
        {("coding", "paid", "paid")},
    ),
    "regions of countries": (
        lambda f: f.with_columns(
            pl.col("country").replace_strict(
                ["DE", "FR", "IT", "ES"], ["north", "north", "south", "south"]
            )
        ),
        {("coding", "country", "country")},
    ),
    "small letters": (
        lambda f: f.with_columns(pl.col("country").str.to_lowercase() + " "),
        {("spelling", "country", "country")},
    ),
    "something else": (
        lambda f: f.with_columns(pl.col("items").shuffle(seed=2)),
        {("meaning", "items", "items")},
    ),
    "another name": (
        lambda f: f.rename({"kilograms": "w"}),
        {("synonym", "kilograms", "w")},
    ),
    "another name and unit": (
        lambda f: f.with_columns(grams=pl.col("kilograms") * 1000).drop("kilograms"),
        {("synonym", "kilograms", "grams")},
    ),
    "swapped": (
        lambda f: f.rename({"items": "month", "month": "items"}),
        {("synonym", "items", "month"), ("synonym", "month", "items")},
    ),
    "five hours later": (
        lambda f: f.with_columns(pl.col("at") + pl.duration(hours=5)),
        {("clock", "at", "at")},
    ),
    "percent in words": (
        lambda f: f.with_columns((pl.col("kilograms") * 100).round(1).cast(pl.String) + "%"),
        {("unit", "kilograms", "kilograms")},
    ),
    "seconds since 1970": (
        lambda f: f.with_columns(pl.col("at").dt.epoch("s")),
        {("clock", "at", "at")},
    ),
    "a sentinel for nothing": (
        lambda f: f.with_columns(
            pl.when(_some(f, 0.05)).then(-9999).otherwise(pl.col("kilograms")).alias("kilograms")
        ),
        {("sentinel", "kilograms", "kilograms")},
    ),
    "a sentinel beside values": (
        lambda f: f.with_columns(
            pl.when(_some(f, 0.03)).then(99).otherwise(pl.col("items")).alias("items")
        ),
        {("sentinel", "items", "items")},
    ),
    "a word for nothing beside values": (
        lambda f: f.with_columns(
            pl.when(_some(f, 0.04)).then(pl.lit("??")).otherwise(pl.col("country")).alias("country")
        ),
        {("sentinel", "country", "country")},
    ),
    "a sentinel in another unit": (
        lambda f: f.with_columns(
            pl.when(_some(f, 0.06))
            .then(-9999)
            .otherwise(pl.col("degrees") * 1.8 + 32)
            .alias("degrees")
        ),
        {("sentinel", "degrees", "degrees"), ("unit", "degrees", "degrees")},
    ),
    "a padded key": (
        lambda f: f.with_columns(pl.col("order").str.strip_prefix("O").cast(pl.Int64)),
        {("key", "order", "order")},
    ),
    "a key by another name": (
        lambda f: f.rename({"order": "number"}),
        {("synonym", "order", "number")},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_and_nothing_else(orders: pl.DataFrame, name: str) -> None:
    change, expected = CHANGES[name]
    left = orders
    if name == "a sentinel for nothing":
        nothing = pl.when(~_some(orders, 0.05)).then(pl.col("kilograms")).alias("kilograms")
        left = orders.with_columns(nothing)
    assert kinds(found_between(left, shuffled(change(orders)))) == expected


SOUND: dict[str, Callable[[pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]] = {
    "a copy": lambda f: (f, f),
    "another order": lambda f: (f, shuffled(f)),
    "a part": lambda f: (f, f.sample(fraction=0.4, seed=1)),
    "two parts": lambda f: (f.sample(fraction=0.6, seed=1), f.sample(fraction=0.6, seed=2)),
    "halves": lambda f: (shuffled(f)[: f.height // 2], shuffled(f)[f.height // 2 :]),
    "with signs of money": lambda f: (
        f,
        f.with_columns(pl.format("${}", "amount").alias("amount")),
    ),
    "as text": lambda f: (f, f.with_columns(pl.all().cast(pl.String))),
    "a few corrections": lambda f: (
        f,
        f.with_columns(
            pl.when(_some(f, 0.02)).then(pl.col("items").shuffle(seed=4)).otherwise(pl.col("items"))
        ),
    ),
    "other columns": lambda f: (f.select("order", "at"), f.select("order", "amount")),
    "without a key": lambda f: (f.drop("order", "email"), shuffled(f.drop("order", "email"))),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_the_same_gives_no_finding(orders: pl.DataFrame, name: str) -> None:
    assert kinds(found_between(*SOUND[name](orders))) == set()


def test_local_and_universal_time_are_told_apart_by_the_summer(orders: pl.DataFrame) -> None:
    there = pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    local = orders.with_columns(there.dt.replace_time_zone(None), there.dt.hour().alias("hour"))
    found = found_between(orders, shuffled(local))
    assert kinds(found) == {("clock", "at", "at"), ("clock", "hour", "hour")}
    by_column = {f.left.column: f for f in found.findings}
    assert "America/New_York" in by_column["hour"].says
    mapping = by_column["at"].mapping
    assert mapping is not None
    assert mapping.steps == ({"do": "zone", "from": "America/New_York", "to": "UTC"},)
    back, _ = mapped(local.lazy(), [mapping], local.schema)
    same = (back.collect()["at"] == orders["at"]).mean()
    assert isinstance(same, float)
    assert same > 0.999  # an hour in autumn is there twice


def test_a_shifted_block_is_one_finding(orders: pl.DataFrame) -> None:
    text = orders.with_columns(pl.all().cast(pl.String))
    wrong = set(range(200, 260))
    rows = [
        (*row[:3], None, *row[3:-1]) if at in wrong else row for at, row in enumerate(text.rows())
    ]
    moved = pl.DataFrame(rows, schema=text.columns, orient="row", infer_schema_length=None)
    (finding,) = found_between(text, moved).findings
    assert finding.kind == "shifted"
    assert (finding.evidence["shifted"], finding.evidence["by"]) == (60, 1)
    assert finding.mapping is None


@pytest.mark.parametrize("fine_first", [True, False])
def test_days_are_sums_and_means_of_hours(fine_first: bool) -> None:
    random = np.random.default_rng(4)
    start = datetime(2024, 1, 1)  # noqa: DTZ001
    hours = pl.DataFrame(
        {
            "at": [start + timedelta(hours=h) for h in range(24 * 60)],
            "load": random.normal(100, 20, 24 * 60).round(2),
            "heat": random.normal(10, 5, 24 * 60).round(1),
        }
    )
    days = hours.group_by(pl.col("at").dt.date(), maintain_order=True).agg(
        pl.col("load").sum(), pl.col("heat").mean().alias("mean_heat")
    )
    found = found_between(*((hours, days) if fine_first else (days, hours)))
    assert {(f.kind, f.evidence["how"]) for f in found.findings} == {
        ("grain", "sum"),
        ("grain", "mean"),
    }


def test_few_groups_are_means_of_many_rows(orders: pl.DataFrame) -> None:
    means = orders.group_by("country").agg(pl.col("amount").mean())
    (finding,) = found_between(means, orders).findings
    assert (finding.kind, finding.evidence["how"]) == ("grain", "mean")


def test_a_foreign_key_of_another_name_shows_what_means_something_else() -> None:
    random = np.random.default_rng(6)
    people = pl.DataFrame(
        {
            "customer_id": random.permutation(900) + 1_000,
            "age": random.integers(18, 90, 900),
            "segment": random.choice(list("ABC"), 900),
        }
    )
    visits = pl.DataFrame(
        {
            "cust": random.choice(people["customer_id"], 4_000),
            "age": random.integers(0, 24, 4_000),
            "segment": random.choice(["web", "shop"], 4_000),
        }
    )
    found = found_between(people, visits)
    assert kinds(found) == {("meaning", "age", "age"), ("meaning", "segment", "segment")}
    assert found.pairs[0].joins[0].how == "1:n"


def test_a_year_is_a_flight_s_in_one_table_and_a_plane_s_in_the_other() -> None:
    random = np.random.default_rng(2)
    planes = pl.DataFrame(
        {
            "tailnum": [f"N{number}" for number in range(300)],
            "year": random.integers(1985, 2013, 300),
            "seats": random.choice([55, 140, 200], 300),
        }
    )
    flights = pl.DataFrame(
        {
            "year": [2013] * 4_000,
            "tailnum": [f"N{n}" for n in random.integers(0, 300, 4_000)],
            "distance": random.integers(90, 2_500, 4_000),
        }
    )
    found = found_between(flights, planes)
    assert kinds(found) == {("meaning", "year", "year")}
    assert found.pairs[0].joins[0].how == "n:1"
    assert "nothing ties them together" in found.findings[0].says


def test_numbers_that_count_other_things_are_no_key() -> None:
    random = np.random.default_rng(8)
    words = ["".join(random.choice(list("abcdefghij"), 8)) for _ in range(1_500)]
    people = pl.DataFrame(
        {"id": range(1, 801), "name": words[:800], "state": random.choice(["new", "old"], 800)}
    )
    goods = pl.DataFrame(
        {"id": range(1, 701), "name": words[800:], "state": random.choice(["new", "old"], 700)}
    )
    found = found_between(people, goods)
    assert kinds(found) <= {("meaning", "id", "id")}
    assert found.pairs[0].matched == 0


def test_without_a_key_distributions_tell_less_and_say_so(orders: pl.DataFrame) -> None:
    rows = shuffled(orders)
    left = rows[:700].select("amount", "paid")
    right = rows[700:].select(
        pl.col("amount") * 100, pl.col("paid").replace_strict([True, False], ["Y", "N"])
    )
    found = found_between(left, right)
    assert kinds(found) == {("unit", "amount", "amount"), ("coding", "paid", "paid")}
    assert all(f.confidence <= 0.6 for f in found.findings)
    assert found.findings[0].mapping is not None


def test_values_of_personal_columns_are_in_no_finding(orders: pl.DataFrame) -> None:
    right = orders.with_columns(
        pl.col("email").str.to_uppercase(),
        pl.col("country").replace_strict(["DE", "FR", "IT", "ES"], list("wxyz")),
    )
    hidden = frozenset({"country"})
    found = reconcile(
        [table("a", orders, personal=hidden), table("b", shuffled(right), personal=hidden)]
    )
    assert {f.kind for f in found.findings} == {"coding", "spelling"}
    plain = json.dumps(found.found())
    assert "example.org" not in plain.lower()
    assert '"DE"' not in plain


def test_a_finding_keeps_its_id_and_its_contents_until_it_changes(orders: pl.DataFrame) -> None:
    def unit(factor: float) -> tuple[str, str]:
        right = shuffled(orders.with_columns(pl.col("amount") * factor))
        (finding,) = found_between(orders, right).findings
        return finding.id, finding.content

    first, again, other = unit(100), unit(100), unit(1000)
    assert first == again
    assert first[0] == other[0]
    assert first[1] != other[1]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": [1, 2, 3]}),
        pl.DataFrame({"x": pl.Series([None] * 30, dtype=pl.Null)}),
        pl.DataFrame({"x": pl.Series([None] * 30, dtype=pl.String), "y": ["1"] * 30}),
        pl.DataFrame({"x": [float("nan"), float("inf"), -float("inf"), 1.0] * 10}),
        pl.DataFrame({"x": [2**63 - 1, -(2**63)] * 20, "": ["", "é"] * 20}),
        pl.DataFrame({"x": [[1], [2]] * 10, "y": [{"a": 1}, {"a": 2}] * 10}),
        pl.DataFrame({"x": [datetime(1, 1, 1), datetime(9999, 12, 31)] * 15}),  # noqa: DTZ001
        pl.DataFrame({"x": [timedelta(1), None] * 15, "y": [b"a", b"b"] * 15}),
    ],
    ids=["few", "nothing", "empty text", "infinite", "huge", "nested", "far", "other types"],
)
def test_strange_columns_end_in_no_error(frame: pl.DataFrame, orders: pl.DataFrame) -> None:
    assert kinds(found_between(frame, frame)) == set()
    found_between(frame, orders.rename({"amount": "x"}))


def test_one_source_is_not_enough(orders: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="two sources"):
        reconcile([table("a", orders)])
