"""What people made of a window's cases, and when a window is closed for it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.core.charter import Charter
from taxiway.core.decision import Decision
from taxiway.core.evidence import OVERSIGHT, Evidence
from taxiway.core.facts import Deployment
from taxiway.core.people import Review
from taxiway.core.ports import Desk
from taxiway.monitoring.oversight import counted, oversee, share

from .conftest import CharterWith

MARCH = datetime(2013, 3, 10, tzinfo=UTC)
DUE = MARCH + timedelta(days=2)


def review(id: int, state: str, *, rule: str = "sample", late: bool = False) -> Review:
    decided = {"agreed": True, "overridden": True}.get(state, False)
    return Review(
        id=f"d-{id:04}",
        model="flight-delays",
        environment="prod",
        release="flight-delays:1",
        because=(rule,),
        proposed="yes",
        opened_at=MARCH,
        due=DUE,
        state=state,
        decided_by="ann" if decided else None,
        decided_at=DUE + timedelta(seconds=1 if late else 0) if decided else None,
    )


def settings(charter_with: CharterWith, **oversight: Any) -> Charter:
    return charter_with(oversight={"sample": 0.01, **oversight})


def test_the_interval_of_a_share() -> None:
    """Against statsmodels' proportion_confint(k, n, method="wilson")."""
    assert (share(0, 10).low, share(0, 10).high) == (0.0, 0.278)
    assert (share(264, 278).low, share(264, 278).high) == (0.917, 0.97)
    assert (share(10, 10).low, share(10, 10).high) == (0.722, 1.0)


def test_cases_are_counted_by_what_became_of_them(charter_with: CharterWith) -> None:
    reviews = [
        *(review(at, "agreed") for at in range(15)),
        review(20, "overridden"),
        review(21, "overridden", rule="borderline"),
        review(22, "agreed", late=True),
        review(23, "escalated"),
        review(24, "kept"),
    ]
    found = counted(reviews, settings(charter_with).oversight)
    assert (found["cases"], found["decided"], found["in_time"], found["late"]) == (20, 18, 17, 1)
    assert (found["kept"], found["waiting"], found["overridden"]) == (1, 1, 2)
    assert found["rules"] == {"borderline": 1, "sample": 19}
    assert found["override_rate"] == 2 / 18
    assert found["agreement"] == {"cases": 17, "agreed": 16, **share(16, 17).as_dict()}
    assert (found["verdict"], found["share_in_time"]) == ("late", 0.85)
    assert found["why"] == "people decided 17 of 20 cases in time"


@pytest.mark.parametrize(
    ("agreed", "overridden", "bar", "verdict"),
    [
        (9, 1, 0.9, "ok"),
        (5, 5, 0.9, "disagreed"),
        (5, 5, None, "ok"),
        (0, 0, 0.9, "insufficient data"),
    ],
)
def test_verdicts(
    charter_with: CharterWith, agreed: int, overridden: int, bar: float | None, verdict: str
) -> None:
    reviews = [review(at, "agreed") for at in range(agreed)]
    reviews += [review(100 + at, "overridden") for at in range(overridden)]
    oversight = settings(charter_with, agreement_at_least=bar).oversight
    assert counted(reviews, oversight)["verdict"] == verdict


def logged(id: int, because: tuple[str, ...] = ()) -> Decision:
    review = {"review": {"because": list(because)}} if because else {}
    return Decision(
        id=f"d-{id:04}",
        model="flight-delays",
        release="flight-delays:1",
        release_digest="sha256:m",
        environment="prod",
        channel="http",
        key=f'{{"flight":{id}}}',
        happened_at=MARCH,
        at=MARCH,
        inputs={},
        output={"prediction": True, "probability": 0.5, "reasons": [], **review},
        latency_us=1,
    )


@pytest.fixture
def running(desk: Desk) -> Desk:
    """With two cases among ten decisions of March."""
    stay = Deployment(
        id="one",
        model="flight-delays",
        environment="prod",
        role="champion",
        release="flight-delays:1",
        release_digest="",
        evidence_digest="",
        sign_offs=(),
        replaces=None,
        how="promotion",
        since=MARCH,
        by="x",
    )
    with desk.change("deployment.promoted", "flight-delays:1") as change:
        change.add(stay)
    desk.decisions.append([logged(at, ("sample",) if at < 2 else ()) for at in range(10)])
    return desk


def closed(
    desk: Desk, charter: Charter, states: dict[str, str], **how: Any
) -> tuple[Evidence, ...]:
    def stands(decision: Decision, _: Review | None) -> Review:
        return dataclasses.replace(review(0, states.get(decision.id, "agreed")), id=decision.id)

    return oversee(
        desk,
        model="flight-delays",
        charter=charter,
        environment="prod",
        stands=stands,
        **how,
    )


def test_a_window_is_closed_once_its_last_case_came_to_its_end(
    running: Desk, charter_with: CharterWith
) -> None:
    charter = settings(charter_with)
    assert closed(running, charter, {"d-0001": "open"}) == ()
    assert closed(running, charter, {"d-0001": "taken"}) == ()
    early = datetime(2013, 3, 31, tzinfo=UTC)
    assert closed(running, charter, {}, as_of=early) == ()
    (dry,) = closed(running, charter, {}, dry_run=True)
    assert running.record.find(Evidence) == []
    (made,) = closed(running, charter, {"d-0001": "escalated"})
    assert (made.kind, made.examined, made.found["cases"]) == (OVERSIGHT, 10, 2)
    assert (made.found["waiting"], made.found["agreement"]["cases"]) == (1, 1)
    assert made.required["sample"] == 0.01
    assert dry.found["window_start"] == made.found["window_start"] == "2013-03-01T00:00:00.000000Z"
    assert running.record.find(Evidence) == [made]
    assert closed(running, charter, {}) == ()
