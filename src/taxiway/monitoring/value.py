"""What a window's decisions were worth, against what the value case promised.

Each decision whose outcome is known is a right or a wrong one of two kinds, and the charter says
what each is worth; of a number, what a right one is worth, and what each unit by which it is off
takes away. The promise is made a month: a window is promised, for each of its days, that day's
share of its calendar month. So the windows of a whole month are promised exactly a month's worth,
however they are cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from taxiway.core.charter import Value
from taxiway.monitoring.windows import Window, days_in_month

KEPT = "kept"
BELOW = "below promise"
INSUFFICIENT = "insufficient data"


def promised(per_month: float, window: Window) -> float:
    """What is promised for a window, when `per_month` is promised for a calendar month.

    >>> from datetime import UTC, datetime
    >>> from taxiway.monitoring.windows import window_of
    >>> promised(280, window_of(datetime(2013, 2, 4, tzinfo=UTC), "week"))
    70.0
    """
    whole = (window.end - window.start).days
    starts = (window.start + timedelta(days=day) for day in range(whole))
    share: dict[int, int] = {}
    for start in starts:
        length = days_in_month(start)
        share[length] = share.get(length, 0) + 1
    return sum(per_month * days / length for length, days in share.items())


def outcome_counts(predictions: Sequence[bool], labels: Sequence[bool]) -> dict[str, int]:
    """How many decisions of each kind: true_positive, false_positive, true_negative, ...

    >>> outcome_counts([True, True, False], [True, False, False])
    {'true_positive': 1, 'false_positive': 1, 'true_negative': 1, 'false_negative': 0}
    """
    pairs = list(zip(predictions, labels, strict=True))
    return {
        "true_positive": pairs.count((True, True)),
        "false_positive": pairs.count((True, False)),
        "true_negative": pairs.count((False, False)),
        "false_negative": pairs.count((False, True)),
    }


def off_counts(numbers: Sequence[float], labels: Sequence[float]) -> dict[str, float]:
    """How many numbers, and by how much they are off, all together.

    >>> off_counts([10.0, 12.5], [10.0, 15.0])
    {'answers': 2, 'units_off': 2.5}
    """
    off = (abs(number - label) for number, label in zip(numbers, labels, strict=True))
    return {"answers": len(labels), "units_off": math.fsum(off)}


def _worth(
    case: Value, predictions: Sequence[Any], labels: Sequence[Any]
) -> tuple[dict[str, Any], float]:
    """What there was, and what it was worth."""
    counts: dict[str, Any]
    if case.per_answer is not None:
        counts = off_counts(predictions, labels)
        right, off = case.per_answer.right, case.per_answer.each_unit_off
        return counts, right * counts["answers"] + off * counts["units_off"]
    counts = outcome_counts(predictions, labels)
    worth = case.per_decision.model_dump() if case.per_decision else {}
    return counts, float(sum(worth[kind] * rows for kind, rows in counts.items()))


def value(
    case: Value,
    *,
    window: Window,
    predictions: Sequence[bool | float],
    labels: Sequence[bool | float],
    decisions: int,
    decisions_of_all: int,
    minimum_rows: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`found` and `required` of the VALUE evidence of one release in one window.

    `predictions` and `labels` are those of the decisions whose outcome is known; `decisions` are
    all of this release, `decisions_of_all` those of every release in the window: where several
    shared it, each answers for its share of the promise.

    What is realised counts known outcomes only. The promise is broken where it would be missed even
    if the decisions without an outcome were worth as much, on average, as the others; between the
    two the verdict waits for outcomes. Fewer than `minimum_rows` known outcomes tell nothing.
    """
    counts, realised = _worth(case, predictions, labels)
    share = decisions / decisions_of_all if decisions_of_all else 0.0
    promise = promised(case.promised_per_month, window) * share
    known = len(labels)
    expected = realised * decisions / known if known else 0.0
    if known < minimum_rows:
        verdict, why = INSUFFICIENT, f"{known} outcomes, of at least {minimum_rows} needed"
    elif realised >= promise:
        verdict, why = KEPT, ""
    elif expected >= promise:
        verdict, why = INSUFFICIENT, f"{decisions - known} of {decisions} outcomes are missing"
    else:
        verdict, why = BELOW, ""
    found = {
        **window.as_found(),
        "decisions": decisions,
        "outcomes": known,
        "counts": counts,
        "realised": realised,
        "promised": promise,
        "currency": case.currency,
        "verdict": verdict,
        "why": why,
    }
    return found, {"promised": promise, "minimum_rows": minimum_rows}
