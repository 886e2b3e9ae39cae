"""A loaded release without files: a contract of every type, a model that can be worked out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pytest

from taxiway.adapters.ids import new_id
from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.contract import Column, Contract
from taxiway.data.frame import frame_of, plain_records
from taxiway.serving.deciding import Decider
from taxiway.serving.path import golden_rows

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

CONTRACT = Contract(
    id="loans",
    version="1.0.0",
    description="Loans that were asked for.",
    table="loans",
    columns=(
        Column("id", "integer", key=True, minimum=1, examples=(7,)),
        Column("asked_at", "timestamp", minimum="2020-01-01T00:00:00", examples=()),
        Column("born", "date", nullable=True, maximum="2010-12-31"),
        Column("amount", "number", minimum=0, maximum=1000, unit="EUR"),
        Column("risky", "boolean", nullable=True),
        Column("region", "string", values=("north", "south")),
        Column("code", "string", nullable=True, pattern=r"^[A-Z]\d$", maximum_length=2),
        Column("iban", "string", nullable=True, minimum_length=5, personal=True),
    ),
    moments=("asked",),
    decision_at="asked",
    event_time="asked_at",
)
INPUTS = ("amount", "risky", "region")

RECORD: dict[str, Any] = {
    "id": 7,
    "asked_at": "2026-11-01T08:00:00.000000Z",
    "born": "1980-02-29",
    "amount": 500.0,
    "risky": True,
    "region": "north",
    "code": "A1",
    "iban": "DE1234",
}


def features(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        pl.col("amount"),
        pl.col("risky").fill_null(value=False).cast(pl.Float64),
        (pl.col("region") == "north").cast(pl.Float64).alias("north"),
    )


def probability(made: pl.DataFrame) -> Any:
    """0.0005 for each euro, 0.25 for risky, 0.125 for the north: sums that floats hold exactly."""
    return made["amount"].to_numpy() / 2000 + made["risky"].to_numpy() / 4 + made["north"] / 8


ARTEFACT = Artefact(
    release="loans:3",
    digest="sha256:three",
    model="loans",
    inputs=CONTRACT,
    input_names=INPUTS,
    features=features,
    score=lambda made: np.asarray(probability(made)),
    frame=partial(frame_of, contract=CONTRACT),
    plain=plain_records,
    threshold=0.5,
    reason_codes="adverse",
    reference={"amount": 250.0, "risky": False, "region": "south"},
    row_exact=True,
    golden=(),
    manifest={},
)


@pytest.fixture
def artefact() -> Artefact:
    """With its golden predictions."""
    rows = [RECORD, {**RECORD, "id": 8, "amount": 10.0, "risky": None}]
    return dataclasses.replace(ARTEFACT, golden=golden_rows(ARTEFACT, ARTEFACT.frame(rows)))


@pytest.fixture
def log() -> MemoryDecisions:
    return MemoryDecisions()


@pytest.fixture
def decider(artefact: Artefact, log: MemoryDecisions) -> Decider:
    return make_decider(log)(artefact)


def deciders(log: MemoryDecisions) -> Callable[[Artefact, str], Decider]:
    """A decider for each role; the challenger's decisions stand apart."""
    where = {"challenger": "shadow"}
    return lambda artefact, role: Decider(
        artefact, where.get(role, "prod"), "http", log, lambda: NOW, new_id
    )


def make_decider(log: MemoryDecisions) -> Callable[[Artefact], Decider]:
    return lambda artefact: Decider(artefact, "prod", "http", log, lambda: NOW, new_id)
