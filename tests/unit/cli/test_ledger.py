"""`taxiway ledger`, through the real commands and a real workspace."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taxiway.bootstrap import Workspace
from taxiway.cli import main
from taxiway.cli.ledger import ledger
from taxiway.cli.people import people
from taxiway.core.errors import IntegrityError
from taxiway.core.facts import Deployment, Model
from taxiway.core.people import SignOff

from .conftest import run

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"


@pytest.fixture
def folder(owned: Path) -> Path:
    """A workspace with two people, as the current folder."""
    run(people, "add", "churn-engineer", "--role", "engineer", "--as", "churn-owner")
    return owned


def by_hand(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / ".taxiway/record.db")) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.fixture
def deployed(folder: Path) -> None:
    """A model with a release in prod, approved by the owner."""
    with Workspace.open(actor="churn-engineer") as workspace:
        desk = workspace.desk
        at = desk.now()
        signed = SignOff(
            "01sign",
            "CH-01",
            "churn:1",
            "churn",
            "churn-owner",
            1,
            "sha256:m",
            "sha256:d",
            "sha256:e",
            "read",
            at,
            "",
        )
        model = Model("churn", "classification", "low", "sha256:c", "churn", {}, at, "churn-owner")
        with desk.change("deployment.promoted", "churn:1", model="churn") as change:
            change.add(model)
            change.add(signed)
            for environment in ("qa", "prod"):
                change.add(
                    Deployment(
                        id=f"01{environment}",
                        model="churn",
                        environment=environment,
                        role="champion",
                        release="churn:1",
                        release_digest="sha256:m",
                        evidence_digest="sha256:0123456789abcdef",
                        sign_offs=("01sign",),
                        replaces=None,
                        how="promotion",
                        since=at,
                        by="churn-engineer",
                    )
                )
            change.details = {"environment": "prod", "replaces": None, "sign_offs": ["01sign"]}


def test_a_ledger_that_holds_says_so(folder: Path) -> None:
    result = run(ledger, "verify")
    assert result.exit_code == 0
    assert "The ledger holds: 2 events" in result.output
    report = json.loads(run(ledger, "verify", "--json").output)
    assert (report["events"], report["problems"]) == (2, [])
    assert report["head"].startswith("sha256:")


def test_a_ledger_that_does_not_hold_names_everything(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_hand(folder, "UPDATE person SET roles = '[\"owner\"]'")
    by_hand(
        folder,
        "INSERT INTO developed SELECT 'churn/eve', 'churn', 'eve', added_at FROM person LIMIT 1",
    )
    with pytest.raises(IntegrityError, match="The ledger does not hold") as error:
        run(ledger, "verify")
    told = [str(problem) for problem in error.value.problems]
    assert told[0] == (
        "person churn-engineer was changed by hand: it is not what event 2 (person.added of"
        " churn-engineer) wrote"
    )
    assert told[1] == "developed churn/eve was written by hand: no event tells of it"
    with pytest.raises(SystemExit) as end:
        main(["ledger", "verify", "--json"])
    shown = capsys.readouterr()
    assert end.value.code == 5
    assert json.loads(shown.out)["problems"] == told
    assert shown.err.startswith(
        "TW-4 The ledger does not hold (events: 2, problems: 2).\n  - person"
    )


def test_a_tail_that_was_cut_off_ends_with_5(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_hand(folder, "DROP TRIGGER ledger_no_delete")
    by_hand(folder, "DELETE FROM ledger WHERE seq = 2")
    with pytest.raises(SystemExit) as end:
        main(["ledger", "verify"])
    assert end.value.code == 5
    assert "names event 2: the end was cut off" in capsys.readouterr().err


def test_a_head_that_can_not_be_read_ends_with_5(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".taxiway/ledger.head").write_text("{}")
    with pytest.raises(SystemExit) as end:
        main(["ledger", "verify"])
    assert end.value.code == 5
    assert "The head of the ledger in" in capsys.readouterr().err


def test_show_tells_what_ran_on_a_day_before_the_events(folder: Path, deployed: None) -> None:
    output = run(ledger, "show", "--as-of", TODAY).output
    first, rest = output.split("\n\n", 1)
    assert first.startswith(f"In prod on {TODAY} 23:59\n")
    row = first.splitlines()[-1]
    for text in ("prod", "churn:1", "promotion", "churn-engineer", "churn-owner (CH-01)"):
        assert text in row
    assert "0123456789ab" in row
    assert "qa" not in first
    assert [line.split()[0] for line in rest.splitlines()] == ["event", "1", "2", "3"]
    assert "environment: prod" in rest
    assert "replaces" not in rest
    assert "roles: owner" in rest


def test_show_before_anything_ran(folder: Path, deployed: None) -> None:
    output = run(ledger, "show", "--as-of", YESTERDAY).output
    assert output.startswith(f"Nothing ran in prod on {YESTERDAY} 23:59.\n")
    assert "person.added" not in output


def test_show_shows_the_newest_events_of_a_model(folder: Path, deployed: None) -> None:
    output = run(ledger, "show", "--limit", "1").output
    assert "The newest 1 of 3 events (more with --limit):" in output
    assert "deployment.promoted" in output
    assert "person.added" not in output
    output = run(ledger, "show", "--model", "churn").output
    assert "person.added" not in output
    assert "In prod on" in output


def test_show_as_json(folder: Path, deployed: None) -> None:
    told = json.loads(run(ledger, "show", "--json", "--limit", "2").output)
    assert {stay["environment"] for stay in told["running"]} == {"qa", "prod"}
    assert told["running"][0]["approvals"][0]["person"] == "churn-owner"
    assert [event["seq"] for event in told["events"]] == [2, 3]
    assert told["of_events"] == 3


def test_show_of_a_day_that_is_none(folder: Path) -> None:
    result = run(ledger, "show", "--as-of", "soon")
    assert result.exit_code == 2
    assert "'soon' is not a day" in result.output
