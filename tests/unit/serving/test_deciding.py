"""A decision is in the log before it is handed on, or there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.decision import Decision
from taxiway.core.errors import StoreError
from taxiway.serving.deciding import Decider
from taxiway.serving.replay import replay
from taxiway.serving.rows import moment

from .conftest import NOW, RECORD


def test_a_decision_holds_all_that_is_needed_to_make_it_again(
    decider: Decider, log: MemoryDecisions
) -> None:
    (made,) = decider.decide([RECORD])
    assert log.get(made.id) == made
    assert made.inputs == RECORD
    assert made.key == '{"id":7}'
    assert made.happened_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (made.at, made.release_digest, made.environment) == (NOW, "sha256:three", "prod")
    assert made.latency_us > 0
    assert replay(decider.artefact, made).equal


def test_without_the_log_there_is_no_decision(decider: Decider) -> None:
    class Full(MemoryDecisions):
        def append(self, decisions: Sequence[Decision]) -> None:
            raise StoreError("The disk is full.")

    with pytest.raises(StoreError, match="disk is full"):
        dataclasses.replace(decider, log=Full()).decide([RECORD])


def test_a_day_happens_at_its_start() -> None:
    assert moment("2013-03-01") == datetime(2013, 3, 1, tzinfo=UTC)
