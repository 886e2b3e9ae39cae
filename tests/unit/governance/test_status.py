"""What runs, who owns it, and what waits for whom since when."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.core import evidence as kinds
from taxiway.core.digest import canonical_json, utc_text
from taxiway.core.errors import MissingError
from taxiway.core.evidence import observed
from taxiway.core.facts import Alert, Deployment, Finding, Model, Proposal, Release, Run
from taxiway.core.people import Deviation
from taxiway.governance import deviation, handoff
from taxiway.governance.catalogue import find_check, load_catalogue
from taxiway.governance.deviation import GRANTS
from taxiway.governance.status import ModelStatus, Waiting, _granting_roles, status

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MODEL = "flight-delays"


def write(office: Any, *facts: object) -> None:
    with office.desk("flights-owner").change("facts.written", "for a test") as change:
        for fact in facts:
            change.add(fact)


def stands(office: Any) -> ModelStatus:
    (one,) = status(office.desk()).models
    return one


def waits(office: Any) -> Waiting:
    (one,) = stands(office).waiting
    return one


def deployed(release: str, environment: str, since: datetime, **fields: Any) -> Deployment:
    given: dict[str, Any] = {
        "id": f"{release} in {environment}",
        "model": MODEL,
        "environment": environment,
        "role": "champion",
        "release": release,
        "release_digest": "sha256:m",
        "evidence_digest": "sha256:e",
        "sign_offs": (),
        "replaces": None,
        "how": "promotion",
        "since": since,
        "by": "flights-engineer",
    }
    return Deployment(**(given | fields))


def test_a_model_with_owners_and_releases(office: Any, release: Release) -> None:
    one = stands(office)
    assert (one.model, one.kind, one.tier) == (MODEL, "classification", "low")
    assert one.owners["validation"] == "flights-validator"
    assert one.release == "flight-delays:1"
    assert (one.running, one.waiting, one.monitoring) == ((), (), ())
    write(office, dataclasses.replace(release, id="flight-delays:2", number=2))
    assert stands(office).release == "flight-delays:2"


def test_a_workspace_without_models_or_releases(office: Any, empty_office: Any) -> None:
    del office.record._facts[Release]["flight-delays:1"]
    assert stands(office).release is None
    office.record._facts[Model].clear()
    assert status(office.desk()).models == ()


def test_one_model_of_several(office: Any) -> None:
    write(office, dataclasses.replace(office.record.get(Model, MODEL), id="churn"))
    assert [one.model for one in status(office.desk()).models] == [MODEL, "churn"]
    assert [one.model for one in status(office.desk(), "churn").models] == ["churn"]
    with pytest.raises(MissingError, match="Did you mean 'churn'"):
        status(office.desk(), "chrn")


def test_what_runs_where_in_the_order_of_the_environments(office: Any) -> None:
    write(
        office,
        deployed("flight-delays:1", "prod", NOON),
        deployed("flight-delays:1", "qa", NOON - DAY, until=NOON),
        deployed("flight-delays:2", "qa", NOON),
        deployed("flight-delays:3", "dev", NOON, role="challenger"),
    )
    running = [(r.environment, r.release, r.role, r.by) for r in stands(office).running]
    assert running == [
        ("dev", "flight-delays:3", "challenger", "flights-engineer"),
        ("qa", "flight-delays:2", "champion", "flights-engineer"),
        ("prod", "flight-delays:1", "champion", "flights-engineer"),
    ]


@pytest.mark.parametrize(
    ("stage", "giver", "taker", "subject"),
    [
        ("data", "flights-data", "flights-developer", "sha256:s"),
        ("release", "flights-developer", "flights-engineer", "flight-delays:1"),
        ("running", "flights-engineer", "flights-owner", "flight-delays:1"),
    ],
)
def test_a_handoff_waits_for_the_owner_who_takes(
    office: Any, stage: str, giver: str, taker: str, subject: str
) -> None:
    due = NOON + 2 * DAY
    offered = handoff.offer(office.desk(giver), stage, subject, summary="all there", due=due)
    one = waits(office)
    assert (one.kind, one.id, one.subject, one.state) == (
        "handoff",
        offered.id,
        subject,
        "offered",
    )
    assert (one.person, one.since, one.due, one.overdue) == (taker, NOON, due, False)
    assert one.what == f"answer the {stage} handoff of {giver}: all there"
    office.now = due + DAY
    assert waits(office).overdue
    handoff.accept(office.desk(taker), offered.id)
    assert stands(office).waiting == ()


def test_a_handoff_to_a_place_without_an_owner_waits_for_nobody(office: Any) -> None:
    handoff.offer(
        office.desk("flights-data"), "data", "sha256:s", summary="all there", due=NOON + DAY
    )
    model = office.record.get(Model, MODEL)
    office.record._facts[Model][MODEL] = dataclasses.replace(model, owners={})
    assert waits(office).person == "nobody"


def asked(office: Any, release: Release, check: str, days: int) -> Deviation:
    return deviation.ask(
        office.desk("flights-engineer"),
        find_check(check),
        release,
        reason="the season is short",
        risk="wrong warnings",
        until=office.now + days * DAY,
    )


@pytest.mark.parametrize(("check", "person"), [("DV-04", "any owner"), ("CH-06", "any validator")])
def test_a_deviation_waits_for_the_role_that_may_grant_it(
    office: Any, release: Release, check: str, person: str
) -> None:
    one = asked(office, release, check, 30)
    found = waits(office)
    assert (found.kind, found.id, found.person, found.since) == ("deviation", one.id, person, NOON)
    assert (found.state, found.due, found.subject) == ("asked", None, release.id)
    assert found.what == (
        f"grant or refuse the deviation from {check} that flights-engineer asked for"
    )


def test_the_roles_that_grant_are_those_of_the_catalogue() -> None:
    assert _granting_roles() == {spec.id: GRANTS[max(spec.lines)] for spec in load_catalogue()}


def test_a_deviation_of_a_check_that_is_gone_waits_for_somebody(
    office: Any, release: Release
) -> None:
    one = asked(office, release, "DV-04", 30)
    office.record._facts[Deviation][one.id] = dataclasses.replace(one, check="DV-99")
    assert waits(office).person == "any owner, validator or auditor"


def test_a_deviation_that_ends_soon_waits_for_who_asked_while_its_release_runs(
    office: Any, release: Release
) -> None:
    one = asked(office, release, "DV-04", 30)
    deviation.grant(office.desk("flights-owner"), one.id)
    assert stands(office).waiting == ()
    office.now += 17 * DAY
    assert stands(office).waiting == ()
    write(office, deployed(release.id, "prod", NOON))
    found = waits(office)
    assert (found.id, found.person, found.state) == (one.id, "flights-engineer", "granted")
    assert (found.due, found.overdue) == (one.until, False)
    assert found.what == "settle DV-04: the deviation from it ends on 2026-12-23"
    office.now += 14 * DAY
    assert waits(office).overdue
    another = asked(office, release, "DV-04", 90)
    deviation.grant(office.desk("flights-owner"), another.id)
    assert stands(office).waiting == ()


def finding(number: int) -> Finding:
    return Finding(
        id=f"finding-{number}",
        model=MODEL,
        release="flight-delays:1",
        environment="prod",
        kind="performance",
        subject="roc_auc",
        severity="page",
        window_start=NOON - 30 * DAY,
        window_end=NOON,
        what="flight-delays:1 in prod: roc_auc is 0.512",
        found={},
        required={},
        at=NOON,
    )


def alert(number: int, state: str) -> Alert:
    return Alert(
        id=f"alert-{number}",
        finding=f"finding-{number}",
        model=MODEL,
        environment="prod",
        owner="development",
        person="flights-developer",
        state=state,
        at=NOON - number * DAY,
    )


def test_alerts_wait_for_whom_they_called_the_longest_wait_first(office: Any) -> None:
    write(
        office,
        *(finding(number) for number in range(3)),
        alert(0, "acknowledged"),
        alert(1, "closed"),
        alert(2, "open"),
    )
    told = [(w.kind, w.id, w.state, w.person, w.subject, w.what) for w in stands(office).waiting]
    what = ("flights-developer", "flight-delays:1", "flight-delays:1 in prod: roc_auc is 0.512")
    assert told == [
        ("alert", "alert-2", "open", *what),
        ("alert", "alert-0", "acknowledged", *what),
    ]


def test_an_alert_without_its_finding_still_waits(office: Any) -> None:
    write(office, alert(3, "open"))
    assert waits(office).what == "finding finding-3 is gone"


def proposal(state: str, **fields: Any) -> Proposal:
    return Proposal(
        id=f"proposal that is {state}",
        model=MODEL,
        environment="prod",
        champion="flight-delays:1",
        reason="roc_auc fell",
        alerts=(),
        state=state,
        at=NOON,
        by="flights-developer",
        **fields,
    )


def test_an_open_proposal_waits_for_the_developer(office: Any) -> None:
    write(office, proposal("open"), proposal("declined"))
    one = waits(office)
    assert (one.kind, one.person, one.since) == ("proposal", "flights-developer", NOON)
    assert one.what == "train a challenger for flight-delays:1 in prod"


@pytest.mark.parametrize(
    ("place", "person"), [("validation", "flights-validator"), (None, "flights-owner")]
)
def test_a_compared_proposal_waits_for_who_decides_by_the_charter(
    office: Any, place: str | None, person: str
) -> None:
    comparison = observed(
        kinds.COMPARISON,
        id="comparison",
        subject="flight-delays:2",
        model=MODEL,
        examined=9,
        found={"verdict": "challenger wins"},
        at=NOON + DAY,
        by="flights-developer",
    )
    write(
        office,
        comparison,
        proposal("compared", challenger="flight-delays:2", comparison="comparison"),
    )
    if place:
        charter = canonical_json({"retraining": {"decided_by": place}})
        model = office.record.get(Model, MODEL)
        digest = office.desk().objects.put(charter)
        office.record._facts[Model][MODEL] = dataclasses.replace(model, charter_digest=digest)
    one = waits(office)
    assert (one.person, one.since, one.subject) == (person, NOON + DAY, "flight-delays:2")
    assert (
        one.what == "accept or decline flight-delays:2 in place of flight-delays:1: challenger wins"
    )


def test_a_compared_proposal_without_its_comparison_still_waits(office: Any) -> None:
    write(office, proposal("compared", challenger="flight-delays:2", comparison="gone"))
    assert waits(office).what.endswith("in place of flight-delays:1: no comparison")
    assert waits(office).since == NOON


def test_a_run_that_never_ended_waits_for_who_started_it(office: Any) -> None:
    run = Run(
        "run-9",
        MODEL,
        "sha256:s",
        "sha256:o",
        "sha256:v",
        7,
        {},
        "started",
        "flights-developer",
        NOON,
    )
    write(
        office,
        run,
        dataclasses.replace(run, id="run-10", state="failed"),
        dataclasses.replace(run, id="run-11", state="finished"),
    )
    one = waits(office)
    assert (one.kind, one.id, one.person, one.since) == ("run", "run-9", "flights-developer", NOON)


def window(month: int) -> dict[str, str]:
    return {
        "window_start": utc_text(datetime(2026, month, 1, tzinfo=UTC)),
        "window_end": utc_text(datetime(2026, month + 1, 1, tzinfo=UTC)),
    }


def looked(kind: str, month: int, release: str = "flight-delays:1", **found: Any) -> kinds.Evidence:
    return observed(
        kind,
        id=f"{kind}/{release}/{month}",
        subject=release,
        model=MODEL,
        environment="prod",
        examined=900,
        found=window(month) | found,
        at=NOON,
        by="system",
    )


DRIFT: dict[str, Any] = {
    "columns": [{"name": "dep_hour"}, {"name": "origin"}],
    "output": {"verdict": "same"},
    "drifted": [],
    "insufficient": False,
}


@pytest.mark.parametrize(
    ("kind", "found", "verdict", "what"),
    [
        (kinds.DRIFT, DRIFT, "same", "2 columns"),
        (kinds.DRIFT, DRIFT | {"drifted": ["origin"]}, "drifted", "origin of 2 columns"),
        (
            kinds.DRIFT,
            DRIFT | {"drifted": ["origin"], "output": {"verdict": "drifted"}},
            "drifted",
            "origin, the output of 2 columns",
        ),
        (kinds.DRIFT, DRIFT | {"insufficient": True}, "insufficient data", ""),
        (
            kinds.PERFORMANCE,
            {"metric": "roc_auc", "value": 0.7, "low": 0.6, "high": 0.8, "verdict": "dropped"},
            "dropped",
            "roc_auc 0.700 (0.600 to 0.800)",
        ),
        (
            kinds.PERFORMANCE,
            {"metric": "roc_auc", "value": None, "verdict": "insufficient data", "why": "9 rows"},
            "insufficient data",
            "9 rows",
        ),
        (
            kinds.VALUE,
            {"realised": 1200.4, "promised": 4000.0, "currency": "EUR", "verdict": "below promise"},
            "below promise",
            "1,200 of 4,000 EUR",
        ),
    ],
)
def test_the_newest_window_says_how_an_environment_does(
    office: Any, kind: str, found: dict[str, Any], verdict: str, what: str
) -> None:
    older = {**found, "verdict": "ok", "insufficient": True}
    write(
        office,
        deployed("flight-delays:1", "prod", NOON),
        looked(kind, 10, **found),
        looked(kind, 9, **older),
    )
    (one,) = stands(office).monitoring
    assert (one.environment, one.release) == ("prod", "flight-delays:1")
    assert (one.kind, one.examined) == (kind.removeprefix("monitoring."), 900)
    assert one.window_start[:10] == "2026-10-01"
    assert (one.verdict, one.what) == (verdict, what)


def test_a_release_without_a_window_leaves_the_one_before_to_speak(office: Any) -> None:
    write(
        office,
        deployed("flight-delays:1", "prod", NOON - 9 * DAY, until=NOON),
        deployed("flight-delays:2", "prod", NOON),
        looked(kinds.DRIFT, 10, **DRIFT),
    )
    (one,) = stands(office).monitoring
    assert one.release == "flight-delays:1"
    write(office, looked(kinds.DRIFT, 10, "flight-delays:2", **DRIFT))
    (one,) = stands(office).monitoring
    assert one.release == "flight-delays:2"


def test_it_imports_nothing_that_is_slow() -> None:
    """`taxiway status` answers at once, also where a deviation waits for a role."""
    code = (
        "import sys; from taxiway.governance import history, status; status._granting_roles();"
        "print([m for m in ('pydantic', 'yaml', 'polars', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout == b"[]\n"
