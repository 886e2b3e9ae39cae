"""Outcomes in `decisions.db`: what turned out to be true, by model and key."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from taxiway.core.decision import Outcome, key_holds
from taxiway.core.digest import utc_text
from taxiway.core.errors import ConflictError, Problem


def add(connection: sqlite3.Connection, outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """Adds outcomes; answers (added, already known). Raises `ConflictError` for a contradiction."""
    added = known = 0
    conflicts = []
    for outcome in outcomes:
        label = float(outcome.label)
        boolean = isinstance(outcome.label, bool)
        done = connection.execute(
            "INSERT INTO outcome VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (outcome.model, outcome.key, label, boolean, utc_text(outcome.at)),
        )
        if done.rowcount:
            added += 1
            continue
        before = connection.execute(
            "SELECT label FROM outcome WHERE model = ? AND key = ?",
            (outcome.model, outcome.key),
        ).fetchone()[0]
        if before == label:
            known += 1
        else:
            conflicts.append(outcome.key)
    if conflicts:
        raise conflicting(conflicts)
    return added, known


def labels(connection: sqlite3.Connection, model: str) -> dict[str, bool | float]:
    """Key -> label for a model."""
    rows = connection.execute(
        "SELECT key, label, boolean FROM outcome WHERE model = ?", (model,)
    ).fetchall()
    return {key: bool(label) if boolean else label for key, label, boolean in rows}


def remove(
    connection: sqlite3.Connection,
    model: str,
    orphans: Collection[str],
    key: Mapping[str, Any] | None,
) -> int:
    """Removes outcomes whose decisions are gone, and those whose key holds some values."""
    gone = set(orphans)
    if key:
        known = connection.execute("SELECT key FROM outcome WHERE model = ?", (model,))
        gone |= {one for (one,) in known if key_holds(one, key)}
    return connection.executemany(
        "DELETE FROM outcome WHERE model = ? AND key = ?", [(model, one) for one in gone]
    ).rowcount


def conflicting(keys: Sequence[str]) -> ConflictError:
    """The error for outcomes that contradict those that are known."""
    many = "outcome contradicts" if len(keys) == 1 else "outcomes contradict"
    return ConflictError(
        f"{len(keys)} {many} what is known; nothing was added.",
        [Problem("another label is known", where=key) for key in keys],
        todo="Correct the file; a known outcome is not overwritten.",
    )
