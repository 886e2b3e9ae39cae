"""Groups, disparities and proxies, against fairlearn, scipy and by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, count, demographic_parity_ratio, selection_rate
from scipy import stats
from sklearn.metrics import roc_auc_score

from taxiway.core.errors import InputError, MissingError
from taxiway.data.bias.examined import examine
from taxiway.data.bias.groups import banded, groups_of

ROWS = 2_000


@pytest.fixture(scope="module")
def people() -> tuple[pl.DataFrame, pl.Series]:
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], ROWS)
    frame = pl.DataFrame(
        {
            "sex": sex,
            "age": rng.integers(18, 90, ROWS),
            "height": np.where(sex == "m", 178.0, 165.0) + rng.normal(size=ROWS) * 7,
            "noise": rng.normal(size=ROWS),
            "city": [f"c{code}" for code in rng.integers(0, 50, ROWS)],
        }
    )
    return frame, pl.Series(rng.random(ROWS) < np.where(sex == "m", 0.5, 0.3))


def test_rates_and_ratio_are_those_of_fairlearn(people: tuple[pl.DataFrame, pl.Series]) -> None:
    frame, label = people
    found = examine(frame, label, ["sex"], [], models=False)
    y = label.to_numpy()
    expected = MetricFrame(
        metrics={"rows": count, "rate": selection_rate},
        y_true=y, y_pred=y, sensitive_features=frame["sex"].to_numpy(),
    ).by_group  # fmt: skip
    for group in found.groups:
        assert group.rows == expected.loc[group.values[0], "rows"]
        assert group.rate is not None
        assert group.rate.value == pytest.approx(expected.loc[group.values[0], "rate"], abs=1e-12)
    ratio = demographic_parity_ratio(y, y, sensitive_features=frame["sex"].to_numpy())
    assert found.disparities[0].ratio.value == pytest.approx(ratio, abs=1e-12)
    assert found.disparities[0].tells


def test_intervals_are_those_of_scipy(people: tuple[pl.DataFrame, pl.Series]) -> None:
    frame, label = people
    group = groups_of(frame, label, ["sex"], minimum_rows=100)[0]
    expected = stats.binomtest(int(group.positives), group.labelled).proportion_ci(method="wilson")
    assert group.rate is not None
    assert (group.rate.low, group.rate.high) == pytest.approx((expected.low, expected.high))


def test_equal_groups_are_no_disparity() -> None:
    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        frame = pl.DataFrame(
            {"sex": rng.choice(["f", "m"], 600), "race": rng.choice([*"abcde"], 600)}
        )
        label = pl.Series(rng.random(600) < 0.2)
        alarms += bool(examine(frame, label, ["sex", "race"], [], models=False).telling)
    # At a false-discovery rate of 0.05 about five tables of a hundred alarm; eleven are three
    # standard deviations more.
    assert alarms <= 11


def test_small_groups_and_intersections_are_named() -> None:
    frame = pl.DataFrame(
        {"sex": ["f"] * 150 + ["m"] * 150, "race": ["a"] * 140 + ["b"] * 10 + ["a"] * 150}
    )
    found = examine(frame, pl.Series([True, False] * 150), ["sex", "race"], [], models=False)
    small = {(group.columns, group.values): group.rows for group in found.small}
    assert small == {(("race",), ("b",)): 10, (("sex", "race"), ("f", "b")): 10}


def test_missing_values_are_a_group_and_labels_may_miss() -> None:
    frame = pl.DataFrame({"sex": ["f", None] * 100})
    found = examine(frame, pl.Series([True, None] * 100), ["sex"], [], models=False)
    assert found.labelled == 100
    by_value = {group.values[0]: (group.rows, group.labelled) for group in found.groups}
    assert by_value == {"f": (100, 100), "(missing)": (100, 0)}


def test_a_proxy_is_found_and_noise_is_not(people: tuple[pl.DataFrame, pl.Series]) -> None:
    frame, label = people
    found = examine(frame, label, ["sex", "age"], ["height", "noise", "city"])
    sex, age = found.proxies
    assert [one.column for one in sex.standing_in] == ["height"]
    expected = roc_auc_score((frame["sex"] == "m").to_numpy(), frame["height"].to_numpy())
    assert sex.columns[0].auc.value == pytest.approx(expected, abs=0.02)
    assert sex.together is not None
    assert sex.together.low > 0.8
    assert age.standing_in == ()
    assert age.together is not None
    assert age.together.value < 0.6


def test_numbers_become_bands_of_about_equal_size() -> None:
    bands = banded(pl.Series("age", list(range(100)))).value_counts(name="rows")
    assert bands.height == 4
    assert bands["rows"].min() >= 24  # type: ignore[operator]


def test_nothing_to_examine_is_an_error(people: tuple[pl.DataFrame, pl.Series]) -> None:
    frame, label = people
    with pytest.raises(InputError, match="No protected column"):
        examine(frame, label, [], [])
    with pytest.raises(MissingError, match="'sexx'"):
        examine(frame, label, ["sexx"], [])
