"""Parts: cut where the rows say, so that versions of data share what they have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.core.contract import Contract
from taxiway.core.digest import canonical_json, digest_of
from taxiway.core.errors import IntegrityError
from taxiway.core.facts import Snapshot
from taxiway.data import parts as module
from taxiway.data.manifest import Target, snapshot_of
from taxiway.data.parts import cut, list_of
from taxiway.data.snapshot import (
    objects_of,
    read_snapshot,
    scan_snapshot,
    take_snapshot,
    verify_snapshot,
)
from taxiway.data.source import open_source

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of some hundred rows, so that a few thousand make many."""
    for name, rows in (("MEAN", 256), ("LEAST", 64), ("MOST", 1024)):
        monkeypatch.setattr(module, name, rows)


def frame(rows: int, start: int = 0) -> pl.DataFrame:
    ids = pl.int_range(start, start + rows, eager=True).alias("id")
    return pl.DataFrame(ids).with_columns((pl.col("id") * 7 % 1000 / 4).alias("value"))


def cut_whole(rows: pl.DataFrame, key: tuple[str, ...] = ("id",)) -> list[pl.DataFrame]:
    return list(cut([rows], key))


def same(one: list[pl.DataFrame], other: list[pl.DataFrame]) -> int:
    texts = {part.write_csv() for part in one}
    return sum(part.write_csv() in texts for part in other)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=12), st.booleans())
def test_parts_do_not_depend_on_how_rows_come(sizes: list[int], keyed: bool) -> None:
    rows = frame(sum(sizes))
    key = ("id",) if keyed else ()
    ends = np.cumsum([0, *sizes])
    frames = [rows.slice(a, b - a) for a, b in pairwise(ends)]
    found = list(cut(frames, key))
    assert [part.height for part in found] == [part.height for part in cut_whole(rows, key)]
    assert all(module.LEAST <= part.height <= module.MOST for part in found[:-1])
    assert pl.concat([frame(0), *found]).equals(rows)


def test_appended_rows_are_new_parts_and_no_more() -> None:
    before, after = cut_whole(frame(20_000)), cut_whole(frame(20_200))
    assert len(before) > 30
    assert same(before, after) >= len(before) - 1


def test_a_window_that_moves_shares_what_it_still_covers() -> None:
    before, after = cut_whole(frame(20_000)), cut_whole(frame(20_000, start=500))
    assert len(after) - same(before, after) <= 6


def test_one_changed_value_is_one_changed_part() -> None:
    rows = frame(20_000)
    changed = rows.with_columns(pl.when(pl.col("id") == 9_000).then(-1.0).otherwise("value"))
    edited = changed.select("id", pl.col("literal").alias("value"))
    before, after = cut_whole(rows), cut_whole(edited)
    assert len(after) - same(before, after) == 1


@pytest.mark.parametrize("value", [None, 7])
def test_one_key_for_all_rows_still_gives_parts_of_bounded_size(value: int | None) -> None:
    rows = pl.DataFrame({"id": pl.Series([value] * 5_000, dtype=pl.Int64)})
    sizes = [part.height for part in cut_whole(rows)]
    assert sum(sizes) == 5_000
    assert max(sizes) <= module.MOST
    assert min(sizes[:-1]) >= module.LEAST


@pytest.fixture
def take(office: Any, contract: Contract, tmp_path: Path) -> Callable[..., Snapshot]:
    """Takes a snapshot of so many minutes of a bus, from one minute on."""

    def taking(rows: int, start: int = 0) -> Snapshot:
        path = tmp_path / "trips.parquet"
        minutes = pl.int_range(start, start + rows, eager=True)
        began = 1_357_344_000_000_000  # 2013-01-05
        pl.DataFrame(
            {
                "code": ["001"] * rows,
                "at": (began + 60_000_000 * minutes).cast(pl.Datetime("us", "UTC")),
                "line": ["A"] * rows,
                "seats": minutes % 90,
                "fare": minutes / 8,
                "night": pl.Series([None] * rows, dtype=pl.Boolean),
                "delay": minutes % 30,
            }
        ).write_parquet(path)
        return take_snapshot(
            office.desk,
            model="bus",
            source=open_source(path),
            contract=contract,
            target=Target("late", "delay > 5"),
            description="",
        )

    return taking


def test_a_version_with_more_rows_stores_only_what_is_new(
    office: Any, take: Callable[..., Snapshot]
) -> None:
    first = take(20_000)
    before = set(office.objects._objects)
    second = take(20_100)
    ours, theirs = list_of(office.objects, first), list_of(office.objects, second)
    assert len(ours.parts) > 30
    count, size = theirs.shared(ours.digests)
    assert count >= len(ours.parts) - 1
    assert size > 0.95 * ours.bytes
    new = set(office.objects._objects) - before
    documents = {second.id, second.data_digest, second.profile_digest}
    assert new - documents == set(theirs.digests) - set(ours.digests)
    for snapshot, rows in ((first, 20_000), (second, 20_100)):
        frame = read_snapshot(office.objects, snapshot)
        assert frame.height == rows
        assert frame.get_column("delay").to_list() == [n % 30 for n in range(rows)]
        verify_snapshot(office.objects, snapshot)


def test_a_lost_part_is_named_and_comes_back(office: Any, take: Callable[..., Snapshot]) -> None:
    snapshot = take(5_000)
    lost = list_of(office.objects, snapshot).digests[3]
    del office.objects._objects[lost]
    with pytest.raises(IntegrityError, match="is not what was taken") as caught:
        verify_snapshot(office.objects, snapshot)
    assert [str(p.where).split()[:2] for p in caught.value.problems] == [["part", "4"]]
    assert take(5_000) == snapshot
    verify_snapshot(office.objects, snapshot)


@pytest.mark.parametrize("lost", ["id", "data_digest"])
def test_parts_are_known_as_long_as_one_of_two_documents_is_there(
    office: Any, take: Callable[..., Snapshot], lost: str
) -> None:
    snapshot = take(5_000)
    whole = set(objects_of(office.objects, snapshot))
    del office.objects._objects[getattr(snapshot, lost)]
    assert set(objects_of(office.objects, snapshot)) == whole


def test_parts_of_a_newer_protocol(office: Any, take: Callable[..., Snapshot]) -> None:
    snapshot = take(100)
    newer = office.objects.put(canonical_json({"protocol": 9}))
    with pytest.raises(IntegrityError, match="listed by protocol 9, and this taxiway reads 1"):
        list_of(office.objects, replace(snapshot, data_digest=newer))


def test_a_snapshot_of_the_first_protocol_is_read_as_ever(
    office: Any, take: Callable[..., Snapshot], tmp_path: Path
) -> None:
    """The golden manifest, with the digests of objects that are there."""
    new = take(100)
    path = tmp_path / "rows.parquet"
    read_snapshot(office.objects, new).write_parquet(path)
    manifest = json.loads((GOLDEN / "snapshot-1.json").read_bytes())
    assert manifest["protocol"] == 1
    manifest |= {
        "data": office.objects.put_file(path),
        "contract": new.contract_digest,
        "profile": new.profile_digest,
        "rows": 100,
    }
    office.objects.put(canonical_json(manifest))
    old = snapshot_of(manifest, at=office.desk.now(), by="flights-data")
    assert old.id == digest_of(manifest)
    assert read_snapshot(office.objects, old).equals(read_snapshot(office.objects, new))
    assert scan_snapshot(office.objects, old).collect_schema().names()[0] == "code"
    assert [what for what, _ in objects_of(office.objects, old)] == [
        "manifest",
        "data",
        "profile",
        "contract",
    ]
    verify_snapshot(office.objects, old)
