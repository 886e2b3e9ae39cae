"""What is shown of a survey: figures, pictures, and no value that is somebody's."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from taxiway.cli.data import data
from taxiway.core.errors import InputError, TaxiwayError
from taxiway.data.page.document import document, write_page
from taxiway.data.page.drawing import histogram, values


class Balanced(HTMLParser):
    """Notes tags that are not closed where they should be, and everything that is loaded."""

    EMPTY = frozenset({"meta", "rect", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [
            f"{k}={v}" for k, v in attrs if k in {"src", "href"} and not (v or "").startswith("#")
        ]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def read(text: str) -> Balanced:
    page = Balanced()
    page.feed(text)
    assert page.open == []
    assert page.loaded == []
    return page


@pytest.fixture
def people(tmp_path: Path) -> Path:
    random = np.random.default_rng(1)
    rows = 2_000
    path = tmp_path / "people.csv"
    pl.DataFrame(
        {
            "id": [f"{n:05}" for n in range(rows)],
            "mail": [f"p{n}@example.org" for n in range(rows)],
            "phone": [491700000000 + n for n in range(rows)],
            "income": random.lognormal(10, 1, rows).round(2),
            "town": random.choice(["Ulm", "Köln <&>", "Rom"], rows, p=[0.6, 0.399, 0.001]),
            "day": ["2013-01-01", "2013-02-01"] * (rows // 2),
        }
    ).write_csv(path)
    return path


def test_source_on_a_terminal_and_as_json(people: Path) -> None:
    shown = CliRunner().invoke(data, ["show", str(people)])
    assert shown.exit_code == 0
    assert "hidden: personal, by its name" in shown.output
    assert "2,000 rows and 6 columns" in shown.output
    told = CliRunner().invoke(data, ["show", str(people), "--json"])
    found = {c["name"]: c for c in json.loads(told.output)["columns"]}
    income = pl.read_csv(people)["income"]
    assert found["income"]["mean"] == pytest.approx(income.mean())
    assert found["income"]["quantiles"]["0.5"] == income.quantile(0.5, "lower")
    assert found["town"]["values"][0]["value"] == "Ulm"
    for text in (shown.output, told.output):
        assert "example.org" not in text
        assert "4917" not in text
        assert "00017" not in text


def test_page_is_one_file_without_personal_values(people: Path, tmp_path: Path) -> None:
    page = tmp_path / "people.html"
    assert CliRunner().invoke(data, ["show", str(people), "--html", str(page)]).exit_code == 0
    text = page.read_text(encoding="utf-8")
    read(text)
    assert "example.org" not in text
    assert "4917" not in text
    assert "Köln &lt;&amp;&gt;" in text
    assert "Rom" not in text  # two rows are too few to be shown
    assert text.count("<svg") == 3
    assert "prefers-color-scheme: dark" in text


def test_comparison_by_commands(people: Path, tmp_path: Path) -> None:
    other, page = tmp_path / "other.csv", tmp_path / "page.html"
    pl.read_csv(people, infer_schema=False).with_columns(town=pl.lit("Ulm")).write_csv(other)
    same = CliRunner().invoke(data, ["compare", str(people), str(people), "--no-classifier"])
    assert same.exit_code == 0
    assert "Production is like training" in same.output
    asked = ["compare", str(people), str(other), "--html", str(page), "--no-classifier"]
    found = CliRunner().invoke(data, asked)
    assert found.exit_code == 1
    assert "town" in found.output
    read(page.read_text(encoding="utf-8"))
    assert "example.org" not in page.read_text(encoding="utf-8") + found.output
    told = json.loads(CliRunner().invoke(data, [*asked, "--json"]).output)
    assert told["different"][0] == "town"
    assert told["required"]["minimum_rows"] == 500


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["gone.csv", "gone.csv"], "no file"),
        ([], "nothing to compare|no sample of production"),
        (["people.csv", "people.csv", "--label", "income >"], "can't be read"),
        (["people.csv", "people.csv", "--as", "anna"], "no workspace|project"),
    ],
)
def test_what_can_not_be_compared(
    people: Path, asked: list[str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(people.parent)
    found = CliRunner().invoke(data, ["compare", *asked])
    assert isinstance(found.exception, TaxiwayError)
    assert any(word in str(found.exception) for word in why.split("|"))


def test_pictures() -> None:
    read(document("t", histogram("h", ["1", "2", "3"], [0.1, 0.5, 0.4], [0.2, 0.2, 0.6])))
    read(document("t", values("v", ["a" * 90, "<b>"], [0.5, 0.5], [1.0, 0.0])))
    assert histogram("h", [], []) == ""
    assert values("v", [], []) == ""


def test_page_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be written"):
        write_page(tmp_path / "no" / "page.html", "x")
