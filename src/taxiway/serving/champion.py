"""The champion of an environment: verified, replayed, and followed when it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError, StoreError, TaxiwayError
from taxiway.core.facts import Release
from taxiway.serving.deciding import Decider
from taxiway.serving.path import require_golden


class Answering(Protocol):
    """Who answers now, as the shells ask for it."""

    @property
    def current(self) -> Decider | None:
        """What answers, if anything does."""

    @property
    def problem(self) -> str:
        """Why nothing answers."""

    @property
    def note(self) -> str:
        """What is wrong though answers go on."""

    @property
    def golden(self) -> int:
        """How many golden predictions came out the same."""

    def answering(self) -> Decider:
        """What answers. Raises `IntegrityError` that says why nothing does."""

    def refresh(self) -> None:
        """Looks again. Never raises."""


@dataclass(slots=True)
class Champion:
    """What answers now, or why nothing does.

    `find` names the release that should answer, `load` verifies and loads it, `decider` gives it
    its log. `refresh` is called again and again, so that a promotion and a rollback reach a server
    that is running. A release that can't be verified, or whose golden predictions come out
    differently, answers nothing; while the record can't be read, what was verified before goes on.
    """

    find: Callable[[], Release]
    load: Callable[[Release], Artefact]
    decider: Callable[[Artefact], Decider]
    current: Decider | None = None
    problem: str = "the release is being loaded"
    """Why nothing answers."""
    note: str = ""
    """What is wrong though answers go on."""
    golden: int = 0
    _refused: str = field(default="", repr=False)
    """Digest of a release that was refused: it is not tried again every second."""

    def refresh(self) -> None:
        """Looks who the champion is, and takes it on if it is another one. Never raises."""
        try:
            release = self.find()
        except StoreError as error:
            self.note = f"the record can't be read, {self._standing()} goes on: {error.headline}"
            if self.current is None:
                self.problem = str(error)
            return
        except TaxiwayError as error:
            self.current, self.problem, self.note = None, str(error), ""
            return
        self.note = ""
        if self.current is not None and self.current.artefact.digest == release.digest:
            return
        if release.digest == self._refused:
            return
        try:
            artefact = self.load(release)
            self.golden = require_golden(artefact)
        except Exception as error:  # noqa: BLE001 - whatever the release does: it does not answer
            known = isinstance(error, TaxiwayError)
            problem = str(error) if known else f"{type(error).__name__}: {error}"
            self.current, self.problem, self._refused = None, problem, release.digest
            return
        self.current, self.problem, self._refused = self.decider(artefact), "", ""

    def answering(self) -> Decider:
        """What answers now. Raises `IntegrityError` that says why nothing does."""
        if self.current is None:
            raise IntegrityError(f"Nothing answers: {self.problem}")
        return self.current

    def _standing(self) -> str:
        return self.current.artefact.release if self.current else "nothing"
