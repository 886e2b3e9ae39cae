"""The cast of a model: which of its releases answer now, and which of them a record goes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from taxiway.core.contract import Contract
from taxiway.core.errors import MissingError
from taxiway.serving.deciding import Decider
from taxiway.serving.records import read_records

if TYPE_CHECKING:
    from taxiway.serving.guardrail import Guardrail

SHARES = 10_000
"""Into so many parts the keys are divided: a hundred for each percent of a canary's share."""


def ticket(key: str, deployment: str) -> int:
    """The number that a record's key draws in a canary's deployment: the same one every time.

    From another deployment it draws another one, so that it isn't always the same people on whom
    something new is tried.

    >>> ticket('{"id":7}', "a") == ticket('{"id":7}', "a")
    True
    """
    drawn = blake2b(f"{deployment} {key}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big")


@dataclass(frozen=True, slots=True)
class Canary:
    """A release that answers for a share of the keys."""

    decider: Decider
    deployment: str
    share: int
    """Percent. If it grows, the keys that it had stay with it."""
    guardrail: Guardrail

    def takes(self, ticket: int) -> bool:
        return ticket % SHARES < self.share * (SHARES // 100)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who answers at one moment. A group of requests keeps the cast that it began with."""

    champion: Decider
    canary: Canary | None = None
    challenger: Decider | None = None
    """In shadow: it decides after the others have answered, and its answers never leave."""

    def answering(self, release: str | None) -> Decider:
        """The champion, or exactly the release that is named.

        Raises `MissingError` if it does not answer in this environment now.
        """
        if release is None or release == self.champion.artefact.release:
            return self.champion
        if self.canary is not None and release == self.canary.decider.artefact.release:
            return self.canary.decider
        known = [one.artefact.release for one in self.deciders]
        raise MissingError.named("release that answers here", release, known)

    @property
    def deciders(self) -> list[Decider]:
        """Those whose answers leave, the champion first."""
        return [self.champion, *([self.canary.decider] if self.canary else [])]


def fitted(
    records: Sequence[dict[str, Any]], contract: Contract, other: Contract
) -> Sequence[dict[str, Any]]:
    """Records that were read under a contract, as a release with another one reads them.

    What it does not take is left out. Raises `InputError` if something that it needs isn't there.
    """
    if other is contract or other == contract:
        return records
    return read_records([{n: r[n] for n in other.names if n in r} for r in records], other)
