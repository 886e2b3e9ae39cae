"""What leaves the log: told to the ledger first, by whom it may be done, and nothing else goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.decision import Decision, Outcome
from taxiway.core.digest import digest_of
from taxiway.core.errors import InputError, RefusedError, StoreError
from taxiway.core.ledger import Event
from taxiway.core.ports import Actor, Desk
from taxiway.serving.retention import erase, expire

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def made(id_: str, days: float, customer: int, model: str = "loans") -> Decision:
    """A decision that was made some days ago; what it was about happened long before."""
    key = f'{{"customer":{customer},"month":"{id_}"}}'
    at = NOW - timedelta(days=days)
    before = NOW - timedelta(days=999)
    return Decision(id_, model, f"{model}:1", "", "prod", "http", key, before, at, {}, {}, 1)


LOG = [made("a", 30.1, 7), made("b", 30, 7), made("c", 40, 77), made("d", 31, 8)]


@pytest.fixture
def log() -> MemoryDecisions:
    decisions = MemoryDecisions()
    # In the order of their answers: what follows a newer one was made when a clock was wrong.
    decisions.append(sorted([*LOG, made("z", 99, 7, "churn")], key=lambda d: d.at))
    decisions.add_outcomes(Outcome("loans", d.key, True, NOW) for d in LOG)
    return decisions


def desk_of(log: MemoryDecisions, *roles: str) -> Desk:
    return Desk(
        record=MemoryRecord(),
        objects=MemoryObjects(),
        decisions=log,
        verify=lambda *_: True,
        now=lambda: NOW,
        new_id=lambda: "id",
        actor=Actor("somebody", roles, lambda _: "signed") if roles else None,
    )


def events(desk: Desk) -> list[Event]:
    return list(desk.record.events())


def left(log: MemoryDecisions) -> set[str]:
    return {d.id for d in log.scan("loans")}


@pytest.mark.parametrize("role", ["owner", "engineer"])
def test_what_is_too_old_expires_and_the_ledger_tells(log: MemoryDecisions, role: str) -> None:
    desk = desk_of(log, role)
    done = expire(desk, "loans", retention_days=30, dry_run=False)
    assert left(log) == {"b"}  # exactly 30 days old is not older
    assert (done.decisions, done.outcomes, done.done) == (3, 3, True)
    assert set(log.outcomes("loans")) == {LOG[1].key}
    assert log.get("z").model == "churn"
    (event,) = events(desk)
    assert (event.action, event.subject, event.model) == ("decisions.expired", "loans", "loans")
    assert event.digest == digest_of(("a", "c", "d"))
    assert event.signature == "signed"
    assert event.details["decisions"] == 3
    assert event.details["days"] == {"2026-10-14": 1, "2026-10-23": 1, "2026-10-24": 1}
    assert event.details["retention_days"] == 30
    again = expire(desk, "loans", retention_days=30, dry_run=False)
    assert (again.decisions, again.done, len(events(desk))) == (0, False, 1)


def test_a_clock_far_ahead_of_the_ledger_takes_nothing_with_it(log: MemoryDecisions) -> None:
    desk = desk_of(log, "owner")
    expire(desk, "loans", retention_days=35, dry_run=False)
    kept = left(log)
    ahead = dataclasses.replace(desk, now=lambda: NOW + timedelta(days=36))
    with pytest.raises(RefusedError, match="The clock says 2026-12-29, and the newest event"):
        expire(ahead, "loans", retention_days=35, dry_run=False)
    assert left(log) == kept
    later = dataclasses.replace(desk, now=lambda: NOW + timedelta(days=34))
    assert expire(later, "loans", retention_days=35, dry_run=False).done


def test_a_dry_run_changes_nothing(log: MemoryDecisions) -> None:
    desk = desk_of(log, "owner")
    assert expire(desk, "loans", retention_days=30, dry_run=True).ids == ("a", "c", "d")
    tried = erase(desk, "loans", {"customer": 7}, reason="asked", dry_run=True)
    assert (tried.ids, tried.outcomes, tried.done) == (("a", "b"), 2, False)
    assert left(log) == {"a", "b", "c", "d"}
    assert len(log.outcomes("loans")) == 4
    assert events(desk) == []


def test_a_person_is_erased_and_the_ledger_does_not_name_them(log: MemoryDecisions) -> None:
    desk = desk_of(log, "owner")
    key = {"customer": 77}
    done = erase(desk, "loans", key, reason="request 12", dry_run=False)
    assert (done.decisions, done.outcomes, done.done) == (1, 1, True)
    assert left(log) == {"a", "b", "d"}
    (event,) = events(desk)
    assert event.action == "decisions.erased"
    assert event.details["key"] == digest_of(key)
    assert event.details["columns"] == ["customer"]
    assert event.details["reason"] == "request 12"
    assert "77" not in str({**event.details, "key": "", "days": ""})
    again = erase(desk, "loans", key, reason="request 12", dry_run=False)
    assert (again.decisions, again.outcomes, len(events(desk))) == (0, 0, 1)


def test_an_outcome_without_a_decision_is_erased_too(log: MemoryDecisions) -> None:
    log.add_outcomes([Outcome("loans", '{"customer":9,"month":"x"}', True, NOW)])
    desk = desk_of(log, "owner")
    done = erase(desk, "loans", {"customer": 9}, reason="request", dry_run=False)
    assert (done.decisions, done.outcomes) == (0, 1)
    assert len(events(desk)) == 1


@pytest.mark.parametrize("roles", [(), ("validator", "auditor", "developer")])
def test_who_may_not_expire(log: MemoryDecisions, roles: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match="expire decisions of loans"):
        expire(desk_of(log, *roles), "loans", retention_days=1, dry_run=True)


@pytest.mark.parametrize("roles", [(), ("engineer", "validator", "auditor", "developer")])
def test_who_may_not_erase(log: MemoryDecisions, roles: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match="erase decisions of loans"):
        erase(desk_of(log, *roles), "loans", {"customer": 7}, reason="r", dry_run=True)


def test_a_reason_that_says_whose(log: MemoryDecisions) -> None:
    key = {"customer": 7, "month": "2027-03"}
    with pytest.raises(InputError, match="The reason holds the value of month"):
        erase(desk_of(log, "owner"), "loans", key, reason="of 2027-03", dry_run=False)
    with pytest.raises(InputError, match="The key is empty"):
        erase(desk_of(log, "owner"), "loans", {}, reason="all", dry_run=False)
    assert len(left(log)) == 4


def test_without_the_event_nothing_goes_and_what_was_cut_off_is_finished(
    log: MemoryDecisions,
) -> None:
    class Away(MemoryDecisions):
        def remove(
            self, model: str, ids: Iterable[str], *, key: Mapping[str, Any] | None = None
        ) -> tuple[int, int]:
            raise StoreError("The disk is away.")

    def refuse(_: bytes) -> str:
        raise RefusedError("No key.")

    desk = desk_of(log, "owner")
    mute = dataclasses.replace(desk, actor=Actor("somebody", ("owner",), refuse))
    with pytest.raises(RefusedError, match="No key"):
        expire(mute, "loans", retention_days=30, dry_run=False)
    assert len(left(log)) == 4
    away = Away()
    away.append(sorted(LOG, key=lambda d: d.at))
    with pytest.raises(StoreError, match="disk is away"):
        expire(dataclasses.replace(desk, decisions=away), "loans", retention_days=30, dry_run=False)
    done = expire(desk, "loans", retention_days=30, dry_run=False)
    first, second = events(desk)
    assert first.digest == second.digest == done.digest
    assert left(log) == {"b"}
