"""What people made of a window's cases: how many in time, and how often otherwise than the model.

A window is closed for it once, when it is over and none of its cases can be decided in time any
more. The cases that chance drew say how often people agree with answers of all kinds; those that
rules made are the hard ones, and say it of them only.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from taxiway.core.charter import Charter
from taxiway.core.decision import SAMPLE, Decision
from taxiway.core.evidence import OVERSIGHT, Evidence, observed
from taxiway.core.facts import Deployment
from taxiway.core.interval import Interval
from taxiway.core.operation import Oversight
from taxiway.core.people import Review
from taxiway.core.ports import Desk
from taxiway.monitoring.watch import already_closed, with_decisions
from taxiway.monitoring.windows import Window, due

Stands = Callable[[Decision, Review | None], Review]
"""A case and what the record holds of it -> how it stands now."""

Z = 1.959963984540054
"""95 % of a normal distribution lie within so many standard deviations."""

OK, LATE, DISAGREED, INSUFFICIENT = "ok", "late", "disagreed", "insufficient data"


def share(part: int, whole: int) -> Interval:
    """A share with its 95 % interval. Source: Wilson (1927), Probable inference, the law of
    succession, and statistical inference.

    >>> share(9, 10)
    Interval(value=0.9, low=0.596, high=0.982)
    """
    value, square = part / whole, Z * Z
    middle = value + square / (2 * whole)
    half = Z * math.sqrt(value * (1 - value) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    return Interval(value, round((middle - half) / scale, 3), round((middle + half) / scale, 3))


def oversee(
    desk: Desk,
    *,
    model: str,
    charter: Charter,
    environment: str,
    stands: Stands,
    as_of: datetime | None = None,
    dry_run: bool = False,
) -> tuple[Evidence, ...]:
    """Closes every window whose cases have all come to their end, and answers what they were."""
    at = as_of or desk.now()
    length = charter.monitoring.window
    windows = with_decisions(desk, model, environment, length, at)
    closed = already_closed(desk, model, environment, OVERSIGHT)
    made: list[Evidence] = []
    for window in due(windows, as_of=at, closed=closed):
        known = {one.id: one for one in desk.record.find(Review, model=model)}
        span: dict[str, Any] = {
            "environment": environment,
            "start": window.start,
            "end": window.end,
        }
        reviews = [
            stands(decision, known.get(decision.id))
            for decision in desk.decisions.scan(model, cases=True, **span)
        ]
        if any(review.state in {"open", "taken"} for review in reviews):
            continue
        found: list[Evidence] = []
        for release in _releases(desk, model, environment):
            if decisions := desk.decisions.count(model, release=release, **span):
                own = [one for one in reviews if one.release == release]
                counts = {"decisions": decisions, **counted(own, charter.oversight)}
                found.append(
                    _evidence(desk, charter, environment, window, release=release, counts=counts)
                )
        if found and not dry_run:
            subject = f"{model}/{environment}/{window.as_found()['window_start']}"
            with desk.change("window.closed", subject, model=model) as change:
                for one in found:
                    change.add(one)
                change.details = {
                    **window.as_found(),
                    "releases": {one.subject: {"oversight": one.found["verdict"]} for one in found},
                }
        made += found
    return tuple(made)


def _releases(desk: Desk, model: str, environment: str) -> list[str]:
    """The releases that answer in an environment, or did."""
    there = desk.record.find(Deployment, model=model, environment=environment)
    return sorted({one.release for one in there})


def _evidence(
    desk: Desk,
    charter: Charter,
    environment: str,
    window: Window,
    *,
    release: str,
    counts: dict[str, Any],
) -> Evidence:
    settings = charter.oversight
    return observed(
        OVERSIGHT,
        id=f"{OVERSIGHT}/{release}/{environment}/{window.start.date().isoformat()}",
        subject=release,
        model=charter.name,
        environment=environment,
        examined=counts["decisions"],
        found={**window.as_found(), **counts},
        required={
            "sample": settings.sample,
            "answer_within": settings.answer_within,
            "on_timeout": settings.on_timeout,
            "in_time": settings.in_time,
            "agreement_at_least": settings.agreement_at_least,
        },
        digests={"charter": charter.digest},
        at=desk.now(),
        by=desk.actor.name if desk.actor else "system",
    )


def counted(reviews: Sequence[Review], settings: Oversight) -> dict[str, Any]:
    """What became of cases, and the verdict."""
    states = Counter(review.state for review in reviews)
    decided = [one for one in reviews if one.state in {"agreed", "overridden"}]
    in_time = sum(1 for one in decided if one.decided_at and one.decided_at <= one.due)
    drawn = [one for one in decided if SAMPLE in one.because]
    agreed = sum(1 for one in drawn if one.state == "agreed")
    agreement = share(agreed, len(drawn)) if drawn else None
    figures = agreement.as_dict() if agreement else dict.fromkeys(("value", "low", "high"))
    verdict, why = _verdict(len(reviews), in_time, agreement, settings)
    return {
        "cases": len(reviews),
        "rules": dict(sorted(Counter(name for one in reviews for name in one.because).items())),
        "decided": len(decided),
        "in_time": in_time,
        "late": len(decided) - in_time,
        "kept": states["kept"],
        "waiting": states["escalated"],
        "overridden": states["overridden"],
        "override_rate": states["overridden"] / len(decided) if decided else 0.0,
        "share_in_time": in_time / len(reviews) if reviews else None,
        "agreement": {"cases": len(drawn), "agreed": agreed, **figures},
        "verdict": verdict,
        "why": why,
    }


def _verdict(
    cases: int, in_time: int, agreement: Interval | None, settings: Oversight
) -> tuple[str, str]:
    if not cases:
        return INSUFFICIENT, "no answer became a case"
    if in_time < settings.in_time * cases:
        return LATE, f"people decided {in_time:,} of {cases:,} cases in time"
    bar = settings.agreement_at_least
    if bar is not None and agreement is not None and agreement.high < bar:
        why = f"people agreed with {agreement.value:.1%} of the answers that chance drew"
        return DISAGREED, f"{why}, surely less than {bar:.0%}"
    return OK, ""
