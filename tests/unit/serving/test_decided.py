"""Decisions made as columns are the ones that would be made one by one, to the last byte."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import msgspec
import numpy as np
import pytest

from taxiway.adapters.decisions import segment
from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact, Overseen
from taxiway.core.decided import Decided, joined
from taxiway.core.decision import Decision, record_key
from taxiway.core.rows import Rows
from taxiway.data.frame import MANY, frame_of
from taxiway.serving.bodies import JSON, Body
from taxiway.serving.path import answer
from taxiway.serving.protocols import PROTOCOLS, shown
from taxiway.serving.rows import record_keys, rows_of
from taxiway.serving.typed import read_typed

from .conftest import CONTRACT, RECORD, make_decider


def records(many: int) -> list[dict[str, Any]]:
    """Records with gaps, and texts that JSON writes in other words."""
    return [
        RECORD
        | {
            "id": at + 1,
            "amount": at * 997 % 1000 / 3,
            "asked_at": f"2026-11-{at % 28 + 1:02}T08:00:00.{at:06}Z",
            "born": None if at % 3 else f"19{at % 100:02}-02-28",
            "iban": ['DE"12\n34', "DE\\1234", "é\x7f\u2028:12", None][at % 4],
        }
        for at in range(many)
    ]


def both(artefact: Artefact, given: list[dict[str, Any]]) -> tuple[Decided, list[Decision]]:
    """The same decisions, as columns and one by one."""
    decider = make_decider(MemoryDecisions())(artefact)
    outputs = answer(artefact, artefact.frame(given))
    rows = rows_of(given, CONTRACT)
    decided = decider.decided(rows, outputs, latencies_us=[7] * len(given))
    numbered = dataclasses.replace(decider, new_id=iter(decided.ids).__next__)
    one_by_one = numbered.decisions(given, outputs, began=0.0)
    return decided, [dataclasses.replace(one, latency_us=7) for one in one_by_one]


def overseen(record: Any, output: Any) -> list[str]:
    return ["large"] if record["amount"] > 300 and output["prediction"] else []


@pytest.mark.parametrize("codes", ["none", "adverse", "all"])
@pytest.mark.parametrize("oversight", [None, Overseen(("amount",), overseen)])
def test_columns_say_what_decisions_say(
    artefact: Artefact, codes: str, oversight: Overseen | None
) -> None:
    made = dataclasses.replace(artefact, reason_codes=codes, oversight=oversight)
    decided, expected = both(made, records(40))
    assert list(decided) == expected
    assert list(decided[3:9]) == expected[3:9]
    known = dict.fromkeys(segment.sources_of(expected), 1)
    assert segment.sources_of(decided) == set(known)
    assert segment.packed(decided, known) == segment.packed(expected, known)
    for path in ("/predict", "/invocations"):
        show = PROTOCOLS[path].show
        columns, plain = (
            msgspec.json.encode(show(Body(JSON, []), some)) for some in (decided, expected)
        )
        assert columns == plain
    body = Body(JSON, RECORD)
    one = msgspec.json.encode(PROTOCOLS["/predict"].show(body, decided[:1]))
    assert json.loads(one) == json.loads(json.dumps(shown(expected[0])))


def test_parts_are_put_together_again(artefact: Artefact) -> None:
    decided, _ = both(artefact, records(10))
    assert joined([decided[:4], decided[4:5], decided[5:]]) == decided


def test_a_number_that_json_does_not_have_is_no_output(artefact: Artefact) -> None:
    decider = make_decider(MemoryDecisions())(artefact)
    rows = rows_of([RECORD], CONTRACT)
    for wrong in (float("nan"), float("inf")):
        output = {"prediction": True, "probability": wrong, "reasons": []}
        with pytest.raises(ValueError, match="not JSON compliant"):
            decider.decided(rows, [output], latencies_us=[1])


def test_a_frame_of_many_rows_is_that_of_their_records() -> None:
    given = records(MANY + 3)
    for many in (1, MANY - 1, MANY, MANY + 3):
        rows = rows_of(given[:many], CONTRACT)
        assert isinstance(rows, Rows)
        assert frame_of(rows, CONTRACT).equals(frame_of(given[:many], CONTRACT))


def test_rows_are_the_same_read_by_types_or_value_by_value() -> None:
    given = [one | {"iban": "é:1234"} for one in records(30)]
    body = json.dumps(given, ensure_ascii=False).encode()
    found = read_typed(body, CONTRACT)
    assert found is not None
    rows, listed = found
    assert listed
    assert rows == rows_of(given, CONTRACT)
    again = answer_bits(rows), answer_bits(rows_of(given, CONTRACT))
    assert again[0] == again[1]


def answer_bits(rows: Rows) -> bytes:
    found: bytes = np.asarray(frame_of(rows, CONTRACT)["amount"]).tobytes()
    return found


@pytest.mark.parametrize("key", [("id",), ("id", "asked_at", "code"), ("amount", "id"), ("risky",)])
def test_keys_of_many_are_those_of_each(key: tuple[str, ...]) -> None:
    columns = tuple(dataclasses.replace(one, key=one.name in key) for one in CONTRACT.columns)
    contract = dataclasses.replace(CONTRACT, columns=columns)
    given = [one | {"code": 'a"\\\n%s{}'} for one in records(9)]
    rows = rows_of(given, contract)
    assert record_keys(rows, contract) == [record_key(one, contract.key) for one in given]
