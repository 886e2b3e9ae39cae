"""Whether the watch that was planned can ever see something."""

from __future__ import annotations

from collections.abc import Iterator

from taxiway.charter.remark import Remark, advice, error
from taxiway.core.charter import Risk
from taxiway.core.operation import Deployment, Monitoring, Retraining

WINDOW_DAYS = {"day": 1, "week": 7, "month": 30}

LATE_DAYS = 90
"""From this delay on, a model can be wrong for a quarter before its metric says so."""


def delay_in_days(monitoring: Monitoring) -> int:
    """The label delay as a number of days."""
    return int(monitoring.label_delay.removesuffix("d"))


def enough_rows(monitoring: Monitoring, risk: Risk) -> Iterator[Remark]:
    """A window holds the rows that a finding needs."""
    a_window = risk.decisions_per_month * WINDOW_DAYS[monitoring.window] / WINDOW_DAYS["month"]
    if a_window < monitoring.minimum_rows:
        yield error(
            "monitoring.minimum_rows",
            f"a {monitoring.window} brings fewer decisions: every window would be"
            " insufficient data",
            found=str(monitoring.minimum_rows),
            expected=f"at most {a_window:.0f}, or a longer window",
        )


def labels_in_time(monitoring: Monitoring, retraining: Retraining) -> Iterator[Remark]:
    """Where labels come late, something else has to raise the alarm."""
    delay, place = delay_in_days(monitoring), "monitoring.label_delay"
    if delay >= LATE_DAYS and set(retraining.triggers) <= {"performance", "value"}:
        what = f"labels come after {delay} days, and every trigger waits for them"
        yield advice("retraining.triggers", what, todo="Add `output` or `drift`.")
    elif delay > WINDOW_DAYS[monitoring.window]:
        what = f"labels come after {delay} days, later than a {monitoring.window} closes"
        todo = "Performance is judged that much later; until then drift is all there is to see."
        yield advice(place, what, todo=todo)


def kept_until_labelled(monitoring: Monitoring, deployment: Deployment) -> Iterator[Remark]:
    """A decision is still there when its outcome arrives."""
    needed = delay_in_days(monitoring) + WINDOW_DAYS[monitoring.window]
    if deployment.retention_days < needed:
        yield error(
            "deployment.retention_days",
            "decisions are gone before their outcomes are there",
            found=f"{deployment.retention_days} days",
            expected=f"at least {needed} days: the window and the label delay",
        )


RULES = (enough_rows, labels_in_time, kept_until_labelled)
