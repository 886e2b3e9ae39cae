"""Batch scoring: rows in their order along the same path as the endpoint, each decided once.

A batch is a job: one very file, decided by one release in one environment. The id of a decision
follows from the job and the row's number, so that the log itself says what is done already, and
takes no row a second time (docs/adr/0008-batch-resumes.md).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from taxiway.core.artefact import Artefact
from taxiway.core.decision import Decision
from taxiway.core.digest import PREFIX, digest_of
from taxiway.core.errors import ConflictError
from taxiway.core.kind import kind_of
from taxiway.serving import columns
from taxiway.serving.ahead import ahead
from taxiway.serving.columns import Plain
from taxiway.serving.deciding import Decider

CHUNK_ROWS = 20_000
"""Rows that are decided and logged at a time, where the log has some of them."""

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

    def decisions(self, rows: Sequence[int]) -> pl.Series:
        """The ids of the decisions on many rows."""
        numbers = pl.Series("id", rows, dtype=pl.Int64()).cast(pl.String()).str.zfill(10)
        return pl.select(pl.concat_str(pl.lit(self.id), numbers).alias("id")).to_series()


def job_of(source: str, decider: Decider) -> Job:
    """The job of a file (the digest of its bytes), a release and an environment."""
    about = ["taxiway/batch/1", source, decider.artefact.digest, decider.environment]
    digest = bytes.fromhex(digest_of(about).removeprefix(PREFIX))
    return Job(base64.b32hexencode(digest[:10]).decode().lower())


@dataclass(frozen=True, slots=True)
class Scored:
    """Some rows that were decided, in their order."""

    frame: pl.DataFrame
    """Key columns, what the model's kind says (such as prediction), reasons, review, release and
    decision.

    Reasons and the rules of a review are JSON text, so that every table format holds them.
    """
    positive: int | None
    """How many are yes; None where answers are numbers."""
    found: int
    """How many of them were in the log before."""


Rows = tuple[Sequence[int], Any]
"""Numbers of some rows, ascending, and the frame that holds them."""


@dataclass(frozen=True, slots=True)
class Made:
    """Rows on their way into the log, with their decisions; without, if the log has some."""

    numbers: Sequence[int]
    frame: Any
    decisions: Any = None


def score(
    decider: Decider,
    job: Job,
    made: Iterator[Made],
    *,
    plain: Plain,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Generator[Scored, None, None]:
    """Logs decisions as they are made, and hands them on: a chunk after the other.

    What the log has of the job is taken from there. `plain` makes times and dates of a frame text.
    """
    with ahead(made) as parts:
        for part in parts:
            if part.decisions is not None and _logged(decider, part.decisions):
                yield _of_columns(part, decider.artefact, plain)
            else:
                yield from _one_by_one(decider, job, part)
            on_rows(len(part.numbers))


def made_here(
    decider: Decider, job: Job, rows: Iterable[Rows], plain: Plain
) -> Generator[Made, None, None]:
    """Decides on rows as they are read, in this process; reading runs a chunk ahead."""
    with ahead(iter(rows)) as read:
        for numbers, frame in read:
            if not len(numbers):
                continue
            wanted = frame.select(decider.artefact.inputs.names)
            if is_begun(decider, job, numbers):
                yield Made(numbers, wanted)
            else:
                ids = job.decisions(numbers)
                yield Made(numbers, wanted, columns.decided(decider, ids, wanted, plain))


def is_begun(decider: Decider, job: Job, numbers: Sequence[int]) -> bool:
    """Whether the log has the first of these rows; what has another one is found when logging."""
    first = job.decision(numbers[0])
    return bool(decider.log.between(first, first))


def _logged(decider: Decider, decisions: Any) -> bool:
    """Whether the log took them; it takes all or none, and none if it has one of them."""
    try:
        decider.log.append_frame(decisions)
    except ConflictError:
        return False
    return True


def _of_columns(part: Made, artefact: Artefact, plain: Plain) -> Scored:
    decisions = part.decisions
    frame = plain(part.frame.select(artefact.inputs.key)).hstack(
        decisions.select(
            *artefact.kind.output,
            "reasons",
            "review",
            "release",
            pl.col("id").alias("decision"),
        )
    )
    return Scored(frame, _positive(decisions["prediction"]), 0)


def _positive(predictions: pl.Series) -> int | None:
    return int(predictions.sum()) if predictions.dtype == pl.Boolean else None


def _one_by_one(decider: Decider, job: Job, part: Made) -> Iterator[Scored]:
    """Rows of which some are in the log already."""
    for start in range(0, len(part.numbers), CHUNK_ROWS):
        stop = start + CHUNK_ROWS
        ids = [job.decision(row) for row in part.numbers[start:stop]]
        decided, found = _decided(decider, ids, part.frame[start:stop])
        yield _scored(decided, decider.artefact.inputs.key, found)


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
    decided = [known[id_] for id_ in ids]
    if any(one.withheld for one in decided):  # the file has what the log has not
        records = decider.artefact.plain(frame)
        decided = [replace(one, inputs=own) for one, own in zip(decided, records, strict=True)]
    return decided, len(ids) - len(missing)


def _scored(decisions: Sequence[Decision], key: Sequence[str], found: int) -> Scored:
    outputs = [d.output for d in decisions]
    frame = pl.DataFrame(
        {
            **{name: [d.inputs[name] for d in decisions] for name in key},
            **{name: [output[name] for output in outputs] for name in kind_of(outputs[0]).output},
            "reasons": [columns.text(output["reasons"]) for output in outputs],
            "review": [columns.text(d.because) for d in decisions],
            "release": [d.release for d in decisions],
            "decision": [d.id for d in decisions],
        }
    )
    return Scored(frame, _positive(frame["prediction"]), found)
