"""Snapshots of rows in every store of objects: taken, shared, read back, verified, swept round."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryRecord, MemorySeen
from taxiway.core.contract import Column, Contract
from taxiway.core.facts import Snapshot
from taxiway.core.ports import Actor, Desk, Objects
from taxiway.data import parts
from taxiway.data.garbage import collect
from taxiway.data.manifest import Target
from taxiway.data.snapshot import read_snapshot, take_snapshot, verify_snapshot
from taxiway.data.source import open_source

CONTRACT = Contract(
    id="rows",
    version="1.0.0",
    description="Rows.",
    table="rows",
    columns=(
        Column("id", "integer", key=True),
        Column("at", "timestamp"),
        Column("value", "number"),
    ),
    moments=("known",),
    decision_at="known",
    event_time="at",
)


def test_rows_in_every_store(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, rows in (("MEAN", 256), ("LEAST", 64), ("MOST", 1024)):
        monkeypatch.setattr(parts, name, rows)
    record, ids = MemoryRecord(), itertools.count()
    desk = Desk(
        record=record,
        objects=objects,
        decisions=MemoryDecisions(),
        verify=lambda *_: True,
        now=lambda: datetime.now(UTC),
        new_id=lambda: f"id-{next(ids)}",
        actor=Actor("flights-developer", ("developer",), lambda _: ""),
    )

    def take(rows: int) -> Snapshot:
        path = tmp_path / "rows.parquet"
        numbers = pl.int_range(rows, eager=True)
        at = (1_357_344_000_000_000 + 60_000_000 * numbers).cast(pl.Datetime("us", "UTC"))
        frame = pl.DataFrame({"id": numbers, "at": at, "value": numbers / 8})
        frame.write_parquet(path)
        return take_snapshot(
            desk,
            model="rows",
            source=open_source(path),
            contract=CONTRACT,
            target=Target("high", "value > 100"),
            description="",
            seen=MemorySeen(),
        )

    first, second = take(3_000), take(3_100)
    one, other = parts.list_of(objects, first), parts.list_of(objects, second)
    assert len(one.parts) > 3
    assert other.shared(one.digests)[0] >= len(one.parts) - 1
    left = objects.put(b"cut off")
    later = datetime.now(UTC) + timedelta(seconds=3)
    found = collect(record, objects, before=later, remove=True)
    assert (found.free_objects, found.missing) == (1, ())
    assert not objects.has(left)
    for snapshot, rows in ((first, 3_000), (second, 3_100)):
        verify_snapshot(objects, snapshot)
        assert read_snapshot(objects, snapshot).get_column("id").to_list() == list(range(rows))
    assert take(3_100) == second
