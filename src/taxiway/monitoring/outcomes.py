"""Outcomes: what turned out to be true, found by the key of the decision it belongs to."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from taxiway.core.contract import Contract
from taxiway.core.decision import Outcome, record_key
from taxiway.core.errors import ConflictError, InputError, Problem, close_match, shortened
from taxiway.core.kind import Kind
from taxiway.core.ports import Desk

if TYPE_CHECKING:
    import polars as pl

Label = Callable[[Any], Any]
"""A frame with the columns of the target's definition -> its labels, null where there is none."""

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of a file of outcomes."""

    model: str
    rows: int
    with_label: int
    """Rows whose label is known; the others (a cancelled flight, say) have no outcome."""
    added: int
    known: int
    """Outcomes that were there before, with the same label."""
    unmatched: int
    """Outcomes whose key no decision has; kept, in case the decision is logged later."""
    decisions: int
    """Decisions from the time that the file is about (all of them, if it names no time)."""
    coverage: float
    """Share of those decisions whose outcome is known now."""
    mapped: tuple[str, ...]
    """The signed mappings that were done to its rows, in words."""
    dry_run: bool


def add_outcomes(
    desk: Desk,
    *,
    model: str,
    frame: pl.DataFrame,
    contract: Contract,
    target: str,
    label: Label,
    kind: Kind,
    source: str,
    digest: str,
    as_logged: Callable[[str], str] = str,
    mapped: Sequence[str] = (),
    dry_run: bool = False,
) -> Joined:
    """Joins outcomes to their decisions, and tells the ledger of the file with its digest.

    The frame has the contract's key columns in the contract's types, and the target by its name
    (true, false or nothing; a number or nothing) or the columns of its definition, which `label`
    then reads. Adding a file again changes nothing. `as_logged` says how the log has a key, if not
    as it is. Raises `InputError` with everything that is wrong with the frame, and `ConflictError`
    naming the keys whose outcome is already known to be another one.
    """
    desk.acting("owner", "developer", "engineer", to=f"add outcomes for {model}")
    labels = _labels(frame, contract, target, label, kind)
    keys = set(_decision_keys(desk, model, frame, contract))
    outcomes = {
        _known(key, as_logged(key), keys): one
        for key, one in _by_key(frame, contract, labels).items()
    }
    before = desk.decisions.outcomes(model)
    changed = [key for key, one in outcomes.items() if key in before and before[key] != one]
    if changed:
        raise ConflictError(
            f"{len(changed)} of {len(outcomes)} outcomes are already known to be something else;"
            " nothing was added.",
            [
                Problem("the outcome differs", str(outcomes[key]), str(before[key]), key)
                for key in changed
            ],
            todo="An outcome is what turned out to be true, and stays. Leave these rows out.",
        )
    fresh = [key for key in outcomes if key not in before]
    covered = sum(1 for key in keys if key in before or key in outcomes)
    joined = Joined(
        model=model,
        rows=frame.height,
        with_label=len(outcomes),
        added=len(fresh),
        known=len(outcomes) - len(fresh),
        unmatched=sum(1 for key in outcomes if key not in keys),
        decisions=len(keys),
        coverage=covered / len(keys) if keys else 0.0,
        mapped=tuple(mapped),
        dry_run=dry_run,
    )
    if not dry_run:
        _store(desk, joined, {key: outcomes[key] for key in fresh}, source, digest)
    return joined


def _known(key: str, logged: str, keys: Collection[str]) -> str:
    """A key as decisions have it: those from before it was withheld have it as it is."""
    return key if key in keys and logged not in keys else logged


def _store(
    desk: Desk, joined: Joined, fresh: Mapping[str, bool | float], source: str, digest: str
) -> None:
    at = desk.now()
    with desk.change("outcomes.added", source, model=joined.model) as change:
        # Two stores, one after the other: should the ledger fail, the same file can be added again.
        desk.decisions.add_outcomes(
            Outcome(joined.model, key, label, at) for key, label in fresh.items()
        )
        change.digest = digest
        change.details = {
            "rows": joined.rows,
            "with_label": joined.with_label,
            "added": joined.added,
            "known": joined.known,
            "unmatched": joined.unmatched,
            "coverage": joined.coverage,
            **({"mapped": list(joined.mapped)} if joined.mapped else {}),
        }


def require_key(columns: Sequence[str], contract: Contract) -> None:
    """Raises `InputError` unless outcomes have every column that decisions are found by."""
    problems = _missing(columns, contract)
    if problems:
        raise InputError("The outcomes can't be joined to decisions.", problems)


def _missing(columns: Sequence[str], contract: Contract) -> list[Problem]:
    return [
        Problem(
            f"the key column {name!r} is missing",
            where="outcomes",
            todo=f"Did you mean {match!r}?" if (match := close_match(name, columns)) else None,
        )
        for name in contract.key
        if name not in columns
    ]


def _labels(
    frame: pl.DataFrame, contract: Contract, target: str, label: Label, kind: Kind
) -> Sequence[bool | float | None]:
    problems = _missing(frame.columns, contract)
    problems += [
        Problem(
            f"the key column {name!r} has another type",
            str(frame[name].dtype),
            expected,
            "outcomes",
        )
        for name in contract.key
        if name in frame.columns
        and not _fits(frame[name].dtype, expected := contract.column(name).type)
    ]
    if not frame.height:
        problems.append(Problem("there are no rows", where="outcomes"))
    if target in frame.columns and not _labels_fit(frame[target].dtype, kind):
        problems.append(
            Problem(
                f"the target {target!r} has another type",
                str(frame[target].dtype),
                "true or false" if kind.yes_or_no else "a number",
                "outcomes",
            )
        )
    if problems:
        raise InputError("The outcomes can't be joined to decisions.", problems)
    found = frame[target] if target in frame.columns else label(frame)
    return list(found) if kind.yes_or_no else _numbers(found)


def _labels_fit(found: pl.DataType, kind: Kind) -> bool:
    import polars as pl

    return found == pl.Boolean if kind.yes_or_no else found.is_numeric()


def _numbers(found: pl.Series) -> list[float | None]:
    """Numbers as floats; one that is none, or infinite, is no outcome."""
    return [float(one) if one is not None and math.isfinite(one) else None for one in found]


def _fits(found: pl.DataType, type: str) -> bool:
    """Whether a key written from such values is the one that the decision was logged with."""
    import polars as pl

    if type == "timestamp":
        return isinstance(found, pl.Datetime) and found.time_zone is not None
    fitting: dict[str, Any] = {
        "string": pl.String,
        "boolean": pl.Boolean,
        "date": pl.Date,
        "number": pl.Float64,
    }
    return found.is_integer() if type == "integer" else bool(found == fitting[type])


def _by_key(
    frame: pl.DataFrame, contract: Contract, labels: Sequence[bool | float | None]
) -> dict[str, bool | float]:
    """Key -> label of the rows that have one. A key with two labels is an error."""
    found: dict[str, bool | float] = {}
    twice: dict[str, None] = {}
    names = contract.key
    for values, one in zip(frame.select(names).iter_rows(), labels, strict=True):
        if one is None:
            continue
        key = record_key(dict(zip(names, values, strict=True)), names)
        if found.setdefault(key, one) != one:
            twice[key] = None
    if twice:
        shown = "; ".join(list(twice)[:SHOWN])
        raise InputError(
            f"{len(twice)} keys have two outcomes in one file: {shortened(shown, 1000)}.",
            todo="A key is one decision, and has one outcome.",
        )
    return found


def _decision_keys(
    desk: Desk, model: str, frame: pl.DataFrame, contract: Contract
) -> Iterator[str]:
    """Keys of the decisions of the time that the frame is about, if it says so; else of all."""
    start: datetime | None = None
    end: datetime | None = None
    if contract.event_time in frame.columns:
        first: Any = frame[contract.event_time].min()
        last: Any = frame[contract.event_time].max()
        if isinstance(first, datetime) and isinstance(last, datetime):
            start, end = first, last + timedelta(microseconds=1)
    for decision in desk.decisions.scan(model, start=start, end=end):
        yield decision.key
