"""Formats of the steps that are written down for ever, beside the golden files of `core`'s.

What is written today has to be what the golden file holds, byte by byte, for as long as the number
in the file's name is the protocol's. To change a format: raise its PROTOCOL, keep a reader for the
old one with its golden file, and add a golden file for the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from taxiway.core.artefact import MANIFEST_PROTOCOL
from taxiway.core.contract import Column, Contract
from taxiway.core.digest import canonical_json
from taxiway.core.facts import Proposal
from taxiway.data import manifest, parts, pieces, profile
from taxiway.release.manifest import signed_bytes
from taxiway.retraining.decide import payload

GOLDEN = Path(__file__).parents[1] / "golden"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONTRACT = Contract(
    id="flights",
    version="1.0.0",
    description="",
    table="flights",
    columns=(
        Column("at", "timestamp"),
        Column("day", "date"),
        Column("distance", "number", nullable=True),
        Column("stops", "integer"),
        Column("origin", "string"),
        Column("name", "string", personal=True),
        Column("late", "boolean", nullable=True),
    ),
    moments=("scheduling",),
    decision_at="scheduling",
    event_time="at",
)
ROWS = 40
FRAME = pl.DataFrame(
    {
        "at": [NOON.replace(minute=row) for row in range(ROWS)],
        "day": [date(2026, 11, 1 + row % 20) for row in range(ROWS)],
        "distance": [None if row == 3 else row * 1.5 for row in range(ROWS)],
        "stops": [row % 3 for row in range(ROWS)],
        "origin": ["JFK" if row % 3 else "é" for row in range(ROWS)],
        "name": [f"person {row}" for row in range(ROWS)],
        "late": [None if row == 5 else row % 4 == 0 for row in range(ROWS)],
    },
    schema_overrides={"at": pl.Datetime("us", "UTC")},
)
PROPOSAL = Proposal(
    id="01kb0000000000000000000002",
    model="flight-delays",
    environment="prod",
    champion="flight-delays:1",
    reason="roc_auc dropped.",
    alerts=("01kb0000000000000000000003",),
    state="accepted",
    at=NOON,
    by="flights-developer",
    challenger="flight-delays:2",
    decided_by="flights-owner",
    decided_at=NOON,
    decision="it wins",
)


def _snapshot() -> bytes:
    return canonical_json(
        manifest.manifest_of(
            "flight-delays",
            manifest.Contents("sha256:contract", "sha256:data", "sha256:profile", PARTS.digests),
            rows=ROWS,
            times=(NOON, NOON.replace(minute=39)),
            target=manifest.Target("late", "late = true"),
            source=("flights.parquet", "sha256:source"),
        )
    )


PARTS = parts.PartList((parts.Part("sha256:one", 30, 1200), parts.Part("sha256:two", 10, 500)))

FORMATS: dict[str, Callable[[], bytes]] = {
    f"snapshot-{manifest.PROTOCOL}.json": _snapshot,
    f"parts-{parts.PROTOCOL}.json": lambda: canonical_json(PARTS.document()),
    f"files-{pieces.PROTOCOL}.json": lambda: canonical_json(
        pieces.files_document("scans", [pieces.File("deep/a.png", 3, "sha256:a")])
    ),
    f"pieces-{pieces.PROTOCOL}.json": lambda: canonical_json(
        pieces.pieces_document({"sha256:a": (("blake3:pack", 7, 3),)})
    ),
    f"profile-{profile.PROTOCOL}.json": lambda: canonical_json(profile.profile(FRAME, CONTRACT)),
    f"release-signature-{MANIFEST_PROTOCOL}.bin": lambda: signed_bytes(b'{"protocol":1}'),
    "proposal-1.json": lambda: payload(PROPOSAL, None),
}


@pytest.mark.parametrize("name", FORMATS)
def test_today_s_bytes_are_those_of_the_golden_file(name: str, tmp_path: Path) -> None:
    today = FORMATS[name]()
    (tmp_path / name).write_bytes(today)
    path = GOLDEN / name
    assert path.exists(), f"A new format: look at {tmp_path / name}, and copy it to {path}."
    assert today == path.read_bytes()
