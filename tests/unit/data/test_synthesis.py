"""Synthetic rows keep their contract, are like the data, and give nobody away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from taxiway.core.contract import Column, Contract, Rule
from taxiway.core.errors import InputError
from taxiway.data.source import open_source
from taxiway.data.synthesis.copula import draw, learn
from taxiway.data.synthesis.likeness import likeness
from taxiway.data.synthesis.mark import COLUMN, is_marked, marked, write_marked
from taxiway.data.synthesis.promised import promised, shapes_like
from taxiway.data.validation import validate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 2_000


def contract(*columns: Column, rules: tuple[Rule, ...] | None = None) -> Contract:
    at = Column("at", "timestamp")
    return Contract(
        id="t", version="1", description="", table="t", columns=(at, *columns),
        moments=("now",), decision_at="now", event_time="at", rules=rules,
    )  # fmt: skip


EVERY = contract(
    Column("id", "integer", key=True, minimum=1),
    Column("code", "string", pattern=r"^[A-Z]{2}-\d{4}$", unique=True),
    Column("name", "string", minimum_length=3, maximum_length=5, nullable=True),
    Column("kind", "string", values=("a", "b")),
    Column("share", "number", minimum=0, maximum=1),
    Column("low", "integer", maximum=-5),
    Column("day", "date", minimum="2026-01-01"),
    Column("flag", "boolean", nullable=True),
    Column("when", "string", examples=("MH370", "AB123")),
)


def held(frame: pl.DataFrame, kept: Contract, folder: Path) -> None:
    frame.write_parquet(folder / "made.parquet")
    assert validate(open_source(folder / "made.parquet"), kept).failures == ()


def test_a_contract_alone_is_enough(tmp_path: Path) -> None:
    made = promised(EVERY, 500, seed=3, now=NOW)
    assert made.height == 500
    held(made, EVERY, tmp_path)
    assert made["at"].max() <= NOW  # type: ignore[operator]
    assert 0 < made["name"].null_count() < 100
    assert made.equals(promised(EVERY, 500, seed=3, now=NOW))
    assert not made.equals(promised(EVERY, 500, seed=4, now=NOW))


def test_rules_over_columns_are_kept(tmp_path: Path) -> None:
    ruled = contract(
        Column("first", "integer", minimum=0, maximum=100),
        Column("last", "integer", minimum=0, maximum=100),
        rules=(Rule("order", "first < last"),),
    )
    made = promised(ruled, 300, seed=1, now=NOW)
    assert (made["first"] < made["last"]).all()
    held(made, ruled, tmp_path)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (Column("id", "integer", key=True, minimum=1, maximum=10), "Only 10 of 300"),
        (Column("code", "string", pattern="^[A-Z]{9}$", maximum_length=4), "hardly gives a text"),
    ],
)
def test_what_can_not_be_drawn_is_said(column: Column, words: str) -> None:
    with pytest.raises(InputError, match=words):
        promised(contract(column), 300, seed=1, now=NOW)


def test_fewer_rows_where_the_key_leaves_no_room(tmp_path: Path) -> None:
    kept = contract(Column("n", "integer", key=True, minimum=1, maximum=30))
    with pytest.raises(InputError, match="Only 30 of 100 rows") as caught:
        promised(kept, 100, seed=1, now=NOW)
    assert caught.value.todo == "Ask for --rows 30 or fewer."
    fewer = promised(kept, 100, seed=1, now=NOW, or_fewer=True)
    assert fewer.height == 30
    held(fewer, kept, tmp_path)


def test_numbers_of_rows_go_on(tmp_path: Path) -> None:
    """More rows than there were need other numbers than there were."""
    given = pl.DataFrame({"n": range(40), "v": [i % 4 for i in range(40)]})
    kept = replace(
        contract(Column("n", "integer", key=True, minimum=0), Column("v", "integer")),
        columns=(Column("n", "integer", key=True, minimum=0), Column("v", "integer")),
        event_time="",
    )
    model = learn(given, kept, seed=1)
    made = draw(model, 1_000, seed=1)
    assert made["n"].n_unique() > 990
    assert set(made["v"]) <= {0, 1, 2, 3}


def test_what_could_not_be_read_does_not_come_back() -> None:
    given = pl.DataFrame({"v": [*range(99), None]})
    kept = replace(contract(), columns=(Column("v", "integer"),), event_time="")
    assert draw(learn(given, kept, seed=1), 1_000, seed=1)["v"].null_count() == 0


def test_no_text_reads_as_missing() -> None:
    values = pl.Series(["AB", "CD"] * 20)
    assert "NA" not in shapes_like(values, 20_000, np.random.default_rng(1), 5)


def people(rows: int = ROWS) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 90, rows)
    income = np.round(np.exp(9 + age / 60 + rng.normal(size=rows) * 0.4), 2)
    town = np.array(["rich", "mid", "poor"])[
        np.clip(np.argsort(np.argsort(-income)) * 3 // rows, 0, 2)
    ]
    gone = rng.random(rows) < 0.2
    known = [None if g else float(i) for g, i in zip(gone, income, strict=True)]
    return pl.DataFrame(
        {
            "at": [NOW - timedelta(hours=int(h)) for h in rng.integers(0, 5_000, rows)],
            "who": [f"P-{n:05}" for n in range(rows)],
            "age": age,
            "income": pl.Series(known),
            "tax": pl.Series(known) / 4,
            "town": town,
            "rare": ["secret village" if n < 3 else "city" for n in range(rows)],
            "zero": np.where(rng.random(rows) < 0.6, 0.0, rng.lognormal(size=rows)),
            "day": [date(2026, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 60, rows)],
        }
    )  # fmt: skip


LIKE = contract(
    Column("who", "string", personal=True),
    Column("age", "integer"),
    Column("income", "number", nullable=True),
    Column("tax", "number", nullable=True),
    Column("town", "string"),
    Column("rare", "string"),
    Column("zero", "number"),
    Column("day", "date"),
)


def test_distributions_and_dependence_come_back(tmp_path: Path) -> None:
    real = people()
    made = draw(learn(real, LIKE, seed=1), ROWS, seed=1)
    held(made, LIKE, tmp_path)
    for name in ("age", "income", "zero"):
        # Two samples of one distribution: Kolmogorov and Smirnov's test has nothing to say.
        both = (made[name].drop_nulls().to_numpy(), real[name].drop_nulls().to_numpy())
        assert stats.ks_2samp(*both).statistic < 0.05, name
    shares = made["town"].value_counts(normalize=True).sort("town")["proportion"]
    assert shares.to_list() == pytest.approx([1 / 3] * 3, abs=0.04)
    # A column and the town that follows from it; columns that miss together.
    means = made.group_by("town").agg(pl.col("income").mean()).sort("income")["town"].to_list()
    assert means == ["poor", "mid", "rich"]
    assert made["income"].null_count() == pytest.approx(0.2 * ROWS, abs=80)
    together = (made["income"].is_null() & made["tax"].is_null()).sum()
    assert together > 0.9 * made["income"].null_count()
    rank = stats.spearmanr(made["age"], made["income"].fill_null(0)).statistic
    known = stats.spearmanr(real["age"], real["income"].fill_null(0)).statistic
    assert rank == pytest.approx(known, abs=0.08)
    assert (made["zero"] == 0).mean() == pytest.approx(0.6, abs=0.05)
    assert made["at"].dt.minute().sum() == 0  # whole hours stay whole


def test_people_do_not_come_back() -> None:
    real = people()
    model = learn(real, LIKE, seed=1)
    made = draw(model, ROWS, seed=1)
    assert set(made["rare"]) == {"city"}
    assert model.protected["rare"] == 3
    assert len(set(made["who"]) & set(real["who"])) < 0.1 * ROWS  # of 100,000 such names
    assert made["who"].str.contains(r"^[A-Z]-\d{5}$").all()
    assert made["income"].max() < real["income"].max()  # type: ignore[operator]
    found = likeness(real.drop("who"), made.drop("who"))
    assert found.keeps_apart
    assert found.copies == 0
    assert found.dependence < 0.05


def test_copies_are_told_from_new_rows() -> None:
    real = people().drop("who")
    copied = likeness(real, real.sample(500, seed=2))
    assert not copied.keeps_apart
    assert copied.nearest == 0.0


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    values=st.lists(
        st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([0.0, 1.0])),
        min_size=1,
        max_size=40,
    ),
    texts=st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=40, max_size=40),
)
def test_whatever_the_columns_hold_rows_can_be_drawn(
    values: list[float | None], texts: list[str | None]
) -> None:
    frame = pl.DataFrame(
        {
            "x": pl.Series(values, dtype=pl.Float64),
            "s": pl.Series(texts[: len(values)], dtype=pl.String),
        }
    )
    kept = contract(Column("x", "number", nullable=True), Column("s", "string", nullable=True))
    made = draw(learn(frame, kept, seed=0), 20, seed=0)
    assert (made.height, made.columns) == (20, ["x", "s"])


def test_the_mark_stays(tmp_path: Path) -> None:
    made = promised(EVERY, 20, seed=0, now=NOW)
    write_marked(made, tmp_path / "a.parquet")
    marked(made).write_csv(tmp_path / "b.csv")
    made.write_parquet(tmp_path / "c.parquet")
    assert is_marked(open_source(tmp_path / "a.parquet"))
    assert is_marked(open_source(tmp_path / "b.csv"))
    assert not is_marked(open_source(tmp_path / "c.parquet"))
    unmarked = pl.read_parquet(tmp_path / "a.parquet").drop(COLUMN)
    metadata = pl.read_parquet_metadata(tmp_path / "a.parquet")
    noted = {"taxiway.synthetic": metadata["taxiway.synthetic"]}
    unmarked.write_parquet(tmp_path / "d.parquet", metadata=noted)
    assert is_marked(open_source(tmp_path / "d.parquet"))
