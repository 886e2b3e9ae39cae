"""The life cycle of one model: each step, who owns it, and what waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the owner's place in the charter, the person there, and what it waits for.

    `person` and `waits_for_person` are None where the charter names nobody.
    """

    step: str
    owner: str
    person: str | None
    waits_for: str | None
    waits_for_person: str | None
    what: str
    """What it waits for, or what it does where it waits for nobody."""
    verb: str


STEPS = (
    ("charter", "business", None, "a charter without open questions", "plan"),
    ("data", "data", "business", "the target, and when each column is known", "data snapshot"),
    ("training", "development", "data", "a snapshot that was handed over", "train"),
    ("release", "engineering", "development", "a release that was handed over", "rehearse"),
    ("deployment", "engineering", "validation", "sign-offs for this very release", "promote"),
    ("serving", "business", "engineering", "a rehearsed release that was handed over", "serve"),
    ("monitoring", "engineering", "data", "outcomes of its decisions", "watch"),
    ("retraining", "", "development", "a challenger, compared with the champion", "retrain"),
)
"""Step, owner's place, whom it waits for, for what, verb. The charter says who owns retraining."""


def life_of(owners: Mapping[str, str], decided_by: str) -> tuple[Step, ...]:
    """The steps of a model whose owners are {place: person}."""
    return tuple(
        Step(
            step=step,
            owner=owner or decided_by,
            person=owners.get(owner or decided_by),
            waits_for=waits_for,
            waits_for_person=owners.get(waits_for) if waits_for else None,
            what=what,
            verb=f"taxiway {verb}",
        )
        for step, owner, waits_for, what, verb in STEPS
    )
