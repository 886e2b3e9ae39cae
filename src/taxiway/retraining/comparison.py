"""Challenger and champion on the same frozen holdout: who is better, where, and whom it moves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from taxiway.core.errors import InputError, RefusedError
from taxiway.core.evidence import COMPARISON, Evidence, observed
from taxiway.core.facts import Proposal
from taxiway.core.interval import Interval
from taxiway.core.kind import LOWER_IS_BETTER
from taxiway.core.moves import PROPOSAL, require_move
from taxiway.core.ports import Desk
from taxiway.retraining.proposal import champion_of

WINS = "challenger wins"
NO_PROOF = "no proof of gain"
LOSES = "champion wins"

SHOWN_SLICES = 50


class Measure(Protocol):
    """A metric, from labels that differ and scores: probabilities, or predicted numbers."""

    def __call__(self, metric: str, labels: Any, scores: Any) -> float: ...


class Gain(Protocol):
    """How much better `new` is than `old` on the same rows, by a paired bootstrap.

    Positive means better, also for metrics where less is better.
    """

    def __call__(self, metric: str, labels: Any, new: Any, old: Any, *, seed: int) -> Interval: ...


@dataclass(frozen=True, slots=True)
class Side:
    """A release on the holdout: its probability or number for each row, and from which probability
    on it says yes."""

    release: str
    scores: Sequence[float]
    threshold: float | None
    """None where answers are numbers."""


@dataclass(frozen=True, slots=True)
class Holdout:
    """The frozen rows that neither side has learnt from, in one order."""

    digest: str
    labels: Sequence[bool | float]
    slices: Mapping[str, Sequence[Any]]
    """Column -> its value for each row."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """How both sides are measured."""

    metric: str
    measure: Measure
    gain: Gain
    minimum_gain: float
    minimum_slice_rows: int
    seed: int


def compare(champion: Side, challenger: Side, holdout: Holdout, ruler: Ruler) -> dict[str, Any]:
    """`found` of the COMPARISON evidence.

    The challenger wins if the lower end of its gain's interval lies above the least gain that the
    charter asks for, the champion if the upper end lies below zero; else nothing is proven. `moved`
    counts the decisions that change, each side deciding at its own threshold: `up` from no to yes,
    or to a larger number. Raises `InputError` if the rows can't tell the sides apart.
    """
    rows = len(holdout.labels)
    if len(set(holdout.labels)) < 2:
        raise InputError(
            f"{challenger.release} and {champion.release} can't be compared: the holdout has {rows}"
            " rows with one label, expected labels that differ.",
            todo="Take a newer snapshot or a larger holdout (charter: training.split.holdout).",
        )
    for side in (champion, challenger):
        if len(side.scores) != rows:
            raise ValueError(f"{side.release} has {len(side.scores)} answers, {rows} rows")
    gained = ruler.gain(
        ruler.metric,
        holdout.labels,
        challenger.scores,
        champion.scores,
        seed=ruler.seed,
    )
    slices, skipped = _slices(champion, challenger, holdout, ruler)
    return {
        "champion": champion.release,
        "challenger": challenger.release,
        "metric": ruler.metric,
        "champion_value": ruler.measure(ruler.metric, holdout.labels, champion.scores),
        "challenger_value": ruler.measure(ruler.metric, holdout.labels, challenger.scores),
        "gain": {"value": gained.value, "low": gained.low, "high": gained.high},
        "slices": slices,
        "skipped": skipped,
        "moved": _moved(champion, challenger),
        "holdout_digest": holdout.digest,
        "verdict": _verdict(gained, ruler.minimum_gain),
    }


def record_comparison(
    desk: Desk, proposal: Proposal, found: Mapping[str, Any], *, rows: int, minimum_gain: float
) -> tuple[Proposal, Evidence]:
    """Writes the comparison as evidence and moves the proposal to `compared`.

    A proposal can be compared again, with another challenger. Raises `RefusedError` if it was
    decided already, or if the champion was replaced since.
    """
    actor = desk.acting("owner", "developer", "engineer", to=f"compare for {proposal.id}")
    require_move(f"proposal {proposal.id}", PROPOSAL, proposal.state, "compared")
    current = champion_of(desk, proposal.model, proposal.environment)
    if found["champion"] != current:
        raise RefusedError(
            f"Proposal {proposal.id} was compared with {found['champion']}, but {current} is the"
            f" champion in {proposal.environment} now.",
            todo="Run `taxiway retrain` again.",
        )
    evidence = observed(
        COMPARISON,
        id=desk.new_id(),
        subject=str(found["challenger"]),
        model=proposal.model,
        environment=proposal.environment,
        examined=rows,
        found=dict(found),
        required={"minimum_gain": minimum_gain},
        digests={"holdout": str(found["holdout_digest"])},
        at=desk.now(),
        by=actor.name,
    )
    compared = dataclasses.replace(
        proposal,
        state="compared",
        champion=current,
        challenger=str(found["challenger"]),
        comparison=evidence.id,
    )
    with desk.change("proposal.compared", proposal.id, model=proposal.model) as change:
        change.add(evidence)
        change.replace(proposal, compared)
        change.details = {
            "champion": current,
            "challenger": compared.challenger,
            "gain": found["gain"],
            "verdict": found["verdict"],
        }
    return compared, evidence


def _verdict(gained: Interval, minimum_gain: float) -> str:
    if gained.low > minimum_gain:
        return WINS
    return LOSES if gained.high < 0 else NO_PROOF


def _moved(champion: Side, challenger: Side) -> dict[str, int]:
    changes = list(zip(_answers(champion), _answers(challenger), strict=True))
    # Counted as Python counts: what numpy adds up is no JSON.
    up = sum(1 for before, after in changes if after > before)
    down = sum(1 for before, after in changes if after < before)
    return {"up": up, "down": down, "unchanged": len(changes) - up - down}


def _answers(side: Side) -> Sequence[float]:
    if side.threshold is None:
        return side.scores
    return [score >= side.threshold for score in side.scores]


def _slices(
    champion: Side, challenger: Side, holdout: Holdout, ruler: Ruler
) -> tuple[list[dict[str, Any]], int]:
    """Both sides on each slice with rows enough, largest first, and how many had too few."""
    sign = -1.0 if ruler.metric in LOWER_IS_BETTER else 1.0
    found: list[dict[str, Any]] = []
    skipped = 0
    for column, values in holdout.slices.items():
        places: dict[Any, list[int]] = {}
        for place, value in enumerate(values):
            places.setdefault(value, []).append(place)
        for value, rows in sorted(places.items(), key=lambda item: (-len(item[1]), str(item[0]))):
            labels = [holdout.labels[row] for row in rows]
            if len(rows) < ruler.minimum_slice_rows or len(set(labels)) < 2:
                skipped += 1
                continue
            old, new = (
                ruler.measure(ruler.metric, labels, [side.scores[row] for row in rows])
                for side in (champion, challenger)
            )
            found.append(
                {
                    "column": column,
                    "value": str(value),
                    "rows": len(rows),
                    "champion": old,
                    "challenger": new,
                    "gain": sign * (new - old),
                }
            )
    return found[:SHOWN_SLICES], skipped + len(found[SHOWN_SLICES:])
