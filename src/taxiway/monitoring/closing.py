"""The closing of one window for one release: its evidence, what was found, who is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxiway.core import evidence as kinds
from taxiway.core.artefact import FrameOf
from taxiway.core.charter import Charter
from taxiway.core.decision import Decision
from taxiway.core.evidence import Evidence, observed
from taxiway.core.facts import Alert, Finding
from taxiway.core.kind import KINDS, Kind
from taxiway.core.ports import Desk
from taxiway.monitoring.drift import CountLike, drift
from taxiway.monitoring.findings import Found, alerts_of, drifted, missed, worse
from taxiway.monitoring.performance import Limits, Measure, performance
from taxiway.monitoring.reference import Reference
from taxiway.monitoring.value import value
from taxiway.monitoring.windows import Window


@dataclass(frozen=True, slots=True)
class Look:
    """One window of one environment, and what is due of it."""

    window: Window
    environment: str
    charter: Charter
    for_drift: bool
    for_labels: bool
    outcomes: Mapping[str, bool | float]
    """Key -> label, of the whole model."""
    decisions_of_all: int
    """Decisions of every champion in the window; they share the promised value."""
    frame_of: FrameOf
    count_like: CountLike
    measure: Measure

    @property
    def kind(self) -> Kind:
        """What kind of model it is."""
        return KINDS[self.charter.kind]


@dataclass(frozen=True, slots=True)
class Closing:
    """What the closing of a window says of one release."""

    release: str
    window: Window
    decisions: int
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]
    alerts: tuple[Alert, ...]

    def found(self, kind: str) -> dict[str, Any] | None:
        """What the evidence of a kind found, or None if it was not due."""
        return next((one.found for one in self.evidence if one.kind == kind), None)

    @property
    def verdicts(self) -> dict[str, Any]:
        """One word a kind of evidence, for the ledger."""
        words: dict[str, Any] = {}
        for one in self.evidence:
            step = one.kind.removeprefix("monitoring.")
            words[step] = one.found["drifted"] if one.kind == kinds.DRIFT else one.found["verdict"]
        return words


def closed(desk: Desk, look: Look, reference: Reference, decisions: Sequence[Decision]) -> Closing:
    """Looks at the decisions of one release in one window. Writes nothing."""
    evidence: list[Evidence] = []
    found: list[Found] = []
    if look.for_drift:
        evidence.append(_drift(desk, look, reference, decisions))
        found += drifted(evidence[-1].found)
    if look.for_labels:
        known = [decision for decision in decisions if decision.key in look.outcomes]
        of = bool if look.kind.yes_or_no else float
        labels = [of(look.outcomes[decision.key]) for decision in known]
        evidence.append(_performance(desk, look, reference, decisions, known, labels))
        found += worse(evidence[-1].found, evidence[-1].required)
        evidence.append(_value(desk, look, reference, decisions, known, labels))
        found += missed(evidence[-1].found)
    at = desk.now()
    findings = [_finding(desk, look, reference.release, one, evidence, at) for one in found]
    return Closing(
        release=reference.release,
        window=look.window,
        decisions=len(decisions),
        evidence=tuple(evidence),
        findings=tuple(findings),
        alerts=alerts_of(findings, look.charter, new_id=desk.new_id),
    )


def _drift(desk: Desk, look: Look, reference: Reference, decisions: Sequence[Decision]) -> Evidence:
    import polars as pl

    # Of a column that the log withholds, nothing can be said.
    withheld = {name for decision in decisions for name in decision.withheld}
    watched = reference.watched.only([n for n in reference.watched.names if n not in withheld])
    score = look.kind.score
    found, required = drift(
        reference.profile,
        look.frame_of([decision.inputs for decision in decisions], watched),
        pl.Series(score, [d.output[score] for d in decisions], pl.Float64),
        window=look.window,
        count_like=look.count_like,
        settings=look.charter.monitoring,
    )
    return _observed(
        desk, look, reference, kinds.DRIFT, examined=len(decisions), found=found, required=required
    )


def _performance(
    desk: Desk,
    look: Look,
    reference: Reference,
    decisions: Sequence[Decision],
    known: Sequence[Decision],
    labels: Sequence[bool | float],
) -> Evidence:
    training, settings = look.charter.training, look.charter.monitoring
    holdout = reference.metrics.get(training.bar.metric)
    found, required = performance(
        labels,
        [decision.output[look.kind.score] for decision in known],
        window=look.window,
        decisions=len(decisions),
        groups={
            column: [decision.inputs.get(column) for decision in known]
            for column in training.protected
            if known and column in known[0].inputs
        },
        limits=Limits(
            bar=training.bar,
            reference=holdout["value"] if holdout else None,
            maximum_drop=settings.maximum_drop,
            minimum_rows=settings.minimum_rows,
            maximum_gap=training.maximum_gap,
            minimum_group_rows=training.minimum_slice_rows,
        ),
        measure=look.measure,
        seed=training.seed,
    )
    return _observed(
        desk,
        look,
        reference,
        kinds.PERFORMANCE,
        examined=len(known),
        found=found,
        required=required,
    )


def _value(
    desk: Desk,
    look: Look,
    reference: Reference,
    decisions: Sequence[Decision],
    known: Sequence[Decision],
    labels: Sequence[bool | float],
) -> Evidence:
    found, required = value(
        look.charter.value,
        window=look.window,
        predictions=[decision.output["prediction"] for decision in known],
        labels=labels,
        decisions=len(decisions),
        decisions_of_all=look.decisions_of_all,
        minimum_rows=look.charter.monitoring.minimum_rows,
    )
    return _observed(
        desk, look, reference, kinds.VALUE, examined=len(known), found=found, required=required
    )


def _observed(
    desk: Desk,
    look: Look,
    reference: Reference,
    kind: str,
    *,
    examined: int,
    found: dict[str, Any],
    required: dict[str, Any],
) -> Evidence:
    start = look.window.start.date().isoformat()
    return observed(
        kind,
        # Two that watch at once would close a window twice; one id lets the record refuse one.
        id=f"{kind}/{reference.release}/{look.environment}/{start}",
        subject=reference.release,
        model=look.charter.name,
        environment=look.environment,
        examined=examined,
        found=found,
        required=required,
        digests={"model": reference.digest, "charter": look.charter.digest},
        at=desk.now(),
        by=desk.actor.name if desk.actor else "system",
    )


def _finding(
    desk: Desk,
    look: Look,
    release: str,
    found: Found,
    evidence: Sequence[Evidence],
    at: datetime,
) -> Finding:
    return Finding(
        id=desk.new_id(),
        model=look.charter.name,
        release=release,
        environment=look.environment,
        kind=found.kind,
        subject=found.subject,
        severity=found.severity,
        window_start=look.window.start,
        window_end=look.window.end,
        what=f"{release} in {look.environment}, {look.window}: {found.what}",
        found=found.found,
        required=next(one.required for one in evidence if one.kind == found.source),
        at=at,
    )
