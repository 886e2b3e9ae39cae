"""Deviations: permitted departures from a check, with reason, risk, approver and an end."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from taxiway.core.check import CheckSpec
from taxiway.core.errors import InputError, MissingError, Problem, RefusedError
from taxiway.core.facts import Developed, Release
from taxiway.core.moves import DEVIATION, require_move
from taxiway.core.people import Deviation, Person
from taxiway.core.ports import Desk, Record, Verify
from taxiway.governance.catalogue import find_check
from taxiway.governance.people import require_active

LONGEST_DAYS = 180

GRANTS = {1: "owner", 2: "validator", 3: "auditor"}
"""Line of a check -> the role that may grant a deviation from it; of two lines the higher one."""


def ask(
    desk: Desk,
    spec: CheckSpec,
    release: Release,
    *,
    reason: str,
    risk: str,
    until: datetime,
    dry_run: bool = False,
) -> Deviation:
    """Asks that a release may depart from a check until a day, at most 180 days away."""
    if not spec.can_deviate:
        raise RefusedError(
            f"There is no deviation from {spec.id} ({spec.title}): what everything else rests on"
            " can't be waived.",
            todo=spec.explain,
        )
    actor = desk.acting(to=f"ask for a deviation from {spec.id}")
    require_active(desk, actor)
    now = desk.now()
    problems = [
        Problem(f"{what} is missing", todo=f'Add --{what} "...".')
        for what, text in (("reason", reason), ("risk", risk))
        if not text.strip()
    ]
    days = (until.date() - now.date()).days
    if until <= now or days > LONGEST_DAYS:
        problems.append(
            Problem(
                "the end is not within reach",
                found=f"{until:%Y-%m-%d}",
                expected=f"a day after {now:%Y-%m-%d}, at most {LONGEST_DAYS} days away",
            )
        )
    if problems:
        raise InputError(f"A deviation from {spec.id} can't be asked for.", problems)
    if desk.record.find(Deviation, check=spec.id, release=release.id, state="asked"):
        raise RefusedError(f"A deviation from {spec.id} for {release.id} waits to be decided.")
    asked = Deviation(
        id=desk.new_id(),
        check=spec.id,
        release=release.id,
        model=release.model,
        reason=reason.strip(),
        risk=risk.strip(),
        until=until,
        state="asked",
        asked_by=actor.name,
        asked_at=now,
    )
    if not dry_run:
        with desk.change("deviation.asked", release.id, model=release.model) as change:
            change.add(asked)
            change.details = _told(asked)
    return asked


def grant(desk: Desk, id: str, *, dry_run: bool = False) -> Deviation:
    """Grants a deviation, with the actor's signature."""
    return _decide(desk, id, "granted", "", dry_run=dry_run)


def refuse(desk: Desk, id: str, reason: str, *, dry_run: bool = False) -> Deviation:
    """Refuses a deviation, with the actor's signature and a reason for the ledger."""
    if not reason.strip():
        raise InputError("Say why the deviation is refused.", todo='Add --reason "...".')
    return _decide(desk, id, "refused", reason.strip(), dry_run=dry_run)


def deviations(record: Record, release: str | None = None) -> list[Deviation]:
    """All deviations, or those of a release, oldest first."""
    return record.find(Deviation, release=release) if release else record.find(Deviation)


def valid_deviations(
    record: Record, verify: Verify, release: Release, now: datetime
) -> tuple[Deviation, ...]:
    """Those of a release that are granted, have not expired, and whose signature holds."""
    developers = {fact.person for fact in record.find(Developed, model=release.model)}
    people = {person.id: person for person in record.find(Person)}
    held = []
    for given in record.find(Deviation, release=release.id, state="granted"):
        person = people.get(given.decided_by or "")
        if person is None or person.removed_at is not None or given.until <= now:
            continue
        if not verify(person.public_key, given.payload(), given.signature or ""):
            continue
        try:
            spec = find_check(given.check)
        except MissingError:
            continue
        if spec.can_deviate and not _why_not(given, spec, release, person, developers):
            held.append(given)
    return tuple(held)


def _decide(desk: Desk, id: str, state: str, reason: str, *, dry_run: bool) -> Deviation:
    before = desk.record.get(Deviation, id)
    require_move(f"Deviation {id}", DEVIATION, before.state, state)
    actor = desk.acting(to=f"decide on deviation {id}")
    person = require_active(desk, actor)
    release = desk.record.get(Release, before.release)
    developers = {fact.person for fact in desk.record.find(Developed, model=release.model)}
    why = _why_not(before, find_check(before.check), release, person, developers)
    if why:
        raise RefusedError(f"{person.id} can't decide on a deviation from {before.check}: {why}.")
    now = desk.now()
    if state == "granted" and before.until <= now:
        raise RefusedError(
            f"The deviation was asked for until {before.until:%Y-%m-%d}, which is over.",
            todo="Ask for another one.",
        )
    after = dataclasses.replace(before, state=state, decided_by=person.id, decided_at=now)
    if dry_run:
        return after
    after = dataclasses.replace(after, signature=actor.sign(after.payload()))
    with desk.change(f"deviation.{state}", before.release, model=before.model) as change:
        change.replace(before, after)
        change.details = _told(after) | ({"because": reason} if reason else {})
    return after


def _why_not(
    deviation: Deviation,
    spec: CheckSpec,
    release: Release,
    person: Person,
    developers: set[str],
) -> str | None:
    """Why a person may not decide on a deviation."""
    line = max(spec.lines)
    if GRANTS[line] not in person.roles:
        has = ", ".join(person.roles) or "none"
        return f"it takes the role {GRANTS[line]}, and {person.id} has {has}"
    if person.id == deviation.asked_by:
        return "they asked for it"
    if person.id == release.author:
        return f"they are the author of {release.id}"
    if line >= 2 and person.id in developers:
        return f"they developed {release.model}, and line {line} has to be independent"
    return None


def _told(deviation: Deviation) -> dict[str, str]:
    """What the ledger tells of a deviation."""
    return {
        "deviation": deviation.id,
        "check": deviation.check,
        "reason": deviation.reason,
        "risk": deviation.risk,
        "until": f"{deviation.until:%Y-%m-%d}",
    }
