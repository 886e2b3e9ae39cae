"""The gate: who may ask, for what, until when and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta

import pytest

from taxiway.core.digest import digest_bytes
from taxiway.core.errors import StoreError
from taxiway.core.facts import Consumer
from taxiway.serving.access import Gate, Refusal

from .conftest import NOW

KEY = "taxiway-key-of-the-test"
CONSUMER = Consumer(
    id="gates",
    model="loans",
    purpose="planning",
    key_digest=digest_bytes(KEY.encode()),
    requests_per_minute=60,
    expires_at=NOW + timedelta(days=1),
    state="active",
    added_at=NOW,
    by="loans-owner",
)


class World:
    """The record, and time."""

    def __init__(self) -> None:
        self.consumers: list[Consumer] = [CONSUMER]
        self.permitted: Sequence[str] = ["planning"]
        self.now, self.seconds = NOW, 0.0
        self.told: list[tuple[str, str, str]] = []
        self.gate = Gate(
            lambda: (self.consumers, self.permitted),
            lambda: self.now,
            lambda: self.seconds,
            model="loans",
            tell=lambda one: self.told.append((one.consumer.id, one.why, f"{one.day:%d}")),
        )
        self.gate.refresh()

    def ask(self, key: str | None = KEY) -> Refusal | None:
        return self.gate.admit(None if key is None else f"Bearer {key}")

    def change(self, **fields: object) -> None:
        self.consumers = [dataclasses.replace(CONSUMER, **fields)]  # type: ignore[arg-type]
        self.gate.refresh()


@pytest.fixture
def world() -> World:
    return World()


def test_the_right_key_is_let_in_and_every_other_is_not(world: World) -> None:
    assert world.ask() is None
    for key in ("", "wrong", KEY + "x", KEY.upper()):
        refused = world.ask(key)
        assert refused
        assert refused.status == 401
    nothing = world.ask(None)
    assert nothing
    assert "authorization: Bearer KEY" in nothing.text
    basic = world.gate.admit(f"Basic {KEY}")
    assert basic
    assert basic.status == 401


def test_without_consumers_nobody_needs_a_key_and_with_the_first_everybody_does(
    world: World,
) -> None:
    world.consumers = []
    world.gate.refresh()
    assert world.gate.open
    assert world.ask(None) is None
    world.consumers = [CONSUMER]
    world.gate.refresh()
    assert world.ask(None) is not None


def test_the_one_key_of_the_server_is_let_in_beside_those_of_consumers(world: World) -> None:
    world.gate.key = "secret"
    assert world.ask("secret") is None
    assert world.ask() is None
    assert world.ask("wrong") is not None
    world.consumers = []
    world.gate.refresh()
    assert not world.gate.open
    assert world.ask("secret") is None
    assert world.ask(None) is not None


def test_a_key_that_ended_or_was_revoked_is_refused_without_a_restart(world: World) -> None:
    world.change(state="revoked")
    revoked = world.ask()
    assert revoked
    assert (revoked.status, revoked.text) == (401, "The key of gates was revoked.")
    world.change()
    world.now = CONSUMER.expires_at
    ended = world.ask()
    assert ended
    assert "ended on 2026-11-24" in ended.text


def test_the_last_revoked_consumer_does_not_open_the_gate(world: World) -> None:
    world.change(state="revoked")
    assert not world.gate.open
    assert world.ask(None) is not None


def test_a_purpose_that_is_no_permitted_use_any_more_is_403(world: World) -> None:
    world.permitted = ["something else"]
    world.gate.refresh()
    refused = world.ask()
    assert refused
    assert refused.status == 403
    assert "'planning'" in refused.text


def test_what_goes_beyond_the_limit_waits_and_time_fills_it_up_again(world: World) -> None:
    assert all(world.ask() is None for _ in range(60))
    refused = world.ask()
    assert refused
    assert (refused.status, refused.retry_after) == (429, 1)
    assert "60 times a minute" in refused.text
    world.seconds = 1.0
    assert world.ask() is None
    assert world.ask() is not None
    world.seconds = 3600.0
    assert all(world.ask() is None for _ in range(60))
    assert world.ask() is not None


def test_nobody_is_let_in_before_it_is_known_who_may_ask() -> None:
    gate = Gate(lambda: ([], []), lambda: NOW, lambda: 0.0)
    refused = gate.admit(None)
    assert refused
    assert refused.status == 503


def test_what_was_known_stays_while_the_record_can_t_be_read(world: World) -> None:
    def away() -> tuple[list[Consumer], Sequence[str]]:
        raise StoreError("The record is away.")

    world.gate.read = away
    world.gate.refresh()
    assert world.ask() is None
    assert world.ask("wrong") is not None


def test_reading_again_does_not_fill_up_the_limit(world: World) -> None:
    for _ in range(60):
        world.ask()
    world.gate.refresh()
    assert world.ask() is not None


def test_a_key_for_another_model_is_403_where_keys_are_asked_for(world: World) -> None:
    other = dataclasses.replace(CONSUMER, id="app", model="cards", key_digest=digest_bytes(b"app"))
    world.consumers = [other]
    world.gate.refresh()
    assert world.gate.open
    assert world.ask("app") is None
    world.consumers = [CONSUMER, other]
    world.gate.refresh()
    refused = world.ask("app")
    assert refused
    assert (refused.status, refused.text) == (
        403,
        "The key of app is for cards, and not for loans.",
    )


def test_who_is_turned_away_is_told_once_a_day_and_not_while_somebody_waits(world: World) -> None:
    world.permitted = []
    world.gate.refresh()
    for _ in range(3):
        world.ask()
    world.ask("nobody's")
    assert world.told == []
    world.gate.refresh()
    world.ask()
    world.gate.refresh()
    assert world.told == [("gates", "purpose", "23")]
    world.change(state="revoked")
    world.ask()
    world.now = NOW + timedelta(hours=12)
    world.ask()
    world.change()
    world.now = CONSUMER.expires_at
    world.ask()
    world.gate.refresh()
    assert world.told[1:] == [
        ("gates", "revoked", "23"),
        ("gates", "revoked", "24"),
        ("gates", "ended", "24"),
    ]


def test_what_could_not_be_told_is_told_later(world: World) -> None:
    told = world.gate.tell
    world.change(state="revoked")
    world.ask()

    def away(_: object) -> None:
        raise StoreError("The record is away.")

    world.gate.tell = away
    world.gate.refresh()
    world.gate.tell = told
    world.gate.refresh()
    world.gate.refresh()
    assert world.told == [("gates", "revoked", "23")]


def test_whoever_was_admitted_is_asked_again_without_a_new_count(world: World) -> None:
    for _ in range(60):
        assert world.ask() is None
    assert world.gate.admit(f"Bearer {KEY}", again=True) is None
    world.change(state="revoked")
    assert world.gate.admit(f"Bearer {KEY}", again=True) is not None
