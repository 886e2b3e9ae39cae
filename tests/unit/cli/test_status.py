"""`taxiway status` and `taxiway history`, through the real commands and a real workspace."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taxiway.bootstrap import Workspace
from taxiway.cli.status import history, status
from taxiway.core.errors import MissingError
from taxiway.core.evidence import VALUE, observed
from taxiway.core.facts import Alert, Deployment, Finding, Model
from taxiway.core.people import Handoff, SignOff

from .conftest import run

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)


def write(*facts: object) -> None:
    with Workspace.open() as workspace, workspace.desk.change("facts.written", "a test") as change:
        for fact in facts:
            change.add(fact)


def model(name: str = "churn") -> Model:
    owners = {"business": "churn-owner", "development": "churn-developer"}
    return Model(name, "classification", "low", "sha256:c", name, owners, START, "churn-owner")


def deployment(environment: str, **fields: Any) -> Deployment:
    given: dict[str, Any] = {
        "id": f"01{environment}",
        "model": "churn",
        "environment": environment,
        "role": "champion",
        "release": "churn:1",
        "release_digest": "sha256:m",
        "evidence_digest": "sha256:0123456789abcdef",
        "sign_offs": (),
        "replaces": None,
        "how": "promotion",
        "since": START,
        "by": "churn-engineer",
    }
    return Deployment(**(given | fields))


def sign_off(key: str, check: str, person: str) -> SignOff:
    digests = ("sha256:m", "sha256:d", "sha256:e")
    return SignOff(key, check, "churn:1", "churn", person, 1, *digests, "read", START, "")


FINDING = Finding(
    "01finding",
    "churn",
    "churn:1",
    "prod",
    "value",
    "EUR",
    "page",
    START,
    END,
    "churn:1 in prod: the decisions were worth 120 EUR, promised were 400",
    {},
    {},
    END,
)
ALERT = Alert("01alert", "01finding", "churn", "prod", "business", "churn-owner", "open", END)


def test_a_workspace_without_a_model(owned: Path) -> None:
    assert "There is no model yet." in run(status).output
    assert json.loads(run(status, "--json").output)["models"] == []
    assert run(history).output == "Nothing ran yet.\n"
    assert json.loads(run(history, "--json").output) == []


def test_a_model_of_which_nothing_runs(owned: Path) -> None:
    write(model())
    output = run(status).output
    assert "churn: classification, tier low, no release yet" in output
    assert "business: churn-owner, development: churn-developer" in output
    assert "Nothing runs." in output
    assert "Nothing waits for an answer;" in output
    assert "Newest windows" not in output


def test_status_shows_what_runs_and_what_waits(owned: Path) -> None:
    overdue = Handoff(
        "01handoff",
        "churn",
        "running",
        "churn:1",
        "rehearsed in qa",
        END,
        "offered",
        "churn-engineer",
        START,
    )
    later = Handoff(
        "01later",
        "churn",
        "running",
        "churn:2",
        "rehearsed again",
        datetime.now(UTC) + timedelta(days=3),
        "offered",
        "churn-engineer",
        datetime.now(UTC) - timedelta(days=2, hours=1),
    )
    value = observed(
        VALUE,
        id="01value",
        subject="churn:1",
        model="churn",
        environment="prod",
        examined=90,
        found={
            "window_start": "2026-03-01T00:00:00.000000Z",
            "window_end": "2026-04-01T00:00:00.000000Z",
            "realised": 120.0,
            "promised": 400.0,
            "currency": "EUR",
            "verdict": "below promise",
        },
        at=END,
        by="system",
    )
    write(model(), deployment("prod"), overdue, later, FINDING, ALERT, value)
    output = run(status, "churn").output
    lines = output.splitlines()
    runs = next(line for line in lines if line.startswith("prod "))
    assert runs.split() == ["prod", "churn:1", "champion", "2026-03-01", "00:00", "churn-engineer"]
    waits = [line for line in lines if line.startswith("churn-owner ")]
    assert "answer the running handoff of churn-engineer: rehearsed in qa" in waits[0]
    assert "2026-04-01, overdue" in waits[0]
    assert "the decisions were worth 120 EUR, promised were 400" in waits[1]
    assert waits[1].split()[-2:] == ["open", "01alert"]
    assert "rehearsed again" in waits[2]
    assert " 2 " in waits[2]
    assert "overdue" not in waits[2]
    newest = next(line for line in lines if "below promise" in line)
    assert newest.split()[:4] == ["prod", "2026-03-01", "churn:1", "value"]
    assert newest.endswith("120 of 400 EUR")


def test_status_as_json_is_what_machines_read(owned: Path) -> None:
    write(model(), model("fraud"), deployment("prod"), FINDING, ALERT)
    told = json.loads(run(status, "--json").output)
    churn, fraud = told["models"]
    assert (churn["model"], churn["tier"], churn["kind"]) == ("churn", "low", "classification")
    assert churn["owners"]["business"] == "churn-owner"
    assert [one["environment"] for one in churn["running"]] == ["prod"]
    assert churn["waiting"] == [
        {
            "kind": "alert",
            "id": "01alert",
            "what": "churn:1 in prod: the decisions were worth 120 EUR, promised were 400",
            "subject": "churn:1",
            "person": "churn-owner",
            "since": "2026-04-01T00:00:00.000000Z",
            "due": None,
            "state": "open",
            "overdue": False,
        }
    ]
    assert churn["monitoring"] == []
    assert (fraud["running"], fraud["waiting"]) == ([], [])
    only = json.loads(run(status, "fraud", "--json").output)
    assert [one["model"] for one in only["models"]] == ["fraud"]
    with pytest.raises(MissingError, match="Did you mean 'churn'"):
        run(status, "chrn")


def test_history_names_who_approved(owned: Path) -> None:
    write(
        model(),
        sign_off("01a", "CH-01", "churn-owner"),
        sign_off("01b", "DP-01", "churn-validator"),
        sign_off("01c", "CH-02", "churn-validator"),
        deployment("qa", sign_offs=("01a", "01b", "01c"), until=END),
        deployment("prod", sign_offs=("01a", "01x"), replaces="churn:0", since=END),
        deployment("dev"),
    )
    output = run(history).output
    qa = next(line for line in output.splitlines() if " qa " in line)
    assert "2026-03-01 00:00  2026-04-01 00:00" in qa
    assert "churn-owner (CH-01); churn-validator (DP-01, CH-02)" in qa
    assert qa.endswith("0123456789ab")
    prod = run(history, "churn", "--env", "prod").output.splitlines()[-1]
    assert prod.startswith("2026-04-01 00:00  now ")
    assert "promotion by churn-engineer" in prod
    assert "churn-owner (CH-01); missing: 01x" in prod
    assert " nobody " in run(history, "--env", "dev").output
    told = json.loads(run(history, "--env", "prod", "--json").output)
    assert told[0]["missing"] == ["01x"]
    assert told[0]["approvals"][0]["check"] == "CH-01"
    with pytest.raises(MissingError, match="Did you mean 'churn'"):
        run(history, "chrn")
