"""The lineup: who has which role for a model, verified, replayed, and followed when it changes."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError, StoreError, TaxiwayError
from taxiway.core.facts import Release
from taxiway.core.moves import CANARY, CHALLENGER, CHAMPION
from taxiway.serving.cast import Canary, Cast
from taxiway.serving.deciding import Decider
from taxiway.serving.guardrail import Breach, Guardrail, Limits
from taxiway.serving.path import require_golden


class Answering(Protocol):
    """Who answers for a model now, as the shells ask for it."""

    @property
    def current(self) -> Cast | None:
        """Who answers, if anybody does."""

    @property
    def problem(self) -> str:
        """Why nobody answers."""

    @property
    def note(self) -> str:
        """What is wrong though answers go on."""

    @property
    def golden(self) -> int:
        """How many golden predictions of the champion came out the same."""

    def answering(self) -> Cast:
        """Who answers. Raises `IntegrityError` that says why nobody does."""

    def take_off(self, breach: Breach) -> None:
        """Takes a canary off that broke its guardrail."""

    def refresh(self) -> None:
        """Looks again. Never raises."""


@dataclass(frozen=True, slots=True)
class Post:
    """A release in a role, as the record has it."""

    deployment: str
    release: Release
    share: int | None = None
    """Percent of a canary."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A release that was verified, and whose golden predictions came out the same."""

    artefact: Artefact
    golden: int


@dataclass(slots=True)
class Lineup:
    """Who answers for a model now, or why nobody does.

    `find` says who has which role, `load` verifies and loads a release, `decider` gives it the log
    of its role. `refresh` is called again and again, so that a promotion, a withdrawal and a
    rollback reach a server that is running. A champion that can't be verified, or whose golden
    predictions come out differently, answers nothing; such a canary or challenger is left out, with
    a note. While the record can't be read, what was verified before goes on.

    A canary that breaks its guardrail is off at once; `withdraw` tells the record as soon as it can
    be written.
    """

    find: Callable[[], Mapping[str, Post]]
    """Role -> post. Raises `MissingError` if there is no champion."""
    load: Callable[[Release], Artefact]
    decider: Callable[[Artefact, str], Decider]
    """(artefact, role) -> its decider."""
    limits: Callable[[], Limits] = Limits
    """The guardrail of a canary."""
    withdraw: Callable[[Breach], None] = lambda _: None
    """Writes down why a canary was taken off."""
    current: Cast | None = None
    problem: str = "the release is being loaded"
    """Why nobody answers."""
    note: str = ""
    """What is wrong though answers go on."""
    golden: int = 0
    _loaded: dict[str, _Loaded] = field(default_factory=dict, repr=False)
    """Digest -> release, of those that have a role."""
    _refused: dict[str, str] = field(default_factory=dict, repr=False)
    """Digest -> why it was refused: it is not tried again every second."""
    _posts: Mapping[str, Post] = field(default_factory=dict, repr=False)
    """What the current cast was made of."""
    _off: dict[str, Breach] = field(default_factory=dict, repr=False)
    """Deployment -> breach, of canaries that were taken off."""
    _untold: list[Breach] = field(default_factory=list, repr=False)
    """Breaches that the record does not know yet."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Held while the cast is changed, so that a canary that is off is not put back."""

    def refresh(self) -> None:
        """Looks who has which role, and takes on whoever is new. Never raises."""
        try:
            posts = self.find()
        except StoreError as error:
            self.note = f"the record can't be read, {self._standing()} goes on: {error.headline}"
            if self.current is None:
                self.problem = str(error)
            return
        except TaxiwayError as error:
            self.current, self.problem, self.note = None, str(error), ""
            return
        self._take_on(posts)
        self._tell()

    def answering(self) -> Cast:
        """Who answers now. Raises `IntegrityError` that says why nobody does."""
        if self.current is None:
            raise IntegrityError(f"Nothing answers: {self.problem}")
        return self.current

    def take_off(self, breach: Breach) -> None:
        """Takes a canary off in this process, from the next group on."""
        with self._lock:
            if breach.deployment in self._off:
                return
            self._off[breach.deployment] = breach
            self._untold.append(breach)
            if self.current and self.current.canary:
                self.current = dataclasses.replace(self.current, canary=None)
            self.note = _off(breach)

    def _tell(self) -> None:
        """Writes down what was taken off; what can't be written is tried again."""
        try:
            while self._untold:
                self.withdraw(self._untold[0])
                del self._untold[0]
        except TaxiwayError as error:
            self.note = f"{self.note}; the record does not know it yet: {error.headline}"

    def _take_on(self, posts: Mapping[str, Post]) -> None:
        standing = {post.release.digest for post in posts.values()}
        for digest in [one for one in (*self._loaded, *self._refused) if one not in standing]:
            self._loaded.pop(digest, None)
            self._refused.pop(digest, None)
        notes: list[str] = []
        for role, post in posts.items():
            why = self._verify(post.release)
            if why and role == CHAMPION:
                self.current, self.problem, self.note = None, why, ""
                return
            if why:
                notes.append(f"the {role} {post.release.id} is left out: {why}")
        with self._lock:
            taken = {
                role: post
                for role, post in posts.items()
                if post.release.digest in self._loaded and post.deployment not in self._off
            }
            if self.current is None or taken != self._posts:
                self.current, self._posts = self._cast(taken), taken
                self.golden = self._loaded[taken[CHAMPION].release.digest].golden
        off = [self._off[one.deployment] for one in posts.values() if one.deployment in self._off]
        notes += [_off(one) for one in off]
        self.problem, self.note = "", "; ".join(notes)

    def _verify(self, release: Release) -> str:
        """Loads a release and replays its golden predictions, once; says what is wrong with it."""
        digest = release.digest
        if digest in self._loaded or digest in self._refused:
            return self._refused.get(digest, "")
        try:
            artefact = self.load(release)
            self._loaded[digest] = _Loaded(artefact, require_golden(artefact))
        except Exception as error:  # noqa: BLE001 - whatever the release does: it does not answer
            known = isinstance(error, TaxiwayError)
            self._refused[digest] = str(error) if known else f"{type(error).__name__}: {error}"
        return self._refused.get(digest, "")

    def _cast(self, posts: Mapping[str, Post]) -> Cast:
        """The cast of some posts; whoever stays in his keeps his decider and his guardrail."""
        before = self.current

        def decider(role: str, kept: Decider | None) -> Decider:
            artefact = self._loaded[posts[role].release.digest].artefact
            if kept is not None and kept.artefact.digest == artefact.digest:
                return kept
            return self.decider(artefact, role)

        champion = decider(CHAMPION, before.champion if before else None)
        canary = challenger = None
        if CANARY in posts:
            kept = before.canary if before else None
            post, own = posts[CANARY], decider(CANARY, kept.decider if kept else None)
            same = kept and before and kept.deployment == post.deployment
            if kept and same and before and before.champion is champion:
                guardrail = kept.guardrail
            else:
                guardrail = Guardrail(self.limits(), post.deployment, post.release.id)
            canary = Canary(own, post.deployment, post.share or 0, guardrail)
        if CHALLENGER in posts:
            challenger = decider(CHALLENGER, before.challenger if before else None)
        return Cast(champion, canary, challenger)

    def _standing(self) -> str:
        return self.current.champion.artefact.release if self.current else "nothing"


def _off(breach: Breach) -> str:
    return f"the canary {breach.release} was taken off: {breach.what}"
