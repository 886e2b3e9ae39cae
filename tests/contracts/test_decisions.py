"""The decision log, in every adapter."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.core.decision import Decision, Outcome
from taxiway.core.errors import ConflictError, MissingError
from taxiway.core.ports import Decisions

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MakeDecision = Callable[..., Decision]


def outcome(key: str, label: bool | float, model: str = "flight-delays") -> Outcome:
    return Outcome(model, key, label, NOW)


def scanned(decisions: Decisions, **where: Any) -> list[str]:
    found = [d.id for d in decisions.scan("flight-delays", **where)]
    assert decisions.count("flight-delays", **where) == len(found)
    return found


# append and get


def test_a_decision_comes_back(decisions: Decisions, decision: MakeDecision) -> None:
    east = timezone(timedelta(hours=9))
    one = decision(inputs={"é": [0.1, 1e-300, -0.0, 2**60, None, False, {"a": ""}]})
    other = decision(at=NOW.astimezone(east), happened_at=NOW.astimezone(east))
    decisions.append([one, other])
    assert decisions.get(one.id) == one
    assert decisions.get(other.id) == other
    assert list(decisions.scan("flight-delays")) == [one, other]


def test_a_decision_that_is_not_there(decisions: Decisions, decision: MakeDecision) -> None:
    decisions.append([decision("d-1")])
    with pytest.raises(MissingError, match="No decision"):
        decisions.get("d-2")


def test_nothing_to_append(decisions: Decisions) -> None:
    decisions.append([])
    assert decisions.count("flight-delays") == 0


def test_an_id_is_there_once_and_the_rest_is_not_written(
    decisions: Decisions, decision: MakeDecision
) -> None:
    first = decision("d-1")
    decisions.append([first])
    for batch in (
        [decision("d-2"), decision("d-1", latency_us=1), decision("d-3")],
        [decision("d-4"), decision("d-4")],
    ):
        with pytest.raises(ConflictError, match="A decision with this id is already in the log"):
            decisions.append(batch)
    assert list(decisions.scan("flight-delays")) == [first]
    decisions.append([decision("d-2")])
    assert scanned(decisions) == ["d-1", "d-2"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"inputs": {"distance": float("nan")}}, "JSON compliant"),
        ({"output": {"probability": float("inf")}}, "JSON compliant"),
        ({"happened_at": NOW.replace(tzinfo=None)}, "without a time zone"),
        ({"at": NOW.replace(tzinfo=None)}, "without a time zone"),
    ],
)
def test_what_can_t_be_written_is_refused_with_its_batch(
    decisions: Decisions, decision: MakeDecision, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        decisions.append([decision(), decision(**fields)])
    assert scanned(decisions) == []


# append_frame


def framed(decisions: Sequence[Decision], *, typed: bool = False) -> pl.DataFrame:
    """Decisions as a batch has them: columns, with what is no plain value as JSON text."""
    names = [field.name for field in dataclasses.fields(Decision)]
    columns: dict[str, list[Any]] = {n: [getattr(d, n) for d in decisions] for n in names}
    for name in ("output", "withheld", *([] if typed else ["inputs"])):
        columns[name] = [json.dumps(value) for value in columns[name]]
    for name in ("prediction", "probability"):
        columns[name] = [d.output.get(name) for d in decisions]
    return pl.DataFrame(columns).with_columns(
        pl.col("happened_at", "at").cast(pl.Datetime("us", "UTC")),
        pl.col("prediction").cast(pl.Boolean),
        pl.col("probability").cast(pl.Float64),
    )


def test_a_frame_is_the_decisions_of_its_rows(decisions: Decisions, decision: MakeDecision) -> None:
    early = NOW - timedelta(days=400)
    some = [
        decision("b-1", inputs={"é": [0.1, 1e-300, -0.0, 2**60, None, False, {"a": ""}]}),
        decision("b-2", key='{"flight":12}', happened_at=early, withheld=("name",)),
    ]
    decisions.append([decision("a-1", happened_at=NOW - timedelta(days=1))])
    decisions.append_frame(framed(some))
    decisions.append_frame(framed([decision("c-1")]))
    assert decisions.get("b-1") == some[0]
    assert decisions.between("b-0", "b-9") == some
    assert scanned(decisions) == ["b-2", "a-1", "b-1", "c-1"]
    assert scanned(decisions, key={"flight": 12}) == ["b-2"]
    later = NOW + timedelta(days=1)
    assert [i for i, _ in decisions.made_before("flight-delays", later)] == [
        "a-1",
        "b-1",
        "b-2",
        "c-1",
    ]
    assert decisions.remove("flight-delays", ["b-1"])[0] == 1
    assert scanned(decisions) == ["b-2", "a-1", "c-1"]


def test_inputs_with_a_column_for_each_come_back_as_they_were(
    decisions: Decisions, decision: MakeDecision
) -> None:
    some = [
        {
            "é": 0.1,
            "inputs.é": 2**60,
            "": None,
            "key": False,
            "text": 'a "b" \\ é\n\u2028',
            "z": -0.0,
        },
        {"é": 1e-300, "inputs.é": -(2**63), "": "x", "key": True, "text": "", "z": 1e22},
        {"é": 5e-324, "inputs.é": 0, "": None, "key": None, "text": None, "z": 123456789.125},
    ]
    made = [decision(f"b-{n}", inputs=record) for n, record in enumerate(some)]
    other = decision("c-1", inputs={"origin": "JFK"}, withheld=("name",))
    text = decision("d-1", inputs={"é": [1]})
    decisions.append_frame(framed(made, typed=True))
    decisions.append_frame(framed([other], typed=True))
    decisions.append_frame(framed([text]))
    found = list(decisions.scan("flight-delays"))
    assert [list(one.inputs.items()) for one in found] == [
        list(one.inputs.items()) for one in (*made, other, text)
    ]
    assert [str(one.inputs["z"]) for one in found[:3]] == ["-0.0", "1e+22", "123456789.125"]
    assert found == [*made, other, text]
    assert decisions.remove("flight-delays", ["b-1"])[0] == 1
    assert list(decisions.scan("flight-delays")) == [made[0], made[2], other, text]


def test_a_frame_is_there_once_and_whole(decisions: Decisions, decision: MakeDecision) -> None:
    decisions.append([decision("b-2", channel="batch")])
    decisions.append_frame(framed([decision("c-1"), decision("c-3")]))
    for ids in (["b-1", "b-2"], ["c-2", "c-3"], ["d-1", "d-1"]):
        with pytest.raises(ConflictError, match="already in the log"):
            decisions.append_frame(framed([decision(id_) for id_ in ids]))
    assert scanned(decisions) == ["b-2", "c-1", "c-3"]
    decisions.append_frame(framed([decision("c-2")]))  # between those of a file
    assert [d.id for d in decisions.between("c-1", "c-3")] == ["c-1", "c-2", "c-3"]


# scan and count


def test_order_is_by_time_then_id(decisions: Decisions, decision: MakeDecision) -> None:
    later = NOW + timedelta(microseconds=1)
    decisions.append([decision("c"), decision("d", happened_at=later)])
    decisions.append([decision("e", happened_at=NOW - timedelta(days=1)), decision("b")])
    assert scanned(decisions) == ["e", "b", "c", "d"]


def test_the_interval_holds_its_start_and_not_its_end(
    decisions: Decisions, decision: MakeDecision
) -> None:
    hours = [NOW + timedelta(hours=h) for h in range(4)]
    decisions.append([decision(f"h{h}", happened_at=at) for h, at in enumerate(hours)])
    assert scanned(decisions, start=hours[1], end=hours[3]) == ["h1", "h2"]
    assert scanned(decisions, start=hours[1]) == ["h1", "h2", "h3"]
    assert scanned(decisions, end=hours[1]) == ["h0"]
    assert scanned(decisions, start=hours[1], end=hours[1]) == []
    assert scanned(decisions, start=hours[3], end=hours[0]) == []
    east = timezone(timedelta(hours=9))
    assert scanned(decisions, start=hours[1].astimezone(east), end=hours[2]) == ["h1"]
    just_after = hours[1] + timedelta(microseconds=1)
    assert scanned(decisions, start=just_after, end=hours[2]) == []


def test_model_environment_and_release(decisions: Decisions, decision: MakeDecision) -> None:
    decisions.append(
        [
            decision("a"),
            decision("b", environment="qa"),
            decision("c", release="flight-delays:2"),
            decision("d", model="churn"),
        ]
    )
    assert scanned(decisions) == ["a", "b", "c"]
    assert scanned(decisions, environment="prod") == ["a", "c"]
    assert scanned(decisions, release="flight-delays:1") == ["a", "b"]
    assert scanned(decisions, environment="qa", release="flight-delays:2") == []
    assert [d.id for d in decisions.scan("churn")] == ["d"]
    assert decisions.count("nothing") == 0


def test_a_key_is_found_by_all_of_it_or_a_part(
    decisions: Decisions, decision: MakeDecision
) -> None:
    decisions.append(
        [
            decision("a", key='{"carrier":"UA","flight":11}'),
            decision("b", key='{"carrier":"UA","flight":111}'),
            decision("c", key='{"carrier":"\\"flight\\":11,","flight":2}'),
            decision("d", key='{"carrier":"é","flight":11}', environment="qa"),
        ]
    )
    assert scanned(decisions, key={"carrier": "UA", "flight": 11}) == ["a"]
    assert scanned(decisions, key={"flight": 11}) == ["a", "d"]
    assert scanned(decisions, key={"flight": 11}, environment="qa") == ["d"]
    assert scanned(decisions, key={"carrier": "é"}) == ["d"]
    assert scanned(decisions, key={"flight": 11.0}) == []
    assert scanned(decisions, key={"nothing": 11}) == []


def test_answers_of_one_kind_and_the_newest_first(
    decisions: Decisions, decision: MakeDecision
) -> None:
    no = {"prediction": False, "probability": 0.1, "reasons": []}
    decisions.append(
        [decision("a"), decision("b", output=no), decision("c", happened_at=NOW + timedelta(1))]
    )
    assert scanned(decisions, positive=True) == ["a", "c"]
    assert scanned(decisions, positive=False) == ["b"]
    assert scanned(decisions, newest_first=True) == ["c", "b", "a"]
    assert scanned(decisions, newest_first=True, end=NOW + timedelta(1)) == ["b", "a"]


def test_cases_only(decisions: Decisions, decision: MakeDecision) -> None:
    plain = decision()
    # A text that looks like a mark is none.
    sly = decision(output={**plain.output, "reasons": [{"value": '"review":{"because":[]}'}]})
    case = decision(output={**plain.output, "review": {"because": ["borderline"]}})
    other = decision(output=case.output, environment="qa")
    decisions.append([plain, sly, case, other])
    assert scanned(decisions, cases=True) == [case.id, other.id]
    assert scanned(decisions, cases=True, environment="prod", newest_first=True) == [case.id]
    assert scanned(decisions, cases=False) == [plain.id, sly.id, case.id, other.id]
    assert decisions.get(case.id).because == ("borderline",)


def test_between_two_ids(decisions: Decisions, decision: MakeDecision) -> None:
    decisions.append([decision(one, model=m) for one, m in zip("dbca", "mnmn", strict=True)])
    assert [d.id for d in decisions.between("b", "c")] == ["b", "c"]
    assert [d.id for d in decisions.between("bb", "z")] == ["c", "d"]
    assert decisions.between("e", "z") == decisions.between("c", "b") == []


LONG_AGO = datetime(2013, 3, 1, 12, tzinfo=UTC)


def test_what_was_made_before_a_moment(decisions: Decisions, decision: MakeDecision) -> None:
    earlier = LONG_AGO - timedelta(microseconds=1)
    decisions.append([decision("b", at=earlier), decision("a", at=earlier)])
    decisions.append([decision("d", at=earlier, model="churn"), decision("c", at=LONG_AGO)])
    assert list(decisions.made_before("flight-delays", LONG_AGO)) == [
        ("a", earlier),
        ("b", earlier),
    ]
    assert list(decisions.made_before("flight-delays", earlier)) == []


def test_a_clock_that_went_back_makes_nothing_old(
    decisions: Decisions, decision: MakeDecision
) -> None:
    hours = [LONG_AGO + timedelta(hours=hour) for hour in range(4)]
    decisions.append([decision("a", at=hours[0])])
    decisions.append([decision("b", at=hours[2]), decision("c", at=hours[0])])
    assert [one for one, _ in decisions.made_before("flight-delays", hours[1])] == ["a"]
    assert [one for one, _ in decisions.made_before("flight-delays", hours[3])] == ["a", "b", "c"]


def test_a_moment_in_the_future_keeps_nothing_from_being_old(
    decisions: Decisions, decision: MakeDecision
) -> None:
    later = LONG_AGO + timedelta(hours=1)
    decisions.append([decision("a", at=LONG_AGO.replace(year=9000)), decision("b", at=LONG_AGO)])
    assert [one for one, _ in decisions.made_before("flight-delays", later)] == ["b"]


moments = st.integers(0, 5).map(lambda hours: NOW + timedelta(hours=hours))
rows = st.lists(
    st.tuples(moments, st.sampled_from(["qa", "prod"]), st.sampled_from(["m:1", "m:2"])),
    max_size=12,
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "environment": st.sampled_from(["qa", "prod"]) | st.none(),
        "release": st.sampled_from(["m:1", "m:2"]) | st.none(),
        "start": moments | st.none(),
        "end": moments | st.none(),
    },
)


@settings(max_examples=25)
@given(drawn=rows, where=filters)
def test_a_scan_is_what_a_reader_of_all_would_pick(
    new_decisions: Any,
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[datetime, str, str]],
    where: dict[str, Any],
) -> None:
    decisions: Decisions = new_decisions(tmp_path_factory.mktemp("log"))
    logged = [
        Decision(f"{n:02}", "m", release, "", place, "batch", f"{n}", at, NOW, {}, {}, 1)
        for n, (at, place, release) in enumerate(drawn)
    ]
    decisions.append(logged[::2])
    decisions.append(logged[1::2])
    expected = [
        d
        for d in sorted(logged, key=lambda d: (d.happened_at, d.id))
        if where.get("environment") in {None, d.environment}
        and where.get("release") in {None, d.release}
        and (where.get("start") is None or d.happened_at >= where["start"])
        and (where.get("end") is None or d.happened_at < where["end"])
    ]
    assert list(decisions.scan("m", **where)) == expected
    assert decisions.count("m", **where) == len(expected)
    decisions.close()


def test_a_scan_and_a_writer_do_not_wait_for_each_other(
    decisions: Decisions, decision: MakeDecision
) -> None:
    decisions.append([decision() for _ in range(3)])
    scan = decisions.scan("flight-delays")
    assert next(scan).id == "d-000001"
    decisions.append([decision()])
    assert [d.id for d in scan] == ["d-000002", "d-000003"]  # as it was when the scan began
    assert decisions.count("flight-delays") == 4


def test_threads_that_append_lose_nothing(decisions: Decisions, decision: MakeDecision) -> None:
    def work(who: int) -> None:
        for n in range(15):
            decisions.append([decision(f"{who}-{n:02}a"), decision(f"{who}-{n:02}b")])

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [f"{who}-{n:02}{x}" for who in range(4) for n in range(15) for x in "ab"]
    assert scanned(decisions) == expected


# Outcomes


def test_outcomes_are_added_and_known(decisions: Decisions) -> None:
    assert decisions.add_outcomes([outcome("a", True), outcome("b", False)]) == (2, 0)
    assert decisions.add_outcomes([outcome("b", False), outcome("c", True)]) == (1, 1)
    assert decisions.outcomes("flight-delays") == {"a": True, "b": False, "c": True}
    assert decisions.add_outcomes(iter([])) == (0, 0)


def test_outcomes_belong_to_their_model(decisions: Decisions) -> None:
    decisions.add_outcomes([outcome("a", True), outcome("a", False, "churn")])
    assert decisions.outcomes("flight-delays") == {"a": True}
    assert decisions.outcomes("churn") == {"a": False}
    assert decisions.outcomes("nothing") == {}


def test_labels_keep_their_type(decisions: Decisions) -> None:
    labels = {"yes": True, "no": False, "one": 1.0, "some": 0.1 + 0.2, "less": -1e300}
    decisions.add_outcomes(outcome(key, label) for key, label in labels.items())
    found = decisions.outcomes("flight-delays")
    assert found == labels
    assert {key: type(label) for key, label in found.items()} == {
        key: type(label) for key, label in labels.items()
    }


def test_a_contradiction_adds_nothing_and_names_every_key(decisions: Decisions) -> None:
    decisions.add_outcomes([outcome("a", True), outcome("b", 0.5)])
    with pytest.raises(ConflictError, match="2 outcomes contradict what is known") as caught:
        decisions.add_outcomes(
            [outcome("new", True), outcome("a", False), outcome("b", 0.25), outcome("late", True)]
        )
    assert [problem.where for problem in caught.value.problems] == ["a", "b"]
    assert decisions.outcomes("flight-delays") == {"a": True, "b": 0.5}


def test_a_key_twice_in_one_go(decisions: Decisions) -> None:
    assert decisions.add_outcomes([outcome("a", True), outcome("a", True)]) == (1, 1)
    with pytest.raises(ConflictError, match="1 outcome contradicts what is known"):
        decisions.add_outcomes([outcome("b", True), outcome("b", False)])
    assert decisions.outcomes("flight-delays") == {"a": True}


def test_outcomes_that_stop_half_way_add_nothing(decisions: Decisions) -> None:
    def stops() -> Any:
        yield outcome("a", True)
        raise ValueError("line 2 is no outcome")

    with pytest.raises(ValueError, match="line 2 is no outcome"):
        decisions.add_outcomes(stops())
    assert decisions.outcomes("flight-delays") == {}


def test_outcomes_need_no_decision(decisions: Decisions, decision: MakeDecision) -> None:
    decisions.add_outcomes([outcome("early", True)])
    decisions.append([decision("d-1", key="early")])
    assert decisions.outcomes("flight-delays")[decisions.get("d-1").key] is True


# Removal


def test_decisions_go_with_the_outcomes_that_are_theirs_alone(
    decisions: Decisions, decision: MakeDecision
) -> None:
    decisions.append([decision(one, key=key) for one, key in zip("abcd", "kkmn", strict=True)])
    decisions.append([decision("e", key="m", model="churn")])
    decisions.add_outcomes([outcome(key, True) for key in "kmnz"])
    decisions.add_outcomes([outcome("m", True, "churn")])
    assert decisions.remove("flight-delays", ["a", "c", "e", "nothing"]) == (2, 1)
    assert scanned(decisions) == ["b", "d"]
    assert set(decisions.outcomes("flight-delays")) == {"k", "n", "z"}
    assert [d.id for d in decisions.scan("churn")] == ["e"]
    assert decisions.outcomes("churn") == {"m": True}
    assert decisions.remove("flight-delays", ["a", "c", "b"]) == (1, 1)
    assert set(decisions.outcomes("flight-delays")) == {"n", "z"}
    assert decisions.remove("flight-delays", []) == (0, 0)


def test_a_key_s_outcomes_go_even_without_a_decision(
    decisions: Decisions, decision: MakeDecision
) -> None:
    keys = ['{"carrier":"UA","flight":11}', '{"carrier":"UA","flight":12}']
    decisions.append([decision("a", key=keys[0]), decision("b", key=keys[0])])
    decisions.add_outcomes([outcome(key, True) for key in keys])
    decisions.add_outcomes([outcome(keys[0], True, "churn")])
    assert decisions.remove("flight-delays", ["a"], key={"flight": 11}) == (1, 1)
    assert decisions.remove("flight-delays", iter([]), key={"carrier": "UA"}) == (0, 1)
    assert decisions.outcomes("flight-delays") == {}
    assert decisions.outcomes("churn") == {keys[0]: True}
    assert scanned(decisions) == ["b"]
