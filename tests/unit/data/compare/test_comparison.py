"""Comparisons whose answers are known: what differs is found and said, and what does not is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from taxiway.data.compare.comparison import Comparison
from taxiway.data.compare.measures import Limits
from taxiway.data.compare.page import page
from taxiway.data.compare.words import asks, sentences

Held = Callable[..., Comparison]
BEGAN = datetime(2013, 1, 1, tzinfo=UTC)


def rows_of(rows: int = 4_000, seed: int = 1, **changed: Any) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    columns = {
        "amount": random.lognormal(3, 1, rows),
        "age": random.integers(18, 90, rows),
        "score": random.normal(0, 1, rows),
        "segment": random.choice(["a", "b", "c", "d"], rows, p=[0.4, 0.3, 0.2, 0.1]),
        "active": random.random(rows) < 0.4,
    }
    return pl.DataFrame(columns | changed)


def test_the_same_distribution_has_no_finding(held: Held) -> None:
    found = held(rows_of(seed=1), rows_of(seed=2), classifier=True)
    assert (found.verdict, found.different) == ("same", [])
    assert found.told is not None
    assert found.told.low < 0.5 < found.told.high
    assert sentences(found)[0].startswith("Production is like training")
    assert not asks(found)


def test_false_alarms_stay_within_the_budget(held: Held) -> None:
    # The budget is the false discovery rate, 0.01: of 200 random splits of the same rows 2 are
    # expected at the most, and more than 5 have a probability below 0.02 (binomial).
    whole = rows_of(3_000).with_columns(
        income=pl.when(pl.col("age") % 7 > 1).then(pl.col("amount") * 12),
        city=pl.Series(np.random.default_rng(3).zipf(1.6, 3_000) % 500).cast(pl.String),
        at=pl.Series([BEGAN + timedelta(minutes=20 * n) for n in range(3_000)]),
    )
    alarms = 0
    for seed in range(200):
        mixed = whole.sample(fraction=1, shuffle=True, seed=seed)
        found = held(mixed.head(2_000), mixed.tail(1_000))
        alarms += bool(found.different)
    assert alarms <= 5


def test_the_classifier_alarms_rarely_too(held: Held) -> None:
    whole = rows_of(2_000)
    alarms = 0
    for seed in range(10):
        mixed = whole.sample(fraction=1, shuffle=True, seed=seed)
        alarms += bool(held(mixed.head(1_000), mixed.tail(1_000), classifier=True).different)
    assert alarms <= 1


def test_what_differs_is_named_with_how_much(held: Held) -> None:
    training, production = rows_of(seed=1), rows_of(seed=2)
    production = production.with_columns(
        pl.col("amount") * 100,
        pl.col("score") + 0.5,
        pl.when(pl.col("segment") == "d").then(pl.lit("e")).otherwise("segment").alias("segment"),
    )
    found = held(training, production)
    assert found.different == ["amount", "score", "segment"]
    by_name = {c.name: c for c in found.columns}
    assert by_name["score"].measures["mean_shift"] == pytest.approx(0.5, abs=0.06)
    assert by_name["segment"].only_production[0].startswith("e (")
    assert by_name["segment"].only_training[0].startswith("d (")
    asked = "\n".join(asks(found))
    assert "100 times training's" in asked
    assert "What is new in segment" in asked


def test_values_far_out_shift_the_mean_and_little_else(held: Held) -> None:
    training, production = rows_of(seed=1), rows_of(seed=2)
    times = pl.Series(np.where(np.arange(4_000) % 25 == 0, 100, 1))
    found = held(training, production.with_columns(pl.col("amount") * times))
    assert found.different == ["amount"]
    (amount,) = [c for c in found.columns if c.name == "amount"]
    assert [t.what for t in amount.tests if t.differs(0.01)] == ["mean"]


def test_missing_values(held: Held) -> None:
    production = rows_of(seed=2).with_columns(
        age=pl.when(pl.int_range(4_000) % 5 > 0).then("age"),
    )
    found = held(rows_of(seed=1), production)
    assert found.different == ["age", "missing together"]
    assert any("missing in 0% -> 20%" in s for s in sentences(found))


def test_values_that_are_missing_together(held: Held) -> None:
    def nulls(frame: pl.DataFrame, first: int, second: int) -> pl.DataFrame:
        place = pl.int_range(frame.height)
        return frame.with_columns(
            age=pl.when(place % 4 != first).then("age"),
            score=pl.when(place % 4 != second).then("score"),
        )

    found = held(nulls(rows_of(seed=1), 0, 1), nulls(rows_of(seed=2), 0, 0))
    assert found.different == ["missing together"]
    patterns = {columns: (a, b) for columns, a, b in found.missing.patterns}
    assert patterns["age", "score"] == (0.0, 0.25)


def test_rows_that_repeat(held: Held) -> None:
    training, production = rows_of(seed=1), rows_of(seed=2)
    twice = pl.concat([production.head(2_000)] * 2)
    found = held(training, twice)
    assert "repeated rows" in found.different
    assert found.equal is not None
    assert (found.equal.training, found.equal.production) == (0.0, 0.5)
    # Few distinct rows repeat often on both sides, the more so the more rows there are.
    few = [rows_of(n, n).select("segment", "active", pl.col("age") // 10) for n in (3_000, 600)]
    assert held(*few).different == []


def test_rows_of_production_that_training_has(held: Held) -> None:
    training = rows_of(seed=1)
    found = held(training, training.sample(1_000, seed=1))
    assert found.different == []
    assert found.equal is not None
    assert found.equal.shared == 1.0
    assert any("are in training, value for value" in s for s in sentences(found))


def test_only_together_do_columns_differ(held: Held) -> None:
    random = np.random.default_rng(4)
    x, noise = random.normal(size=(2, 4_000, 2)), random.normal(size=(2, 4_000)) * 0.3
    sides = [
        pl.DataFrame({"x": x[at, :, 0], "y": sign * x[at, :, 0] + noise[at]})
        for at, sign in ((0, 1), (1, -1))
    ]
    found = held(*sides, classifier=True)
    assert found.different == ["rows told apart"]
    assert found.told is not None
    assert found.told.auc > 0.9
    assert {name for name, _ in found.told.columns} == {"x", "y"}


def test_estimate_meets_what_is_realised(held: Held) -> None:
    # Production has more of the rows that are hard to tell: only the inputs differ.
    random = np.random.default_rng(5)

    def side(rows: int, hard: float) -> pl.DataFrame:
        x, z = random.normal(size=rows), random.random(rows) < hard
        clear = np.where(z, 0.3, 2.5)
        y = random.random(rows) < 1 / (1 + np.exp(-clear * x))
        return pl.DataFrame({"x": x, "hard": z.astype(int), "y": y})

    found = held(
        side(10_000, 0.2), side(10_000, 0.8), classifier=True, label="y", label_columns=("y",)
    )
    estimated = found.estimate
    assert estimated is not None
    assert estimated.production is not None
    assert estimated.realised is not None
    assert estimated.training.value - estimated.realised > 0.1
    assert estimated.production.low - 0.01 < estimated.realised < estimated.production.high + 0.01
    assert estimated.production.value == pytest.approx(estimated.realised, abs=0.025)
    assert 2_000 < estimated.effective_rows < 9_000
    assert "is expected in production" in "\n".join(sentences(found))


def test_estimate_of_a_number(held: Held) -> None:
    random = np.random.default_rng(6)

    def side(mean: float) -> pl.DataFrame:
        x = random.normal(mean, 1, 6_000)
        return pl.DataFrame({"x": x, "y": x + random.normal(size=6_000) * np.exp(x / 2)})

    found = held(side(0), side(0.7), classifier=True, label="y", label_columns=("y",))
    estimated = found.estimate
    assert estimated is not None
    assert estimated.metric == "mean absolute error"
    assert estimated.production is not None
    assert estimated.realised == pytest.approx(estimated.production.value, rel=0.1)
    assert estimated.production.value > 1.2 * estimated.training.value


def test_no_estimate_where_nothing_overlaps(held: Held) -> None:
    production = rows_of(seed=2).with_columns(pl.col("score") + 50, pl.col("age") + 500)
    training = rows_of(seed=1).with_columns(y=pl.col("amount") > 20)
    production = production.with_columns(pl.col("amount") * 1000).drop("segment", "active")
    found = held(training.drop("segment", "active"), production, classifier=True, label="y",
                 label_columns=("y",))  # fmt: skip
    assert found.estimate is not None
    assert found.estimate.production is None
    assert any("can't be estimated" in s for s in sentences(found))


def test_too_few_rows_say_nothing(held: Held) -> None:
    found = held(rows_of(), rows_of(100).with_columns(pl.col("score") + 9), classifier=True)
    assert (found.verdict, found.different, found.told) == ("insufficient data", [], None)
    assert {c.verdict for c in found.columns} == {"insufficient data"}
    assert "insufficient data" in sentences(found)[0]
    assert held(rows_of(), rows_of(0), classifier=True).verdict == "insufficient data"


def test_columns_that_production_lacks_or_holds_otherwise(held: Held) -> None:
    production = rows_of(seed=2).drop("score").with_columns(pl.col("age").cast(pl.String))
    found = held(rows_of(seed=1), production)
    assert found.different == ["age", "score"]
    assert "training holds Int64, production String" in "\n".join(sentences(found))
    later = held(rows_of(seed=1), rows_of(seed=2).drop("score"), label_columns=("score",))
    assert later.different == []


def test_numbers_of_rows_are_left_out(held: Held) -> None:
    sides = [rows_of(seed=s).with_row_index("id", offset=s * 100_000) for s in (1, 2)]
    found = held(*sides, classifier=True)
    assert found.different == []
    assert next(c for c in found.columns if c.name == "id").verdict == "left out"


def timed(rows: int, began: datetime, step: timedelta, seed: int) -> pl.DataFrame:
    return rows_of(rows, seed, at=[began + step * n for n in range(rows)])


def test_times_that_training_does_not_cover(held: Held) -> None:
    training = timed(4_000, BEGAN, timedelta(minutes=60), 1)
    production = timed(1_000, datetime(2013, 12, 1, tzinfo=UTC), timedelta(minutes=30), 2)
    found = held(training, production)
    (times,) = found.times
    assert (times.within, times.new_months) == (0.0, ("December",))
    assert (times.training.grain, times.production.grain) == ("hour", "minute")
    assert "production begins" in "\n".join(sentences(found))
    asked = "\n".join(asks(found))
    assert "Rows of training from December" in asked
    assert "to the hour in training, to the minute in production" in asked


def test_gaps_in_time(held: Held) -> None:
    training = timed(6_000, BEGAN, timedelta(minutes=30), 1)
    lost = (pl.col("at") > BEGAN + timedelta(days=40)) & (pl.col("at") < BEGAN + timedelta(days=44))
    found = held(training.filter(~lost), timed(6_000, BEGAN, timedelta(minutes=30), 2))
    (times,) = found.times
    assert (len(times.training.gaps), len(times.production.gaps)) == (3, 0)
    # Weekends without rows are as they should be.
    week = training.filter(pl.col("at").dt.weekday() <= 5)
    assert held(week, week).times[0].training.gaps == ()


def test_rows_of_other_hours(held: Held) -> None:
    training = timed(4_000, BEGAN, timedelta(minutes=30), 1)
    night = training.filter(pl.col("at").dt.hour() < 8)
    found = held(training, night)
    assert "at: hour" in found.different


@pytest.mark.parametrize("moved", ["labels", "rate", None])
def test_newest_labels(held: Held, moved: str | None) -> None:
    random = np.random.default_rng(8)
    frame = timed(6_000, BEGAN, timedelta(hours=1), 1)
    newest = pl.int_range(6_000) > 5_200
    draw, late = pl.Series(random.random(6_000)), pl.Series(random.random(6_000))
    positive = draw < 0.3
    label: pl.Expr
    if moved == "labels":
        label = pl.when(~newest | (late < 0.5)).then(pl.lit(positive))
    else:
        rate = pl.when(newest).then(0.1).otherwise(0.3) if moved == "rate" else pl.lit(0.3)
        label = pl.lit(draw) < rate
    found = held(frame.with_columns(late=label), rows_of(), label="late", label_columns=("late",))
    assert found.maturity is not None
    assert found.maturity.verdict == ("not final" if moved else "final")
    assert ("newest labels" in found.different) is bool(moved)
    if moved:
        assert min(found.maturity.moving) > BEGAN + timedelta(hours=5_000)
        assert any("When a label is final" in ask for ask in asks(found))


def test_no_personal_value_leaves(held: Held) -> None:
    def side(seed: int) -> pl.DataFrame:
        mails = [f"person{n % 300}.s{seed}@example.org" for n in range(4_000)]
        return rows_of(
            seed=seed, contact=mails, surname=[f"Surname{n % 30}{seed}" for n in range(4_000)]
        )

    found = held(side(1), side(2), classifier=True)
    assert set(found.hidden) == {"contact", "surname"}
    for text in (json.dumps(found.found()), page(found), *sentences(found), *asks(found)):
        assert "@example.org" not in text
        assert "Surname1" not in text


def test_result_is_plain_json_whatever_the_columns(held: Held) -> None:
    odd = pl.DataFrame(
        {
            "": [1.0, float("nan"), float("inf"), None] * 300,
            "constant": [7] * 1_200,
            "nothing": [None] * 1_200,
            "<script>alert(1)</script>": ["<b>", "&", '"', "ü"] * 300,
            "huge": [2**62, -(2**62), 0, 1] * 300,
        }
    )
    found = held(odd, odd.with_columns(nothing=pl.lit(1.0)), classifier=True, label="constant")
    json.dumps([found.found(), found.limits.required()], allow_nan=False)
    text = page(found)
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_limits_are_the_users(held: Held) -> None:
    production = rows_of(seed=2).with_columns(pl.col("score") + 0.3)
    assert held(rows_of(seed=1), production).different == ["score"]
    loose = Limits(effect=0.5, mean_shift=0.5)
    assert held(rows_of(seed=1), production, limits=loose).different == []
