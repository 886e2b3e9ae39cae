"""Defects that were put in are found at their rate, and their repair is told by its gain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from taxiway.data.leaks.judged import Case, Measure, of_answers, of_decisions
from taxiway.data.leaks.table import Table, table_of
from taxiway.data.worth.earn import AGAIN, NOTHING, WORTH_IT, Worth, worth
from taxiway.data.worth.found import (
    DUPLICATES,
    LABELS,
    MISSING,
    SENTINELS,
    SHIFTED,
    STALE,
    UNITS,
)
from taxiway.data.worth.injected import inject
from taxiway.data.worth.models import MODELS

ROWS = 3_000


@cache
def patients() -> pl.DataFrame:
    """Honest rows: five amounts, each of its own size, that tell a label well."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(5, ROWS))
    score = 2 * z[0] - 2 * z[1] + 1.5 * z[2] + z[3] + z[4]
    return pl.DataFrame(
        {
            "height_cm": 170 + 9 * z[0],
            "mass_kg": 70 * np.exp(0.15 * z[1]),
            "pressure_pa": 101_325 + 500 * z[2],
            "share": 0.5 + 0.05 * z[3],
            "steps": (8_000 * np.exp(0.3 * z[4])).round(),
            "at": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in range(ROWS)],
            "ill": rng.random(ROWS) < 1 / (1 + np.exp(-2.5 * score)),
        }
    )


def table(frame: pl.DataFrame, label: str = "ill") -> Table:
    return table_of(frame, frame.get_column(label), leave_out=(label,), time="at")


def judged(frame: pl.DataFrame, model: str = "linear") -> Worth:
    return worth(table(frame), MODELS[model])


@pytest.mark.parametrize("model", ["linear", "trees"])
def test_honest_rows_have_no_defect(model: str) -> None:
    assert judged(patients(), model).gains == ()


def test_honest_rows_that_tell_little_have_none_either() -> None:
    rng = np.random.default_rng(1)
    for weight in (0.0, 0.4, 1.0):
        one, two = rng.lognormal(0, 1, (2, ROWS))
        ill = rng.random(ROWS) < 1 / (1 + np.exp(-weight * (np.log(one) - np.log(two))))
        frame = pl.DataFrame({"one": one, "two": two.round(1), "three": rng.poisson(2, ROWS)})
        found = worth(table_of(frame, pl.Series(ill)), MODELS["linear"])
        assert not [one for one in found.gains if one.verdict == WORTH_IT], weight


@pytest.mark.parametrize(
    ("defect", "column", "rate", "model"),
    [
        (MISSING, "mass_kg", 0.3, "linear"),
        (SENTINELS, "height_cm", 0.05, "linear"),
        (UNITS, "height_cm", 0.1, "linear"),
        (UNITS, "mass_kg", 0.2, "linear"),
        (SHIFTED, "height_cm", 0.05, "linear"),
        (STALE, "mass_kg", 0.3, "linear"),
        (LABELS, "ill", 0.2, "trees"),
    ],
)
def test_a_defect_is_found_at_its_rate_and_its_repair_earns_most(
    defect: str, column: str, rate: float, model: str
) -> None:
    frame = patients()
    if defect == SHIFTED:  # the time and the label stand elsewhere
        frame = frame.select("at", "ill", *frame.columns[:5])
    frame = inject(frame, defect, column, rate, np.random.default_rng(0))
    first = judged(frame, model).gains[0]
    assert (first.defect, first.verdict) == (defect, WORTH_IT)
    assert first.rate == pytest.approx(rate, rel=0.25)
    assert first.gain.low > 0
    assert (first.how == AGAIN) is (defect == MISSING)
    assert first.column in {column, "", "height_cm to steps"}


def test_copies_are_found_at_their_rate_and_no_copy_is_judged() -> None:
    frame = inject(patients(), DUPLICATES, "", 0.2, np.random.default_rng(0))
    (found,) = judged(frame).gains
    assert (found.defect, found.verdict) == (DUPLICATES, NOTHING)
    assert found.rate == pytest.approx(0.2, rel=0.1)
    # Copies add nothing to honest rows: as good a score as without them.
    assert judged(frame).score == pytest.approx(judged(patients()).score, abs=0.01)


def test_rows_that_repeat_by_chance_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({name: rng.integers(0, 3, ROWS) for name in "abc"})
    ill = pl.Series(rng.random(ROWS) < 0.3)
    assert worth(table_of(frame, ill), MODELS["linear"]).gains == ()


def test_a_sentinel_that_hurts_one_kind_of_model_leaves_trees_alone() -> None:
    frame = inject(patients(), SENTINELS, "height_cm", 0.05, np.random.default_rng(0))
    (found,) = judged(frame, "trees").gains
    assert found.verdict == NOTHING


def test_what_decisions_are_worth_is_told_where_it_is_known() -> None:
    frame = inject(patients(), UNITS, "height_cm", 0.1, np.random.default_rng(0))
    each = {"true_positive": 10, "false_positive": -10, "true_negative": 0, "false_negative": -10}
    case = Case(of_decisions(0.5, **each), "EUR")
    found = worth(table(frame), MODELS["linear"], case=case)
    value = found.gains[0].value
    assert value is not None
    assert value.low > 0
    assert (found.currency, found.per) == ("EUR", "decision")


def test_a_metric_where_less_is_better_gains_by_being_less() -> None:
    """The loss of what was put in, in the log loss that scikit-learn knows."""
    frame = inject(patients(), UNITS, "height_cm", 0.1, np.random.default_rng(0))
    measure = Measure("log_loss", lambda y, p: -float(log_loss(y, p)), lower_is_better=True)
    found = worth(table(frame), MODELS["linear"], measure=measure)
    assert found.metric == "log_loss"
    assert 0 < found.score < 1
    assert (found.gains[0].defect, found.gains[0].verdict) == (UNITS, WORTH_IT)


def test_a_number_is_worth_what_it_is_not_off_by() -> None:
    value = of_answers(right=2.0, each_unit_off=-0.5)
    assert value(np.array([1.0, 5.0]), np.array([1.0, 2.0])).tolist() == [2.0, 0.5]


def test_of_a_number_it_tells_the_share_explained() -> None:
    frame = patients().with_columns(dose=pl.col("height_cm") * 2 + pl.col("mass_kg"))
    frame = inject(frame.drop("ill"), UNITS, "mass_kg", 0.1, np.random.default_rng(0))
    found = worth(table(frame, "dose"), MODELS["linear"])
    assert found.metric == "R²"
    assert (found.gains[0].defect, found.gains[0].verdict) == (UNITS, WORTH_IT)


@pytest.mark.parametrize(
    "column",
    [
        [None] * ROWS,
        [float("nan"), float("inf")] * (ROWS // 2),
        [1] * ROWS,
        ["é", ""] * (ROWS // 2),
        [10**18 + n for n in range(ROWS)],
        [datetime(1900, 1, 1, tzinfo=UTC)] * ROWS,
    ],
)
def test_hostile_columns_end_nothing(column: list[object]) -> None:
    frame = patients().with_columns(pl.Series("", column, strict=False))
    assert isinstance(judged(frame), Worth)
