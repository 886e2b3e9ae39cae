"""A batch decides on each row once, in its order, however often it is begun."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.decision import Decision
from taxiway.core.errors import ConflictError, StoreError
from taxiway.data.frame import plain_frame
from taxiway.serving import batch
from taxiway.serving.batch import Job, Scored, job_of, made_here, score
from taxiway.serving.deciding import Decider

from .conftest import RECORD

SOURCE = "sha256:file"


def records(rows: Sequence[int]) -> list[dict[str, Any]]:
    return [{**RECORD, "id": row, "amount": row * 10 % 1000} for row in rows]


def scored(decider: Decider, *portions: Sequence[int], **options: Any) -> list[Scored]:
    frames = [(list(rows), decider.artefact.frame(records(rows))) for rows in portions]
    job = job_of(SOURCE, decider)
    made = made_here(decider, job, frames, plain_frame)
    return list(score(decider, job, made, plain=plain_frame, **options))


def column(parts: list[Scored], name: str) -> list[Any]:
    return [value for part in parts for value in part.frame[name]]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "CHUNK_ROWS", 10)


def test_rows_are_decided_in_chunks_and_told_as_they_go(
    decider: Decider, log: MemoryDecisions
) -> None:
    told: list[int] = []
    parts = scored(decider, range(1, 26), [], [27, 30], on_rows=told.append)
    assert told == [part.frame.height for part in parts] == [25, 2]
    rows = [*range(1, 26), 27, 30]
    assert column(parts, "id") == rows
    job = job_of(SOURCE, decider)
    assert column(parts, "decision") == [job.decision(row) for row in rows]
    assert [d.id for d in log.scan("loans")] == column(parts, "decision")
    last = log.get(job.decision(30))
    assert column(parts, "probability")[-1] == last.output["probability"]
    assert json.loads(column(parts, "reasons")[-1]) == last.output["reasons"]
    assert sum(part.positive or 0 for part in parts) == sum(column(parts, "prediction")) > 0


def test_batch_and_endpoint_give_the_same_answer(decider: Decider) -> None:
    (one,) = decider.decide(records([7]))
    (part,) = scored(decider, [7])
    assert part.frame["prediction"].to_list() == [one.output["prediction"]]
    assert part.frame["probability"].to_list() == [one.output["probability"]]


def test_what_is_decided_is_not_decided_again(decider: Decider, log: MemoryDecisions) -> None:
    scored(decider, [2, 3], [12])
    before = {d.id: d for d in log.scan("loans")}
    later = dataclasses.replace(decider, now=lambda: decider.now().replace(year=2030))
    parts = scored(later, range(1, 16))
    assert sum(part.found for part in parts) == 3
    assert column(parts, "id") == list(range(1, 16))
    after = {d.id: d for d in log.scan("loans")}
    assert len(after) == 15
    assert {id_: after[id_] for id_ in before} == before
    assert [part.found for part in scored(later, range(1, 16))] == [10, 5]


def test_another_file_release_or_environment_is_another_job(decider: Decider) -> None:
    changed = dataclasses.replace(decider.artefact, digest="sha256:four")
    jobs = {
        job_of(SOURCE, decider).id,
        job_of("sha256:other", decider).id,
        job_of(SOURCE, dataclasses.replace(decider, environment="qa")).id,
        job_of(SOURCE, dataclasses.replace(decider, artefact=changed)).id,
    }
    assert len(jobs) == 4
    assert {len(job) for job in jobs} == {16}


def test_ids_sort_as_rows_do() -> None:
    rows = [1, 2, 9, 10, 99_999, 9_999_999_999]
    ids = [Job("a" * 16).decision(row) for row in rows]
    assert ids == sorted(ids)
    assert {len(id_) for id_ in ids} == {26}


class Rival(MemoryDecisions):
    """A log into which another process writes the first rows just before we do."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds

    def append(self, decisions: Sequence[Decision]) -> None:
        if self.rounds:
            self.rounds -= 1
            super().append([dataclasses.replace(d, latency_us=-1) for d in decisions[:2]])
        super().append(decisions)


def test_two_who_work_on_one_job_share_its_decisions(decider: Decider) -> None:
    log = Rival(rounds=2)
    (part,) = scored(dataclasses.replace(decider, log=log), range(1, 9))
    assert (part.frame.height, part.found) == (8, 4)
    assert part.frame["decision"].to_list() == [d.id for d in log.scan("loans")]
    assert [d.latency_us for d in log.scan("loans")].count(-1) == 4


def test_it_does_not_try_for_ever(decider: Decider) -> None:
    with pytest.raises(ConflictError, match="already in the log"):
        scored(dataclasses.replace(decider, log=Rival(rounds=99)), range(1, 9))


def test_what_can_t_be_logged_is_not_handed_on(decider: Decider) -> None:
    class Full(MemoryDecisions):
        def append(self, decisions: Sequence[Decision]) -> None:
            raise StoreError("The disk is full.")

    with pytest.raises(StoreError, match="disk is full"):
        scored(dataclasses.replace(decider, log=Full()), [1])
