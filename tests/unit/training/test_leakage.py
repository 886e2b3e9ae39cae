import dataclasses

import numpy as np
import polars as pl
import pytest

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError
from taxiway.core.kind import CLASSIFICATION, REGRESSION
from taxiway.training.code import Code, load_code
from taxiway.training.leakage import columns_read, leakage, sources, strongest_feature
from taxiway.training.split import split_by_time


def with_features(body: str) -> Code:
    source = f"import polars as pl\ndef features(frame):\n    {body}\ndef estimator(seed): ...\n"
    return Code({"model.py": source.encode()}, "model.py")


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("return frame.select('amount')", ("amount",)),
        ("return frame.select(pl.col('amount') * pl.col('age'))", ("amount", "age")),
        # Read by position, behind a condition, and through every column: all are found.
        ("return frame[:, [2]].rename(lambda _: 'x')", ("id", "asked_at", "amount")),
        (
            "return frame.select(pl.when(pl.col('days_late') > 0).then(1).otherwise(0).alias('x'))",
            ("days_late",),
        ),
        ("return pl.DataFrame({'one': [1.0] * frame.height})", ()),
    ],
)
def test_what_is_read_is_measured(body: str, read: tuple[str, ...], frame: pl.DataFrame) -> None:
    code = with_features(body)
    assert columns_read(frame, code, load_code(code)) == read


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return frame.to_dicts()", "answered list, expected a polars DataFrame"),
        ("return frame.select('amount').head(3)", "every row needs its features"),
        ("return frame.select('ammount')", r"features in model.py failed: ColumnNotFoundError"),
    ],
)
def test_features_that_can_not_serve_are_named(
    body: str, message: str, frame: pl.DataFrame
) -> None:
    code = with_features(body)
    with pytest.raises(InputError, match=message):
        columns_read(frame, code, load_code(code))


def test_a_column_known_too_late_is_caught(contract: Contract, frame: pl.DataFrame) -> None:
    split = split_by_time(frame, time="asked_at", share=0.2)
    labels = (split.train["days_late"] > 15).to_numpy()

    def features(raw: pl.DataFrame) -> pl.DataFrame:
        return raw.select("amount", "days_late")

    found, required = leakage(
        contract,
        read=("amount", "days_late"),
        target_columns=("days_late",),
        split=split,
        features=features,
        labels=labels,
        kind=CLASSIFICATION,
    )
    assert found["late"] == [{"column": "days_late", "known_at": "due"}]
    assert found["target_columns"] == ["days_late"]
    assert found["strongest"] == {"column": "days_late", "metric": "roc_auc", "value": 1.0}
    assert found["strongest"]["value"] > required["strongest_below"]
    assert found["split_overlap_rows"] == 0
    assert found["time_ordered"] is True


def test_rows_on_both_sides_of_the_split_are_counted(frame: pl.DataFrame) -> None:
    split = split_by_time(frame, time="asked_at", share=0.2)
    mixed = dataclasses.replace(split, holdout=pl.concat([split.holdout, split.train[:7]]))
    assert mixed.overlap(("id",)) == 7


def test_a_category_is_judged_on_rows_that_did_not_set_its_rate() -> None:
    # Unique identifiers would tell the classes apart perfectly if they were judged on themselves.
    features = pl.DataFrame({"ticket": [f"t{i}" for i in range(1000)]})
    labels = [i % 3 == 0 for i in range(1000)]
    assert strongest_feature(features, labels, CLASSIFICATION)["value"] < 0.6


def test_what_each_of_the_model_s_columns_is_made_from_is_measured(frame: pl.DataFrame) -> None:
    def features(raw: pl.DataFrame) -> pl.DataFrame:
        return raw.select(
            "amount",
            pl.col("age").fill_null(40).alias("years"),
            (pl.col("amount") / pl.col("age")).alias("each year"),
            pl.lit(1.0).alias("one"),
        )

    assert sources(frame, ("amount", "age", "id"), features) == {
        "amount": ("amount",),
        "years": ("age",),
        "each year": ("amount", "age"),
        "one": (),
    }


def test_features_that_fail_without_a_column_are_made_from_it(frame: pl.DataFrame) -> None:
    def features(raw: pl.DataFrame) -> pl.DataFrame:
        if raw["age"].null_count() == raw.height:
            raise ValueError("no ages")
        return raw.select("amount")

    assert sources(frame, ("amount", "age"), features) == {"amount": ("amount", "age")}


def test_a_number_s_strongest_feature_orders_it_best() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(0, 1, 500)
    features = pl.DataFrame(
        {
            "noise": rng.normal(0, 1, 500),
            "leak": -(labels**3),
            "kind": np.where(labels > 0, "high", "low"),
        }
    )
    found = strongest_feature(features, labels, REGRESSION)
    assert found == {"column": "leak", "metric": "rank correlation", "value": 1.0}
    weaker = strongest_feature(features.drop("leak"), labels, REGRESSION)
    assert (weaker["column"], 0.8 < weaker["value"] < 0.9) == ("kind", True)
