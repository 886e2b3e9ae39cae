"""The plan in the record: its evidence, the model, and one event for each change."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.charter.inventory import FIELDS, FROM_RECORD, answers_of_record, inventory_of
from taxiway.charter.plan import Plan
from taxiway.charter.reading import CharterFile
from taxiway.charter.register import plan_evidence, register
from taxiway.core.charter import Charter
from taxiway.core.errors import RefusedError
from taxiway.core.evidence import PERFORMANCE, PLAN, Evidence, observed
from taxiway.core.facts import Deployment, Developed, Model, Release
from taxiway.core.people import SignOff
from taxiway.core.ports import Actor, Desk

Planned = Callable[..., Plan]
Written = Callable[..., CharterFile]

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def desk() -> Desk:
    """A desk in memory where the business owner acts."""
    ids = itertools.count()
    return Desk(
        record=MemoryRecord(),
        objects=MemoryObjects(),
        decisions=MemoryDecisions(),
        verify=lambda *_: True,
        now=lambda: NOW,
        new_id=lambda: f"id-{next(ids)}",
        actor=Actor("flights-owner", ("owner",), lambda _: "signed"),
    )


def on_behalf_of(desk: Desk, actor: Actor | None) -> Desk:
    return Desk(
        desk.record, desk.objects, desk.decisions, desk.verify, desk.now, desk.new_id, actor
    )


@pytest.fixture
def registered(desk: Desk, written: Written, planned: Planned) -> Callable[..., Model]:
    """Registers the charter with changed answers."""

    def do(places: dict[str, Any] | None = None, *, of: Desk = desk) -> Model:
        charter = written(places).charter
        assert charter is not None
        return register(of, planned(places), charter, project="flights")

    return do


def test_model_developer_evidence_and_event_are_written_together(
    desk: Desk, registered: Callable[..., Model]
) -> None:
    model = registered()
    assert desk.record.get(Model, "flight-delays") == model
    assert (model.tier, model.by, model.at) == ("low", "flights-owner", NOW)
    assert [d.id for d in desk.record.find(Developed)] == ["flight-delays/flights-developer"]
    [evidence] = desk.record.find(Evidence, kind=PLAN)
    assert evidence.subject == evidence.model == "flight-delays"
    [event] = desk.record.events()
    assert (event.action, event.subject) == ("charter.planned", "flight-delays")
    assert event.digest == model.charter_digest
    assert event.signature == "signed"
    stored = desk.objects.get(model.charter_digest)
    assert Charter.model_validate(json.loads(stored)).digest == model.charter_digest


def test_the_same_charter_is_written_once(desk: Desk, registered: Callable[..., Model]) -> None:
    assert registered() == registered()
    assert len(list(desk.record.events())) == 1
    assert len(desk.record.find(Evidence)) == 1


def test_who_reads_an_unchanged_plan_needs_no_role(
    desk: Desk, registered: Callable[..., Model]
) -> None:
    model = registered()
    assert registered(of=on_behalf_of(desk, None)) == model


def test_a_changed_charter_replaces_the_model_and_remembers_developers(
    desk: Desk, registered: Callable[..., Model]
) -> None:
    first = registered()
    second = registered({"owners.development": "flights-newcomer", "risk.tier": "medium"})
    assert desk.record.find(Model) == [second]
    assert (first.tier, second.tier) == ("low", "medium")
    assert [d.person for d in desk.record.find(Developed)] == [
        "flights-developer",
        "flights-newcomer",
    ]
    *_, event = desk.record.events()
    assert event.details["before"] == first.charter_digest


def test_a_plan_that_stops_training_is_not_registered(
    desk: Desk, registered: Callable[..., Model]
) -> None:
    with pytest.raises(RefusedError, match="can't be trained"):
        registered({"owners.business": None})
    assert list(desk.record.events()) == []


@pytest.mark.parametrize("roles", [("validator",), ("auditor",), ()])
def test_only_the_first_line_registers(
    desk: Desk, registered: Callable[..., Model], roles: tuple[str, ...]
) -> None:
    other = on_behalf_of(desk, Actor("flights-validator", roles, lambda _: "signed"))
    with pytest.raises(RefusedError, match="may not register the plan of flight-delays"):
        registered(of=other)


def test_nobody_can_not_register(desk: Desk, registered: Callable[..., Model]) -> None:
    with pytest.raises(RefusedError, match="Nobody is named"):
        registered(of=on_behalf_of(desk, None))


def evidence_of(charter: Charter, **others: Any) -> Evidence:
    values: dict[str, Any] = {
        "id": "1",
        "subject": "flight-delays:1",
        "at": NOW,
        "by": "flights-developer",
        "problems": 0,
        "answers": 46,
    }
    return plan_evidence(charter, **{**values, **others})


def test_the_evidence_holds_what_the_checks_read(written: Written) -> None:
    charter = written().charter
    assert charter is not None
    evidence = evidence_of(charter, known=dict.fromkeys(FROM_RECORD, "none yet"))
    assert set(evidence.found) == {
        "problems",
        "tier",
        "tier_reasons",
        "inventory",
        "inventory_missing",
        "owners",
        "value",
        "oversight",
        "monitoring",
        "retention_days",
        "log",
        "withheld",
    }
    assert evidence.examined == 46
    assert evidence.digests == {"charter": charter.digest}
    assert evidence.found["inventory_missing"] == []
    assert evidence.found["value"]["review"] == "2027-06-30"
    assert json.loads(json.dumps(evidence.found)) == evidence.found


def test_what_nobody_answers_is_missing_from_the_inventory(written: Written) -> None:
    charter = written({"owners.validation": None}).charter
    assert charter is not None
    evidence = evidence_of(charter)
    assert evidence.found["inventory_missing"] == [
        "version",
        "deployed on",
        "reviewer",
        "last review",
        "monitoring status",
    ]


def test_the_inventory_keeps_its_order_and_refuses_strange_fields(written: Written) -> None:
    charter = written().charter
    assert charter is not None
    entry = inventory_of(charter, "low", dict.fromkeys(FROM_RECORD, "none yet"))
    assert tuple(entry) == FIELDS
    with pytest.raises(ValueError, match="does not answer owner"):
        inventory_of(charter, "low", {"owner": "somebody"})


def test_a_new_model_has_answers_too(desk: Desk) -> None:
    assert answers_of_record(desk.record, "flight-delays") == {
        "version": "no release yet",
        "deployed on": "nowhere yet",
        "last review": "none yet",
        "monitoring status": "not running yet",
    }
    assert set(answers_of_record(desk.record, "x")) == set(FROM_RECORD)


def test_the_record_answers_for_a_model_that_runs(desk: Desk) -> None:
    d = "sha256:" + "0" * 64
    facts = [
        Release("m:2", "m", 2, d, "r", d, d, d, d, "flights-developer", "s", NOW),
        Release("m:10", "m", 10, d, "r", d, d, d, d, "flights-developer", "s", NOW),
        Deployment("1", "m", "qa", "champion", "m:2", d, d, (), None, "promotion", NOW, "x", NOW),
        Deployment("2", "m", "prod", "champion", "m:10", d, d, (), None, "promotion", NOW, "x"),
        SignOff("1", "VA-02", "m:10", "m", "flights-validator", 2, d, d, d, "sound", NOW, "s"),
        SignOff("2", "CH-01", "m:10", "m", "flights-owner", 1, d, d, d, "yes", NOW, "s"),
    ]
    with desk.change("test.prepared", "m") as change:
        for fact in facts:
            change.add(fact)
    assert answers_of_record(desk.record, "m") == {
        "version": "m:10",
        "deployed on": "prod: m:10",
        "last review": "2026-07-01 by flights-validator",
        "monitoring status": "no window closed yet",
    }
    assert answers_of_record(desk.record, "m", version="m:11")["version"] == "m:11"
    with desk.change("test.watched", "m") as change:
        change.add(
            observed(
                PERFORMANCE,
                id="3",
                subject="m:10",
                model="m",
                examined=10,
                found={"window_end": "2026-06-30", "verdict": "steady"},
                at=NOW,
                by="system",
            )
        )
    status = answers_of_record(desk.record, "m")["monitoring status"]
    assert status == "window to 2026-06-30: steady"
