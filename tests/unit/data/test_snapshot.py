"""Snapshots: taken once, whole or not at all, and never believed without being read again."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from taxiway.core.contract import Contract, contract_from
from taxiway.core.errors import ConflictError, InputError, IntegrityError, RefusedError, StoreError
from taxiway.core.evidence import PROVENANCE, VALIDATION, Evidence
from taxiway.core.facts import Snapshot
from taxiway.core.ports import Desk
from taxiway.data.column_types import schema_of
from taxiway.data.manifest import Target
from taxiway.data.snapshot import read_profile, read_snapshot, take_snapshot, verify_snapshot
from taxiway.data.source import open_source
from taxiway.data.synthesis.mark import COLUMN

Trips = Callable[..., Path]
TARGET = Target("late", "delay > 5")


def take(desk: Desk, path: Path, contract: Contract, **options: Any) -> Snapshot:
    given: dict[str, Any] = {
        "model": "bus-delays",
        "target": TARGET,
        "description": "Trips as the depot writes them.",
    }
    return take_snapshot(desk, source=open_source(path), contract=contract, **{**given, **options})


def stored(office: Any) -> int:
    return len(office.objects._objects)


def test_snapshot_and_its_evidence(office: Any, trips: Trips, contract: Contract) -> None:
    snapshot = take(office.desk, trips(), contract)
    assert snapshot == Snapshot(
        id=snapshot.id,
        model="bus-delays",
        contract_digest=contract.digest,
        data_digest=snapshot.data_digest,
        profile_digest=snapshot.profile_digest,
        source="trips.csv",
        rows=3,
        first_time=datetime(2013, 3, 1, 10, tzinfo=UTC),
        last_time=datetime(2013, 3, 2, 9, tzinfo=UTC),
        at=office.desk.now(),
        by="flights-developer",
    )
    assert office.record.find(Snapshot) == [snapshot]
    provenance, validation = office.record.find(Evidence, subject=snapshot.id)
    assert (provenance.kind, validation.kind) == (PROVENANCE, VALIDATION)
    assert provenance.examined == validation.examined == 3
    manifest = json.loads(office.objects.get(snapshot.id))
    assert provenance.found == {
        "source": "trips.csv",
        "source_digest": manifest["source"]["digest"],
        "rows": 3,
        "first_time": "2013-03-01T10:00:00.000000Z",
        "last_time": "2013-03-02T09:00:00.000000Z",
        "description": "Trips as the depot writes them.",
        "label": {"name": "late", "definition": "delay > 5", "known_at": "arrival", "rows": 2},
    }
    assert provenance.digests == {
        "snapshot": snapshot.id,
        "data": snapshot.data_digest,
        "contract": contract.digest,
    }
    assert validation.digests == {"data": snapshot.data_digest, "contract": contract.digest}
    assert validation.found["failed_rows"] == 0
    (event,) = office.record.events()
    assert (event.action, event.subject, event.digest) == (
        "snapshot.taken",
        snapshot.id,
        snapshot.id,
    )
    assert event.details["rows"] == 3


def test_everything_can_be_read_back(office: Any, trips: Trips, contract: Contract) -> None:
    snapshot = take(office.desk, trips(), contract)
    frame = read_snapshot(office.objects, snapshot)
    assert frame.schema == schema_of(contract)
    assert frame.get_column("code").to_list() == ["001", "002", "001"]
    assert read_profile(office.objects, snapshot)["rows"] == 3
    kept = contract_from(json.loads(office.objects.get(snapshot.contract_digest)))
    assert kept == contract
    verify_snapshot(office.objects, snapshot)


def test_the_same_data_again_are_the_same_snapshot(
    office: Any, trips: Trips, contract: Contract
) -> None:
    first = take(office.desk, trips(), contract)
    objects, later = stored(office), replace(office.desk, now=lambda: datetime.now(UTC))
    assert take(later, trips(), contract) == first
    assert stored(office) == objects
    assert len(list(office.record.events())) == 1


def test_the_same_rows_from_parquet_are_the_same_data(
    office: Any, trips: Trips, contract: Contract, tmp_path: Path
) -> None:
    first = take(office.desk, trips(), contract)
    path = tmp_path / "trips.parquet"
    read_snapshot(office.objects, first).write_parquet(path, compression="lz4")
    second = take(office.desk, path, contract)
    assert second.data_digest == first.data_digest
    assert second.profile_digest == first.profile_digest
    assert second.id != first.id  # it came from another file


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "tram-delays"},
        {"target": Target("late", "delay > 10")},
    ],
)
def test_another_model_or_target_is_another_snapshot(
    office: Any, trips: Trips, contract: Contract, changes: dict[str, Any]
) -> None:
    first, second = (
        take(office.desk, trips(), contract),
        take(office.desk, trips(), contract, **changes),
    )
    assert first.data_digest == second.data_digest
    assert first.id != second.id


def test_one_changed_value_is_other_data(office: Any, trips: Trips, contract: Contract) -> None:
    assert (
        take(office.desk, trips(), contract).data_digest
        != take(office.desk, trips(1, seats="41"), contract).data_digest
    )


def test_extra_columns_are_left_out(office: Any, trips: Trips, contract: Contract) -> None:
    rows = [("001", "2013-03-01T10:00:00Z", "A", "4", "", "", "", "sunny")]
    path = trips(rows=rows, header=(*contract.names, "weather"))
    frame = read_snapshot(office.objects, take(office.desk, path, contract))
    assert frame.columns == list(contract.names)


def test_data_that_fail_leave_nothing_behind(office: Any, trips: Trips, contract: Contract) -> None:
    with pytest.raises(InputError, match=r"1 of 3 rows fail. No snapshot was taken") as caught:
        take(office.desk, trips(2, seats="x", line="C"), contract)
    assert [p.where for p in caught.value.problems] == ["line", "seats"]
    assert stored(office) == 0
    assert office.record.find(Snapshot) == []
    assert list(office.record.events()) == []


def test_stale_data_are_refused(office: Any, trips: Trips, contract: Contract) -> None:
    with pytest.raises(InputError, match="the data are stale"):
        take(office.desk, trips(), replace(contract, freshness_hours=1))


def test_disk_that_is_full(office: Any, write: Trips, contract: Contract) -> None:
    """The system refuses files of more than 64 KB for a moment; these rows need more."""
    header = ",".join(contract.names)
    rows = [f"001,2013-03-01T10:00:00.{n * 7919 % 999983:06}Z,A,1,,,{n}" for n in range(30_000)]
    path = write("\n".join([header, *rows]) + "\n")
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, limits[1]))
    try:
        with pytest.raises(StoreError, match="The rows could not be written to"):
            take(office.desk, path, contract)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert stored(office) == 0
    assert take(office.desk, path, contract).rows == 30_000


def test_dry_run_stores_nothing(office: Any, trips: Trips, contract: Contract) -> None:
    planned = take(office.desk, trips(), contract, dry_run=True)
    assert (stored(office), list(office.record.events())) == (0, [])
    assert take(office.desk, trips(), contract) == planned


@pytest.mark.parametrize("what", ["its time tells", "only its content tells"])
def test_source_that_changes_while_it_is_read(
    office: Any, trips: Trips, contract: Contract, what: str
) -> None:
    path = trips()

    def touch(rows: int) -> None:
        if what == "its time tells":
            path.write_text(path.read_text().replace(",40,", ",41,"))
        else:
            about = path.stat()
            path.write_text(path.read_text().replace(",40,", ",41,"))
            os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))  # size and time as before

    with pytest.raises((InputError, ConflictError), match=r"trips.csv (was )?changed while it was"):
        take(office.desk, path, contract, on_rows=touch)
    assert stored(office) == 0


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        (("developer",), True),
        (("engineer",), True),
        (("owner",), True),
        (("validator",), False),
        (("auditor",), False),
        ((), False),
    ],
)
def test_roles(
    office: Any, trips: Trips, contract: Contract, roles: tuple[str, ...], allowed: bool
) -> None:
    desk = office.of(*roles)
    if allowed:
        assert take(desk, trips(), contract).by == "flights-auditor"
        return
    with pytest.raises(RefusedError, match="may not take a snapshot"):
        take(desk, trips(), contract)
    assert stored(office) == 0


def test_nobody_is_refused(office: Any, trips: Trips, contract: Contract) -> None:
    with pytest.raises(RefusedError, match="Nobody is named"):
        take(replace(office.desk, actor=None), trips(), contract)


@pytest.mark.parametrize("part", ["data_digest", "profile_digest", "contract_digest", "id"])
def test_bit_flip_is_found_and_named(
    office: Any, trips: Trips, contract: Contract, part: str
) -> None:
    snapshot = take(office.desk, trips(), contract)
    digest = getattr(snapshot, part)
    content = bytearray(office.objects._objects[digest])
    content[len(content) // 2] ^= 1
    office.objects._objects[digest] = bytes(content)
    with pytest.raises(IntegrityError, match="is not what was taken") as caught:
        verify_snapshot(office.objects, snapshot)
    assert len(caught.value.problems) == 1
    if part == "data_digest":
        with pytest.raises(IntegrityError, match="is not what was stored"):
            read_snapshot(office.objects, snapshot)


def test_missing_objects_are_all_named(office: Any, trips: Trips, contract: Contract) -> None:
    snapshot = take(office.desk, trips(), contract)
    office.objects._objects.clear()
    with pytest.raises(IntegrityError, match="is not what was taken") as caught:
        verify_snapshot(office.objects, snapshot)
    assert [str(p.where).split(" ")[0] for p in caught.value.problems] == [
        "manifest",
        "data",
        "profile",
        "contract",
    ]


def test_two_who_take_the_same_at_once_get_one(
    office: Any, trips: Trips, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, put = trips(), office.objects.put
    meanwhile: list[Snapshot] = []
    at_it: list[bool] = []

    def putting(content: bytes, **options: Any) -> str:
        digest: str = put(content, **options)
        if not at_it and b'"protocol":2' in content:  # its manifest; the record is next
            at_it.append(True)
            meanwhile.append(take(office.desk, path, contract))
        return digest

    monkeypatch.setattr(office.objects, "put", putting)
    assert [take(office.desk, path, contract)] == meanwhile
    assert len(list(office.record.events())) == 1


def test_lost_object_comes_back_when_it_is_taken_again(
    office: Any, trips: Trips, contract: Contract
) -> None:
    snapshot = take(office.desk, trips(), contract)
    del office.objects._objects[snapshot.profile_digest]
    assert take(office.desk, trips(), contract) == snapshot
    verify_snapshot(office.objects, snapshot)
    assert len(list(office.record.events())) == 1


def test_record_that_says_something_else(office: Any, trips: Trips, contract: Contract) -> None:
    snapshot = take(office.desk, trips(), contract)
    with pytest.raises(IntegrityError, match="the record's `rows` is not the manifest's"):
        verify_snapshot(office.objects, replace(snapshot, rows=4))
    with pytest.raises(IntegrityError, match="was taken with 4 rows, and its data have 3"):
        read_snapshot(office.objects, replace(snapshot, rows=4))


def test_rows_are_kept_in_their_order_over_row_groups(
    office: Any, write: Trips, contract: Contract
) -> None:
    header = ",".join(contract.names)
    start = datetime(2013, 3, 1, tzinfo=UTC).timestamp()
    rows = [
        f"{n % 1000:03},{datetime.fromtimestamp(start + n, UTC):%Y-%m-%dT%H:%M:%SZ},A,1,,,{n}"
        for n in range(200_000)
    ]
    path = write("\n".join([header, *rows]) + "\n")
    frame = read_snapshot(office.objects, take(office.desk, path, contract))
    assert frame.get_column("delay").to_list() == list(range(200_000))
    assert isinstance(frame, pl.DataFrame)


def test_synthetic_rows_are_known_for_ever(
    office: Any, trips: Trips, contract: Contract, tmp_path: Path
) -> None:
    def is_made_up(path: Path, model: str) -> Any:
        taken = take(office.desk, path, contract, model=model)
        (found,) = office.record.find(Evidence, subject=taken.id, kind=PROVENANCE)
        return found.found.get("synthetic")

    real = trips()
    assert is_made_up(real, "real") is None
    made = tmp_path / "made.csv"
    header, *rows = real.read_text().splitlines()
    made.write_text("\n".join([f"{header},{COLUMN}", *(f"{row},true" for row in rows[:2])]))
    assert is_made_up(made, "marked") is True
    # The same rows without their mark, for another model: the record still knows them.
    made.write_text("\n".join([header, *rows[:2]]))
    assert is_made_up(made, "unmarked") is True
