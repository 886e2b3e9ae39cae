"""`taxiway init`, `new`, `plan` and `schema`, through the real commands and a real workspace."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from taxiway.adapters.keyring import FolderKeys
from taxiway.adapters.sql import open_record
from taxiway.cli.plan import plan, schema
from taxiway.cli.project import init, new
from taxiway.core.errors import ConflictError, InputError, MissingError
from taxiway.core.ledger import Draft
from taxiway.core.people import Person

from .conftest import run

ANSWERS: dict[str, Any] = {
    "purpose": {
        "decision": "Call customers who are likely to leave.",
        "permitted_uses": ["calls"],
        "forbidden_uses": ["pricing"],
        "people_affected": "customers who are called",
        "limits": ["knows private customers only"],
    },
    "risk": {
        "is_model": True,
        "legal_class": "minimal",
        "effect_on_people": "indirect",
        "reversible": True,
        "automation": "advises",
        "decisions_per_month": 1000,
        "value_at_stake_per_month": 5000,
        "personal_data": False,
        "third_party": False,
        "foreseeable_misuse": "reading the score as loyalty",
    },
    "value": {
        "currency": "EUR",
        "per_decision": {"true_positive": 10, "false_positive": -1},
        "promised_per_month": 1000,
        "baseline": "nobody is called",
        "review": "2999-01-01",
    },
    "oversight": {"who": "churn-desk", "how": "sees every case", "stop": "a switch in the app"},
    "inventory": {
        "dependencies": ["the customer system"],
        "next_review": "2999-01-01",
        "approver": "churn-validator",
    },
}
"""What a fresh project leaves blank."""

TEAM = {
    "business": ("churn-owner", "owner"),
    "data": ("churn-data", "owner"),
    "development": ("churn-developer", "developer"),
    "engineering": ("churn-engineer", "engineer"),
    "validation": ("churn-validator", "validator"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, with no workspace, keys or git settings from outside."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("TAXIWAY_WORKSPACE", raising=False)
    monkeypatch.delenv("TAXIWAY_ACTOR", raising=False)
    monkeypatch.setenv("TAXIWAY_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return here


def answered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose charter is complete and whose people are known, as the current folder."""
    owners = [f"--data={place}={name}" for place, (name, _) in TEAM.items()]
    run(new, "churn", "--defaults", *owners)
    project = folder / "churn"
    charter = yaml.safe_load((project / "taxiway.yaml").read_text("utf-8")) | ANSWERS
    charter["training"]["bar"]["at_least"] = 0.7
    charter["training"]["no_protected_because"] = "no person is described"
    charter["monitoring"]["escalation"] = "the owner within a day"
    (project / "taxiway.yaml").write_text(yaml.safe_dump(charter), encoding="utf-8")
    (project / "data").mkdir()
    (project / "data/churn.parquet").touch()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    keys = FolderKeys(folder.parent / "keys", None)
    record = open_record(folder / ".taxiway/record.db")
    with record.transaction(None) as change:
        for name, role in TEAM.values():
            change.add(Person(name, (role,), keys.create(name), at))
        change.log(Draft(at, "system", "person.added", "team", None, "sha256:" + "0" * 64, {}))
    record.close()
    monkeypatch.chdir(project)
    return project


def test_init_makes_a_workspace_once(folder: Path) -> None:
    assert (
        f"Would make a workspace in {folder / 'models'}" in run(init, "models", "--dry-run").output
    )
    assert list(folder.iterdir()) == []
    assert json.loads(run(init, "models", "--json").output) == {
        "workspace": str(folder / "models"),
        "made": True,
    }
    assert (folder / "models/taxiway.toml").is_file()
    for arguments in (["models"], ["models", "--dry-run"]):
        with pytest.raises(ConflictError, match="already a workspace"):
            run(init, *arguments)


def test_new_makes_a_workspace_where_there_is_none_and_says_so(folder: Path) -> None:
    assert f"Made a workspace in {folder}." in run(new, "churn").output
    assert "workspace" not in run(new, "fraud").output
    assert {"churn", "fraud", "taxiway.toml"} <= {path.name for path in folder.iterdir()}


def test_new_with_a_dry_run_makes_nothing(folder: Path) -> None:
    told = json.loads(run(new, "churn", "--dry-run", "--json").output)
    assert told["made"] is False
    assert told["workspace_made"] is True
    assert "taxiway.yaml" in told["files"]
    assert list(folder.iterdir()) == []


def test_new_refuses_and_leaves_no_workspace_behind(folder: Path) -> None:
    with pytest.raises(InputError, match="small letters"):
        run(new, "../churn")
    with pytest.raises(InputError, match="expects KEY=VALUE, found 'business'"):
        run(new, "churn", "--data", "business")
    with pytest.raises(MissingError, match="Did you mean 'classification'"):
        run(new, "churn", "--template", "classificaton")
    assert list(folder.iterdir()) == []


def test_the_plan_of_a_fresh_project_lists_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(new, "churn", "--data", "business=churn-owner")
    monkeypatch.chdir(folder / "churn")
    result = run(plan)
    assert result.exit_code == 1
    assert "churn: tier unknown until the risk answers are there" in result.output
    assert "Missing before training:\n  - taxiway.yaml:8 purpose.decision" in result.output
    assert "Missing before dev:" in result.output
    assert "churn-owner" in result.output
    assert "in the record" not in result.output


def test_a_complete_plan_is_recorded_once_for_who_acts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(folder, monkeypatch)
    dry = run(plan, "--dry-run", "--as", "churn-owner")
    assert dry.exit_code == 0
    assert "in the record" not in dry.output
    assert "The plan is not in the record: name who plans with --as." in run(plan).output
    for _ in range(2):
        result = run(plan, "--as", "churn-owner")
        assert result.exit_code == 0
        assert "churn: tier low\n  because no rule for a higher tier applies" in result.output
        assert "Nothing is wrong and nothing is missing." in result.output
        assert "The plan is in the record." in result.output
    record = open_record(folder / ".taxiway/record.db")
    assert [event.action for event in record.events()].count("charter.planned") == 1
    record.close()


def test_a_wrong_charter_is_shown_whole_and_as_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = answered(folder, monkeypatch)
    text = (project / "taxiway.yaml").read_text("utf-8")
    text = text.replace("seed: 7", "sed: 7").replace("churn-validator", "churn-developer")
    (project / "taxiway.yaml").write_text(text, encoding="utf-8")
    result = run(plan)
    assert result.exit_code == 1
    assert "Wrong, and to be settled before training:" in result.output
    assert "Did you mean `seed`?" in result.output
    told = json.loads(run(plan, "--json").output)
    assert told["clear"] is False
    assert {remark["problem"]["what"] for remark in told["remarks"]} >= {
        "`sed` is not a known key",
        "the validator is the developer",
        "the approver is the developer",
    }


def test_schema_prints_the_schema(folder: Path) -> None:
    assert json.loads(run(schema).output)["title"] == "taxiway charter"
