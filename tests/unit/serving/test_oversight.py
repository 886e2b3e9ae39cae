"""Marks: which answers become cases, the same through every channel and in every replay."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import InputError
from taxiway.data.frame import plain_frame
from taxiway.serving.batch import job_of, made_here, score
from taxiway.serving.bodies import JSON, Body
from taxiway.serving.oversight import marked, overseen
from taxiway.serving.protocols import PROTOCOLS, shown
from taxiway.serving.replay import replay, replay_all

from .conftest import ARTEFACT, CONTRACT, RECORD, make_decider


def charter(*rules: tuple[str, str], sample: float = 0.0) -> dict[str, Any]:
    review = [{"name": name, "when": when} for name, when in rules]
    oversight = {"who": "x", "review": review, "sample": sample}
    return {"kind": "classification", "oversight": oversight}


def watched(*rules: tuple[str, str], sample: float = 0.0) -> Artefact:
    oversight = overseen(charter(*rules, sample=sample), CONTRACT, ARTEFACT.digest)
    return dataclasses.replace(ARTEFACT, oversight=oversight)


BORDERLINE = ("borderline", "probability BETWEEN 0.45 AND 0.55")
UNKNOWN = ("unknown", "risky IS NULL")


def record(amount: float, id: int = 7, **other: Any) -> dict[str, Any]:
    """Its probability is amount / 2000, and an eighth for the north."""
    return {**RECORD, "id": id, "amount": amount, "risky": False, **other}


def test_rules_mark_and_say_why(log: MemoryDecisions) -> None:
    decider = make_decider(log)(watched(BORDERLINE, UNKNOWN))
    made = decider.decide([record(750.0), record(10.0), record(750.0, risky=None)])
    assert [d.because for d in made] == [("borderline",), (), ("borderline", "unknown")]
    assert made[0].output["review"] == {"because": ["borderline"]}
    assert "review" not in made[1].output
    assert log.get(made[0].id) == made[0]


def test_a_missing_value_leaves_the_answer_alone(log: MemoryDecisions) -> None:
    decider = make_decider(log)(watched(("born", "born < '1970-01-01'")))
    old, young, unknown = (record(1.0, born=b) for b in ("1960-01-01", "1990-01-01", None))
    found = [d.because for d in decider.decide([old, young, unknown])]
    assert found == [("born",), (), ()]


def test_without_rules_nothing_is_touched() -> None:
    outputs = [{"prediction": True}]
    assert overseen({"kind": "classification", "oversight": {"who": "x"}}, CONTRACT, "") is None
    assert marked(ARTEFACT, [RECORD], outputs) is outputs


def test_what_rules_read_is_asked_for() -> None:
    oversight = overseen(charter(("far", "code = 'A1' OR iban IS NULL")), CONTRACT, "")
    assert oversight is not None
    assert oversight.columns == ("code", "iban")


def test_a_rule_that_can_t_be_read_is_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'amount'"):
        overseen(charter(("far", "amonut > 1")), CONTRACT, "")


def test_the_sample_has_its_share_and_is_drawn_by_key_and_release() -> None:
    records = [record(10.0, at) for at in range(20_000)]
    outputs = [{"prediction": False, "probability": 0.1}] * len(records)

    def drawn(artefact: Artefact) -> list[int]:
        return [at for at, o in enumerate(marked(artefact, records, outputs)) if "review" in o]

    first = drawn(watched(sample=0.05))
    assert 850 < len(first) < 1150  # 1,000 expected, five standard deviations to each side
    assert drawn(watched(sample=0.05)) == first
    assert drawn(watched(sample=0.0)) == []
    assert len(drawn(watched(sample=1.0))) == len(records)
    assert set(drawn(watched(sample=0.01))) < set(first)
    other = overseen(charter(sample=0.05), CONTRACT, "sha256:four")
    both = set(drawn(dataclasses.replace(ARTEFACT, oversight=other))) & set(first)
    assert len(both) < 120  # 50 expected of two draws that have nothing to do with each other


def test_a_rule_comes_before_chance() -> None:
    one = marked(
        watched(BORDERLINE, sample=1.0), [record(750.0)], [{"prediction": True, "probability": 0.5}]
    )
    assert one[0]["review"] == {"because": ["borderline"]}


def test_batch_marks_as_the_endpoint_does(log: MemoryDecisions) -> None:
    artefact = watched(BORDERLINE, sample=0.3)
    records = [record(float(at), at) for at in range(1, 900, 11)]
    at_endpoint = make_decider(log)(artefact).decide(records)
    batch = dataclasses.replace(make_decider(MemoryDecisions())(artefact), channel="batch")
    rows = [(range(1, len(records) + 1), artefact.frame(records))]
    job = job_of("sha256:file", batch)
    (part,) = score(batch, job, made_here(batch, job, rows, plain_frame), plain=plain_frame)
    assert [json.loads(text) for text in part.frame["review"]] == [
        list(d.because) for d in at_endpoint
    ]
    assert any(d.because == ("sample",) for d in at_endpoint)


def test_replay_comes_to_the_same(log: MemoryDecisions) -> None:
    decider = make_decider(log)(watched(BORDERLINE, sample=0.3))
    made = decider.decide([record(float(at), at) for at in range(1, 900, 11)])
    assert all(replay(decider.artefact, one).equal for one in made)
    tally = replay_all(made, lambda _: decider.artefact)
    assert (tally.equal, tally.different) == (len(made), 0)
    unmarked = [dataclasses.replace(one, output={**one.output, "review": None}) for one in made]
    assert replay_all(unmarked, lambda _: decider.artefact).different == len(made)


def test_what_the_log_withholds_keeps_its_mark(log: MemoryDecisions) -> None:
    decider = make_decider(log)(watched(("code", "code = 'A1' OR iban IS NULL"), sample=0.3))
    made = decider.decide([record(float(at), at) for at in range(1, 900, 11)])
    without = {"code", "iban"}
    withheld = [
        dataclasses.replace(
            one,
            inputs={name: value for name, value in one.inputs.items() if name not in without},
            withheld=tuple(sorted(without)),
        )
        for one in made
    ]
    tally = replay_all([*withheld, *made], lambda _: decider.artefact)
    assert (tally.equal, tally.different) == (2 * len(made), 0)


def test_every_protocol_says_that_a_person_decides(log: MemoryDecisions) -> None:
    decider = make_decider(log)(watched(BORDERLINE))
    case, plain = decider.decide([record(750.0), record(10.0)])
    review = {"case": case.id, "because": ["borderline"]}
    assert shown(case)["review"] == review
    assert "review" not in shown(plain)
    body = Body(JSON, [])
    assert PROTOCOLS["/predict"].show(body, [case, plain])[0]["review"] == review
    assert PROTOCOLS["/invocations"].show(body, [case])["predictions"][0]["review"] == review
    answered = PROTOCOLS["/v2/models/NAME/infer"].show(Body(JSON, {}), [case, plain])
    tensors = {one["name"]: one["data"] for one in answered["outputs"]}
    assert tensors["review"] == ["borderline", ""]
    assert tensors["decision"] == [case.id, plain.id]
