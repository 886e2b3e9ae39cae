"""What columns bring: what was put in comes out, and a copy of a column brings nothing."""

from __future__ import annotations

import numpy as np
import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.data.benefit import BRINGS, NOTHING, benefits
from taxiway.data.leaks.judged import Case, of_decisions
from taxiway.data.leaks.table import table_of

ROWS = 3_000


def test_what_a_column_brings_is_told() -> None:
    rng = np.random.default_rng(0)
    strong, weak, noise = rng.normal(size=(3, ROWS))
    frame = pl.DataFrame(
        {
            "strong": strong,
            "weak": weak,
            "noise": noise,
            "copied": strong + 0.0,
            "half": [None if at % 2 else 1.0 for at in range(ROWS)],
        }
    )
    label = pl.Series(rng.random(ROWS) < 1 / (1 + np.exp(-(2 * strong + weak))))
    contract = Contract(
        id="t", version="1", description="", table="t",
        columns=(Column("weak", "number", personal=True, known_at="end"),),
        moments=("start", "end"), decision_at="start", event_time="at",
    )  # fmt: skip
    steps: list[int] = []
    found = benefits(table_of(frame.drop("copied"), label), contract, steps.append)
    told = {one.column: one for one in found.columns}
    assert [one.column for one in found.columns[:2]] == ["strong", "weak"]
    assert told["strong"].verdict == told["weak"].verdict == BRINGS
    assert told["noise"].verdict != BRINGS
    assert told["half"].missing == 0.5
    assert (told["weak"].known_at, told["weak"].personal) == ("end", True)
    assert sum(steps) == 5
    # Leave-one-covariate-out: of two columns that say the same, neither is missed.
    twice = benefits(table_of(frame, label))
    assert {one.column: one.verdict for one in twice.columns}["strong"] == NOTHING


def test_what_a_column_earns_is_held_against_what_it_costs() -> None:
    rng = np.random.default_rng(0)
    known = rng.random(3_000)
    frame = pl.DataFrame({"score": known, "dear": rng.random(3_000)})
    label = pl.Series(rng.random(3_000) < known)
    columns = (Column("score", "number", cost=0.05), Column("dear", "number", cost=0.5))
    contract = Contract("c", "1", "", "t", columns, ("now",), "now", "score")
    worth = {"true_positive": 1.0, "false_positive": -1.0, "true_negative": 0.0}
    case = Case(of_decisions(0.5, **worth, false_negative=-1.0), "EUR")
    found = benefits(table_of(frame, label), contract, case=case)
    score, dear = (next(c for c in found.columns if c.column == n) for n in ("score", "dear"))
    assert (found.currency, found.per) == ("EUR", "decision")
    assert score.value is not None
    assert dear.value is not None
    assert score.value.low > 0.1
    assert dear.value.low < 0.05
    assert score.net is not None
    assert score.net > 0
    assert dear.net is not None
    assert dear.net < -0.4
    assert found.found()["columns"][0]["net"] == score.net
