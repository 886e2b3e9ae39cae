"""Batch scoring: rows in their order along the same path as the endpoint, each decided once.

A batch is a job: one very file, decided by one release in one environment. The id of a decision
follows from the job and the row's number, so that the log itself says what is done already, and
takes no row a second time (docs/adr/0008-batch-resumes.md).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taxiway.core.decision import Decision
from taxiway.core.digest import PREFIX, digest_of
from taxiway.core.errors import ConflictError
from taxiway.serving.deciding import Decider

CHUNK_ROWS = 20_000
"""Rows that are decided, and logged in one transaction, at a time."""

TRIES = 3
"""How often to look again what somebody else has decided, who works on the same job."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is decided once, however often it is asked for."""

    id: str
    """Sixteen characters; the ids of its decisions begin with them."""

    def decision(self, row: int) -> str:
        """The id of the decision on a row, counted from 1. They sort as the rows do.

        >>> Job("0123456789abcdef").decision(7)
        '0123456789abcdef0000000007'
        """
        return f"{self.id}{row:010}"


def job_of(source: str, decider: Decider) -> Job:
    """The job of a file (the digest of its bytes), a release and an environment."""
    about = ["taxiway/batch/1", source, decider.artefact.digest, decider.environment]
    digest = bytes.fromhex(digest_of(about).removeprefix(PREFIX))
    return Job(base64.b32hexencode(digest[:10]).decode().lower())


@dataclass(frozen=True, slots=True)
class Scored:
    """Some rows that were decided, in their order."""

    columns: Mapping[str, list[Any]]
    """Key columns, prediction, probability, reasons, review, release and decision: a value for each
    row.

    Reasons and the rules of a review are JSON text, so that every table format holds them.
    """
    rows: int
    positive: int
    found: int
    """How many of them were in the log before."""


def score(
    decider: Decider,
    job: Job,
    rows: Iterable[tuple[Sequence[int], Any]],
    *,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Iterator[Scored]:
    """Decides on rows as they come, logs them, and hands them on: a chunk after the other.

    `rows` are the numbers of some rows, ascending, with the frame that holds them. What the log has
    of the job is taken from there.
    """
    names = decider.artefact.inputs.names
    for numbers, frame in rows:
        wanted = frame.select(names)
        for start in range(0, len(numbers), CHUNK_ROWS):
            stop = start + CHUNK_ROWS
            ids = [job.decision(row) for row in numbers[start:stop]]
            decided, found = _decided(decider, ids, wanted[start:stop])
            yield _scored(decided, decider.artefact.inputs.key, found)
            on_rows(len(ids))


def _decided(decider: Decider, ids: Sequence[str], frame: Any) -> tuple[list[Decision], int]:
    """The decisions with these ids, made where they are missing; and how many were there."""
    for left in reversed(range(TRIES)):
        known = {d.id: d for d in decider.log.between(ids[0], ids[-1])}
        missing = [place for place, id_ in enumerate(ids) if id_ not in known]
        if not missing:
            break
        part = frame if len(missing) == len(ids) else frame[missing]
        fresh = iter([ids[place] for place in missing])
        numbered = replace(decider, new_id=fresh.__next__)
        try:
            made = numbered.decide(decider.artefact.plain(part), part)
        except ConflictError:
            if not left:
                raise
        else:
            known |= {d.id: d for d in made}
            break
    return [known[id_] for id_ in ids], len(ids) - len(missing)


def _scored(decisions: Sequence[Decision], key: Sequence[str], found: int) -> Scored:
    outputs = [d.output for d in decisions]
    predictions = [output["prediction"] for output in outputs]
    columns = {
        **{name: [d.inputs[name] for d in decisions] for name in key},
        "prediction": predictions,
        "probability": [output["probability"] for output in outputs],
        "reasons": [json.dumps(output["reasons"]) for output in outputs],
        "review": [json.dumps(d.because) for d in decisions],
        "release": [d.release for d in decisions],
        "decision": [d.id for d in decisions],
    }
    return Scored(columns, len(decisions), sum(predictions), found)
