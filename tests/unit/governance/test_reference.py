"""The committed page of the checks is the one that the catalogue gives."""

from __future__ import annotations

from pathlib import Path

from taxiway.governance.catalogue import load_catalogue
from taxiway.governance.reference import explain, reference_page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "checks.md"


def test_the_committed_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == reference_page()


def test_the_page_has_every_check() -> None:
    page = reference_page()
    assert all(f"### {spec.id} {spec.title}" in page for spec in load_catalogue())


def test_explains_one_check_with_its_clauses() -> None:
    told = explain("dv-03")
    assert told["evidence"] == ["training.leakage", "data.traps"]
    assert told["built"] is True
    assert "dev/low" in told["required_for"]
    assert {c["clause"] for c in told["clauses"]} == {"T-D7", "T-I2", "T-I3"}


def test_says_what_is_not_built() -> None:
    assert explain("DV-08")["built"] is False
    assert explain("VA-02")["built"] is True  # signed, nothing to build
