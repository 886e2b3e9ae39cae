"""Lineage: where a snapshot came from, what it shares, and everything that rests on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from taxiway.core.contract import Contract
from taxiway.core.facts import Deployment, Release, Run, Snapshot
from taxiway.core.people import Handoff
from taxiway.data.lineage import kept, lineage
from taxiway.data.manifest import Target
from taxiway.data.snapshot import take_snapshot
from taxiway.data.source import open_source


def take(office: Any, path: Path, contract: Contract, model: str = "bus") -> Snapshot:
    return take_snapshot(
        office.desk,
        model=model,
        source=open_source(path),
        contract=contract,
        target=Target("late", "delay > 5"),
        description="From the depot.",
    )


def test_lineage(office: Any, fact: Any, trips: Callable[..., Path], contract: Contract) -> None:
    snapshot, other = (take(office, trips(), contract, model) for model in ("bus", "tram"))
    with office.desk.change("test", "test") as change:
        change.add(fact(Handoff, "h", subject=snapshot.id, stage="data", state="accepted"))
        change.add(fact(Run, "r", snapshot=snapshot.id))
        change.add(fact(Run, "other", snapshot=other.id))
        change.add(fact(Release, "bus:1", snapshot=snapshot.id))
        change.add(fact(Deployment, "d", release="bus:1", environment="prod", role="champion"))
    found = lineage(office.record, office.objects, snapshot)
    assert (found.source, found.contract) == ("trips.csv", "trips 1.0.0")
    assert found.description == "From the depot."
    assert found.source_digest.startswith("sha256:")
    assert {(use.what, use.name) for use in found.uses} == {
        ("handoff", "h"),
        ("run", "r"),
        ("release", "bus:1"),
        ("deployment", "prod"),
    }
    (shared,) = found.shares
    assert (shared["snapshot"], shared["parts"], shared["of"]) == (other.id, 1, 1)
    alone, again = kept(office.record, office.objects, [snapshot, other])
    assert alone.new_bytes == alone.bytes > 0
    assert (again.new_bytes, again.bytes) == (0, alone.bytes)
    assert (alone.releases, again.releases) == (1, 0)


def test_a_lost_list_is_said(office: Any, trips: Callable[..., Path], contract: Contract) -> None:
    snapshot = take(office, trips(), contract)
    del office.objects._objects[snapshot.data_digest]
    del office.objects._objects[snapshot.contract_digest]
    (one,) = kept(office.record, office.objects, [snapshot])
    assert one.lost
    found = lineage(office.record, office.objects, snapshot)
    assert (found.contract, found.shares, found.uses) == ("?", (), ())
