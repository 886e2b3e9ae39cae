"""Wires batch scoring, and the replay of logged decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap import artefacts
from taxiway.bootstrap.serving import champion_of, decider_of
from taxiway.core.errors import InputError, MissingError
from taxiway.core.facts import Model

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.artefact import Artefact
    from taxiway.data.findings import Validation
    from taxiway.data.quarantine import Limit
    from taxiway.data.source import Fingerprint, Source
    from taxiway.data.table import Add
    from taxiway.data.tally import Marks
    from taxiway.serving.replay import Replayed

Begin = Callable[[str, int | None], Callable[[int], None]]
"""Begins a stage of work, with the number of its rows if that is known, and answers the function
that is told of rows that are done."""


def score(
    workspace: Workspace,
    source: Path,
    out: Path,
    *,
    model: Model,
    environment: str,
    quarantine: Path | None,
    at_most: str | None,
    overwrite: bool,
    dry_run: bool,
    begin: Begin,
) -> dict[str, Any]:
    """Scores a file with the champion: validated as a whole, then decided, logged and written.

    A job that was killed goes on where its last decision was logged.
    """
    import polars as pl

    from taxiway.data.quarantine import Limit
    from taxiway.data.source import fingerprint, open_source
    from taxiway.data.table import partial_of, require_writable, writing
    from taxiway.serving.batch import job_of
    from taxiway.serving.batch import score as along

    if (quarantine is None) != (at_most is None):
        raise InputError(
            "Rows are set aside only up to a limit, and into a file.",
            todo="Give both: --quarantine FILE --at-most 1%",
        )
    limit = None if at_most is None else Limit.read(at_most)
    _require_apart(source, out, quarantine)
    require_writable(out, overwrite=overwrite)
    release = champion_of(workspace, model.id, environment)
    artefact = artefacts.load_replayed(workspace, release)
    opened, known = open_source(source), fingerprint(source)
    decider = decider_of(workspace, artefact, environment, "batch")
    job = job_of(known.digest, decider)
    if quarantine is not None:
        # Whoever was killed between its two files left the first one there.
        resumed = partial_of(out, job.id).exists()
        require_writable(quarantine, overwrite=overwrite or resumed)
    validation, marks = _examined(opened, artefact, limit, begin)
    answer: dict[str, Any] = {
        "release": release.id,
        "rows": validation.rows - validation.failed_rows,
        "quarantined": validation.failed_rows,
        "out": str(out),
        "job": job.id,
        "dry_run": dry_run,
    }
    if dry_run:
        return answer
    found = positive = 0
    with ExitStack() as stack:
        add = stack.enter_context(writing(out, job.id))
        aside = stack.enter_context(writing(quarantine, job.id)) if quarantine else None
        rows = _sound(opened, artefact, marks, known, aside)
        for part in along(decider, job, rows, on_rows=begin("Deciding", answer["rows"])):
            add(pl.DataFrame(part.columns))
            found += part.found
            positive += part.positive
    return {**answer, "positive": positive, "found": found}


def _require_apart(*paths: Path | None) -> None:
    """Raises `InputError` if two of the files are one."""
    there = [path.absolute() for path in paths if path is not None]
    if len({path.resolve() for path in there}) < len(there):
        raise InputError(
            f"The same file is named twice: {', '.join(path.name for path in there)}.",
            todo="IN is read while OUT and the quarantine are written: name three files.",
        )


def _examined(
    source: Source, artefact: Artefact, limit: Limit | None, begin: Begin
) -> tuple[Validation, Marks]:
    """The first pass: every row held against the contract before any is decided on."""
    from taxiway.data.checked import refuse_failures
    from taxiway.data.quarantine import require_within
    from taxiway.data.validation import examine

    wanted = replace(artefact.inputs, minimum_rows=1, freshness_hours=None)
    validation, marks = examine(source, wanted, on_rows=begin("Checking", None))
    so = "Nothing was decided."
    if limit is None:
        refuse_failures(source, validation, so=so)
    else:
        require_within(source, validation, limit, so=so)
    return validation, marks


def _sound(
    source: Source, artefact: Artefact, marks: Marks, known: Fingerprint, aside: Add | None
) -> Iterator[tuple[Sequence[int], pl.DataFrame]]:
    """The second pass: rows that hold the contract; the others are set aside."""
    from taxiway.data.quarantine import portions
    from taxiway.data.source import require_unchanged

    for portion in portions(source, artefact.inputs, marks):
        require_unchanged(source.path, known)
        if aside is not None:
            aside(portion.broken)
        yield portion.numbers, portion.sound


def replay(workspace: Workspace, id: str) -> Replayed:
    """Makes a logged decision again."""
    from taxiway.serving.replay import replay as again

    decision = workspace.decisions.get(id)
    release = workspace.find_release(decision.release)
    return again(artefacts.load(workspace, release), decision)


def replay_span(
    workspace: Workspace,
    model: Model,
    environment: str,
    *,
    start: datetime | None,
    end: datetime | None,
    begin: Begin,
) -> dict[str, Any]:
    """Makes all decisions of a span again. Raises `MissingError` if there is none."""
    from taxiway.serving.replay import replay_all

    span = {"environment": environment, "start": start, "end": end}
    rows = workspace.decisions.count(model.id, **span)
    if not rows:
        raise MissingError(
            f"{model.id} has no decision in {environment} in that span, so nothing was compared.",
            todo="`taxiway decisions` lists what is in the log.",
        )
    began = perf_counter()
    tally = replay_all(
        workspace.decisions.scan(model.id, environment=environment, start=start, end=end),
        lambda name: artefacts.load(workspace, workspace.find_release(name)),
        on_rows=begin("Replaying", rows),
    )
    seconds = perf_counter() - began
    return {
        "model": model.id,
        "environment": environment,
        "from": start,
        "to": end,
        "rows": tally.rows,
        "equal": tally.equal,
        "different": tally.different,
        "releases": tally.releases,
        "seconds": seconds,
        "rows_per_second": round(tally.rows / seconds),
        "first": [
            {"decision": one.decision, "logged": one.decision.output, "replayed": one.output}
            for one in tally.first
        ],
    }
