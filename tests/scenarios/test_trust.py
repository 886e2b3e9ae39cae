"""What must not get through: leaks, changed bytes, wrong hands, old approvals, forbidden moves."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

import taxiway

from .conftest import (
    AUDITOR,
    DEVELOPER,
    ENGINEER,
    MODEL,
    OWNER,
    VALIDATOR,
    Firm,
    in_environment,
)

ONE, TWO = f"{MODEL}:1", f"{MODEL}:2"


def flip(firm: Firm, digest: str) -> Path:
    """Flips one bit in the middle of an object."""
    name = digest.removeprefix("sha256:")
    path = firm.store / "objects" / name[:2] / name[2:]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    return path


def manifest(firm: Firm, release: str) -> dict[str, str]:
    with in_environment(firm), taxiway.Workspace.open(firm.folder) as workspace:
        content = workspace.objects.get(workspace.find_release(release).digest)
    files: dict[str, str] = json.loads(content)["files"]
    return files


def test_a_column_that_is_known_only_later_is_caught(planned: Firm) -> None:
    """The delay at departure predicts the delay at arrival very well, and nobody has it then."""
    model = planned.project / "model.py"
    late = '*CATEGORIES,\n        pl.col("dep_delay").cast(float),\n'
    model.write_text(model.read_text().replace("*CATEGORIES,\n", late, 1))
    planned.commit("A feature that looks wonderful")
    trained = planned.ask("train", by=DEVELOPER)
    assert trained["metrics"]["model"]["roc_auc"]["value"] > 0.85
    assert trained["warnings"] == ["features reads dep_delay, which is known only at departure"]
    flown = planned.ask("check", ONE, "--for", "dev", code=1)
    assert flown["blocking"] == ["DV-03"]
    # Production does not send it, and so training does not look like production.
    (likeness,) = [v for v in flown["verdicts"] if v["check"] == "DA-04"]
    assert "dep_delay" in likeness["why"]
    (verdict,) = [v for v in flown["verdicts"] if v["check"] == "DV-03"]
    assert "dep_delay (known at departure)" in verdict["why"]
    assert "DV-03" in planned.run("promote", ONE, "--to", "dev", by=ENGINEER, code=4)


def test_a_snapshot_that_was_touched_is_not_trained_on(planned: Firm) -> None:
    snapshot = planned.ask("data", "show")["snapshot"]
    flip(planned, snapshot["data_digest"])
    said = planned.run("train", by=DEVELOPER, code=5)
    assert "was changed on disk" in said
    assert planned.ask("status")["models"][0]["release"] is None


@pytest.mark.parametrize("file", ["model.skops", "golden.json", "code/model.py", "contract.json"])
def test_one_flipped_bit_stops_a_release_everywhere(running: Firm, file: str) -> None:
    flip(running, manifest(running, ONE)[file])
    for words, by in (
        (["serve", MODEL, "--port", "8999"], None),
        (["rehearse", ONE], ENGINEER),
        (["score", "data/schedule.parquet", "out.parquet"], None),
    ):
        said = running.run(*words, by=by, code=5)
        assert file in said
        assert "nothing of it was executed" in said
    flown = running.ask("check", ONE, "--for", "prod", code=1)
    assert "DP-02" in flown["blocking"]


def test_a_flipped_bit_is_found_at_the_moment_of_promotion(trained: Firm) -> None:
    flip(trained, manifest(trained, ONE)["model.skops"])
    said = trained.run("promote", ONE, "--to", "dev", by=ENGINEER, code=5)
    assert "model.skops" in said
    assert trained.ask("status")["models"][0]["running"] == []


def test_qa_can_t_be_skipped_and_dev_can_t_be_skipped(trained: Firm) -> None:
    said = trained.run("promote", ONE, "--to", "prod", by=ENGINEER, code=4)
    assert "it was never in qa. The way is dev -> qa -> prod." in said
    trained.run("promote", ONE, "--to", "dev", by=ENGINEER)
    assert "never in qa" in trained.run("promote", ONE, "--to", "prod", by=ENGINEER, code=4)
    assert "already the champion" in trained.run("promote", ONE, "--to", "dev", by=ENGINEER, code=4)
    said = trained.run("promote", ONE, "--to", "qa", by=ENGINEER, code=4)
    assert "CH-01 waiting for a signature" in said


def test_the_wrong_hands_can_t_sign_or_move(trained: Firm) -> None:
    reason = ["--reason", "looks fine"]
    for check, who, says in (
        ("CH-01", VALIDATOR, "takes the role owner"),
        ("CH-02", OWNER, "takes the role validator"),
        ("CH-02", DEVELOPER, "takes the role validator"),
        ("DP-01", DEVELOPER, "author"),
        ("DA-02", OWNER, "nothing to sign"),
    ):
        assert says in trained.run("sign", check, ONE, *reason, by=who, code=4), (check, who)
    assert "takes the role engineer" in trained.run(
        "promote", ONE, "--to", "dev", by=AUDITOR, code=4
    )
    assert "Did you mean 'CH-01'" in trained.run("sign", "CH-1", ONE, *reason, by=OWNER, code=3)
    assert "No person" in trained.run("sign", "CH-01", ONE, *reason, by="flights-ownr", code=3)


def test_a_developer_with_every_role_can_t_sign_for_the_second_line(trained: Firm) -> None:
    with closing(sqlite3.connect(trained.store / "record.db")) as record, record:
        record.execute(
            "UPDATE person SET roles = ? WHERE id = ?",
            (json.dumps(["owner", "developer", "engineer", "validator"]), DEVELOPER),
        )
    said = trained.run("sign", "CH-02", ONE, "--reason", "mine", by=DEVELOPER, code=4)
    assert "has to be independent" in said
    # Roles that were written by hand are found, too.
    assert DEVELOPER in trained.run("ledger", "verify", code=5)


def test_the_signature_of_somebody_who_was_removed_is_void(trained: Firm) -> None:
    trained.run("people", "add", "second-owner", "--role", "owner", by=OWNER)
    trained.run("sign", "CH-01", ONE, "--reason", "agreed", by="second-owner")
    trained.run("people", "remove", "second-owner", "--reason", "left the firm", by=OWNER)
    flown = trained.ask("check", ONE, "--for", "qa", code=1)
    (verdict,) = [v for v in flown["verdicts"] if v["check"] == "CH-01"]
    assert verdict["status"] == "waiting for a signature"
    assert "the person was removed" in verdict["why"]
    assert "removed" in trained.run(
        "sign", "CH-01", ONE, "--reason", "again", by="second-owner", code=4
    )


def test_a_changed_charter_makes_every_signature_void(trained: Firm) -> None:
    trained.run("sign", "CH-01", ONE, "--reason", "agreed", by=OWNER)
    charter = trained.project / "taxiway.yaml"
    charter.write_text(
        charter.read_text().replace("promised_per_month: 25000", "promised_per_month: 90000")
    )
    trained.run("plan", by=OWNER)
    flown = trained.ask("check", ONE, "--for", "qa", code=1)
    (verdict,) = [v for v in flown["verdicts"] if v["check"] == "CH-01"]
    assert "is void: the evidence changed" in verdict["why"]


def test_a_signature_is_for_one_release_only(trained: Firm) -> None:
    trained.run("sign", "CH-01", ONE, "--reason", "agreed", by=OWNER)
    trained.run("train", by=DEVELOPER)
    flown = trained.ask("check", TWO, "--for", "qa", code=1)
    assert "CH-01" in flown["blocking"]


def test_a_deviation_needs_somebody_else_and_ends(trained: Firm) -> None:
    words = ["--reason", "small airline", "--risk", "poorer warnings", "--until"]
    day = "2020-01-01"
    said = trained.run("deviate", "DV-05", ONE, *words, day, by=DEVELOPER, code=2)
    assert "the end is not within reach" in said
    assert "can't be waived" in trained.run(
        "deviate", "CH-04", ONE, *words, "2999-01-01", by=DEVELOPER, code=4
    )
    granted = trained.deviate("DV-05", ONE, days=10)
    flown = trained.ask("check", ONE, "--for", "qa", code=1)
    (verdict,) = [v for v in flown["verdicts"] if v["check"] == "DV-05"]
    assert verdict["status"] == "deviated"
    assert "settled" in trained.run("deviate", "grant", granted, by=OWNER, code=4)
    with in_environment(trained), taxiway.Workspace.open(trained.folder) as workspace:
        later = workspace.desk.now() + timedelta(days=12)
        workspace.desk = dataclasses.replace(workspace.desk, now=lambda: later)
        expired = {v.check: v for v in workspace.check(ONE, "qa").verdicts}
    assert str(expired["DV-05"].status) == "failed"


def test_a_ledger_row_that_was_changed_by_hand_is_named(running: Firm) -> None:
    with closing(sqlite3.connect(running.store / "record.db")) as record, record:
        for (trigger,) in record.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger'"
        ).fetchall():
            record.execute(f"DROP TRIGGER {trigger}")
        (seq,) = record.execute(
            "SELECT seq FROM ledger WHERE action = 'deployment.promoted' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        record.execute("UPDATE ledger SET actor = 'flights-owner' WHERE seq = ?", (seq,))
    said = running.run("ledger", "verify", code=5)
    assert f"event {seq} " in said
    assert "was changed after it was written" in said
    flown = running.ask("check", ONE, "--for", "prod", code=1)
    assert "AU-01" in flown["blocking"]


def test_of_two_promotions_at_once_one_wins(trained: Firm) -> None:
    """Two processes that start together: one promotes, the other is told, and nothing is half."""
    words = ["promote", ONE, "--to", "dev", "--as", ENGINEER]
    both = [trained.start(*words) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes[0] == 0
    assert codes[1] in {4, 6}, said
    ran = trained.ask("history")
    assert [(h["release"], h["environment"]) for h in ran] == [(ONE, "dev")]
    assert "hold" in trained.run("ledger", "verify")
