"""Days on the command line: until when, by when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import click


class Day(click.ParamType[datetime]):
    """A day such as 2027-06-30, taken as the end of that day in UTC."""

    name = "date"

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
        return datetime.combine(day, time.max, UTC)


DAY = Day()
