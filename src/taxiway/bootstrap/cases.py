"""Wires cases: listed, taken, decided and timed out, here or by people elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from taxiway.core.decision import Decision
from taxiway.core.errors import MissingError
from taxiway.core.facts import Model
from taxiway.core.people import Review
from taxiway.governance import cases

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace

Case = tuple[Decision, Review]
"""A decision on which a person decides, and how that stands now."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Which cases of a model; None where it does not matter."""

    environment: str | None = "prod"
    start: datetime | None = None
    end: datetime | None = None
    states: Sequence[str] = cases.UNSETTLED
    because: str | None = None


def terms(workspace: Workspace, model: str) -> cases.Terms:
    """What the charter that a model is registered under says of cases."""
    registered = workspace.record.get(Model, model)
    return cases.terms_of(json.loads(workspace.objects.get(registered.charter_digest))["oversight"])


def listed(workspace: Workspace, model: Model, wanted: Cases) -> Iterator[Case]:
    """The cases of a model that are wanted, the newest first."""
    found = cases.listed(
        workspace.desk,
        model.id,
        terms(workspace, model.id),
        environment=wanted.environment,
        start=wanted.start,
        end=wanted.end,
    )
    for decision, review in found:
        if review.state in wanted.states and wanted.because in {None, *review.because}:
            yield decision, review


def shown(workspace: Workspace, id: str) -> Case:
    """A case with its decision. Raises `MissingError`."""
    decision = workspace.decisions.get(id)
    return decision, cases.standing(workspace.desk, decision, terms(workspace, decision.model))


def take(workspace: Workspace, id: str, *, dry_run: bool) -> Case:
    """The actor takes a case."""
    decision = workspace.decisions.get(id)
    who = cases.bearer(workspace.desk, f"take case {id}")
    found = terms(workspace, decision.model)
    return decision, cases.take(workspace.desk, decision, found, who, dry_run=dry_run)


def decide(workspace: Workspace, id: str, answer: str, reason: str, *, dry_run: bool) -> Case:
    """The actor answers a case."""
    decision = workspace.decisions.get(id)
    who = cases.bearer(workspace.desk, f"decide case {id}")
    found = terms(workspace, decision.model)
    return decision, cases.decide(
        workspace.desk, decision, found, who, answer=answer, reason=reason, dry_run=dry_run
    )


def expire(workspace: Workspace, model: Model, *, dry_run: bool) -> list[Review]:
    """Writes down which cases of a model timed out."""
    return cases.expire(workspace.desk, model.id, terms(workspace, model.id), dry_run=dry_run)


def reviews_of(workspace: Workspace, decisions: Sequence[Decision]) -> dict[str, Review]:
    """How the cases among some decisions stand, by the decision's id."""
    found = {}
    known: dict[str, cases.Terms] = {}
    for decision in decisions:
        if decision.because:
            if decision.model not in known:
                known[decision.model] = terms(workspace, decision.model)
            found[decision.id] = cases.standing(workspace.desk, decision, known[decision.model])
    return found


@dataclass(frozen=True, slots=True)
class CasesOfEndpoint:
    """The cases of an environment, moved by people elsewhere: `serving.case_pages.Cases`."""

    workspace: Workspace
    environment: str

    def listed(self, model: str, states: Sequence[str], limit: int) -> list[Case]:
        wanted = Cases(self.environment, states=states)
        found = listed(self.workspace, self.workspace.record.get(Model, model), wanted)
        return list(islice(found, limit))

    def shown(self, model: str, id: str) -> Case:
        decision = self._decision(model, id)
        return decision, cases.standing(self.workspace.desk, decision, self._terms(model))

    def take(self, model: str, id: str, person: str, signature: str) -> Case:
        desk, decision = self.workspace.desk, self._decision(model, id)
        who = cases.sent_by(desk, person, signature)
        return decision, cases.take(desk, decision, self._terms(model), who)

    def decide(self, model: str, id: str, sent: Mapping[str, str]) -> Case:
        desk, decision = self.workspace.desk, self._decision(model, id)
        who = cases.sent_by(desk, sent["person"], sent["signature"])
        answer, reason = sent["answer"], sent["reason"]
        terms = self._terms(model)
        return decision, cases.decide(desk, decision, terms, who, answer=answer, reason=reason)

    def _terms(self, model: str) -> cases.Terms:
        return terms(self.workspace, model)

    def _decision(self, model: str, id: str) -> Decision:
        """A decision of this model and environment: whoever may ask the one sees no other."""
        decision = self.workspace.decisions.get(id)
        if (decision.model, decision.environment) != (model, self.environment):
            raise MissingError(f"No case {id!r} of {model} is in the log of {self.environment}.")
        return decision
