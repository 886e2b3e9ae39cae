"""A folder of definitions over two small sources, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from taxiway.bootstrap.data import features as wired
from taxiway.data.features.view import Catalogue

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: {id}
version: 1.0.0
status: active
description: {{purpose: Rows for tests.}}
team: [{{username: depot, role: owner}}]
schema:
  - name: {id}
    customProperties:
      - {{property: moments, value: [seen]}}
      - {{property: decision_at, value: seen}}
      - {{property: event_time, value: at}}
    properties:
      - {{name: at, logicalType: timestamp, required: true, description: When.}}
      - {{name: line, logicalType: string, primaryKey: true, description: Which line.}}
      - {{name: {value}, logicalType: {type}, description: What was seen.}}
"""
VIEW = """
feature_view: {name}
version: {version}
owner: depot
description: What was seen of a line.
entity_key: {{line: string}}
event_time: at
delay: {delay}
ttl: {ttl}
sources:
  seen: {{contract: {name}-contract.yaml, data: {name}.csv}}
sql: SELECT at, line, {value} FROM seen
features:
  {value}: {{type: {type}}}
"""
SET = """
feature_set: trip
time: at
views:
  - {view: riders@1}
  - {view: delays@1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two views and a set: riders of a line, known at once; its delay, known an hour later."""
    (tmp_path / "riders.csv").write_text(
        "at,line,riders\n2025-01-01T10:00:00Z,A,5\n2025-01-01T12:00:00Z,A,7\n"
        "2025-01-01T11:00:00Z,B,\n2025-01-01T09:00:00Z,,1\n"
    )
    (tmp_path / "delays.csv").write_text(
        "at,line,minutes\n2025-01-01T11:00:00Z,A,0.1\n2025-01-01T12:00:00Z,A,0.30000000000000004\n"
    )
    for name, value, of, delay, ttl in (
        ("riders", "riders", "integer", "0s", "forever"),
        ("delays", "minutes", "number", "1h", "2h"),
    ):
        told = {"name": name, "value": value, "type": of, "delay": delay, "ttl": ttl}
        contract = CONTRACT.format(id=name, value=value, type=of)
        (tmp_path / f"{name}-contract.yaml").write_text(contract)
        (tmp_path / "views").mkdir(exist_ok=True)
        text = VIEW.format(version=1, **told).replace(f"{name}-", f"../{name}-")
        (tmp_path / "views" / f"{name}.yaml").write_text(text.replace("data: ", "data: ../"))
    (tmp_path / "views" / "trip.yaml").write_text(SET)
    return tmp_path / "views"


@pytest.fixture
def catalogue(folder: Path) -> Catalogue:
    return wired.definitions(folder)


@pytest.fixture
def edit(folder: Path) -> Callable[..., Catalogue]:
    """Replaces text in a definition, perhaps under another file name, and reads the folder."""

    def editing(file: str, *changes: tuple[str, str], to: str | None = None) -> Catalogue:
        text = (folder / file).read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (folder / (to or file)).write_text(text)
        return wired.definitions(folder)

    return editing
