"""What columns bring: what was put in comes out, and a copy of a column brings nothing."""

from __future__ import annotations

import numpy as np
import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.data.benefit import BRINGS, NOTHING, benefits
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
