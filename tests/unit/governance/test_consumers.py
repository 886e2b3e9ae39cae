"""Consumers get keys for permitted uses, and lose them; the key itself is kept nowhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from taxiway.core.digest import digest_bytes
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.facts import Consumer, Model, Release
from taxiway.core.ports import Desk
from taxiway.governance.consumers import (
    access_evidence,
    add_consumer,
    consumers,
    revoke_consumer,
)

DeskOf = Callable[..., Desk]
"""A person's name -> their place."""
PERMITTED = ["planning of gates", "a warning in the app"]


@pytest.fixture
def desk_of(office: Any) -> DeskOf:
    found: DeskOf = office.desk
    return found


@pytest.fixture
def add(desk_of: DeskOf) -> Callable[..., tuple[Consumer, str]]:
    def call(name: str = "gates", by: str = "flights-engineer", **changes: Any) -> Any:
        desk = desk_of(by)
        words: dict[str, Any] = {
            "purpose": PERMITTED[0],
            "permitted": PERMITTED,
            "until": desk.now() + timedelta(days=30),
            "requests_per_minute": 60,
        } | changes
        return add_consumer(desk, desk.record.find(Model)[0], name, **words)

    return call


def test_the_key_is_answered_once_and_only_its_digest_is_kept(
    add: Callable[..., tuple[Consumer, str]], desk_of: DeskOf
) -> None:
    consumer, key = add()
    desk = desk_of("flights-owner")
    assert consumers(desk.record) == [consumer]
    assert consumer.key_digest == digest_bytes(key.encode())
    event = list(desk.record.events())[-1]
    assert event.action == "consumer.added"
    assert key not in str(event)
    assert key not in str(consumer)
    assert add("other")[1] != key


def test_a_dry_run_keeps_nothing(add: Callable[..., tuple[Consumer, str]], desk_of: DeskOf) -> None:
    add(dry_run=True)
    assert consumers(desk_of("flights-owner").record) == []


def test_everything_that_is_wrong_is_said_at_once(
    add: Callable[..., tuple[Consumer, str]], desk_of: DeskOf
) -> None:
    now = desk_of("flights-owner").now()
    with pytest.raises(InputError, match="can't become a consumer") as error:
        add("No Name", purpose="planing of gates", until=now, requests_per_minute=0)
    told = str(error.value)
    for part in ("can't be used", "Did you mean 'planning of gates'", "within reach", "limit"):
        assert part in told
    with pytest.raises(InputError, match="at most 366 days"):
        add(until=now + timedelta(days=400))


def test_a_name_is_never_given_twice(add: Callable[..., tuple[Consumer, str]]) -> None:
    add()
    with pytest.raises(InputError, match="named gates already"):
        add()


def test_only_owners_and_engineers_give_and_take_keys(
    add: Callable[..., tuple[Consumer, str]], desk_of: DeskOf
) -> None:
    with pytest.raises(RefusedError, match="owner or engineer"):
        add(by="flights-developer")
    add()
    with pytest.raises(RefusedError, match="owner or engineer"):
        revoke_consumer(desk_of("flights-validator"), "gates", "leaked")


def test_a_revoked_key_stays_revoked(
    add: Callable[..., tuple[Consumer, str]], desk_of: DeskOf
) -> None:
    add()
    desk = desk_of("flights-owner")
    with pytest.raises(InputError, match="Say why"):
        revoke_consumer(desk, "gates", " ")
    after = revoke_consumer(desk, "gates", "the key leaked")
    assert (after.state, after.revoked_at) == ("revoked", desk.now())
    with pytest.raises(RefusedError, match="settled"):
        revoke_consumer(desk, "gates", "again")
    with pytest.raises(MissingError, match="Did you mean 'gates'"):
        revoke_consumer(desk, "gate", "leaked")


def test_the_evidence_counts_those_who_may_ask_now(
    add: Callable[..., tuple[Consumer, str]], desk_of: DeskOf
) -> None:
    desk = desk_of("flights-owner")
    release = desk.record.find(Release)[0]
    assert access_evidence(desk, release, PERMITTED).examined == 0
    add("gates")
    add("app", purpose=PERMITTED[1])
    add("old")
    revoke_consumer(desk, "old", "left")
    found = access_evidence(desk, release, PERMITTED[:1])
    assert found.examined == 2
    assert {one["name"]: one["permitted"] for one in found.found["consumers"]} == {
        "gates": True,
        "app": False,
    }
    later = dataclasses.replace(desk, now=lambda: desk.now() + timedelta(days=31))
    assert access_evidence(later, release, PERMITTED).examined == 0
