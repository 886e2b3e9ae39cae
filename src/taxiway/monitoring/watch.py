"""`watch`: close the windows that are due, and call the people whom the findings concern.

A window of an environment is closed once for drift, when it is over, and once for performance and
value, when its labels are due. Its decisions are looked at apart for each release that answered as
champion. Everything that one closing writes (evidence, findings, alerts and the ledger's event) is
one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from taxiway.core.artefact import FrameOf
from taxiway.core.charter import Charter
from taxiway.core.decision import Decision
from taxiway.core.digest import utc_text, utc_time
from taxiway.core.evidence import DRIFT, PERFORMANCE, Evidence
from taxiway.core.facts import Alert, Deployment, Finding, Model
from taxiway.core.ports import Desk
from taxiway.monitoring.closing import Closing, Look, closed
from taxiway.monitoring.drift import CountLike
from taxiway.monitoring.performance import Measure
from taxiway.monitoring.reference import Reference, reference_of
from taxiway.monitoring.windows import Window, days, due, window_of


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look at an environment closed and found."""

    model: str
    environment: str
    as_of: datetime
    windows: tuple[Closing, ...]
    """One for each window and release that was closed now, oldest first."""
    overdue: tuple[Window, ...]
    """Windows whose labels are due while none has arrived; they stay open."""
    next_due: datetime | None
    """When the next window of those with decisions closes, for drift or for labels."""
    dry_run: bool
    overseen: tuple[Evidence, ...] = ()
    """What people made of the cases of windows whose last case came to its end."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for window in self.windows for finding in window.findings)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(alert for window in self.windows for alert in window.alerts)

    @property
    def clear(self) -> bool:
        """Nothing was found, and no label is overdue."""
        return not self.findings and not self.overdue


def watch(
    desk: Desk,
    *,
    model: Model,
    charter: Charter,
    environment: str,
    frame_of: FrameOf,
    count_like: CountLike,
    measure: Measure,
    as_of: datetime | None = None,
    dry_run: bool = False,
) -> Watched:
    """Closes every window of an environment that is due at `as_of` (default: now).

    `frame_of` makes a frame of logged inputs, `count_like` counts a window's values over the bins
    of a reference profile, and `measure` gives a metric with its interval. A scheduler may call it
    on behalf of nobody: the ledger then names the system. A dry run looks and writes nothing.

    Windows without a decision are not closed. Decisions that arrive for a window after it was
    closed are kept and can be replayed, but are not looked at again.
    """
    at = as_of or desk.now()
    settings = charter.monitoring
    windows = list(with_decisions(desk, model.id, environment, settings.window, at))
    seen = already_closed(desk, model.id, environment, DRIFT)
    labelled = already_closed(desk, model.id, environment, PERFORMANCE)
    delay = days(settings.label_delay)
    for_drift = due(windows, as_of=at, closed=seen)
    for_labels = due(windows, as_of=at, closed=labelled, delay=delay)
    champions = {
        deployment.release
        for deployment in desk.record.find(
            Deployment, model=model.id, environment=environment, role="champion"
        )
    }
    outcomes = desk.decisions.outcomes(model.id) if for_labels else {}
    references: dict[str, Reference] = {}
    results: list[Closing] = []
    overdue: list[Window] = []
    for window in sorted({*for_drift, *for_labels}):
        decisions = _decisions(desk, model.id, environment, window, champions)
        everyone = [decision for taken in decisions.values() for decision in taken]
        labels = window in for_labels
        if labels and everyone and not any(decision.key in outcomes for decision in everyone):
            overdue.append(window)
            labels = False
        if not everyone or not (labels or window in for_drift):
            continue
        for release in decisions.keys() - references.keys():
            references[release] = reference_of(desk, release)
        look = Look(
            window=window,
            environment=environment,
            charter=charter,
            outcomes=outcomes,
            decisions_of_all=len(everyone),
            for_drift=window in for_drift,
            for_labels=labels,
            frame_of=frame_of,
            count_like=count_like,
            measure=measure,
        )
        closings = [
            closed(desk, look, references[release], taken)
            for release, taken in sorted(decisions.items())
        ]
        if not dry_run:
            _write(desk, model.id, environment, window, closings)
        results += closings
    ends = [
        *(window.end for window in windows if window.start not in seen),
        *(window.end + delay for window in windows if window.start not in labelled),
    ]
    return Watched(
        model=model.id,
        environment=environment,
        as_of=at,
        windows=tuple(results),
        overdue=tuple(overdue),
        next_due=min((end for end in ends if end > at), default=None),
        dry_run=dry_run,
    )


def with_decisions(
    desk: Desk, model: str, environment: str, length: str, as_of: datetime
) -> Iterator[Window]:
    """The windows that began before `as_of` and hold a decision; leaps over the empty ones."""
    start: datetime | None = None
    while True:
        scan = desk.decisions.scan(model, environment=environment, start=start, end=as_of)
        first = next(iter(scan), None)
        if first is None:
            return
        window = window_of(first.happened_at, length)
        yield window
        start = window.end


def already_closed(desk: Desk, model: str, environment: str, kind: str) -> set[datetime]:
    """The starts of the windows for which there is evidence of a kind."""
    evidence = desk.record.find(Evidence, kind=kind, model=model, environment=environment)
    return {utc_time(one.found["window_start"]) for one in evidence}


def _decisions(
    desk: Desk, model: str, environment: str, window: Window, champions: set[str]
) -> dict[str, list[Decision]]:
    """The window's decisions by release, of the releases that are or were champion."""
    found: dict[str, list[Decision]] = {}
    for decision in desk.decisions.scan(
        model, environment=environment, start=window.start, end=window.end
    ):
        if decision.release in champions:
            found.setdefault(decision.release, []).append(decision)
    return found


def _write(
    desk: Desk, model: str, environment: str, window: Window, closings: list[Closing]
) -> None:
    subject = f"{model}/{environment}/{utc_text(window.start)}"
    with desk.change("window.closed", subject, model=model) as change:
        for one in closings:
            for fact in (*one.evidence, *one.findings, *one.alerts):
                change.add(fact)
        change.details = {
            **window.as_found(),
            "releases": {one.release: one.verdicts for one in closings},
            "findings": sum(len(one.findings) for one in closings),
            "called": sorted({alert.person for one in closings for alert in one.alerts}),
        }
