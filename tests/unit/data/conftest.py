"""A small contract, files that hold or break it, and a desk whose stores live in memory."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.core.contract import Column, Contract
from taxiway.core.ports import Actor, Desk

NOW = datetime(2013, 3, 2, 12, tzinfo=UTC)

CONTRACT = Contract(
    id="trips",
    version="1.0.0",
    description="Trips of a bus.",
    table="trips",
    columns=(
        Column("code", "string", key=True, pattern="^[0-9]{3}$"),
        Column("at", "timestamp", key=True, minimum="2013-01-01T00:00:00Z"),
        Column("line", "string", values=("A", "B")),
        Column("seats", "integer", minimum=0, maximum=90),
        Column("fare", "number", nullable=True, minimum=0),
        Column("night", "boolean", nullable=True),
        Column("delay", "integer", nullable=True, known_at="arrival"),
    ),
    moments=("departure", "arrival"),
    decision_at="departure",
    event_time="at",
)

HEADER = ("code", "at", "line", "seats", "fare", "night", "delay")
ROWS = (
    ("001", "2013-03-01T10:00:00Z", "A", "40", "2.5", "false", "12"),
    ("002", "2013-03-01T11:00:00Z", "B", "0", "", "true", "NA"),
    ("001", "2013-03-02T10:00:00+01:00", "A", "90", "0.0", "", "-3"),
)


@pytest.fixture
def contract() -> Contract:
    return CONTRACT


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a source file: bytes or text under a name."""

    def writing(content: str | bytes, name: str = "trips.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return writing


@pytest.fixture
def trips(write: Callable[..., Path]) -> Callable[..., Path]:
    """Writes the good rows as CSV, with some values of one row (counted from 1) replaced."""

    def writing(
        row: int = 1,
        *,
        rows: Sequence[Sequence[str]] = ROWS,
        header: Sequence[str] = HEADER,
        **values: str,
    ) -> Path:
        lines = [list(line) for line in rows]
        for name, value in values.items():
            lines[row - 1][HEADER.index(name)] = value
        path: Path = write("".join(",".join(line) + "\n" for line in (header, *lines)))
        return path

    return writing


@dataclasses.dataclass(frozen=True)
class Office:
    """A desk and the stores behind it, to look inside."""

    desk: Desk
    record: MemoryRecord
    objects: MemoryObjects

    def of(self, *roles: str) -> Desk:
        """The desk of somebody with these roles."""
        actor = Actor("flights-auditor", roles, lambda _: "")
        return dataclasses.replace(self.desk, actor=actor)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    folder = tmp_path / "objects"
    folder.mkdir()
    record, objects, ids = MemoryRecord(), MemoryObjects(folder), itertools.count(1)
    desk = Desk(
        record=record,
        objects=objects,
        decisions=MemoryDecisions(),
        verify=lambda *_: True,
        now=lambda: NOW,
        new_id=lambda: f"id-{next(ids)}",
        actor=Actor("flights-developer", ("developer",), lambda _: ""),
    )
    return Office(desk, record, objects)
