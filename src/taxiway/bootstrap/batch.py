"""Wires batch scoring, and the replay of logged decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap import artefacts
from taxiway.bootstrap.data.keyed import with_features
from taxiway.bootstrap.data.meaning import mapped_source
from taxiway.bootstrap.flight import contract_of
from taxiway.bootstrap.project import project_here
from taxiway.bootstrap.reading import Asked, Reading, kept_of, reading
from taxiway.bootstrap.serving import champion_of, decider_of
from taxiway.bootstrap.spread import made_by_ray
from taxiway.core.digest import digest_of
from taxiway.core.errors import ConflictError, InputError, MissingError, Problem
from taxiway.core.facts import Model, Release

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.artefact import Artefact
    from taxiway.data.begun import Begun
    from taxiway.data.findings import Validation
    from taxiway.data.quarantine import Limit
    from taxiway.data.source import Source
    from taxiway.data.table import Add, Commit
    from taxiway.data.tally import Marks
    from taxiway.serving.batch import Job, Made, Rows
    from taxiway.serving.deciding import Decider
    from taxiway.serving.replay import Replayed

Begin = Callable[[str, int | None], Callable[[int], None]]
"""Begins a stage of work, with the number of its rows if that is known, and answers the function
that is told of rows that are done."""

Making = Callable[["Decider", "Job", "Iterable[Rows]"], "AbstractContextManager[Iterator[Made]]"]
"""Decides on rows, as they come."""


def score(
    workspace: Workspace,
    asked: Asked,
    out: Path,
    *,
    model: Model,
    environment: str,
    quarantine: Path | None,
    at_most: str | None,
    overwrite: bool,
    engine: str,
    dry_run: bool,
    begin: Begin,
) -> dict[str, Any]:
    """Scores a table with the champion: validated as a whole, then decided, logged and written.

    A job that was killed goes on where its last decision was logged.
    """
    from taxiway.data.begun import Begun, begun, note, note_of
    from taxiway.data.quarantine import Limit
    from taxiway.data.table import require_writable
    from taxiway.serving.batch import job_of

    if (quarantine is None) != (at_most is None):
        raise InputError(
            "Rows are set aside only up to a limit, and into a file.",
            todo="Give both: --quarantine FILE --at-most 1%",
        )
    limit = None if at_most is None else Limit.read(at_most)
    _require_apart(*([asked] if isinstance(asked, Path) else []), out, quarantine)
    require_writable(out, overwrite=overwrite)
    release = champion_of(workspace, model.id, environment)
    artefact = artefacts.load_replayed(workspace, release)
    decider = decider_of(workspace, artefact, environment, "batch")
    before = begun(out)
    told = begin("Reading", None) if not isinstance(asked, Path) else lambda _: None
    with (
        with_features(workspace, release, asked, out) as given,
        reading(given, out, artefact.inputs, before, told=told) as raw,
    ):
        rows, mapped = _mapped(workspace, release, raw)
        job = job_of(rows.digest, decider)
        now = Begun(rows.asked, rows.pin, release.id, job.id)
        if before is not None and before != now:
            _require_anew(out, before, now, overwrite=overwrite)
        if quarantine is not None:
            # Whoever was killed between its two files left the first one there.
            require_writable(quarantine, overwrite=overwrite or before == now)
        validation, marks = _examined(rows.source, artefact, limit, begin)
        answer: dict[str, Any] = {
            "release": release.id,
            "rows": validation.rows - validation.failed_rows,
            "quarantined": validation.failed_rows,
            "out": str(out),
            "job": job.id,
            "mapped": mapped,
            "dry_run": dry_run,
        }
        if dry_run:
            return answer
        if before is not None and before != now:
            _discard(out, before)
        note(out, now)
        making = partial(made_by_ray, workspace, out) if engine == "ray" else _made_here
        outs = (out, quarantine)
        done = _decided(decider, job, rows, marks, outs=outs, making=making, begin=begin)
        note_of(out).unlink()
    return {**answer, **done}


def _mapped(
    workspace: Workspace, release: Release, raw: Reading
) -> tuple[Reading, list[dict[str, Any]]]:
    """Rows with the signed mappings of their table done to them: other mappings, another job."""
    source, mapped = mapped_source(
        workspace,
        project_here(None),
        raw.source,
        model=release.model,
        read_as=contract_of(workspace, release),
    )
    if not mapped:
        return raw, mapped
    done = digest_of([one["mapping"] for one in mapped])
    return replace(
        raw, source=source, pin=f"{raw.pin} {done}", digest=f"{raw.digest} {done}"
    ), mapped


def _require_anew(out: Path, before: Begun, now: Begun, *, overwrite: bool) -> None:
    """Raises `ConflictError` if a batch for the same OUT was cut off that was another one."""
    if overwrite:
        return
    problems = [
        Problem(what, found, expected)
        for what, found, expected in (
            ("it read another source", now.asked, before.asked),
            ("its rows have changed since", now.pin, before.pin),
            ("it was decided by another release", now.release, before.release),
        )
        if found != expected
    ]
    raise ConflictError(
        f"A batch for {out.name} was cut off, and this is not the same one; some of its rows may be"
        " decided and in the log.",
        problems,
        todo="Put back what it read to go on with it, choose another OUT, or add --overwrite to"
        " give it up: then every row is decided anew.",
    )


def _discard(out: Path, before: Begun) -> None:
    """Removes what a batch that is given up left beside OUT."""
    from taxiway.data.table import discard

    discard(out, before.job)
    kept_of(out, before.asked).unlink(missing_ok=True)


def _decided(
    decider: Decider,
    job: Job,
    rows: Reading,
    marks: Marks,
    *,
    outs: tuple[Path, Path | None],
    making: Making,
    begin: Begin,
) -> dict[str, int | None]:
    """The second pass: decided, logged and written."""
    from taxiway.data.frame import plain_frame
    from taxiway.data.table import writing
    from taxiway.serving.batch import score as along

    found = 0
    positive = 0 if decider.artefact.kind.yes_or_no else None
    sound = int(marks.failed.len() - marks.failed.sum())
    with ExitStack() as stack:
        add, aside = (
            stack.enter_context(writing(path, job.id, commit=_commit(path))) if path else None
            for path in outs
        )
        held = _sound(rows, decider.artefact, marks, aside)
        made = stack.enter_context(making(decider, job, held))
        told = begin("Deciding", sound)
        # Ended before its tables are: its threads write into them.
        parts = stack.enter_context(
            closing(along(decider, job, made, plain=plain_frame, on_rows=told))
        )
        for part in parts:
            if add is not None:
                add(part.frame)
            found += part.found
            if positive is not None and part.positive is not None:
                positive += part.positive
    return {"positive": positive, "found": found}


@contextmanager
def _made_here(decider: Decider, job: Job, rows: Iterable[Rows]) -> Iterator[Iterator[Made]]:
    """Decides in this process."""
    from taxiway.data.frame import plain_frame
    from taxiway.serving.batch import made_here

    with closing(made_here(decider, job, rows, plain_frame)) as made:
        yield made


def _commit(path: Path) -> Commit | None:
    """How a version of a Delta table is written, if a path is one."""
    from taxiway.data.table import is_delta

    if not is_delta(path):
        return None
    from taxiway.adapters.delta import write

    return write


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
    rows: Reading, artefact: Artefact, marks: Marks, aside: Add | None
) -> Iterator[tuple[Sequence[int], pl.DataFrame]]:
    """Rows that hold the contract; the others are set aside."""
    from taxiway.data.quarantine import portions

    for portion in portions(rows.source, artefact.inputs, marks):
        rows.require_unchanged()
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
    from taxiway.data.frame import plain_frame
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
        plain=plain_frame,
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
        "withheld": tally.withheld,
        "lacking": tally.lacking,
        "releases": tally.releases,
        "seconds": seconds,
        "rows_per_second": round(tally.rows / seconds),
        "first": [
            {"decision": one.decision, "logged": one.decision.output, "replayed": one.output}
            for one in tally.first
        ],
    }
