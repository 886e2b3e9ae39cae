from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.monitoring.windows import LENGTHS, Window, days, due, window_of


def month(number: int, year: int = 2013) -> Window:
    return window_of(datetime(year, number, 10, tzinfo=UTC), "month")


def test_a_month_is_a_calendar_month_in_utc() -> None:
    # 23:30 on 31 January in New York is February in UTC.
    new_york = timezone(timedelta(hours=-5))
    assert window_of(datetime(2013, 1, 31, 23, 30, tzinfo=new_york), "month") == month(2)


def test_a_week_starts_on_monday_over_the_turn_of_the_year() -> None:
    # Wednesday 2 January 2013 is in the ISO week 2013-W01, which began on 31 December 2012.
    window = window_of(datetime(2013, 1, 2, tzinfo=UTC), "week")
    assert window.start == datetime(2012, 12, 31, tzinfo=UTC)
    assert window.end == datetime(2013, 1, 7, tzinfo=UTC)


def test_a_leap_february_has_29_days() -> None:
    assert (month(2, 2024).end - month(2, 2024).start).days == 29


@given(
    at=st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    length=st.sampled_from(LENGTHS),
)
def test_windows_tile_the_time(at: datetime, length: str) -> None:
    window = window_of(at, length)
    assert window.start <= at < window.end
    assert window_of(window.start, length) == window
    assert window_of(window.end, length).start == window.end


def test_an_unknown_length_is_named() -> None:
    with pytest.raises(ValueError, match="not 'year'"):
        window_of(datetime(2013, 1, 1, tzinfo=UTC), "year")


def test_a_window_is_due_from_its_end_on_and_only_once() -> None:
    windows = [month(3), month(1), month(2)]
    end = month(2).end
    assert due(windows, as_of=end, closed=()) == [month(1), month(2)]
    assert due(windows, as_of=end - timedelta(microseconds=1), closed=()) == [month(1)]
    assert due(windows, as_of=end, closed={month(1).start}) == [month(2)]


def test_labels_are_due_later() -> None:
    delay = days("14d")
    assert due([month(1)], as_of=datetime(2013, 2, 14, tzinfo=UTC), closed=(), delay=delay) == []
    assert due([month(1)], as_of=datetime(2013, 2, 15, tzinfo=UTC), closed=(), delay=delay)


def test_a_window_reads_as_its_first_and_last_day() -> None:
    assert str(month(2)) == "2013-02-01 to 2013-02-28"
