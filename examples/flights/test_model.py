"""Small tests of the model's code: the data scientist's own, run before every training."""

from datetime import UTC, datetime

import polars as pl
from model import CATEGORIES, estimator, features  # type: ignore[import-not-found]

ROW = {
    "time_hour": datetime(2013, 3, 1, 22, tzinfo=UTC),
    "sched_dep_time": 1745,
    "sched_arr_time": 1955,
    "carrier": "EV",
    "flight": 4412,
    "origin": "EWR",
    "dest": "RIC",
    "distance": 277,
}


def test_clock_times_become_minutes() -> None:
    made = features(pl.DataFrame([ROW]))
    assert made["departure"].to_list() == [17 * 60 + 45]
    assert made["block"].to_list() == [130.0]


def test_a_flight_over_midnight_has_a_positive_length() -> None:
    made = features(pl.DataFrame([{**ROW, "sched_dep_time": 2330, "sched_arr_time": 45}]))
    assert made["block"].to_list() == [75.0]


def test_the_estimator_fits_and_gives_probabilities() -> None:
    rows = [{**ROW, "flight": n, "origin": "JFK" if n % 2 else "EWR"} for n in range(400)]
    made = features(pl.DataFrame(rows))
    fitted = estimator(7).fit(made, [n % 2 == 1 for n in range(400)])
    assert set(CATEGORIES) <= set(made.columns)
    assert fitted.predict_proba(made).shape == (400, 2)
