"""The champion is followed; what can't be verified answers nothing."""

from __future__ import annotations

import dataclasses

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError, MissingError, StoreError, TaxiwayError
from taxiway.core.facts import Release
from taxiway.serving.champion import Champion

from .conftest import NOW, make_decider


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
        self.broken: TaxiwayError | None = None
        self.loaded: list[str] = []

    def find(self) -> Release:
        if isinstance(self.now, TaxiwayError):
            raise self.now
        return self.now

    def load(self, found: Release) -> Artefact:
        self.loaded.append(found.id)
        if self.broken:
            raise self.broken
        return dataclasses.replace(self.artefact, release=found.id, digest=found.digest)


@pytest.fixture
def world(artefact: Artefact) -> World:
    return World(artefact)


@pytest.fixture
def champion(world: World, log: MemoryDecisions) -> Champion:
    return Champion(world.find, world.load, make_decider(log))


def answering(champion: Champion) -> str | None:
    return champion.current.artefact.release if champion.current else None


def test_nothing_answers_before_it_was_loaded_and_replayed(champion: Champion) -> None:
    assert answering(champion) is None
    assert "being loaded" in champion.problem
    champion.refresh()
    assert (answering(champion), champion.golden) == ("loans:3", 2)


def test_it_is_loaded_once_and_followed_when_it_changes(champion: Champion, world: World) -> None:
    champion.refresh()
    champion.refresh()
    world.now = release(4)
    champion.refresh()
    assert answering(champion) == "loans:4"
    world.now = release(3)
    champion.refresh()
    assert answering(champion) == "loans:3"
    assert world.loaded == ["loans:3", "loans:4", "loans:3"]


def test_a_release_that_can_t_be_verified_answers_nothing_and_is_not_tried_again_and_again(
    champion: Champion, world: World
) -> None:
    champion.refresh()
    world.now, world.broken = release(4), IntegrityError("one bit is wrong")
    champion.refresh()
    champion.refresh()
    assert answering(champion) is None
    assert "one bit is wrong" in champion.problem
    assert world.loaded == ["loans:3", "loans:4"]


def test_a_release_that_breaks_while_it_is_loaded_answers_nothing_and_says_why(
    champion: Champion, world: World
) -> None:
    world.broken = KeyError("input")  # type: ignore[assignment]
    champion.refresh()
    assert answering(champion) is None
    assert champion.problem == "KeyError: 'input'"


def test_other_golden_predictions_answer_nothing(champion: Champion, world: World) -> None:
    world.artefact = dataclasses.replace(world.artefact, threshold=0.9)
    champion.refresh()
    assert answering(champion) is None
    assert "golden predictions differ" in champion.problem


def test_no_champion_answers_nothing(champion: Champion, world: World) -> None:
    champion.refresh()
    world.now = MissingError("loans has no champion in prod.")
    champion.refresh()
    assert answering(champion) is None
    assert "no champion" in champion.problem


def test_what_was_verified_goes_on_while_the_record_can_t_be_read(
    champion: Champion, world: World
) -> None:
    champion.refresh()
    world.now = StoreError("The record is away.")
    champion.refresh()
    assert answering(champion) == "loans:3"
    assert champion.note == "the record can't be read, loans:3 goes on: The record is away."
    world.now = release(3)
    champion.refresh()
    assert champion.note == ""


@pytest.mark.parametrize("error", [StoreError("away"), MissingError("none")])
def test_refresh_never_raises(
    error: TaxiwayError, world: World, champion: Champion, log: MemoryDecisions
) -> None:
    world.now = error
    champion.refresh()
    assert answering(champion) is None
    assert error.headline in champion.problem
