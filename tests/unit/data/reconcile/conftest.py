"""Small tables of shops, sensors and measurements, and what reconciling them finds."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from taxiway.core.digest import digest_of
from taxiway.data.reconcile.columns import Table
from taxiway.data.reconcile.finding import Reconciliation
from taxiway.data.reconcile.tables import reconcile

BATCH = 700
"""Rows of a batch: tables come in several."""


def table(name: str, frame: pl.DataFrame, *, personal: frozenset[str] = frozenset()) -> Table:
    digest = digest_of([[n, str(t)] for n, t in frame.schema.items()])
    return Table(name, tuple(frame.columns), lambda: frame.iter_slices(BATCH), digest, personal)


def found_between(left: pl.DataFrame, right: pl.DataFrame) -> Reconciliation:
    return reconcile([table("a", left), table("b", right)])


def kinds(found: Reconciliation) -> set[tuple[str, str, str]]:
    """What was found, as (kind, left column, right column)."""
    return {(f.kind, f.left.column, f.right.column) for f in found.findings}


def orders(rows: int = 1_500) -> pl.DataFrame:
    """Orders with a key, times, amounts, counts, codes and personal columns."""
    random = np.random.default_rng(11)
    start = datetime(2024, 1, 1)  # noqa: DTZ001 - a clock without a zone is what is meant
    at = [start + timedelta(minutes=int(m)) for m in np.sort(random.integers(0, 527_000, rows))]
    return pl.DataFrame(
        {
            "order": [f"O{number:06}" for number in random.permutation(rows)],
            "at": at,
            "amount": random.lognormal(3, 1, rows).round(2),
            "items": random.poisson(3, rows) + 1,
            "kilograms": random.gamma(2, 3, rows).round(3),
            "degrees": random.normal(12, 8, rows).round(1),
            "country": random.choice(["DE", "FR", "IT", "ES"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "month": [one.month for one in at],
            "hour": [one.hour for one in at],
            "paid": random.random(rows) < 0.7,
            "email": [f"person{number}@example.org" for number in range(rows)],
        }
    )


@pytest.fixture(name="orders")
def _orders() -> pl.DataFrame:
    return orders()
