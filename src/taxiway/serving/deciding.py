"""Deciding: an answer becomes a decision when it is in the log, and only then it may leave."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from taxiway.core.artefact import Artefact
from taxiway.core.decided import Decided
from taxiway.core.decision import Decision, record_key
from taxiway.core.ports import Clock, Logs, NewId, NewIds
from taxiway.core.rows import Rows
from taxiway.serving.completing import Completing
from taxiway.serving.oversight import marked
from taxiway.serving.path import answer
from taxiway.serving.records import Places
from taxiway.serving.rows import moment, moments, record_keys, rows_of
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
    new_ids: NewIds | None = None
    """Many of `new_id` at once, if there is a quicker way to them."""
    completing: Completing | None = None
    """How records that bring keys alone get their features, if they do."""

    def completed(
        self, records: Sequence[dict[str, Any]], places: Callable[[], Places] | None = None
    ) -> Sequence[dict[str, Any]]:
        """Validated records, with the features that they don't bring.

        `places` says which records of a request they are, if they are not all of it.
        """
        if self.completing is None:
            return records
        rows = rows_of(records, self.artefact.inputs)
        return self.completing.completed(rows, places() if places else None)

    def decide(
        self, records: Sequence[dict[str, Any]], frame: Any = None, *, began: float | None = None
    ) -> list[Decision]:
        """Decisions on validated records, in their order, each of them in the log.

        `frame` holds the same rows, if the caller has them; `began` is when work on them began
        (`time.perf_counter`). Raises `StoreError` if they can't be logged: nothing was decided.
        """
        began = time.perf_counter() if began is None else began
        if frame is None:
            records = self.completed(records)
            frame = self.artefact.frame(records)
        outputs = answer(self.artefact, frame)
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

    def decided(
        self, records: Rows, outputs: Sequence[dict[str, Any]], *, latencies_us: Sequence[int]
    ) -> Decided:
        """The same as columns, with what each of them took."""
        artefact, many = self.artefact, len(records)
        outputs = marked(artefact, records, outputs)
        return Decided(
            model=artefact.model,
            release=artefact.release,
            release_digest=artefact.digest,
            environment=self.environment,
            channel=self.channel,
            at=self.now(),
            records=records,
            ids=self.new_ids(many) if self.new_ids else [self.new_id() for _ in range(many)],
            keys=record_keys(records, artefact.inputs),
            happened_at=moments(records.column(artefact.inputs.event_time)),
            outputs=outputs,
            texts=_texts(outputs),
            latencies_us=latencies_us,
        )


_encode_lines = msgspec.json.Encoder().encode_lines
_strictly = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def _texts(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Outputs as JSON. Raises `ValueError` for a number that JSON does not have."""
    lines = _encode_lines(outputs).decode()
    texts = lines.split("\n")
    texts.pop()  # behind the last line end
    if "null" in lines:  # which may stand for such a number
        return [
            _strictly(one) if "null" in text else text
            for one, text in zip(outputs, texts, strict=True)
        ]
    return texts
