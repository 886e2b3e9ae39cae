"""Wires the decision log: what is in it, as a list or a file; what leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.flight import charter_of, contract_of
from taxiway.bootstrap.personal import keys_of
from taxiway.core.decision import Decision
from taxiway.core.errors import InputError
from taxiway.core.facts import Model, Release
from taxiway.core.kind import KINDS
from taxiway.core.people import Review

if TYPE_CHECKING:
    from taxiway.bootstrap.batch import Begin
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.contract import Contract
    from taxiway.serving.retention import Removal


BATCH_ROWS = 50_000
"""Rows of a query's answer that are held at a time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions of a model; None where it does not matter."""

    environment: str | None = None
    release: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    key: tuple[str, ...] = ()
    """Each `name=value` or a JSON object: all of a key or a part."""
    positive: bool | None = None


def found(workspace: Workspace, model: Model, wanted: Wanted) -> tuple[int, Iterator[Decision]]:
    """How many decisions there are of those that are wanted, and all of them, newest first."""
    return _count(workspace, model, wanted), _scan(workspace, model, wanted, newest_first=True)


def export(
    workspace: Workspace,
    model: Model,
    wanted: Wanted,
    out: Path,
    *,
    overwrite: bool,
    begin: Begin,
) -> dict[str, Any]:
    """Writes decisions into a CSV or Parquet file, oldest first, streamed."""
    import polars as pl

    from taxiway.data.frame import UTC_TEXT
    from taxiway.data.table import require_writable, writing
    from taxiway.serving.logged import COLUMNS, table

    require_writable(out, overwrite=overwrite)
    times = {name: pl.Datetime("us", "UTC") for name in ("happened_at", "at")}
    said = pl.Boolean() if KINDS[model.kind].yes_or_no else pl.Float64()
    values = {"prediction": said, "probability": pl.Float64(), "latency_us": pl.Int64()}
    answers = {one.id: one.answer for one in workspace.record.find(Review, model=model.id)}
    schema = {name: pl.String() for name in COLUMNS} | times | values
    rows = 0
    with writing(out, "decisions") as add:
        advance = begin("Writing", _count(workspace, model, wanted))
        for columns in table(_scan(workspace, model, wanted)):
            frame = pl.DataFrame(columns, schema=schema)
            answered = [answers.get(one) for one in columns["decision"]]
            # The answer of a person stands beside the model's; empty where nobody was asked.
            frame = frame.with_columns(pl.Series("answer", answered, pl.String()))
            if out.suffix.lower() == ".csv":
                frame = frame.with_columns(pl.col(*times).dt.strftime(UTC_TEXT))
            add(frame)
            rows += frame.height
            advance(frame.height)
    return {"model": model.id, "rows": rows, "out": str(out)}


def query(
    workspace: Workspace, statement: str, *, out: Path | None, limit: int, overwrite: bool
) -> dict[str, Any]:
    """What a SELECT over the log finds: its first rows, or all of them in a file."""
    import polars as pl

    from taxiway.data.table import require_writable, writing
    from taxiway.serving.sql import OUTCOMES, asked, reading

    if out is not None:
        require_writable(out, overwrite=overwrite)
    columns = [contract_of(workspace, one).columns for one in workspace.record.find(Release)]
    outcomes = [
        (model.id, key, float(label))
        for model in workspace.record.find(Model)
        for key, label in workspace.decisions.outcomes(model.id).items()
    ]
    labels = pl.LazyFrame(outcomes, schema=OUTCOMES, orient="row")
    with workspace.decisions.frame() as decisions, reading(statement):
        found = asked(statement, decisions, labels, columns)
        if out is None:
            first = found.head(limit + 1).collect(engine="streaming")
            rows = first.head(limit).rows()
            return {"columns": first.columns, "rows": rows, "more": first.height > limit}
        count = 0
        with writing(out, "decisions") as add:
            add(found.head(0).collect())
            for frame in found.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
                add(frame)
                count += frame.height
    return {"out": str(out), "rows": count}


def expire(workspace: Workspace, model: Model, *, dry_run: bool) -> Removal:
    """Removes the decisions that are older than the charter lets them be kept."""
    from taxiway.serving.retention import expire as remove

    days = charter_of(workspace, model).deployment.retention_days
    return remove(workspace.desk, model.id, retention_days=days, dry_run=dry_run)


def erase(
    workspace: Workspace, model: Model, key: tuple[str, ...], *, reason: str, dry_run: bool
) -> Removal:
    """Removes a person's decisions and outcomes."""
    from taxiway.serving.logged import key_values
    from taxiway.serving.retention import erase as remove

    contract = _contract(workspace, model)
    values = key_values(key, contract)
    ways = keys_of(workspace, model, contract, values)
    return remove(workspace.desk, model.id, values, reason=reason, dry_run=dry_run, as_logged=ways)


def _count(workspace: Workspace, model: Model, wanted: Wanted) -> int:
    asked = _asked(workspace, model, wanted)
    return sum(workspace.decisions.count(model.id, **where) for where in asked)


def _scan(
    workspace: Workspace, model: Model, wanted: Wanted, *, newest_first: bool = False
) -> Iterator[Decision]:
    asked = _asked(workspace, model, wanted)
    scans = [
        workspace.decisions.scan(model.id, **where, newest_first=newest_first) for where in asked
    ]
    in_order = attrgetter("happened_at", "id")
    return scans[0] if len(scans) == 1 else merge(*scans, key=in_order, reverse=newest_first)


def _asked(workspace: Workspace, model: Model, wanted: Wanted) -> list[dict[str, Any]]:
    """What the log is asked for: once for each way in which it may have the key."""
    from taxiway.serving.logged import key_values

    if wanted.release is not None:
        workspace.find_release(wanted.release)
    if wanted.positive and not KINDS[model.kind].yes_or_no:
        raise InputError(
            f"The answers of {model.id} are numbers, and none of them is a yes.",
            todo='Ask in SQL: taxiway decisions sql "SELECT * FROM decisions WHERE predicted > 60"',
        )
    ways: list[dict[str, Any] | None] = [None]
    if wanted.key:
        contract = _contract(workspace, model)
        ways = [*keys_of(workspace, model, contract, key_values(wanted.key, contract))]
    return [
        {
            "environment": wanted.environment,
            "release": wanted.release,
            "start": wanted.start,
            "end": wanted.end,
            "key": way,
            "positive": wanted.positive,
        }
        for way in ways
    ]


def _contract(workspace: Workspace, model: Model) -> Contract:
    """The contract of the newest release, whose key decisions are found by."""
    return contract_of(workspace, workspace.newest_release(model.id))
