"""Rows that are meant to be awkward: what they do to arithmetic is no news to whoever trains."""

from __future__ import annotations

from typing import Any

import polars as pl

from taxiway.release.compile import _held


def test_an_original_that_overflows_is_held_against_quietly() -> None:
    """Warnings are errors here; one of them would leave the rows out."""
    holdout = pl.DataFrame({"a": [1.0, 2.0, 3.0]})

    def answered(rows: pl.DataFrame) -> Any:
        squares = rows["a"].fill_null(0.0).fill_nan(0.0).to_numpy() ** 2
        return squares / (1.0 + squares.max())

    def quiet(rows: pl.DataFrame) -> Any:
        import numpy as np

        with np.errstate(all="ignore"):
            return answered(rows)

    loud, silent = (_held(one, quiet, {}, holdout, 0.5) for one in (answered, quiet))
    assert loud["adversarial_rows"] == silent["adversarial_rows"]
