"""Splitting: the records of a group go to the releases that answer them, one model call for each.

Only needed while there is a canary, or where a request names its release. What belongs together is
put together again, so that a group stays one transaction, and a request one answer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from taxiway.core.decision import Decision, record_key
from taxiway.serving.cast import Canary, Cast, fitted, ticket
from taxiway.serving.deciding import Decider
from taxiway.serving.guardrail import Trial
from taxiway.serving.path import answer

if TYPE_CHECKING:
    from taxiway.serving.request import Request


@dataclass(frozen=True, slots=True)
class Tried:
    """A canary, and what a group showed of it."""

    canary: Canary
    trial: Trial


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record's decision belongs."""

    request: int
    record: int


@dataclass(slots=True)
class _Part:
    """Records of a group that one release decides."""

    places: list[_Place]
    records: list[dict[str, Any]]
    decisions: Sequence[Decision] = ()
    seconds: float = 0.0

    def add(self, place: _Place, record: dict[str, Any]) -> None:
        self.places.append(place)
        self.records.append(record)

    def decide(self, decider: Decider, group: Sequence[Request]) -> None:
        """Its decisions, in the order of its records."""
        if not self.records:
            return
        began = time.perf_counter()
        # Of several requests none is refused together with others: it is then decided alone.
        request = group[self.places[0].request]
        records = decider.completed(
            self.records, lambda: request.places([one.record for one in self.places])
        )
        outputs = answer(decider.artefact, decider.artefact.frame(records))
        made: list[Decision] = []
        for number, of_it in groupby(self.places, key=lambda place: place.request):
            end = len(made) + len(list(of_it))
            own, given = records[len(made) : end], outputs[len(made) : end]
            made += decider.decisions(own, given, began=group[number].began)
        self.decisions, self.seconds = made, time.perf_counter() - began


def split(cast: Cast, group: Sequence[Request]) -> tuple[list[list[Decision]], Tried | None]:
    """Decisions for each request of a group, not logged yet, and what they show of the canary."""
    champion, tried = _Part([], []), _Part([], [])
    pinned: dict[str, tuple[Decider, _Part]] = {}
    contract = cast.champion.artefact.inputs
    for number, request in enumerate(group):
        if request.release is not None:
            decider = cast.answering(request.release)
            part = pinned.setdefault(decider.artefact.digest, (decider, _Part([], [])))[1]
            records = request.records_for(decider.artefact.inputs)
        else:
            part, records = champion, request.records_for(contract)
        for at, record in enumerate(records):
            place = _Place(number, at)
            to_canary = (
                part is champion
                and cast.canary is not None
                and cast.canary.takes(
                    ticket(record_key(record, contract.key), cast.canary.deployment)
                )
            )
            (tried if to_canary else part).add(place, record)
    failures = _try(cast, group, tried, champion)
    champion.decide(cast.champion, group)
    for decider, part in pinned.values():
        part.decide(decider, group)
    parts = [champion, tried, *(part for _, part in pinned.values())]
    together = _together(group, parts)
    if cast.canary is None or not (tried.decisions or champion.decisions):
        return together, None
    trial = Trial(champion.decisions, tried.decisions, failures, champion.seconds, tried.seconds)
    return together, Tried(cast.canary, trial)


def _try(cast: Cast, group: Sequence[Request], tried: _Part, champion: _Part) -> int:
    """Lets the canary decide its part. If it can't, the champion gets all of it: nobody waits until
    it was tried record by record, and nobody is refused for it. Answers how many those are."""
    if cast.canary is None or not tried.records:
        return 0
    decider, given = cast.canary.decider, tried.records
    try:
        contract = cast.champion.artefact.inputs
        tried.records = list(fitted(given, contract, decider.artefact.inputs))
        tried.decide(decider, group)
        score = decider.artefact.kind.score
        if not all(math.isfinite(one.output[score]) for one in tried.decisions):
            raise ValueError("it answers no number")  # noqa: TRY301 - as whatever else it does
    except BaseException:  # noqa: BLE001 - whatever it raises, it may cost nobody his answer
        order = sorted(
            zip((*champion.places, *tried.places), (*champion.records, *given), strict=True),
            key=lambda one: (one[0].request, one[0].record),
        )
        champion.places = [place for place, _ in order]
        champion.records = [record for _, record in order]
        tried.places, tried.records, tried.decisions = [], [], ()
        return len(given)
    return 0


def _together(group: Sequence[Request], parts: Sequence[_Part]) -> list[list[Decision]]:
    found: list[dict[int, Decision]] = [{} for _ in group]
    for part in parts:
        for place, decision in zip(part.places, part.decisions, strict=True):
            found[place.request][place.record] = decision
    return [[of_it[at] for at in sorted(of_it)] for of_it in found]
