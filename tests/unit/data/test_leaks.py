"""Leaks that were put into tables are found, and tables without any are left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import TargetEncoder

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError, MissingError
from taxiway.data.leaks.search import search
from taxiway.data.leaks.strength import alone, auc
from taxiway.data.leaks.table import BLOCKS, Leak, table_of

ROWS = 3_000
START = datetime(2020, 1, 1, tzinfo=UTC)


def honest(seed: int = 0) -> pl.DataFrame:
    """A table with a label that its columns tell somewhat, and no leak."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=ROWS)
    region = rng.integers(0, 40, ROWS)
    odds = 1 / (1 + np.exp(-(signal + (region % 5) / 2 - 1)))
    return pl.DataFrame(
        {
            "at": [START + timedelta(hours=int(h)) for h in range(ROWS)],
            "signal": signal,
            "region": [f"r{code}" for code in region],
            "amount": rng.lognormal(8, 1, ROWS).round(2),
            "count": rng.poisson(3, ROWS),
            "flag": rng.random(ROWS) < 0.3,
            "gap": pl.Series([None if r < 0.1 else float(r) for r in rng.random(ROWS)]),
            "late": rng.random(ROWS) < odds,
        }
    )


def found_in(frame: pl.DataFrame, **asked: object) -> list[Leak]:
    asked = {"time": "at", "leave_out": ("late",), **asked}
    return list(search(table_of(frame, frame["late"], **asked), models=False).leaks)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
def test_a_table_without_leaks_has_no_finding(seed: int) -> None:
    assert found_in(honest(seed)) == []


def smoothed(frame: pl.DataFrame) -> pl.Expr:
    mean = float(frame["late"].mean())  # type: ignore[arg-type]
    y = pl.col("late").cast(pl.Float64)
    return (y.sum().over("region") + 10 * mean) / (pl.len().over("region") + 10)


Y = pl.col("late").cast(pl.Float64)
RNG = np.random.default_rng(7)
PUT_IN: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str, str]] = {
    "the label, rarely wrong": (
        lambda f: f.with_columns(
            put=Y + pl.Series(np.where(RNG.random(ROWS) < 0.01, 0.7, 0) * RNG.normal(size=ROWS))
        ),
        "too good",
        BLOCKS,
    ),
    "a code for each outcome": (
        lambda f: f.with_columns(
            put=pl.when("late").then(pl.lit("closed-7")).otherwise(pl.lit("open-1"))
        ),
        "too good",
        BLOCKS,
    ),
    "a number of the row": (
        lambda f: f.with_columns(put=pl.int_range(pl.len()) + 100_000),
        "identifier",
        "look",
    ),
    "a name of the row": (
        lambda f: f.with_columns(put=pl.int_range(pl.len()).hash(3).cast(pl.String)),
        "identifier",
        "look",
    ),
    "the label's mean": (
        lambda f: f.with_columns(put=Y.mean().over("region")),
        "encoded label",
        BLOCKS,
    ),
    "the label's smoothed mean": (
        lambda f: f.with_columns(put=smoothed(f)),
        "encoded label",
        BLOCKS,
    ),
    "the label's mean without the own row": (
        lambda f: f.with_columns(put=(Y.sum().over("region") - Y) / (pl.len().over("region") - 1)),
        "encoded label",
        BLOCKS,
    ),
    "missing where the label is true": (
        lambda f: f.with_columns(put=pl.when(~pl.col("late")).then(pl.col("amount"))),
        "missingness",
        BLOCKS,
    ),
    "missing in some rows of one label only": (
        lambda f: f.with_columns(
            put=pl.when(pl.col("late") & (pl.col("count") > 4)).then(None).otherwise("count")
        ),
        "missingness",
        BLOCKS,
    ),
    "introduced later": (
        lambda f: f.with_columns(
            put=pl.when(pl.int_range(pl.len()) > ROWS * 0.4).then("amount").otherwise(0.0)
        ),
        "constant at first",
        "look",
    ),
}


@pytest.mark.parametrize("name", PUT_IN)
def test_what_was_put_in_is_found(name: str) -> None:
    put, kind, severity = PUT_IN[name]
    hits = [leak for leak in found_in(put(honest())) if leak.columns == ("put",)]
    assert (kind, severity) in [(leak.kind, leak.severity) for leak in hits], hits


def test_the_label_in_another_unit_is_too_good_where_it_lies_far_apart() -> None:
    frame = honest()
    amounts = frame["amount"]
    noise = pl.Series(np.random.default_rng(1).normal(0, 0.02 * float(amounts.std()), ROWS))  # type: ignore[arg-type]
    table = table_of(frame.with_columns(put=amounts * 1.2 + noise), amounts, leave_out=("amount",))
    (leak,) = search(table, models=False).blocking
    assert (leak.kind, leak.columns) == ("too good", ("put",))


def test_a_mean_of_earlier_rows_is_no_leak() -> None:
    # As an encoder makes it that was fitted to the training rows only.
    frame = honest()
    means = frame.head(ROWS // 2).group_by("region").agg(put=Y.mean())
    joined = frame.join(means, on="region", maintain_order="left")
    assert found_in(joined) == []


def test_encoding_is_told_as_scikit_learn_does_it() -> None:
    # TargetEncoder(smooth=20) fitted to all rows: transform gives (sum + 20 mean) / (rows + 20).
    frame = honest()
    encoder = TargetEncoder(smooth=20.0, target_type="binary").fit(
        frame[["region"]].to_numpy(), frame["late"].to_numpy()
    )
    put = frame.with_columns(put=pl.Series(encoder.transform(frame[["region"]].to_numpy())[:, 0]))
    (leak,) = found_in(put)
    assert (leak.kind, leak.columns) == ("encoded label", ("put",))
    assert "weight 20" in leak.says


def test_twins_across_the_split_are_counted() -> None:
    frame = honest()
    later = frame["at"].max() + timedelta(days=1)  # type: ignore[operator]
    copies = frame.sample(300, seed=1).with_columns(at=pl.lit(later))
    exact = found_in(pl.concat([frame, copies]))
    assert [leak.kind for leak in exact] == ["duplicates"]
    near = found_in(pl.concat([frame, copies.with_columns(pl.col("count") + 1)]))
    assert [leak.kind for leak in near] == ["near duplicates"]


def test_few_values_make_twins_that_are_no_leak() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"k{i}": rng.integers(0, 3, ROWS) for i in range(5)})
    label = pl.Series(rng.random(ROWS) < 0.3)
    assert search(table_of(frame, label), models=False).leaks == ()


def test_rows_of_a_file_of_their_own_are_judged() -> None:
    frame = pl.concat([honest(1), honest(2), honest(1).head(200)])
    held = pl.Series([False] * ROWS + [True] * (ROWS + 200))
    (leak,) = found_in(frame.drop("at"), time=None, held=held)
    assert leak.kind == "duplicates"
    assert leak.evidence["rows"] == 200


def test_rows_after_an_outcome_that_lasts_are_found() -> None:
    rng = np.random.default_rng(0)
    customer = np.repeat(np.arange(300), 10)
    fails = np.repeat(rng.integers(0, 30, 300), 10)
    month = np.tile(np.arange(10), 300)
    frame = pl.DataFrame(
        {
            "at": [START + timedelta(days=30 * int(m)) for m in month],
            "customer": customer,
            "late": month >= fails,
            "known": [START + timedelta(days=30 * int(m) + 5) for m in month],
            "balance": rng.normal(size=3_000),
        }
    )
    leaks = found_in(frame, groups=("customer",), outcome_time="known")
    (leak,) = [one for one in leaks if one.kind == "after the outcome"]
    assert leak.columns == ("customer", "at")
    assert leak.severity == BLOCKS
    early = frame.with_columns(known=pl.col("at") - pl.duration(days=1))
    both = found_in(early, groups=("customer",), outcome_time="known")
    assert ("at", "known") in [one.columns for one in both if one.kind == "after the outcome"]


def test_columns_known_later_come_from_the_contract() -> None:
    contract = Contract(
        id="t", version="1", description="", table="t",
        columns=(Column("signal", "number"), Column("amount", "number", known_at="end")),
        moments=("start", "end"), decision_at="start", event_time="at",
    )  # fmt: skip
    frame = honest()
    found = search(
        table_of(frame, frame["late"], leave_out=("late",)), contract=contract, models=False
    )
    assert [(one.kind, one.columns) for one in found.leaks] == [("late", ("amount",))]


@pytest.mark.parametrize("load", [load_wine, load_iris, load_diabetes, load_breast_cancer])
def test_easy_data_are_no_leaks(load: Callable[..., object]) -> None:
    # Sets in which single columns tell the label well, because it is easy: nothing blocks.
    frame = pl.from_pandas(load(as_frame=True).frame)  # type: ignore[attr-defined]
    found = search(table_of(frame, frame["target"], leave_out=("target",)), models=False)
    assert found.blocking == ()


def test_a_random_split_flatters_where_customers_recur() -> None:
    rng = np.random.default_rng(0)
    customers = 300
    customer = rng.integers(0, customers, ROWS)
    own = rng.normal(size=customers) * 2
    looks = rng.normal(size=(customers, 3))
    frame = pl.DataFrame(
        {f"f{i}": looks[customer, i] + rng.normal(size=ROWS) * 0.01 for i in range(3)}
        | {"customer": [f"c{one}" for one in customer]}
    )
    label = pl.Series(rng.random(ROWS) < 1 / (1 + np.exp(-own[customer])))
    for groups in ((), ("customer",)):  # found by itself, or named
        found = search(table_of(frame, label, groups=groups))
        (leak,) = [one for one in found.leaks if one.kind == "flattering split"]
        assert leak.columns == ("customer",)
        # The label is drawn for each customer and the columns only name them: without having
        # seen a customer nothing can be told, so an honest area is a half.
        assert abs(leak.evidence["honest"] - 0.5) < 0.08
        assert leak.evidence["random"] > 0.6


def test_a_random_split_is_as_good_where_nothing_recurs() -> None:
    frame = honest()
    found = search(table_of(frame, frame["late"], time="at", leave_out=("late",)))
    assert [one.kind for one in found.leaks] == []


def test_the_area_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    label, score = (rng.random(500) < 0.3).astype(float), rng.integers(0, 9, 500).astype(float)
    assert auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)


def test_rare_values_tell_nothing_of_rows_they_were_not_fitted_to() -> None:
    rng = np.random.default_rng(0)
    label = (rng.random(2_000) < 0.5).astype(float)
    found = alone(np.arange(2_000.0), label, ordered=False, binary=True)
    assert found.low <= 0.5 <= found.high


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (pl.Series([True] * ROWS), "one value only"),
        (pl.Series([str(n) for n in range(ROWS)]), "no classes"),
        (pl.Series([None] * ROWS, dtype=pl.Boolean), "0 rows have a label"),
    ],
)
def test_a_label_that_says_nothing_is_refused(label: pl.Series, words: str) -> None:
    with pytest.raises(InputError, match=words):
        table_of(honest(), label)


def test_columns_that_are_not_there_are_named() -> None:
    frame = honest()
    with pytest.raises(MissingError, match="'att'"):
        table_of(frame, frame["late"], time="att")
    with pytest.raises(InputError, match="holds no times"):
        table_of(frame, frame["late"], time="amount")
