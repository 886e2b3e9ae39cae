"""Records that bring keys alone: looked up, held against the contract, and decided as whole."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError, StoreError
from taxiway.core.rows import Rows
from taxiway.data.frame import frame_of
from taxiway.serving.cast import Canary, Cast
from taxiway.serving.completing import (
    Completing,
    NotLookedUpError,
    Pinned,
    completing,
    resting,
)
from taxiway.serving.deciding import Decider
from taxiway.serving.grouping import Grouping
from taxiway.serving.grouping import Limits as GroupLimits
from taxiway.serving.guardrail import Guardrail, Limits
from taxiway.serving.records import read_records
from taxiway.serving.rows import rows_of
from taxiway.serving.served import Served
from taxiway.serving.shadow import Shadow
from taxiway.serving.spent import Spent
from taxiway.serving.splitting import split

from .conftest import ARTEFACT, CONTRACT, INPUTS, RECORD, make_decider
from .test_shadow import until

WHOLE: Contract = dataclasses.replace(
    CONTRACT,
    columns=(
        *CONTRACT.columns,
        Column("branch", "integer"),
        Column("since", "date", nullable=True),
        Column("visits", "integer", minimum=0),
        Column("last", "timestamp", nullable=True),
    ),
)
READ = WHOLE.only([*INPUTS, "id", "asked_at", "visits", "last"])
BARE = {name: RECORD[name] for name in ("id", "asked_at", "amount", "risky", "region")}
KEYED = {**BARE, "branch": 3, "since": "2020-02-01"}
PINNED = Pinned(
    parts=(("branches@1", ("visits",)), ("calls@2", ("last",))),
    digests={"branches@1": "sha256:b", "calls@2": "sha256:c"},
    keys=("branch", "since"),
    time="asked_at",
)
LAST = datetime(2026, 10, 31, 9, 30, tzinfo=UTC)


class Store:
    """What is known by branch, and what it was asked for."""

    def __init__(self, known: Mapping[int, Any]) -> None:
        self.known = known
        self.asked: list[tuple[Any, ...]] = []
        self.fails = False

    def look_up(self, given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        self.asked.append((given["branch"], given["since"], at))
        if self.fails:
            raise StoreError("The store is gone.")
        visits = self.known.get(given["branch"])
        return {"visits": visits, "last": None if visits is None else LAST}


@pytest.fixture
def store() -> Store:
    return Store({3: 12, 4: 500})


def made(store: Store, pinned: Pinned = PINNED) -> Completing:
    return completing(pinned, WHOLE, READ, store.look_up, Spent())


def read(one: Completing, *records: dict[str, Any]) -> Rows:
    return rows_of(read_records(list(records), one.takes), one.takes)


def decider_with(one: Completing, log: MemoryDecisions, artefact: Artefact = ARTEFACT) -> Decider:
    """A release that gives a tenth to each visit."""
    taking = dataclasses.replace(
        artefact,
        inputs=one.takes,
        frame=partial(frame_of, contract=one.takes),
        features=lambda frame: frame.select("visits"),
        score=lambda frame: frame["visits"].to_numpy() / 1000,
        reason_codes="none",
    )
    return dataclasses.replace(make_decider(log)(taking), completing=one)


def test_a_record_without_features_gets_those_of_its_own_time(store: Store) -> None:
    one = made(store)
    whole = one.completed(read(one, KEYED, {**KEYED, "id": 8, "branch": 4}))
    assert store.asked == [
        (branch, date(2020, 2, 1), datetime(2026, 11, 1, 8, tzinfo=UTC)) for branch in (3, 4)
    ]
    assert whole.column("visits") == [12, 500]
    assert whole.column("last") == ["2026-10-31T09:30:00.000000Z"] * 2
    assert one.counts == {
        ("branches@1", "found"): 2,
        ("branches@1", "nothing"): 0,
        ("calls@2", "found"): 2,
        ("calls@2", "nothing"): 0,
    }
    assert one.spent.looked_up > 0


def test_one_that_brings_any_of_them_is_taken_as_it_is(store: Store) -> None:
    one = made(store)
    rows = read(one, {**BARE, "visits": 9}, KEYED)
    assert one.completed(rows).column("visits") == [9, 12]
    assert one.completed(rows).column("last") == [None, "2026-10-31T09:30:00.000000Z"]
    assert len(store.asked) == 2


def test_what_is_wrong_with_a_whole_record_is_said_for_all_of_them(store: Store) -> None:
    one = made(store)
    rows = read(
        one,
        {**BARE, "last": "2026-01-01T00:00:00Z"},  # brings some, and lacks one that it needs
        KEYED,
        {**KEYED, "branch": 5},  # nothing is known of this branch
        {**KEYED, "branch": None},  # nor by what to look
    )
    with pytest.raises(InputError) as raised:
        one.completed(rows)
    assert [(p.where, p.what) for p in raised.value.problems] == [
        ("[0].visits", "is missing"),
        ("[2].visits", "is missing"),
        ("[3].branch", "is missing"),
        ("[3].visits", "is missing"),
    ]
    assert "looked up by branch, since, asked_at" in str(raised.value.todo)


def test_a_view_that_is_asked_twice_gives_the_features_of_both(store: Store) -> None:
    one = made(store, dataclasses.replace(PINNED, parts=(("a@1", ("visits",)), ("a@1", ("last",)))))
    assert one.completed(read(one, KEYED)).column("visits") == [12]
    assert one.pinned.views == ("a@1",)
    assert one.counts == {("a@1", "found"): 2, ("a@1", "nothing"): 0}


@pytest.mark.parametrize("share", [None, 40])
def test_a_problem_names_the_record_as_it_was_sent(store: Store, share: int | None) -> None:
    champion = decider_with(made(store), MemoryDecisions())
    canary = None
    if share:
        four = dataclasses.replace(ARTEFACT, release="loans:4", digest="sha256:four")
        other = decider_with(made(Store({3: 1, 5: 1})), MemoryDecisions(), four)
        canary = Canary(other, "d", share, Guardrail(Limits(), "d", "loans:4"))
    many = [{**KEYED, "id": number + 1} for number in range(200)]
    for number in range(150, 200):
        many[number]["branch"] = 5  # of which the champion knows nothing
    answers: list[Any] = []
    grouping = Grouping(
        lambda: Cast(champion, canary), lambda call: call(), limits=GroupLimits(group_rows=90)
    )
    rows = read(champion.completing or made(store), *many)
    request = request_of(rows, champion)
    grouping.ask(dataclasses.replace(request, answered=answers.append))
    grouping.close()
    (error,) = answers
    assert isinstance(error, InputError)
    named = [str(problem.where) for problem in error.problems]
    sent = [f"[{number}].visits" for number in range(150, 200)]
    assert set(named) <= set(sent)
    assert len(named) > 0
    assert "records of a part can't be used" in error.headline
    if share is None:
        assert named[0] == "[150].visits"


def test_what_was_counted_outlives_the_release_that_counted_it(store: Store) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    champion, canary = (
        completing(pinned, WHOLE, READ, store.look_up, Spent(), counts)
        for pinned in (PINNED, dataclasses.replace(PINNED, parts=(("calls@3", ("last",)),)))
    )
    champion.completed(read(champion, KEYED))
    decider = decider_with(champion, MemoryDecisions())
    guardrail = Guardrail(Limits(), "d", "loans:4")
    beside = Canary(decider_with(canary, MemoryDecisions()), "d", 50, guardrail)
    lineup: Any = SimpleNamespace(answering=lambda: None)
    served = Served("loans", lineup, gate=lambda *_: None)  # type: ignore[arg-type]
    served.start(lambda call: call())
    for lineup.current in (Cast(decider, beside), Cast(decider)):
        found = served.measured().looked_up
        assert found["branches@1", "found"] == found["calls@2", "found"] == 1
        assert len(found) == 6
    served.close()


def test_what_was_looked_up_holds_the_contract_too(store: Store) -> None:
    one = made(Store({3: -1}))
    with pytest.raises(InputError) as raised:
        one.completed(read(one, KEYED))
    assert [(p.where, p.what) for p in raised.value.problems] == [("visits", "is too small")]


def test_the_decision_holds_what_was_looked_up(store: Store) -> None:
    log = MemoryDecisions()
    decider = decider_with(made(store), log)
    (decision,) = decider.decide(read_records([KEYED], decider.artefact.inputs))
    assert decision.output["probability"] == 0.012
    assert decision.inputs["visits"] == 12
    assert decision.inputs["branch"] == 3


def test_a_store_that_failed_is_left_alone_for_a_while(store: Store) -> None:
    now = [0.0]
    look = resting(store.look_up, lambda: now[0])
    asked = {"branch": 3, "since": None}
    store.fails = True
    for now[0] in (0.0, 0.5, 0.9):
        with pytest.raises(StoreError):
            look(asked, LAST)
    assert len(store.asked) == 1
    store.fails, now[0] = False, 1.1
    assert look(asked, LAST)["visits"] == 12
    assert look(asked, LAST)["visits"] == 12


def test_without_the_store_those_who_bring_their_features_are_answered(store: Store) -> None:
    store.fails = True
    one = made(store)
    with pytest.raises(NotLookedUpError, match="Nothing was decided"):
        one.completed(read(one, KEYED))
    assert one.completed(read(one, {**BARE, "visits": 9})).column("visits") == [9]


def test_a_canary_looks_up_its_own_versions(store: Store) -> None:
    log = MemoryDecisions()
    newer = Store({3: 77})
    pinned = dataclasses.replace(PINNED, digests={**PINNED.digests, "branches@1": "sha256:other"})
    four = dataclasses.replace(ARTEFACT, release="loans:4", digest="sha256:four")
    champion = decider_with(made(store), log)
    canary = decider_with(made(newer, pinned), log, four)
    guardrail = Guardrail(Limits(), "d", "loans:4")
    cast = Cast(champion, Canary(canary, "d", 100, guardrail))
    request = request_of(read(champion.completing or made(store), KEYED), champion)
    ((decision,),), tried = split(cast, [request])
    assert decision.release == "loans:4"
    assert decision.inputs["visits"] == 77
    assert tried is not None
    assert tried.trial.failures == 0


def request_of(records: Rows, decider: Decider) -> Any:
    from taxiway.serving.request import Request

    return Request(records, decider.artefact.inputs, lambda _: records, 0.0, lambda _: None)


@pytest.mark.parametrize(("other", "visits"), [("sha256:b", 12), ("sha256:other", 77)])
def test_a_challenger_with_other_versions_looks_up_its_own(
    store: Store, other: str, visits: int
) -> None:
    log, apart = MemoryDecisions(), MemoryDecisions()
    pinned = dataclasses.replace(PINNED, digests={**PINNED.digests, "branches@1": other})
    champion = decider_with(made(store), log)
    challenger = decider_with(made(Store({3: 77}), pinned), apart)
    answered = champion.decide(read_records([KEYED], champion.artefact.inputs))
    shadow = Shadow(0.01)
    shadow.offer(challenger, champion, answered)
    until(lambda: bool(apart.count("loans")))
    shadow.close()
    (found,) = apart.scan("loans")
    assert found.inputs["visits"] == visits
