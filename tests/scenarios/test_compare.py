"""Training against production in a project, by real commands: evidence, and a release's metric."""

from __future__ import annotations

from pathlib import Path

from taxiway.bootstrap import Workspace
from taxiway.core.evidence import LIKENESS, Evidence

from .conftest import DEVELOPER, MODEL, Firm, in_environment

RELEASE = f"{MODEL}:1"


def known(firm: Firm) -> list[Evidence]:
    with in_environment(firm), Workspace.open() as workspace:
        return workspace.record.find(Evidence, kind=LIKENESS)


def test_comparison_is_evidence_about_the_snapshot(planned: Firm) -> None:
    found = planned.ask("data", "compare", "--no-classifier", code=1)
    assert found["source"] == "schedule.parquet"
    assert found["training_source"].startswith("snapshot ")
    assert "month" in found["different"]
    left_out = {c["name"] for c in found["columns"] if c["verdict"] == "left out"}
    assert "arr_delay" in left_out  # known only later, says the contract
    assert known(planned) == []  # nobody acted
    planned.run("data", "compare", "--no-classifier", by=DEVELOPER, code=1)
    (evidence,) = known(planned)
    assert evidence.subject == planned.ask("data", "show")["snapshot"]["id"]
    assert evidence.examined == found["production_rows"]
    assert evidence.required["minimum_rows"] == 1000
    assert "no LIKENESS" not in planned.run("ledger", "verify")


def test_comparison_is_what_the_check_reads(trained: Firm, tmp_path: Path) -> None:
    march = trained.data("march.parquet", "--months", "3-3")
    page = tmp_path / "march.html"
    asked = ["data", "compare", march, "--release", RELEASE, "--html", page]
    found = trained.ask(*asked, by=DEVELOPER, code=1)
    estimate = found["estimate"]
    assert estimate["scored_by"] == RELEASE
    assert estimate["metric"] == "roc_auc"
    assert 0.5 < estimate["training"]["value"] < 0.9
    # Late February is like March but for what March's own labels say.
    assert abs(estimate["production"]["value"] - estimate["realised"]) < 0.08
    newest = max(known(trained), key=lambda e: e.at)
    assert newest.subject == RELEASE
    assert newest.found["ask"]
    flown = trained.ask("check", RELEASE, "--for", "qa", code=1)
    (verdict,) = [v for v in flown["verdicts"] if v["check"] == "DA-04"]
    assert verdict["evidence"] == [newest.id] if "evidence" in verdict else True
    assert "month" in verdict["why"]
    assert "<svg" in page.read_text(encoding="utf-8")
