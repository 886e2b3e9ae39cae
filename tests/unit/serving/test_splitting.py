"""With a canary: each key stays with its release, a group stays one transaction, nobody suffers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxiway.core.artefact import Artefact
from taxiway.core.decision import record_key
from taxiway.core.errors import MissingError
from taxiway.serving.cast import Canary, Cast, ticket
from taxiway.serving.guardrail import Guardrail, Limits
from taxiway.serving.path import answer, same

from .conftest import ARTEFACT, CONTRACT, RECORD, make_decider
from .test_grouping import Gate, breaking, grouped, one_in_hand, record

NEWER = dataclasses.replace(
    ARTEFACT,
    release="loans:4",
    digest="sha256:four",
    score=lambda made: ARTEFACT.score(made) / 2,
)


def cast(gate: Gate, newer: Artefact = NEWER, share: int = 50, deployment: str = "d") -> Cast:
    decide = make_decider(gate)
    guardrail = Guardrail(Limits(), deployment, newer.release)
    return Cast(decide(ARTEFACT), Canary(decide(newer), deployment, share, guardrail))


def goes(number: int, share: int = 50, deployment: str = "d") -> bool:
    """Whether a record goes to the canary."""
    key = record_key(record(number), CONTRACT.key)
    return ticket(key, deployment) % 10_000 < share * 100


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_a_share_of_the_keys_and_always_the_same_ones() -> None:
    keys = range(4_000)
    for share in (1, 10, 50, 99):
        taken = sum(goes(number, share) for number in keys)
        assert abs(taken / len(keys) - share / 100) < 0.03
    # Whoever was with it at ten percent is with it at twenty.
    assert all(goes(number, 20) for number in keys if goes(number, 10))
    # In another deployment it is other ones.
    both = sum(goes(number) and goes(number, deployment="e") for number in keys)
    assert abs(both / len(keys) - 0.25) < 0.05


def test_a_group_is_split_and_stays_one_transaction(gate: Gate) -> None:
    with one_in_hand(gate, cast(gate)) as (desk, worked):
        for number in range(1, 40):
            assert desk.ask(number, record(number), record(1_000 + number))
    assert gate.appended == [1, 78]
    releases = Counter(d.release for n in range(1, 40) for d in desk.decisions(n))
    assert set(releases) == {"loans:3", "loans:4"}
    for number in range(1, 40):
        first, second = desk.decisions(number)
        for decision, of in ((first, number), (second, 1_000 + number)):
            expected = NEWER if goes(of) else ARTEFACT
            assert decision.release == expected.release
            assert decision.release_digest == expected.digest
            alone = answer(expected, expected.frame([record(of)]))
            assert same([decision.output], alone)
    tried = worked[-1].tried
    assert tried is not None
    assert len(tried.trial.canary) == releases["loans:4"]
    assert tried.trial.failures == 0


@pytest.mark.parametrize("error", [ValueError("13"), SystemExit(3), None])
def test_what_the_canary_can_t_decide_the_champion_answers(
    gate: Gate, error: BaseException | None
) -> None:
    def fails(made: Any) -> Any:
        if error:
            raise error
        return np.full(made.height, np.nan)

    broken = dataclasses.replace(NEWER, score=fails)
    with one_in_hand(gate, cast(gate, broken, share=99)) as (desk, worked):
        for number in range(1, 30):
            desk.ask(number)
    assert {d.release for n in range(1, 30) for d in desk.decisions(n)} == {"loans:3"}
    assert gate.appended == [1, 29]
    tried = worked[-1].tried
    assert tried is not None
    assert tried.trial.failures == sum(goes(number, 99) for number in range(1, 30)) > 0


def test_a_record_that_breaks_both_fails_alone_and_is_not_counted(gate: Gate) -> None:
    both = breaking(ARTEFACT, ValueError("13"))
    newer = dataclasses.replace(both, release="loans:4", digest="sha256:four")
    decide = make_decider(gate)
    made = Cast(decide(both), Canary(decide(newer), "d", 99, Guardrail(Limits(), "d", "loans:4")))
    with one_in_hand(gate, made) as (desk, worked):
        for number in (1, 13, 2):
            desk.ask(number)
    assert isinstance(desk.answers[13], ValueError)
    assert len(desk.decisions(1)) == len(desk.decisions(2)) == 1
    assert sum(one.tried.trial.failures for one in worked if one.tried) == 0


def test_a_release_that_is_named_answers_and_no_other(gate: Gate) -> None:
    made = cast(gate)
    gate.open.set()
    with grouped(made) as (desk, _):
        for number, release in enumerate(("loans:3", "loans:4", "loans:9"), start=1):
            desk.ask(number, *[record(at) for at in range(20)], release=release)
    for number, release in ((1, "loans:3"), (2, "loans:4")):
        assert {d.release for d in desk.decisions(number)} == {release}
        assert len(desk.decisions(number)) == 20
    assert isinstance(desk.answers[3], MissingError)
    assert gate.appended.count(20) == 2


def test_a_named_canary_that_breaks_is_not_answered_by_another(gate: Gate) -> None:
    newer = dataclasses.replace(
        breaking(ARTEFACT, ValueError("13")), release="loans:4", digest="sha256:four"
    )
    gate.open.set()
    with grouped(cast(gate, newer)) as (desk, _):
        desk.ask(1, record(13), release="loans:4")
    assert isinstance(desk.answers[1], ValueError)


def test_a_canary_reads_what_its_own_contract_takes(gate: Gate) -> None:
    names = [name for name in CONTRACT.names if name != "iban"]
    narrow = dataclasses.replace(NEWER, inputs=CONTRACT.only(names))
    with one_in_hand(gate, cast(gate, narrow, share=99)) as (desk, _):
        desk.ask(1, *[record(number) for number in range(20)])
    made = desk.decisions(1)
    assert {d.release for d in made} == {"loans:3", "loans:4"} or all(
        d.release == "loans:4" for d in made
    )
    assert all("iban" not in d.inputs for d in made if d.release == "loans:4")
    assert all(d.inputs["iban"] == RECORD["iban"] for d in made if d.release == "loans:3")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=10),
    share=st.integers(1, 99),
    named=st.lists(st.sampled_from([None, "loans:3", "loans:4"]), min_size=10, max_size=10),
)
def test_whatever_stands_in_a_group_each_record_gets_its_own_release_s_answer_once(
    sizes: list[int], share: int, named: list[str | None]
) -> None:
    gate = Gate()
    asked = {
        number: [record(100 * number + at) for at in range(size)]
        for number, size in enumerate(sizes, start=1)
    }
    with one_in_hand(gate, cast(gate, share=share)) as (desk, _):
        for number, records in asked.items():
            assert desk.ask(number, *records, release=named[number - 1])
    for number, records in asked.items():
        made = desk.decisions(number)
        assert [d.inputs for d in made] == records
        for decision in made:
            taken = goes(decision.inputs["id"] - 1, share)
            expected = named[number - 1] or ("loans:4" if taken else "loans:3")
            artefact = NEWER if expected == "loans:4" else ARTEFACT
            assert decision.release == expected
            alone = answer(artefact, artefact.frame([decision.inputs]))
            assert same([decision.output], alone)
    assert gate.count("loans") == 1 + sum(sizes)
