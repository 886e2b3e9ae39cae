"""All tables with one another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import combinations

from taxiway.core.errors import InputError
from taxiway.data.reconcile.columns import Rows, Table, profile
from taxiway.data.reconcile.finding import Reconciliation
from taxiway.data.reconcile.pairs import reconcile_pair


def _quiet(_: int) -> None:
    """Progress that nobody watches."""


def reconcile(
    tables: Sequence[Table], *, on_rows: Callable[[str], Rows] = lambda _: _quiet
) -> Reconciliation:
    """What is found between each two of the tables. The first that is named says how things are
    called and measured; mappings are for the ones after it.

    `on_rows` is told what is done and answers who hears of the rows. Raises `InputError` for fewer
    than two tables.
    """
    if len(tables) < 2:
        raise InputError(
            "It takes two sources to reconcile them.", todo="Name the other one as well."
        )
    begun = time.perf_counter()
    profiles = [profile(table, on_rows(f"Reading {table.name}")) for table in tables]
    pairs = [
        reconcile_pair(left, right, on_rows(f"Matching {left.table.name} and {right.table.name}"))
        for left, right in combinations(profiles, 2)
    ]
    return Reconciliation(
        tuple(table.name for table in tables),
        {table.name: table.digest for table in tables},
        sum(one.rows for one in profiles),
        tuple(pairs),
        time.perf_counter() - begun,
    )
