"""Who has a role is followed; what can't be verified answers nothing."""

from __future__ import annotations

import dataclasses

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError, MissingError, StoreError, TaxiwayError
from taxiway.core.facts import Release
from taxiway.serving.lineup import Lineup, Post

from .conftest import NOW, deciders


def release(number: int) -> Release:
    name = {3: "sha256:three", 4: "sha256:four"}[number]
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
        self.loaded: list[str] = []

    def find(self) -> dict[str, Post]:
        if isinstance(self.now, TaxiwayError):
            raise self.now
        return {"champion": Post("c", self.now), **self.others}

    def load(self, found: Release) -> Artefact:
        self.loaded.append(found.id)
        if self.broken:
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
