"""Windows of a small airline, from logged decisions to calls, with the real parts around."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from taxiway.adapters.memory import MemoryRecord
from taxiway.core.charter import Charter
from taxiway.core.contract import Column, Contract
from taxiway.core.decision import Decision, Outcome, record_key
from taxiway.core.digest import canonical_json, utc_text
from taxiway.core.errors import ConflictError
from taxiway.core.evidence import DRIFT, METRICS, PERFORMANCE, VALUE, Evidence, observed
from taxiway.core.facts import Alert, Deployment, Finding, Model, Release
from taxiway.core.ports import Desk
from taxiway.data.frame import frame_of
from taxiway.data.profile import column_profile, count_like, profile
from taxiway.monitoring.watch import Watched, watch
from taxiway.training.metrics import interval

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
CONTRACT = Contract(
    id="flights",
    version="1",
    description="flights",
    table="flights",
    columns=(
        Column("at", "timestamp", key=True),
        Column("flight", "integer", key=True),
        Column("origin", "string"),
        Column("distance", "number"),
        Column("booked_on", "date"),
    ),
    moments=("scheduling",),
    decision_at="scheduling",
    event_time="at",
)
INPUTS = ["at", "origin", "distance", "booked_on"]
CharterWith = Callable[..., Charter]


def inputs_of(rows: int, month: int, seed: int, *, jfk: float) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    start = datetime(2013, month, 1, tzinfo=UTC)
    return [
        {
            "at": utc_text(start + timedelta(minutes=row)),
            "flight": row,
            "origin": "JFK" if from_jfk else "EWR",
            # A whole number is how JSON writes a number that has no fraction.
            "distance": round(distance) if row % 2 else distance,
            "booked_on": "2013-01-01",
        }
        for row, (from_jfk, distance) in enumerate(
            zip(random.random(rows) < jfk, random.normal(1000, 200, size=rows), strict=True)
        )
    ]


def decide(
    desk: Desk,
    month: int,
    *,
    rows: int = 600,
    jfk: float = 0.5,
    skill: float = 2.0,
    release: str = "flight-delays:1",
    with_outcomes: bool = True,
    first: int = 0,
) -> None:
    """Logs a month of decisions, and what became of them."""
    random = np.random.default_rng(month)
    late = random.random(rows) < 0.3
    probabilities = 1 / (1 + np.exp(-random.normal((late - 0.5) * skill, 1.0)))
    decisions, outcomes = [], []
    for row, inputs in enumerate(inputs_of(rows, month, 100 + month, jfk=jfk)):
        at = datetime.fromisoformat(inputs["at"]) + timedelta(seconds=first)
        inputs["at"] = utc_text(at)
        key = record_key({"at": at, "flight": row}, CONTRACT.key)
        probability = float(probabilities[row])
        output = {"prediction": probability >= 0.5, "probability": probability, "reasons": []}
        decisions.append(
            Decision(
                f"{month:02d}-{first}-{row:06d}",
                "flight-delays",
                release,
                "sha256:0",
                "prod",
                "batch",
                key,
                at,
                NOON,
                inputs,
                output,
                40,
            )
        )
        outcomes.append(Outcome("flight-delays", key, bool(late[row]), NOON))
    desk.decisions.append(decisions)
    if with_outcomes:
        desk.decisions.add_outcomes(outcomes)


def released(desk: Desk, release: str = "flight-delays:1", *, since: str | None = None) -> None:
    """A champion with its profile, contract and holdout figures, as `train` leaves them."""
    contract_types: dict[str, Any] = {
        "at": pl.Datetime("us", "UTC"),
        "flight": pl.Int64,
        "origin": pl.String,
        "distance": pl.Float64,
        "booked_on": pl.Date,
    }
    rows = inputs_of(5000, 1, 1, jfk=0.5)
    frame = pl.DataFrame(
        [{**r, "at": datetime.fromisoformat(r["at"]), "booked_on": NOON.date()} for r in rows],
        schema=contract_types,
    )
    random = np.random.default_rng(9)
    scores = 1 / (1 + np.exp(-random.normal(((random.random(5000) < 0.3) - 0.5) * 2.0, 1.0)))
    output = column_profile(pl.Series("probability", scores), "number")
    files = {
        "profile.json": profile(frame, CONTRACT) | {"output": output},
        "contract.json": json.loads(canonical_json(CONTRACT)),
    }
    manifest = {
        "files": {name: desk.objects.put(canonical_json(file)) for name, file in files.items()},
        "inputs": INPUTS,
        "release": release,
    }
    digest = desk.objects.put(canonical_json(manifest))
    metrics = observed(
        METRICS,
        id=f"metrics-{release}",
        subject=release,
        model="flight-delays",
        examined=1000,
        found={"model": {"roc_auc": {"value": 0.92, "low": 0.9, "high": 0.94}}},
        at=NOON,
        by="flights-developer",
    )
    number = int(release.split(":")[1])
    with desk.change("deployment.promoted", release) as change:
        change.add(metrics)
        change.add(
            Release(
                release,
                "flight-delays",
                number,
                digest,
                "run",
                "snapshot",
                "data",
                "charter",
                "contract",
                "flights-developer",
                "signature",
                NOON,
            )
        )
        change.add(
            Deployment(
                id=release,
                model="flight-delays",
                environment="prod",
                role="champion" if since is None else since,
                release=release,
                release_digest=digest,
                evidence_digest="",
                sign_offs=(),
                replaces=None,
                how="promotion",
                since=NOON,
                by="flights-engineer",
                until=NOON if number == 1 else None,
            )
        )


def model_of(charter: Charter) -> Model:
    return Model(
        charter.name, charter.kind, "low", charter.digest, "flights", {}, NOON, "flights-owner"
    )


def look(desk: Desk, charter: Charter, as_of: str, *, dry_run: bool = False) -> Watched:
    return watch(
        desk,
        model=model_of(charter),
        charter=charter,
        environment="prod",
        frame_of=frame_of,
        count_like=count_like,
        measure=interval,
        as_of=datetime.fromisoformat(as_of).replace(tzinfo=UTC),
        dry_run=dry_run,
    )


def actions(desk: Desk) -> list[str]:
    return [event.action for event in desk.record.events()]


def test_a_good_month_is_closed_and_calls_nobody(desk: Desk, charter: Charter) -> None:
    released(desk)
    decide(desk, 2)
    watched = look(desk, charter, "2013-03-02")
    assert watched.clear
    [closing] = watched.windows
    assert [one.kind for one in closing.evidence] == [DRIFT, PERFORMANCE, VALUE]
    assert closing.decisions == 600
    assert closing.verdicts == {"drift": [], "performance": "ok", "value": "kept"}
    assert desk.record.find(Evidence, environment="prod") == list(closing.evidence)
    assert desk.record.find(Alert) == []
    [event] = [e for e in desk.record.events() if e.action == "window.closed"]
    assert event.subject == "flight-delays/prod/2013-02-01T00:00:00.000000Z"
    assert event.actor == "system"


def test_neither_the_event_time_nor_a_date_nor_the_key_is_looked_at_for_drift(
    desk: Desk, charter: Charter
) -> None:
    released(desk)
    decide(desk, 2)
    found = look(desk, charter, "2013-03-02").windows[0].found(DRIFT)
    assert found is not None
    assert [column["name"] for column in found["columns"]] == ["origin", "distance"]


def test_a_window_is_closed_once_for_drift_and_once_for_labels(
    desk: Desk, charter: Charter
) -> None:
    released(desk)
    decide(desk, 2)
    first = look(desk, charter, "2013-03-01")
    assert [one.kind for one in first.windows[0].evidence] == [DRIFT]
    assert first.next_due == datetime(2013, 3, 2, tzinfo=UTC)
    second = look(desk, charter, "2013-03-02")
    assert [one.kind for one in second.windows[0].evidence] == [PERFORMANCE, VALUE]
    assert look(desk, charter, "2013-03-03").windows == ()
    assert actions(desk).count("window.closed") == 2


def test_a_window_that_is_not_over_is_left_open(desk: Desk, charter: Charter) -> None:
    released(desk)
    decide(desk, 2)
    watched = look(desk, charter, "2013-02-28")
    assert watched.windows == ()
    assert watched.next_due == datetime(2013, 3, 1, tzinfo=UTC)


def test_labels_that_are_due_and_not_there_leave_the_window_open_and_are_told(
    desk: Desk, charter: Charter
) -> None:
    released(desk)
    decide(desk, 2, with_outcomes=False)
    watched = look(desk, charter, "2013-03-02")
    assert [str(window) for window in watched.overdue] == ["2013-02-01 to 2013-02-28"]
    assert not watched.clear
    assert desk.record.find(Evidence, kind=PERFORMANCE) == []
    [closing] = watched.windows
    assert [one.kind for one in closing.evidence] == [DRIFT]


def test_consequences_call_their_owners_by_name_and_drift_explains(
    desk: Desk, charter: Charter
) -> None:
    released(desk)
    decide(desk, 2, jfk=0.9, skill=0.0)
    watched = look(desk, charter, "2013-03-02")
    severities = {(f.kind, f.subject): f.severity for f in watched.findings}
    assert severities[("drift", "origin")] == "note"
    assert severities[("performance", "roc_auc")] == "page"
    assert severities[("value", "USD")] == "page"
    assert {(alert.owner, alert.person, alert.state) for alert in watched.alerts} == {
        ("development", "flights-developer", "open"),
        ("business", "flights-owner", "open"),
    }
    assert desk.record.find(Finding) == list(watched.findings)
    assert desk.record.find(Alert) == list(watched.alerts)
    whats = {finding.kind: finding.what for finding in watched.findings}
    assert whats["performance"].startswith("flight-delays:1 in prod, 2013-02-01 to 2013-02-28: ")
    assert "the charter asks for at least 0.600" in whats["performance"]
    assert "promised were 310" in whats["value"]


def test_drift_calls_once_where_the_charter_lets_it_trigger(
    desk: Desk, charter_with: CharterWith
) -> None:
    released(desk)
    decide(desk, 2, jfk=0.95, with_outcomes=False)
    charter = charter_with(retraining={"triggers": ["drift"]})
    watched = look(desk, charter, "2013-03-01")
    assert [alert.person for alert in watched.alerts] == ["flights-developer"]
    [finding] = [f for f in watched.findings if f.id == watched.alerts[0].finding]
    assert finding.subject == "origin"


def test_a_dry_run_finds_the_same_and_writes_nothing(desk: Desk, charter: Charter) -> None:
    released(desk)
    decide(desk, 2, skill=0.0)
    before = actions(desk)
    watched = look(desk, charter, "2013-03-02", dry_run=True)
    assert watched.alerts
    assert actions(desk) == before
    assert desk.record.find(Alert) == []
    assert desk.record.find(Evidence, kind=DRIFT) == []


def test_releases_that_shared_a_window_are_looked_at_apart(desk: Desk, charter: Charter) -> None:
    released(desk)
    released(desk, "flight-delays:2")
    decide(desk, 2)
    decide(desk, 2, rows=300, release="flight-delays:2", first=1)
    watched = look(desk, charter, "2013-03-02")
    assert [(one.release, one.decisions) for one in watched.windows] == [
        ("flight-delays:1", 600),
        ("flight-delays:2", 300),
    ]
    promised = [one.found(VALUE) for one in watched.windows]
    # 310 are promised for the month, shared by decisions: 600 of 900 and 300 of 900.
    assert [found and found["promised"] for found in promised] == pytest.approx(
        [310 * 2 / 3, 310 / 3]
    )
    assert actions(desk).count("window.closed") == 1


def test_decisions_of_a_release_that_was_never_champion_are_not_looked_at(
    desk: Desk, charter: Charter
) -> None:
    released(desk)
    released(desk, "flight-delays:2", since="challenger")
    decide(desk, 2, release="flight-delays:2")
    assert look(desk, charter, "2013-03-02").windows == ()


def test_months_without_decisions_are_leapt_over(desk: Desk, charter: Charter) -> None:
    released(desk)
    decide(desk, 1)
    decide(desk, 4)
    watched = look(desk, charter, "2026-01-01")
    assert [closing.window.start.month for closing in watched.windows] == [1, 4]
    assert watched.next_due is None


def test_few_decisions_are_insufficient_data_and_close_the_window(
    desk: Desk, charter: Charter
) -> None:
    released(desk)
    decide(desk, 2, rows=150, skill=0.0, jfk=1.0)
    watched = look(desk, charter, "2013-03-02")
    assert watched.clear
    assert watched.windows[0].verdicts == {
        "drift": [],
        "performance": "insufficient data",
        "value": "insufficient data",
    }
    assert look(desk, charter, "2013-03-02").windows == ()


def test_a_closing_that_can_t_be_written_leaves_nothing_behind(
    desk: Desk, charter: Charter
) -> None:
    released(desk)
    decide(desk, 2, skill=0.0)

    def same() -> str:
        return "000000"

    # All facts of the closing get one id: the second finding collides with the first.
    clumsy = dataclasses.replace(desk, new_id=same)
    with pytest.raises(ConflictError, match="already a finding '000000'"):
        look(clumsy, charter, "2013-03-02")
    assert desk.record.find(Evidence, kind=DRIFT) == []
    assert "window.closed" not in actions(desk)


def test_of_two_that_watch_at_once_one_is_refused(desk: Desk, charter: Charter) -> None:
    released(desk)
    decide(desk, 2, skill=0.0)

    class Late(MemoryRecord):
        """Sees the facts as they were before the other one wrote."""

        def find(self, kind: type[Any], /, **equal: Any) -> list[Any]:
            return [] if equal.get("kind") in {DRIFT, PERFORMANCE} else super().find(kind, **equal)

    look(desk, charter, "2013-03-02")
    late = Late()
    late.__dict__.update(vars(desk.record))
    with pytest.raises(ConflictError, match=r"monitoring\.drift/flight-delays:1/prod/2013-02-01"):
        look(dataclasses.replace(desk, record=late), charter, "2013-03-02")
    assert len(desk.record.find(Evidence, kind=DRIFT)) == 1


def test_protected_groups_are_told_apart(desk: Desk, charter_with: CharterWith) -> None:
    released(desk)
    decide(desk, 2)
    charter = charter_with(training={"protected": ["origin", "nowhere"]})
    found = look(desk, charter, "2013-03-02").windows[0].found(PERFORMANCE)
    assert found is not None
    assert {(one["column"], one["value"]) for one in found["fairness"]} == {
        ("origin", "JFK"),
        ("origin", "EWR"),
    }


def test_the_evidence_is_plain_json(desk: Desk, charter: Charter) -> None:
    released(desk)
    decide(desk, 2, jfk=0.9, skill=0.0)
    watched = look(desk, charter, "2013-03-02")
    facts: Sequence[Any] = [*watched.windows[0].evidence, *watched.findings]
    for fact in facts:
        plain = {"found": fact.found, "required": fact.required}
        assert json.loads(canonical_json(plain)) == plain
