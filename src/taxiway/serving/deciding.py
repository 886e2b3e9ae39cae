"""Deciding: an answer becomes a decision when it is in the log, and only then it may leave."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from taxiway.core.artefact import Artefact
from taxiway.core.decision import Decision, record_key
from taxiway.core.ports import Clock, Logs, NewId
from taxiway.serving.oversight import marked
from taxiway.serving.path import answer
from taxiway.serving.spent import Spent

STUB = "stub"
"""The channel of answers that no model gave."""


@dataclass(frozen=True, slots=True)
class Decider:
    """A loaded release in an environment, with the log that its decisions go to."""

    artefact: Artefact
    environment: str
    channel: str
    """`http`, `batch` or `stub`."""
    log: Logs
    now: Clock
    new_id: NewId
    buffered: bool = False
    """Whether an answer may leave before the disk has its decision: a second behind it at most."""
    spent: Spent = field(default_factory=Spent)
    """What its artefact's calls take, if the artefact is clocked."""

    def decide(
        self, records: Sequence[dict[str, Any]], frame: Any = None, *, began: float | None = None
    ) -> list[Decision]:
        """Decisions on validated records, in their order, each of them in the log.

        `frame` holds the same rows, if the caller has them; `began` is when work on them began
        (`time.perf_counter`). Raises `StoreError` if they can't be logged: nothing was decided.
        """
        began = time.perf_counter() if began is None else began
        outputs = answer(self.artefact, self.artefact.frame(records) if frame is None else frame)
        decisions = self.decisions(records, outputs, began=began)
        self.log.append(decisions)
        return decisions

    def decisions(
        self, records: Sequence[dict[str, Any]], outputs: Sequence[dict[str, Any]], *, began: float
    ) -> list[Decision]:
        """Outputs as decisions that are not logged yet; until they are, nobody may see them."""
        artefact, at = self.artefact, self.now()
        key, event_time = artefact.inputs.key, artefact.inputs.event_time
        outputs = marked(artefact, records, outputs)
        latency = int((time.perf_counter() - began) * 1e6)
        return [
            Decision(
                id=self.new_id(),
                model=artefact.model,
                release=artefact.release,
                release_digest=artefact.digest,
                environment=self.environment,
                channel=self.channel,
                key=record_key(record, key),
                happened_at=moment(record[event_time]),
                at=at,
                inputs=record,
                output=output,
                latency_us=latency,
            )
            for record, output in zip(records, outputs, strict=True)
        ]


def moment(text: str) -> datetime:
    """When a record happened: its event time, or the start of its event day in UTC."""
    if "T" in text:
        return datetime.fromisoformat(text)
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
