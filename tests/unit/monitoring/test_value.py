from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.core.charter import Value
from taxiway.monitoring.value import outcome_counts, promised, value
from taxiway.monitoring.windows import window_of

MARCH = window_of(datetime(2013, 3, 1, tzinfo=UTC), "month")

CASE = Value.model_validate(
    {
        "currency": "USD",
        "per_decision": {
            "true_positive": 30.0,
            "false_positive": -10.0,
            "true_negative": 1.0,
            "false_negative": -5.0,
        },
        "promised_per_month": 40.0,
        "baseline": "nobody is warned",
        "review": "2027-06-30",
    }
)

PREDICTIONS = [True, True, True, False, False, False, False]
LABELS = [True, True, False, True, False, False, False]


def found(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "window": MARCH,
        "predictions": PREDICTIONS,
        "labels": LABELS,
        "decisions": 7,
        "decisions_of_all": 7,
        "minimum_rows": 5,
    }
    result, required = value(CASE, **{**arguments, **changes})
    assert required["promised"] == result["promised"]
    return result


def test_the_worth_of_a_window_made_by_hand() -> None:
    # 2 true positives, 1 false positive, 3 true negatives, 1 false negative:
    # 2 x 30 - 10 + 3 x 1 - 5 = 48 USD, of 40 promised for a whole month.
    result = found()
    assert result["counts"] == {
        "true_positive": 2,
        "false_positive": 1,
        "true_negative": 3,
        "false_negative": 1,
    }
    assert result["realised"] == 48.0
    assert result["promised"] == 40.0
    assert result["verdict"] == "kept"


def test_a_promise_that_is_missed() -> None:
    # All said no: 4 x 1 - 3 x 5 = -11.
    result = found(predictions=[False] * 7)
    assert result["realised"] == -11.0
    assert result["verdict"] == "below promise"


def test_a_week_is_promised_its_days_share_of_each_month() -> None:
    # 28 February to 6 March 2013 would be one day of 28 and six of 31; the ISO week of 25 February
    # has four days of February and three of March: 280 (4/28 + 3/31) = 67.0968.
    week = window_of(datetime(2013, 2, 28, tzinfo=UTC), "week")
    assert promised(280.0, week) == pytest.approx(280 * (4 / 28 + 3 / 31))


def test_the_days_of_a_month_are_promised_what_the_month_is() -> None:
    days = [window_of(MARCH.start + timedelta(days=day), "day") for day in range(31)]
    assert sum(promised(100.0, day) for day in days) == pytest.approx(promised(100.0, MARCH))
    assert promised(100.0, MARCH) == pytest.approx(100.0)


def test_releases_that_share_a_window_share_its_promise() -> None:
    assert found(decisions_of_all=28)["promised"] == pytest.approx(10.0)


def test_too_few_outcomes_tell_nothing() -> None:
    result = found(minimum_rows=8)
    assert result["verdict"] == "insufficient data"
    assert result["why"] == "7 outcomes, of at least 8 needed"


def test_missing_outcomes_that_could_keep_the_promise_are_waited_for() -> None:
    # 7 of 14 outcomes are in and worth 48 of 80; twice as many would be worth 96.
    half = {"decisions": 14, "decisions_of_all": 14}
    doubled = CASE.model_copy(update={"promised_per_month": 80.0})
    result, _ = value(
        doubled, window=MARCH, predictions=PREDICTIONS, labels=LABELS, minimum_rows=5, **half
    )
    assert result["verdict"] == "insufficient data"
    assert result["why"] == "7 of 14 outcomes are missing"


def test_no_decision_at_all_is_no_error() -> None:
    result = found(predictions=[], labels=[], decisions=0, decisions_of_all=0)
    assert result["verdict"] == "insufficient data"
    assert outcome_counts([], []) == dict.fromkeys(result["counts"], 0)


def test_numbers_are_worth_less_the_further_they_are_off() -> None:
    case = Value.model_validate(
        {
            **CASE.model_dump(mode="json", exclude={"per_decision"}),
            "per_answer": {"right": 2.0, "each_unit_off": -0.5},
        }
    )
    result, _ = value(
        case,
        window=MARCH,
        predictions=[10.0, 12.0, 7.5],
        labels=[10.0, 14.0, 7.0],
        decisions=3,
        decisions_of_all=3,
        minimum_rows=3,
    )
    # Off by 0, 2 and a half: 3 x 2 - 2.5 x 0.5.
    assert result["counts"] == {"answers": 3, "units_off": 2.5}
    assert result["realised"] == 4.75
    assert result["verdict"] == "below promise"
