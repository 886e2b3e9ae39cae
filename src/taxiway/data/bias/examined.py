"""Data examined for bias: representation, base rates, disparities and proxies, in one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from taxiway.core.errors import InputError
from taxiway.data.bias.groups import Disparity, Group, disparities, groups_of
from taxiway.data.bias.proxies import Proxies, proxies

MINIMUM_ROWS = 100
"""Rows with a label below which a group's rate is too uncertain to speak of."""


@dataclass(frozen=True, slots=True)
class Bias:
    """What was found."""

    rows: int
    labelled: int
    minimum_rows: int
    protected: tuple[str, ...]
    groups: tuple[Group, ...]
    disparities: tuple[Disparity, ...]
    proxies: tuple[Proxies, ...]

    @property
    def small(self) -> tuple[Group, ...]:
        """Groups of too few rows with a label."""
        return tuple(group for group in self.groups if group.small)

    @property
    def telling(self) -> tuple[Disparity, ...]:
        return tuple(one for one in self.disparities if one.tells)

    def found(self) -> dict[str, Any]:
        """Plain data, for machines and for evidence."""
        return {
            "rows": self.rows,
            "labelled": self.labelled,
            "protected": list(self.protected),
            "groups": [asdict(one) for one in self.groups],
            "disparities": [{**asdict(one), "tells": one.tells} for one in self.disparities],
            "proxies": [
                {**asdict(one), "standing_in": [p.column for p in one.standing_in]}
                for one in self.proxies
            ],
        }


def examine(
    frame: pl.DataFrame,
    label: pl.Series,
    protected: Sequence[str],
    permitted: Sequence[str],
    *,
    minimum_rows: int = MINIMUM_ROWS,
    models: bool = True,
    step: Callable[[str], None] = lambda _: None,
) -> Bias:
    """Data examined for bias in some protected columns.

    `label` is Boolean, or a number; `permitted` are the columns that a model may read. Raises
    `InputError` without a protected column.
    """
    if not protected:
        raise InputError(
            "No protected column is known.",
            todo="Name them with --protected, or mark them in the contract.",
        )
    step("Counting groups")
    groups = groups_of(frame, label, protected, minimum_rows=minimum_rows)
    rates = disparities(groups, protected) if label.dtype == pl.Boolean else []
    told = []
    for name in protected:
        step(f"Looking for proxies of {name}")
        others = [one for one in permitted if one not in protected]
        told.append(proxies(frame, name, others, models=models))
    return Bias(
        frame.height,
        label.len() - label.null_count(),
        minimum_rows,
        tuple(protected),
        tuple(groups),
        tuple(rates),
        tuple(told),
    )
