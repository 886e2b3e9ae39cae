"""The commands of `taxiway data` that look at whole tables, on files of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.cli.conftest import run

from taxiway.cli.data import data
from taxiway.core.errors import ConflictError, InputError, MissingError

ROWS = 1_000


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Loans with a column that gives the answer away, mail addresses and two sexes."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], ROWS)
    income = rng.lognormal(10, 0.4, ROWS).round(2)
    good = rng.random(ROWS) < np.where(sex == "m", 0.7, 0.4)
    frame = pl.DataFrame(
        {
            "email": [f"someone{n}@example.org" for n in range(ROWS)],
            "sex": sex,
            "height": np.where(sex == "m", 178, 165) + rng.normal(size=ROWS).round(1) * 7,
            "income": income,
            "approved": ["yes" if one else "no" for one in good],
            "letter": ["A7" if one else "R1" for one in good],
        }
    )
    frame.write_csv("loans.csv")
    return tmp_path / "loans.csv"


def test_leaks_are_shown_and_end_with_one(loans: Path) -> None:
    result = run(data, "leaks", "loans.csv", "--target", "approved = 'yes'", "--no-models")
    assert result.exit_code == 1
    assert "letter alone reaches ROC AUC 1.000" in result.output
    assert "loans.csv: 1 that block" in result.output
    clean = ("leaks", "loans.csv", "--target", "approved = 'yes'", "--leave-out", "letter")
    result = run(data, *clean, "--no-models", "--json")
    assert result.exit_code == 0
    told = json.loads(result.output)
    assert [one["kind"] for one in told["leaks"]] == ["identifier"]
    assert told["rows"] == ROWS


def test_personal_data_are_shown_without_a_value(loans: Path) -> None:
    result = run(data, "privacy", "loans.csv")
    assert result.exit_code == 1
    assert "email" in result.output
    assert "@example.org" not in result.output
    result = run(data, "privacy", "loans.csv", "--json")
    told = json.loads(result.output)
    assert [one["kind"] for one in told["personal"]] == ["email"]
    assert told["protected"] == [{"column": "sex", "attribute": "sex", "marked": False}]


def test_bias_finds_its_groups_by_itself(loans: Path) -> None:
    result = run(data, "bias", "loans.csv", "--target", "approved = 'yes'", "--no-models")
    assert result.exit_code == 0
    assert "less than four fifths" in result.output
    assert "height alone tells sex=" in result.output
    result = run(data, "bias", "loans.csv", "--target", "approved", "--no-models", "--json")
    told = json.loads(result.output)
    assert told["protected"] == ["sex"]
    assert told["disparities"][0]["tells"] is True


def test_benefit_names_what_brings_something(loans: Path) -> None:
    ours = ("benefit", "loans.csv", "--target", "approved", "--leave-out", "letter")
    result = run(data, *ours, "--leave-out", "email", "--json")
    told = json.loads(result.output)
    assert told["columns"][0]["column"] == "sex"
    assert {one["column"] for one in told["columns"]} == {"sex", "height", "income"}


def test_what_is_missing_is_said(loans: Path) -> None:
    with pytest.raises(MissingError, match="Did you mean 'approved'"):
        run(data, "leaks", "loans.csv", "--target", "aproved", "--no-models")
    with pytest.raises(InputError, match="No target was named"):
        run(data, "leaks", "loans.csv")
    with pytest.raises(InputError, match="No source was named"):
        run(data, "privacy")


def test_rows_like_these_are_made_up(loans: Path) -> None:
    ours = ("synth", "loans.csv", "--out", "like.parquet", "--rows", "400")
    result = run(data, *ours)
    assert result.exit_code == 0
    assert "400 synthetic rows and 6 columns in like.parquet" in result.output
    assert "distance to the nearest real row" in result.output
    made = pl.read_parquet("like.parquet")
    assert made["taxiway_synthetic"].all()
    assert not set(made["email"]) & set(pl.read_csv("loans.csv")["email"])
    with pytest.raises(ConflictError, match="already there"):
        run(data, *ours)
    told = json.loads(run(data, *ours, "--overwrite", "--json").output)
    assert told["likeness"]["keeps_apart"] is True
    with pytest.raises(InputError, match="No contract was named"):
        run(data, "synth", "--out", "first.csv")


@pytest.mark.parametrize("out", ["made.csv", "made.parquet"])
def test_a_draft_is_enough_to_make_rows_up(loans: Path, out: str) -> None:
    """What `infer` writes has no moments of decision, and may spell dates in its own way."""
    days = [f"{1 + n % 28:02}/{1 + n // 28 % 12:02}/2013" for n in range(100)]
    times = [f"{day} 1{n % 10}:30" for n, day in enumerate(days)]
    table = {"n": range(100), "day": days, "at": times, "v": [n % 3 for n in range(100)]}
    pl.DataFrame(table).write_csv("x.csv")
    run(data, "infer", "x.csv", "--out", "x.yaml")
    for source in (["x.csv"], []):
        made = run(data, "synth", *source, "--contract", "x.yaml", "--out", out, "--overwrite")
        assert "1,000 synthetic rows" in made.output
        held = run(data, "check", out, "--contract", "x.yaml")
        assert held.exit_code == 0, held.output


def test_what_repairs_earn_is_shown_and_drawn(loans: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pl.read_csv(loans).with_columns(
        income=pl.Series(np.where(rng.random(ROWS) < 0.1, -9999, np.arange(ROWS) % 700 + 1000))
    )
    frame.write_csv("holes.csv")
    asked = ("worth", "holes.csv", "--target", "approved", "--leave-out", "letter")
    result = run(data, *asked, "--leave-out", "email", "--html", "worth.html")
    assert result.exit_code == 0, result.output
    assert "-9999" in result.output
    assert "ROC AUC as it is" in result.output
    text = Path("worth.html").read_text("utf-8")
    assert "<svg" in text
    assert "sentinels: income" in text
    told = json.loads(run(data, *asked, "--leave-out", "email", "--json").output)
    assert [one["defect"] for one in told["gains"]] == ["sentinels"]
    assert told["gains"][0]["rate"] == pytest.approx(0.1, abs=0.03)
    assert "No defect was found." in run(data, "worth", "loans.csv", *asked[2:]).output
