"""Handoffs: work that one owner offers, and another accepts, or returns with a reason.

Who may is written in the charter: each stage has the owner who gives and the owner who takes.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, MissingError, Problem, RefusedError
from taxiway.core.evidence import HANDOFFS, Evidence, observed
from taxiway.core.facts import Model, Release, Snapshot
from taxiway.core.moves import HANDOFF, HANDOFF_STAGES, require_move
from taxiway.core.people import Handoff
from taxiway.core.ports import Actor, Desk, Record
from taxiway.governance.people import require_active


def offer(
    desk: Desk,
    stage: str,
    subject: str,
    *,
    summary: str,
    due: datetime,
    dry_run: bool = False,
) -> Handoff:
    """The owner who gives offers a snapshot or a release to the owner who takes, by a day."""
    if stage not in HANDOFF_STAGES:
        raise MissingError.named("handoff", stage, HANDOFF_STAGES)
    model = desk.record.get(Model, _model_of(desk.record, stage, subject))
    actor = _owner(desk, model, HANDOFF_STAGES[stage][0], f"offer the {stage} handoff")
    now = desk.now()
    problems = [] if summary.strip() else [Problem("the summary is missing")]
    if due <= now:
        problems.append(
            Problem(
                "the due day is over",
                found=f"{due:%Y-%m-%d}",
                expected=f"a day after {now:%Y-%m-%d}",
            )
        )
    if problems:
        raise InputError(f"The {stage} handoff of {subject} can't be offered.", problems)
    for earlier in desk.record.find(Handoff, stage=stage, subject=subject):
        if earlier.state in {"offered", "accepted"}:
            raise RefusedError(
                f"The {stage} handoff of {subject} was {earlier.state} already, as {earlier.id}."
            )
    offered = Handoff(
        id=desk.new_id(),
        model=model.id,
        stage=stage,
        subject=subject,
        summary=summary.strip(),
        due=due,
        state="offered",
        offered_by=actor.name,
        offered_at=now,
    )
    if not dry_run:
        with desk.change("handoff.offered", subject, model=model.id) as change:
            change.add(offered)
            change.details = {
                "handoff": offered.id,
                "stage": stage,
                "summary": offered.summary,
                "due": utc_text(due),
                "to": model.owners.get(HANDOFF_STAGES[stage][1]),
            }
    return offered


def accept(desk: Desk, id: str, *, dry_run: bool = False) -> Handoff:
    """The owner who takes accepts what was offered."""
    return _answer(desk, id, "accepted", None, dry_run=dry_run)


def send_back(desk: Desk, id: str, reason: str, *, dry_run: bool = False) -> Handoff:
    """The owner who takes returns what was offered, with the reason."""
    if not reason.strip():
        raise InputError("Say why the handoff is returned.", todo='Add --reason "...".')
    return _answer(desk, id, "returned", reason.strip(), dry_run=dry_run)


def handoffs(record: Record, model: str | None = None) -> list[Handoff]:
    """All handoffs, or those of a model, oldest first."""
    return record.find(Handoff, model=model) if model else record.find(Handoff)


def handoff_evidence(desk: Desk, release: Release) -> Evidence:
    """What was handed over on the way of this release, at this moment: evidence HANDOFFS."""
    of_model = handoffs(desk.record, release.model)
    found = {
        stage: _newest(of_model, stage, release.snapshot if stage == "data" else release.id)
        for stage in HANDOFF_STAGES
    }
    return observed(
        HANDOFFS,
        id=desk.new_id(),
        subject=release.id,
        model=release.model,
        examined=len(of_model),
        found=found,
        at=desk.now(),
        by="system",
    )


def _newest(of_model: list[Handoff], stage: str, subject: str) -> dict[str, str | None] | None:
    """How the newest handoff of a subject stands."""
    of_subject = [h for h in of_model if (h.stage, h.subject) == (stage, subject)]
    if not of_subject:
        return None
    newest = max(of_subject, key=lambda h: (h.offered_at, h.id))
    return {
        "state": newest.state,
        "by": newest.answered_by or newest.offered_by,
        "at": utc_text(newest.answered_at or newest.offered_at),
        "reason": newest.reason,
    }


def _answer(desk: Desk, id: str, state: str, reason: str | None, *, dry_run: bool) -> Handoff:
    before = desk.record.get(Handoff, id)
    model = desk.record.get(Model, before.model)
    require_move(f"Handoff {id}", HANDOFF, before.state, state)
    actor = _owner(desk, model, HANDOFF_STAGES[before.stage][1], f"answer handoff {id}")
    if actor.name == before.offered_by:
        raise RefusedError(
            f"{actor.name} offered handoff {id}, and nobody answers an own offer.",
            todo="Name two people for the two owners in taxiway.yaml.",
        )
    after = dataclasses.replace(
        before, state=state, answered_by=actor.name, answered_at=desk.now(), reason=reason
    )
    if not dry_run:
        with desk.change(f"handoff.{state}", before.subject, model=before.model) as change:
            change.replace(before, after)
            change.details = {"handoff": id, "stage": before.stage} | (
                {"reason": reason} if reason else {}
            )
    return after


def _model_of(record: Record, stage: str, subject: str) -> str:
    """The model whose snapshot or release is handed over."""
    if stage == "data":
        return record.get(Snapshot, subject).model
    return record.get(Release, subject).model


def _owner(desk: Desk, model: Model, place: str, to: str) -> Actor:
    """The actor, who has to be the owner that the charter names for a place."""
    actor = desk.acting(to=to)
    require_active(desk, actor)
    owner = model.owners.get(place)
    if actor.name != owner:
        named = f"{owner}, and you act as {actor.name}" if owner else "nobody"
        raise RefusedError(
            f"Only the {place} owner of {model.id} may {to}; the charter names {named}.",
            todo=f"Act with --as {owner}." if owner else "Name one in taxiway.yaml, then plan.",
        )
    return actor
