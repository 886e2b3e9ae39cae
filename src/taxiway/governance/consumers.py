"""Consumers: who may ask an endpoint, for which of the permitted uses, and until when."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from datetime import datetime

from taxiway.core.digest import digest_bytes, utc_text
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.core.evidence import ACCESS, Evidence, observed
from taxiway.core.facts import Consumer, Model, Release
from taxiway.core.moves import CONSUMER, require_move
from taxiway.core.ports import Desk, Record
from taxiway.governance.people import NAME, NAME_FORM, require_active

KEY_BYTES = 32
"""Random bytes of a key: nobody can guess it, so that its plain digest can be kept."""
LONGEST_DAYS = 366
MOST_PER_MINUTE = 10_000_000


def add_consumer(
    desk: Desk,
    model: Model,
    name: str,
    *,
    purpose: str,
    permitted: Sequence[str],
    until: datetime,
    requests_per_minute: int,
    dry_run: bool = False,
) -> tuple[Consumer, str]:
    """A consumer with a new key, which is answered beside it and kept nowhere.

    `purpose` is one of the charter's permitted uses. Raises `InputError` with all that is wrong,
    and `RefusedError` unless an owner or an engineer acts.
    """
    actor = desk.acting("owner", "engineer", to=f"let {name} use {model.id}")
    require_active(desk, actor)
    now = desk.now()
    problems = _problems(desk.record, name, purpose, permitted)
    days = (until - now).total_seconds() / 86_400
    if not 0 < days <= LONGEST_DAYS:
        problems.append(
            Problem(
                "the end is not within reach",
                found=f"{until:%Y-%m-%d}",
                expected=f"a day after {now:%Y-%m-%d}, at most {LONGEST_DAYS} days away",
            )
        )
    if not 0 < requests_per_minute <= MOST_PER_MINUTE:
        problems.append(
            Problem(
                "the limit can't be kept",
                found=str(requests_per_minute),
                expected=f"1 to {MOST_PER_MINUTE:,} requests a minute",
            )
        )
    if problems:
        raise InputError(f"{shortened(name, 60)} can't become a consumer.", problems)
    key = f"taxiway-{secrets.token_urlsafe(KEY_BYTES)}"
    consumer = Consumer(
        id=name,
        model=model.id,
        purpose=purpose,
        key_digest=digest_bytes(key.encode()),
        requests_per_minute=requests_per_minute,
        expires_at=until,
        state="active",
        added_at=now,
        by=actor.name,
    )
    if not dry_run:
        with desk.change("consumer.added", name, model=model.id) as change:
            change.add(consumer)
            change.details = {"purpose": purpose, "until": utc_text(until)}
    return consumer, key


def revoke_consumer(desk: Desk, name: str, reason: str, *, dry_run: bool = False) -> Consumer:
    """Takes a consumer's key away; servers that run notice it within seconds."""
    require_active(desk, desk.acting("owner", "engineer", to=f"revoke the key of {name}"))
    if not reason.strip():
        raise InputError(f"Say why the key of {name} is revoked.", todo='Add --reason "...".')
    before = desk.record.get(Consumer, name)
    require_move(f"Consumer {name}", CONSUMER, before.state, "revoked")
    after = dataclasses.replace(before, state="revoked", revoked_at=desk.now())
    if not dry_run:
        with desk.change("consumer.revoked", name, model=before.model) as change:
            change.replace(before, after)
            change.details = {"reason": reason.strip()}
    return after


def note_refusal(desk: Desk, consumer: Consumer, *, asked: str, why: str) -> None:
    """Tells the ledger that an endpoint turned a consumer away, on nobody's behalf."""
    alone = dataclasses.replace(desk, actor=None)
    with alone.change("consumer.refused", consumer.id, model=asked) as change:
        change.digest = consumer.key_digest
        change.details = {"why": why, "purpose": consumer.purpose, "key_of": consumer.model}


def consumers(record: Record, model: str | None = None) -> list[Consumer]:
    """All consumers, or those of a model, those that were revoked too."""
    return record.find(Consumer, model=model) if model else record.find(Consumer)


def access_evidence(desk: Desk, release: Release, permitted: Sequence[str]) -> Evidence:
    """Evidence ACCESS, at this moment: who may ask, and whether for a permitted use."""
    now = desk.now()
    active = [
        one
        for one in consumers(desk.record, release.model)
        if one.state == "active" and one.expires_at > now
    ]
    return observed(
        ACCESS,
        id=desk.new_id(),
        subject=release.id,
        model=release.model,
        examined=len(active),
        found={
            "consumers": [
                {
                    "name": one.id,
                    "purpose": one.purpose,
                    "permitted": one.purpose in permitted,
                    "until": utc_text(one.expires_at),
                }
                for one in active
            ]
        },
        at=now,
        by="system",
    )


def _problems(record: Record, name: str, purpose: str, permitted: Sequence[str]) -> list[Problem]:
    problems = []
    if not NAME.fullmatch(name):
        problems.append(Problem("the name can't be used", found=name, expected=NAME_FORM))
    elif record.find(Consumer, id=name):
        problems.append(Problem(f"there is a consumer named {name} already, or was one"))
    if purpose not in permitted:
        match = close_match(purpose, permitted)
        listed = "; ".join(permitted)
        problems.append(
            Problem(
                "the purpose is no permitted use of the charter",
                found=purpose,
                expected=shortened(listed, 400),
                todo=f"Did you mean {match!r}?" if match else "Permit it in the charter first.",
            )
        )
    return problems
