"""The manifest's format, which is persisted: these digests must never change for protocol 2."""

from __future__ import annotations

from datetime import UTC, date, datetime

from taxiway.core.digest import canonical_json
from taxiway.data.manifest import Contents, Target, differences, manifest_of, snapshot_of

AT = datetime(2013, 3, 2, tzinfo=UTC)
MANIFEST = manifest_of(
    "bus-delays",
    Contents("sha256:c", "sha256:d", "sha256:p", ("sha256:1", "sha256:2")),
    rows=3,
    times=(date(2013, 3, 1), datetime(2013, 3, 2, 9, tzinfo=UTC)),
    target=Target("late", "delay > 5"),
    source=("trips.csv", "sha256:s"),
)


def test_format() -> None:
    assert canonical_json(MANIFEST).decode() == (
        '{"contract":"sha256:c","data":"sha256:d","first_time":"2013-03-01T00:00:00.000000Z",'
        '"last_time":"2013-03-02T09:00:00.000000Z","model":"bus-delays",'
        '"parts":["sha256:1","sha256:2"],"profile":"sha256:p","protocol":2,"rows":3,'
        '"source":{"digest":"sha256:s","name":"trips.csv"},'
        '"target":{"definition":"delay > 5","name":"late"}}'
    )


def test_snapshot_of_a_manifest() -> None:
    snapshot = snapshot_of(MANIFEST, at=AT, by="flights-developer")
    assert snapshot.first_time == datetime(2013, 3, 1, tzinfo=UTC)
    assert snapshot.source == "trips.csv"
    assert differences(MANIFEST, snapshot) == []
    assert [p.what for p in differences({**MANIFEST, "rows": 4}, snapshot)] == [
        "the record's `id` is not the manifest's",
        "the record's `rows` is not the manifest's",
    ]
