"""Days on the command line: until when, by when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import click


class Day(click.ParamType[datetime]):
    """A day such as 2027-06-30 in UTC, taken as a moment of it; by default, its end."""

    name = "date"

    def __init__(self, at: time = time.max, days: int = 0) -> None:
        self._at, self._days = at, timedelta(days=days)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            day = datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            soon = datetime.now(UTC) + timedelta(days=30)
            self.fail(f"{value!r} is not a day; write it like {soon:%Y-%m-%d}.", param, ctx)
        return datetime.combine(day, self._at, UTC) + self._days


class Moment(Day):
    """A moment in UTC such as 2027-06-30T12:00, or a day, taken as its end."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, str) and "T" in value:
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                self.fail(f"{value!r} is no moment; write it like 2027-06-30T12:00.", param, ctx)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return super().convert(value, param, ctx)


DAY = Day()
MOMENT = Moment()
FIRST_DAY = Day(time.min)
"""The first day of a span: where it begins."""
LAST_DAY = Day(time.min, days=1)
"""The last day of a span: the moment after its end, which no longer belongs to it."""
