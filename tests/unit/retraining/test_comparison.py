"""Champion against challenger, measured by the real metrics of `training.metrics`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score

from taxiway.core.charter import Charter
from taxiway.core.digest import canonical_json
from taxiway.core.errors import InputError, RefusedError
from taxiway.core.evidence import COMPARISON, Evidence
from taxiway.core.facts import Alert, Proposal
from taxiway.core.ports import Desk
from taxiway.retraining.comparison import Holdout, Ruler, Side, compare, record_comparison
from taxiway.retraining.proposal import propose
from taxiway.training.metrics import gain, measure

ROWS = 2000
random = np.random.default_rng(3)
LABELS = random.random(ROWS) < 0.3
NOISE = random.normal(size=ROWS)
ORIGIN = random.choice(["JFK", "EWR", "LGA"], size=ROWS, p=[0.5, 0.45, 0.05])


def side(release: str, skill: float, threshold: float = 0.5) -> Side:
    """A release that tells labels apart by `skill` standard deviations."""
    scores = 1 / (1 + np.exp(-((LABELS - 0.5) * skill + NOISE)))
    return Side(f"flight-delays:{release}", scores.tolist(), threshold)


def ruler(**changes: Any) -> Ruler:
    kept: dict[str, Any] = {
        "metric": "roc_auc",
        "measure": measure,
        "gain": gain,
        "minimum_gain": 0.0,
        "minimum_slice_rows": 200,
        "seed": 7,
    }
    return Ruler(**{**kept, **changes})


HOLDOUT = Holdout("sha256:cd", LABELS.tolist(), {"origin": ORIGIN.tolist()})
OLD, NEW = side("1", 0.5), side("2", 1.5)


def test_a_better_challenger_wins() -> None:
    found = compare(OLD, NEW, HOLDOUT, ruler())
    # Expected: scikit-learn's AUC of both.
    old, new = (roc_auc_score(LABELS, one.scores) for one in (OLD, NEW))
    assert found["champion_value"] == pytest.approx(old)
    assert found["challenger_value"] == pytest.approx(new)
    assert found["gain"]["value"] == pytest.approx(new - old)
    assert found["gain"]["low"] > 0
    assert found["verdict"] == "challenger wins"
    assert (found["champion"], found["challenger"]) == ("flight-delays:1", "flight-delays:2")


def test_a_worse_challenger_loses() -> None:
    assert compare(NEW, OLD, HOLDOUT, ruler())["verdict"] == "champion wins"


def test_the_same_answers_prove_nothing() -> None:
    found = compare(OLD, dataclasses.replace(OLD, release="flight-delays:2"), HOLDOUT, ruler())
    assert found["verdict"] == "no proof of gain"
    assert found["gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["moved"] == {"up": 0, "down": 0, "unchanged": ROWS}


def test_the_gain_has_to_exceed_what_the_charter_asks_for() -> None:
    assert compare(OLD, NEW, HOLDOUT, ruler(minimum_gain=0.9))["verdict"] == "no proof of gain"


def test_of_a_loss_less_is_a_gain() -> None:
    found = compare(OLD, NEW, HOLDOUT, ruler(metric="log_loss"))
    expected = log_loss(LABELS, OLD.scores) - log_loss(LABELS, NEW.scores)
    assert found["gain"]["value"] == pytest.approx(expected)
    assert found["verdict"] == "challenger wins"
    assert all(one["gain"] > 0 for one in found["slices"])


def test_slices_with_rows_enough_are_shown_and_the_others_counted() -> None:
    found = compare(OLD, NEW, HOLDOUT, ruler())
    assert [one["value"] for one in found["slices"]] == ["JFK", "EWR"]
    assert found["skipped"] == 1
    jfk = ORIGIN == "JFK"
    expected = roc_auc_score(LABELS[jfk], np.array(NEW.scores)[jfk])
    assert found["slices"][0]["challenger"] == pytest.approx(expected)


def test_each_side_decides_at_its_own_threshold() -> None:
    holdout = Holdout("sha256:cd", [True, False, True, False], {})
    before = Side("flight-delays:1", [0.6, 0.4, 0.2, 0.9], 0.5)
    after = Side("flight-delays:2", [0.6, 0.4, 0.3, 0.2], 0.3)
    # yes no no yes -> yes yes yes no: two up, one down, one as before.
    found = compare(before, after, holdout, ruler())
    assert found["moved"] == {"up": 2, "down": 1, "unchanged": 1}


@pytest.mark.parametrize("labels", [[], [True] * 5])
def test_rows_of_one_class_compare_nothing(labels: list[bool]) -> None:
    answers = [0.5] * len(labels)
    sides = [Side(f"flight-delays:{number}", answers, 0.5) for number in (1, 2)]
    with pytest.raises(InputError, match="rows with one label, expected labels that differ"):
        compare(sides[0], sides[1], Holdout("sha256:cd", labels, {}), ruler())


def test_answers_for_other_rows_are_a_mistake() -> None:
    short = dataclasses.replace(NEW, scores=NEW.scores[:-1])
    with pytest.raises(ValueError, match="1999 answers, 2000 rows"):
        compare(OLD, short, HOLDOUT, ruler())


At = Callable[[str], Desk]


@pytest.fixture
def proposal(at: At, raise_alert: Callable[..., Alert], charter: Charter) -> Proposal:
    raise_alert()
    desk = at("flights-developer")
    made = propose(desk, model="flight-delays", environment="prod", charter=charter).proposal
    assert made is not None
    return made


def test_the_comparison_is_written_with_the_proposal(at: At, proposal: Proposal) -> None:
    desk = at("flights-developer")
    found = compare(OLD, NEW, HOLDOUT, ruler())
    compared, evidence = record_comparison(desk, proposal, found, rows=ROWS, minimum_gain=0.0)
    assert desk.record.get(Proposal, proposal.id) == compared
    assert (compared.state, compared.challenger) == ("compared", "flight-delays:2")
    assert desk.record.get(Evidence, evidence.id) == evidence
    assert (evidence.kind, evidence.subject, evidence.examined) == (
        COMPARISON,
        "flight-delays:2",
        ROWS,
    )
    assert evidence.digests == {"holdout": "sha256:cd"}
    assert json.loads(canonical_json(evidence.found)) == evidence.found
    event = list(desk.record.events())[-1]
    assert (event.action, event.details["verdict"]) == ("proposal.compared", "challenger wins")


def test_a_proposal_can_be_compared_again(at: At, proposal: Proposal) -> None:
    desk = at("flights-developer")
    found = compare(OLD, NEW, HOLDOUT, ruler())
    once, _ = record_comparison(desk, proposal, found, rows=ROWS, minimum_gain=0.0)
    third = found | {"challenger": "flight-delays:3"}
    twice, _ = record_comparison(desk, once, third, rows=ROWS, minimum_gain=0.0)
    assert (twice.challenger, twice.state) == ("flight-delays:3", "compared")


def test_a_champion_of_yesterday_is_not_compared(
    at: At, proposal: Proposal, replace_champion: Callable[[str], None]
) -> None:
    replace_champion("flight-delays:9")
    found = compare(OLD, NEW, HOLDOUT, ruler())
    with pytest.raises(RefusedError, match="flight-delays:9 is the champion in prod now"):
        record_comparison(at("flights-developer"), proposal, found, rows=ROWS, minimum_gain=0.0)


def test_numbers_are_compared_by_how_far_they_are_off() -> None:
    minutes = LABELS * 30.0 + NOISE
    old, new = (
        Side(f"flight-delays:{release}", (minutes + NOISE[::-1] * off).tolist(), None)
        for release, off in ((1, 8.0), (2, 4.0))
    )
    holdout = Holdout("sha256:cd", minutes.tolist(), {"origin": ORIGIN.tolist()})
    found = compare(old, new, holdout, ruler(metric="mae"))
    assert found["verdict"] == "challenger wins"
    assert found["challenger_value"] == pytest.approx(mean_absolute_error(minutes, new.scores))
    assert found["gain"]["value"] == pytest.approx(
        found["champion_value"] - found["challenger_value"]
    )
    moved = found["moved"]
    assert moved["up"] + moved["down"] == ROWS
    assert all(type(count) is int for count in moved.values())
    assert all(one["gain"] > 0 for one in found["slices"])
