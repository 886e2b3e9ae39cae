"""Retention and erasure: decisions leave the log when their time is over, or a person asks.

The ledger tells of it before it is done, and for ever: how many decisions of which days, the digest
over their ids, on whose behalf. What they said, and whose they were, it does not hold: of a key it
has the digest, with which somebody who knows the key can show that it was erased (and somebody who
can try all keys there are can find it).

The log and the record are two stores: should the removal be cut off after its event, asking for it
again finishes it, with a second event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from taxiway.core.decision import key_holds
from taxiway.core.digest import digest_of
from taxiway.core.errors import InputError, RefusedError
from taxiway.core.ports import Desk

TELLING = 3
"""Characters from which a value of a key can be recognised in a reason."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed from the log, or would be."""

    model: str
    ids: tuple[str, ...]
    days: Mapping[str, int]
    """Day of the answer, in UTC -> how many decisions."""
    before: datetime | None = None
    """Of what has expired: everything older than this."""
    outcomes: int | None = None
    """None: nobody has counted, as nothing was removed yet."""
    done: bool = False

    @property
    def decisions(self) -> int:
        return len(self.ids)

    @property
    def digest(self) -> str:
        """Digest over the ids, sorted."""
        return digest_of(self.ids)


def expire(desk: Desk, model: str, *, retention_days: int, dry_run: bool) -> Removal:
    """Removes the decisions that are older than they may be kept, with their outcomes.

    A decision is as old as its answer. Takes an owner or an engineer. Raises `RefusedError` if the
    clock is so far ahead of the ledger that it may be wrong: it would take everything with it.
    """
    desk.acting("owner", "engineer", to=f"expire decisions of {model}")
    _require_plausible(desk, timedelta(days=retention_days))
    before = desk.now() - timedelta(days=retention_days)
    found = replace(_removal(model, desk.decisions.made_before(model, before)), before=before)
    if dry_run or not found.ids:
        return found
    told = {"retention_days": retention_days, "before": before}
    return _remove(desk, found, "decisions.expired", told)


def _require_plausible(desk: Desk, kept: timedelta) -> None:
    newest = max((event.at for event in desk.record.events()), default=None)
    if newest is not None and desk.now() - newest > kept:
        raise RefusedError(
            f"The clock says {desk.now():%Y-%m-%d}, and the newest event in the ledger is of"
            f" {newest:%Y-%m-%d}: longer ago than decisions are kept.",
            todo="Set the clock. If it is right, let the ledger know, for instance with"
            " `taxiway plan`, and ask again.",
        )


def erase(
    desk: Desk,
    model: str,
    key: Mapping[str, Any],
    *,
    reason: str,
    dry_run: bool,
    as_logged: Sequence[Mapping[str, Any]] = (),
) -> Removal:
    """Removes all decisions and outcomes whose key holds these values. Takes an owner.

    `as_logged` are all the ways in which the log may have the key, if that is not the only one. The
    ledger holds a digest of the key, and the reason, which must not name it.
    """
    desk.acting("owner", to=f"erase decisions of {model}")
    if not key:
        raise InputError("Whose decisions? The key is empty.")
    named = [name for name, v in key.items() if len(str(v)) >= TELLING and str(v) in reason]
    if named:
        raise InputError(
            f"The reason holds the value of {', '.join(named)}, and the ledger keeps it for ever.",
            todo="Say why without saying whose, for instance with the number of the request.",
        )
    ways = as_logged or [key]
    known = desk.decisions.outcomes(model)
    outcomes = sum(any(key_holds(one, way) for way in ways) for one in known)
    of_key = {(d.id, d.at) for way in ways for d in desk.decisions.scan(model, key=way)}
    found = replace(_removal(model, sorted(of_key)), outcomes=outcomes)
    if dry_run or not (found.ids or outcomes):
        return found
    told = {"key": digest_of(key), "columns": sorted(key), "reason": reason}
    return _remove(desk, found, "decisions.erased", told, ways)


def _removal(model: str, decisions: Iterable[tuple[str, datetime]]) -> Removal:
    ids: list[str] = []
    days: Counter[str] = Counter()
    for identity, at in decisions:
        ids.append(identity)
        days[f"{at:%Y-%m-%d}"] += 1
    return Removal(model, tuple(ids), dict(sorted(days.items())))


def _remove(
    desk: Desk,
    found: Removal,
    action: str,
    told: Mapping[str, Any],
    keys: Sequence[Mapping[str, Any] | None] = (None,),
) -> Removal:
    with desk.change(action, found.model, model=found.model) as change:
        change.digest = found.digest
        change.details = {"decisions": found.decisions, "days": dict(found.days), **told}
    outcomes = 0
    for key in keys:
        _, gone = desk.decisions.remove(found.model, found.ids, key=key)
        outcomes += gone
    return replace(found, outcomes=outcomes, done=True)
