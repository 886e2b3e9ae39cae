"""Replay: a logged decision made again from its release and its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taxiway.core.artefact import Artefact
from taxiway.core.decision import Decision
from taxiway.core.errors import IntegrityError
from taxiway.serving.path import answer, same


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision, and what its release answers now on the same inputs."""

    decision: Decision
    output: dict[str, Any]

    @property
    def equal(self) -> bool:
        """To the bit."""
        return same(self.decision.output, self.output)


def replay(artefact: Artefact, decision: Decision) -> Replayed:
    """Makes a decision again. Raises `IntegrityError` if another artefact made it."""
    if artefact.digest != decision.release_digest:
        raise IntegrityError(
            f"Decision {decision.id} was made by {decision.release} with the digest"
            f" {decision.release_digest}; the record now has {artefact.digest} under that name.",
            todo="`taxiway ledger verify` says what was changed.",
        )
    (output,) = answer(artefact, artefact.frame([decision.inputs]))
    return Replayed(decision, output)
