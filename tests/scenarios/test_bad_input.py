"""Bad input through the real command line: clear words, all at once, and nothing lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from .conftest import DATA, DEVELOPER, ENGINEER, MODEL, OWNER, Firm

ONE = f"{MODEL}:1"

Change = Callable[[pl.DataFrame], pl.DataFrame]


def changed(firm: Firm, change: Change, name: str = "bad.parquet") -> Path:
    """The first 2,000 flights, changed."""
    out = firm.project / "data" / name
    frame = change(pl.read_parquet(firm.project / "data" / "flights.parquet").head(2000))
    frame.write_csv(out) if name.endswith(".csv") else frame.write_parquet(out)
    return out


def test_a_charter_with_many_faults_says_them_all_with_their_lines(planned: Firm) -> None:
    charter = planned.project / "taxiway.yaml"
    text = charter.read_text()
    for before, after in (
        ("owners:", "ownrs:"),
        ("legal_class: minimal", "legal_class: minmal"),
        ("reversible: true", "reversible: maybe"),
        ("holdout: 0.2", "holdout: 2"),
        ("definition: arr_delay > 15", "definition: arr_dely > 15"),
    ):
        assert before in text
        text = text.replace(before, after)
    charter.write_text(text)
    said = planned.run("plan", code=1)
    lines = dict(enumerate(text.splitlines(), 1))
    for word, hint in (
        ("ownrs", "Did you mean `owners`?"),
        ("legal_class", "Did you mean `minimal`?"),
        ("reversible", "true or false"),
        ("holdout", "less than 1"),
    ):
        (line,) = [n for n, content in lines.items() if f"{word}:" in content]
        (about,) = [part for part in said.splitlines() if f"taxiway.yaml:{line} " in part]
        assert hint in about, about
    assert "leaves 6 points open" in planned.run("train", by=DEVELOPER, code=4)


def test_no_training_without_an_owner_on_both_sides(planned: Firm) -> None:
    charter = planned.project / "taxiway.yaml"
    text = charter.read_text()
    for who in ("business: flights-owner", "engineering: flights-engineer"):
        charter.write_text(text.replace(f"  {who}\n", ""))
        said = planned.run("train", by=DEVELOPER, code=4)
        assert who.partition(":")[0] in said


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("a.parquet", lambda f: f.drop("carrier"), ["carrier", "the column is not there"]),
        (
            "a.parquet",
            lambda f: f.rename({"carrier": "carier"}),
            ["the source has `carier`", "Not in the contract"],
        ),
        (
            "a.parquet",
            lambda f: f.with_columns(distance=pl.when(pl.col("flight") > 500).then("distance")),
            ["distance", "is missing"],
        ),
        (
            "a.csv",
            lambda f: f.with_columns(flight=pl.format("00{}", "flight")),
            ["flight", "is of another type", "without leading zeros"],
        ),
        (
            "a.csv",
            lambda f: f.with_columns(
                distance=pl.when(pl.col("flight") < 50)
                .then(pl.lit("far"))
                .otherwise(pl.col("distance").cast(str))
            ),
            ["distance", "is of another type", "far"],
        ),
        (
            "a.parquet",
            lambda f: f.with_columns(origin=pl.lit("PHL")),
            ["origin", "is not an allowed value", "one of EWR, JFK, LGA"],
        ),
        ("a.parquet", lambda f: pl.concat([f, f]), ["the key repeats"]),
        ("a.parquet", lambda f: f.head(1), ["too few rows", "at least 1000"]),
        ("a.parquet", lambda f: f.with_columns(month=pl.lit(13)), ["month", "too large"]),
        (
            "a.parquet",
            lambda f: f.with_columns(pl.col("time_hour").dt.replace_time_zone(None)),
            ["time_hour", "is of another type", "with its offset"],
        ),
    ],
)
def test_data_that_break_the_contract_are_shown_and_never_kept(
    planned: Firm, name: str, change: Change, says: list[str]
) -> None:
    path = changed(planned, change, name)
    said = planned.run("data", "check", path, code=1)
    assert all(word in said for word in says), said
    before = planned.ask("data", "show")["snapshot"]["id"]
    refused = planned.run("data", "snapshot", path, by=DATA, code=2)
    assert "No snapshot was taken" in refused
    assert planned.ask("data", "show")["snapshot"]["id"] == before


def test_files_that_are_no_table_are_refused(planned: Firm) -> None:
    data = planned.project / "data"
    whole = (data / "flights.parquet").read_bytes()
    for name, content, says in (
        ("empty.csv", b"", "is empty"),
        ("header.csv", b"a,b\n", "a header and no rows"),
        ("cut.parquet", whole[: len(whole) // 2], "can't be read"),
        ("text.parquet", b"not a table at all", "is not a Parquet file"),
        ("latin.csv", "a,b\nJ\u00fcrgen,1\n".encode("latin-1"), "is not UTF-8"),
        ("packed.csv", b"\x1f\x8b\x08\x00 and so on", "can't be decompressed"),
    ):
        (data / name).write_bytes(content)
        assert says in planned.run("data", "check", data / name, code=2), name
    assert "There is no file" in planned.run("data", "check", data / "nothing.csv", code=2)
    assert "cut.parquet can't be read" in planned.run("data", "check", data, code=2)


def test_a_target_with_one_class_can_t_be_trained_on(planned: Firm) -> None:
    charter = planned.project / "taxiway.yaml"
    charter.write_text(charter.read_text().replace("arr_delay > 15", "arr_delay > 15000"))
    assert "has only one class" in planned.run("data", "check")
    planned.commit("Another target")
    planned.run("plan", by=OWNER)
    planned.take_snapshot()
    said = planned.run("train", by=DEVELOPER, code=2)
    assert "one class only" in said
    assert "arr_delay > 15000" in said


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "return frame.select(",
            "raise ValueError('my mistake')\n    return frame.select(",
            ["ValueError: my mistake", "model.py:", "in features"],
        ),
        ("import polars as pl", "import polars as pl\nimport nothing_here", ["nothing_here"]),
        ("def estimator(", "def estimater(", ["no function 'estimator'", "Did you mean"]),
        ("def features(", "def features(:", ["SyntaxError", "model.py:"]),
        (
            'pl.col("distance").cast(pl.Float64),',
            '(pl.col("distance") - pl.col("distance").mean()).alias("distance"),',
            ["for a row alone", "pipeline"],
        ),
        (
            "    return frame.select(\n        *CATEGORIES",
            "    return frame.head(5).select(\n        *CATEGORIES",
            ["answered 5 rows"],
        ),
        ("HistGradientBoostingClassifier(", "HistGradientBoostingRegressor(", ["predict_proba"]),
        ("max_leaf_nodes=15", "max_leaf_nodes=-15", ["max_leaf_nodes", "estimator in model.py"]),
    ],
)
def test_a_mistake_in_the_model_s_code_is_named_with_its_line(
    planned: Firm, before: str, after: str, says: list[str]
) -> None:
    model = planned.project / "model.py"
    text = model.read_text()
    assert before in text
    changed_text = text.replace(before, after, 1)
    if "Regressor" in after:
        changed_text = text.replace("HistGradientBoostingClassifier", after.removesuffix("("))
    model.write_text(changed_text)
    said = planned.run("train", by=DEVELOPER, code=2)
    assert all(word in said for word in says), said
    assert planned.ask("status")["models"][0]["release"] is None


def test_names_that_are_nearly_right_are_suggested(trained: Firm) -> None:
    assert "Did you mean 'promote'?" in trained.run("promte", code=3)
    said = trained.run("check", "flight-delay:1", "--for", "dev", code=3)
    assert f"Did you mean '{ONE}'?" in said
    assert "Did you mean" in trained.run("check", "--explain", "DV-4", code=3)
    assert "dev" in trained.run("check", ONE, "--for", "production", code=2)
    assert "Did you mean 'flight-delays'?" in trained.run("watch", "flight-delay", code=3)


def test_a_batch_with_one_bad_row_decides_on_none(running: Firm) -> None:
    schedule = pl.read_parquet(running.project / "data" / "schedule.parquet")
    bad = schedule.with_columns(
        origin=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("XXX")).otherwise("origin")
    )
    source = running.project / "bad.parquet"
    bad.write_parquet(source)
    before = _decisions(running)
    said = running.run("score", source, "out.parquet", code=2)
    assert "'XXX' (row 6)" in said
    assert "Nothing was decided" in said
    assert _decisions(running) == before
    assert not (running.project / "out.parquet").exists()


def test_a_file_that_is_there_is_not_overwritten_by_accident(running: Firm) -> None:
    out = running.project / "out.csv"
    out.write_text("mine")
    schedule = running.project / "data" / "schedule.parquet"
    assert "already there" in running.run("score", schedule, out, code=6)
    assert out.read_text() == "mine"
    assert "expected a name that ends in" in running.run("score", schedule, "out.xlsx", code=2)
    assert "There is no folder" in running.run("score", schedule, "no/where.csv", code=2)
    running.run("score", schedule, out, "--overwrite")
    assert out.read_text().startswith("carrier,flight,time_hour,")


def _decisions(firm: Firm) -> int:
    return len(firm.logged())


def test_outcomes_that_contradict_or_do_not_fit_are_refused(running: Firm) -> None:
    outcomes = running.data("outcomes.parquet", "--months", "3-3", "--outcomes")
    running.run("outcomes", "add", outcomes, by=DATA)
    frame = pl.read_parquet(outcomes)
    other = running.project / "other.parquet"
    frame.with_columns(arr_delay=pl.lit(600)).write_parquet(other)
    said = running.run("outcomes", "add", other, by=DATA, code=6)
    assert "nothing was added" in said
    frame.drop("flight").write_parquet(other)
    assert "flight" in running.run("outcomes", "add", other, by=DATA, code=2)
    frame.head(0).write_parquet(other)
    assert "no rows" in running.run("outcomes", "add", other, by=DATA, code=2)


def test_rollback_without_a_way_back_says_so(running: Firm) -> None:
    assert "no earlier release" in running.run("rollback", "prod", by=ENGINEER, code=4)
    assert "No model named 'x'" in running.run("rollback", "prod", "--model", "x", code=3)


def test_outside_of_any_workspace_the_way_is_shown(tmp_path: Path) -> None:
    firm = Firm(tmp_path / "nowhere")
    firm.folder.mkdir()
    said = firm.run("status", code=3)
    assert "taxiway init" in said
    firm.run("init", ".")
    assert firm.ask("status")["models"] == []
    # Whoever removes the store gets an empty one, and no stack trace.
    shutil.rmtree(firm.folder / ".taxiway")
    assert firm.ask("status")["models"] == []
