"""Who has a role is followed; what can't be verified answers nothing."""

from __future__ import annotations

import dataclasses

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError, MissingError, StoreError, TaxiwayError
from taxiway.core.facts import Release
from taxiway.serving.guardrail import Breach
from taxiway.serving.lineup import Lineup, Post

from .conftest import NOW, deciders


def release(number: int) -> Release:
    name = {3: "sha256:three", 4: "sha256:four", 5: "sha256:five"}[number]
    return Release(
        f"loans:{number}", "loans", number, name, "r", "s", "d", "c", "k", "loans-dev", "", NOW
    )


class World:
    """What the record would say, and how often something was loaded."""

    def __init__(self, artefact: Artefact) -> None:
        self.artefact = artefact
        self.now: Release | TaxiwayError = release(3)
        self.others: dict[str, Post] = {}
        self.broken: TaxiwayError | None = None
        self.spared = ""
        self.loaded: list[str] = []

    def find(self) -> dict[str, Post]:
        if isinstance(self.now, TaxiwayError):
            raise self.now
        return {"champion": Post("c", self.now), **self.others}

    def load(self, found: Release) -> Artefact:
        self.loaded.append(found.id)
        if self.broken and found.id != self.spared:
            raise self.broken
        return dataclasses.replace(self.artefact, release=found.id, digest=found.digest)


@pytest.fixture
def world(artefact: Artefact) -> World:
    return World(artefact)


@pytest.fixture
def lineup(world: World, log: MemoryDecisions) -> Lineup:
    return Lineup(world.find, world.load, deciders(log))


def answering(lineup: Lineup) -> str | None:
    return lineup.current.champion.artefact.release if lineup.current else None


def test_nothing_answers_before_it_was_loaded_and_replayed(lineup: Lineup) -> None:
    assert answering(lineup) is None
    assert "being loaded" in lineup.problem
    lineup.refresh()
    assert (answering(lineup), lineup.golden) == ("loans:3", 2)


def test_it_is_loaded_once_and_followed_when_it_changes(lineup: Lineup, world: World) -> None:
    lineup.refresh()
    lineup.refresh()
    world.now = release(4)
    lineup.refresh()
    assert answering(lineup) == "loans:4"
    world.now = release(3)
    lineup.refresh()
    assert answering(lineup) == "loans:3"
    assert world.loaded == ["loans:3", "loans:4", "loans:3"]


def test_a_release_that_can_t_be_verified_answers_nothing_and_is_not_tried_again_and_again(
    lineup: Lineup, world: World
) -> None:
    lineup.refresh()
    world.now, world.broken = release(4), IntegrityError("one bit is wrong")
    lineup.refresh()
    lineup.refresh()
    assert answering(lineup) is None
    assert "one bit is wrong" in lineup.problem
    assert world.loaded == ["loans:3", "loans:4"]


def test_a_release_that_breaks_while_it_is_loaded_answers_nothing_and_says_why(
    lineup: Lineup, world: World
) -> None:
    world.broken = KeyError("input")  # type: ignore[assignment]
    lineup.refresh()
    assert answering(lineup) is None
    assert lineup.problem == "KeyError: 'input'"


def test_other_golden_predictions_answer_nothing(lineup: Lineup, world: World) -> None:
    world.artefact = dataclasses.replace(world.artefact, threshold=0.9)
    lineup.refresh()
    assert answering(lineup) is None
    assert "golden predictions differ" in lineup.problem


def test_no_champion_answers_nothing(lineup: Lineup, world: World) -> None:
    lineup.refresh()
    world.now = MissingError("loans has no champion in prod.")
    lineup.refresh()
    assert answering(lineup) is None
    assert "no champion" in lineup.problem


def test_what_was_verified_goes_on_while_the_record_can_t_be_read(
    lineup: Lineup, world: World
) -> None:
    lineup.refresh()
    world.now = StoreError("The record is away.")
    lineup.refresh()
    assert answering(lineup) == "loans:3"
    assert lineup.note == "the record can't be read, loans:3 goes on: The record is away."
    world.now = release(3)
    lineup.refresh()
    assert lineup.note == ""


@pytest.mark.parametrize("error", [StoreError("away"), MissingError("none")])
def test_refresh_never_raises(
    error: TaxiwayError, world: World, lineup: Lineup, log: MemoryDecisions
) -> None:
    world.now = error
    lineup.refresh()
    assert answering(lineup) is None
    assert error.headline in lineup.problem


# Canary and challenger


BREACH = Breach("d4", "loans:4", "failures", "it failed on 20 of 20 records", {}, {})


@pytest.fixture
def tried(world: World) -> World:
    """With a canary and a challenger beside the champion."""
    world.others = {
        "canary": Post("d4", release(4), 10),
        "challenger": Post("d5", release(5)),
    }
    return world


def roles(lineup: Lineup) -> list[str | None]:
    cast = lineup.answering()
    return [
        one.artefact.release if one else None
        for one in (
            cast.champion,
            cast.canary.decider if cast.canary else None,
            cast.challenger,
        )
    ]


def test_everybody_with_a_role_is_loaded_once_and_follows_the_record(
    lineup: Lineup, tried: World
) -> None:
    lineup.refresh()
    assert roles(lineup) == ["loans:3", "loans:4", "loans:5"]
    cast = lineup.answering()
    assert cast.challenger
    assert [one.environment for one in (cast.champion, cast.challenger)] == ["prod", "shadow"]
    lineup.refresh()
    assert lineup.answering() is cast
    tried.others = {"canary": Post("d4", release(4), 25)}
    lineup.refresh()
    grown = lineup.answering()
    assert roles(lineup) == ["loans:3", "loans:4", None]
    assert grown.canary
    assert cast.canary
    assert grown.canary.share == 25
    assert grown.canary.guardrail is cast.canary.guardrail
    # It becomes the champion: it is there already.
    tried.now, tried.others = release(4), {}
    lineup.refresh()
    assert roles(lineup) == ["loans:4", None, None]
    assert tried.loaded == ["loans:3", "loans:4", "loans:5"]


def test_one_that_can_t_be_verified_is_left_out_and_the_champion_goes_on(
    lineup: Lineup, tried: World
) -> None:
    tried.broken, tried.spared = IntegrityError("one bit is wrong"), "loans:3"
    lineup.refresh()
    lineup.refresh()
    assert roles(lineup) == ["loans:3", None, None]
    assert lineup.note == (
        "the canary loans:4 is left out: one bit is wrong;"
        " the challenger loans:5 is left out: one bit is wrong"
    )
    assert tried.loaded == ["loans:3", "loans:4", "loans:5"]


def test_a_canary_that_broke_its_guardrail_is_off_at_once_and_the_record_hears_of_it_later(
    lineup: Lineup, tried: World
) -> None:
    told: list[Breach] = []
    away: list[TaxiwayError] = [StoreError("The disk is full.")]

    def withdraw(breach: Breach) -> None:
        if away:
            raise away[0]
        told.append(breach)

    lineup.withdraw = withdraw
    lineup.refresh()
    lineup.take_off(BREACH)
    lineup.take_off(BREACH)
    assert roles(lineup) == ["loans:3", None, "loans:5"]
    lineup.refresh()
    # The record still has it, and can't be told.
    assert roles(lineup) == ["loans:3", None, "loans:5"]
    assert lineup.note == (
        "the canary loans:4 was taken off: it failed on 20 of 20 records;"
        " the record does not know it yet: The disk is full."
    )
    away.clear()
    lineup.refresh()
    assert told == [BREACH]
    del tried.others["canary"]
    lineup.refresh()
    assert (told, lineup.note) == ([BREACH], "")
    # Another deployment of the same release is another try.
    tried.others["canary"] = Post("d6", release(4), 10)
    lineup.refresh()
    assert roles(lineup) == ["loans:3", "loans:4", "loans:5"]


def test_another_champion_is_another_trial(lineup: Lineup, tried: World) -> None:
    lineup.refresh()
    before = lineup.answering().canary
    tried.now, tried.others = release(5), {"canary": Post("d4", release(4), 10)}
    lineup.refresh()
    after = lineup.answering().canary
    assert before
    assert after
    assert after.guardrail is not before.guardrail
    assert after.decider is before.decider
