"""Rows decided as columns: what is logged and said is what the endpoint's way logs and says."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Overseen
from taxiway.core.contract import Column
from taxiway.core.digest import canonical_json
from taxiway.data.frame import frame_of, plain_frame, plain_records
from taxiway.serving.batch import Job, Made, score
from taxiway.serving.columns import decided
from taxiway.serving.deciding import Decider

from .conftest import ARTEFACT, CONTRACT, NOW, make_decider

JOB = Job("0123456789abcdef")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is beside it
RECORDS = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**63 - 1),
        "asked_at": MOMENTS.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)),
        "born": st.none() | st.dates(date(1600, 1, 1), date(2300, 1, 1)).map(date.isoformat),
        "amount": st.floats(allow_nan=False, allow_infinity=False, width=64),
        "risky": st.none() | st.booleans(),
        "region": TEXT,
        "code": st.none() | TEXT,
        "iban": st.none() | TEXT,
    }
)
KEYS = (("id",), ("region", "id"), ("asked_at", "amount"), ("born", "risky", "id"))


def both(records: list[dict[str, Any]], decider: Decider) -> tuple[list[Any], list[Any]]:
    """The decisions of the endpoint's way, and those of columns as the log gives them back."""
    frame = decider.artefact.frame(records)
    ids = JOB.decisions(range(1, len(records) + 1))
    numbered = dataclasses.replace(decider, new_id=iter(ids.to_list()).__next__)
    one_by_one = numbered.decide(decider.artefact.plain(frame), frame)
    log = MemoryDecisions()
    log.append_frame(decided(decider, ids, frame, plain_frame))
    return one_by_one, log.between(ids[0], ids[-1])


def _columns(decider: Decider, frame: pl.DataFrame) -> pl.DataFrame:
    return decided(decider, JOB.decisions(range(1, frame.height + 1)), frame, plain_frame)


def told(decision: Any) -> bytes:
    """All of a decision but how long it took, to the bit."""
    fields = dataclasses.asdict(dataclasses.replace(decision, latency_us=0))
    return canonical_json([list(fields["inputs"]), fields])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(RECORDS, min_size=1, max_size=6),
    st.sampled_from(["none", "adverse", "all"]),
    st.sampled_from(KEYS),
)
def test_columns_say_what_the_endpoint_says(
    records: list[dict[str, Any]], codes: str, key: tuple[str, ...]
) -> None:
    records = [{**r, "born": r["born"] or "2000-01-01"} if "born" in key else r for r in records]
    records = [{**r, "risky": bool(r["risky"])} if "risky" in key else r for r in records]
    columns = tuple(dataclasses.replace(c, key=c.name in key) for c in CONTRACT.columns)
    contract = dataclasses.replace(CONTRACT, columns=columns)
    artefact = dataclasses.replace(
        ARTEFACT,
        inputs=contract,
        reason_codes=codes,
        frame=lambda rows: frame_of(rows, contract),
        plain=plain_records,
    )
    decider = make_decider(MemoryDecisions())(artefact)
    one_by_one, columned = both(records, decider)
    assert [told(d) for d in columned] == [told(d) for d in one_by_one]
    assert {d.at for d in columned} == {NOW}
    # What is written of a row is the same text, whether it was decided now or read from the log.
    frame = artefact.frame(records)
    parts = [
        Made(range(1, len(records) + 1), frame, made) for made in (None, _columns(decider, frame))
    ]
    (read,), (fresh,) = (
        list(score(make_decider(MemoryDecisions())(artefact), JOB, iter([part]), plain=plain_frame))
        for part in parts
    )
    assert read.frame.equals(fresh.frame)


def test_reasons_of_one_size_keep_the_order_of_the_columns(decider: Decider) -> None:
    artefact = dataclasses.replace(
        decider.artefact,
        score=lambda made: made["risky"].to_numpy() / 2 + made["north"].to_numpy() / 2,
        input_names=("region", "amount", "risky"),
    )
    decider = dataclasses.replace(decider, artefact=artefact)
    record = {"id": 1, "asked_at": "2026-11-01T08:00:00Z", "amount": 1.0, "risky": True}
    one_by_one, columned = both([{**record, "region": "north"}], decider)
    reasons = columned[0].output["reasons"]
    assert reasons == one_by_one[0].output["reasons"]
    assert [reason["column"] for reason in reasons] == ["region", "risky"]


def test_an_event_day_is_its_first_moment(decider: Decider) -> None:
    contract = dataclasses.replace(
        CONTRACT,
        columns=(*CONTRACT.columns[:2], Column("day", "date"), *CONTRACT.columns[2:]),
        event_time="day",
    )
    artefact = dataclasses.replace(
        decider.artefact, inputs=contract, frame=lambda rows: frame_of(rows, contract)
    )
    record = {"id": 1, "day": "2026-03-01", "amount": 1.0, "region": "north"}
    one_by_one, columned = both([record], dataclasses.replace(decider, artefact=artefact))
    assert columned[0].happened_at == one_by_one[0].happened_at == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("exact", [True, False])
def test_rows_that_a_person_looks_at_are_marked(decider: Decider, exact: bool) -> None:
    watched = Overseen(("amount",), lambda record, _: ["large"] if record["amount"] > 5 else ())
    artefact = dataclasses.replace(decider.artefact, oversight=watched, row_exact=exact)
    decider = dataclasses.replace(decider, artefact=artefact)
    record = {"id": 1, "asked_at": "2026-11-01T08:00:00Z", "region": "north"}
    records = [{**record, "amount": 1.0}, {**record, "id": 2, "amount": 900.0}]
    one_by_one, columned = both(records, decider)
    assert [told(d) for d in columned] == [told(d) for d in one_by_one]
    assert [d.because for d in columned] == [(), ("large",)]


@pytest.mark.parametrize("rows", [1, 65_536])
def test_ids_of_many_rows_are_those_of_each(rows: int) -> None:
    numbers = [1, rows, 9_999_999_999]
    assert JOB.decisions(numbers).to_list() == [JOB.decision(row) for row in numbers]
