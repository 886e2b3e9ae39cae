"""What the log hears of personal data: less than who asked, and enough to be found and removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.ids import new_id
from taxiway.core.artefact import Artefact
from taxiway.core.decision import Outcome, key_holds
from taxiway.core.errors import MissingError
from taxiway.data.frame import plain_frame
from taxiway.serving.batch import Job, made_here, score
from taxiway.serving.deciding import Decider
from taxiway.serving.personal import PREFIX, Withholding, pseudonyms, spellings
from taxiway.serving.replay import replay, replay_all

from .conftest import NOW, RECORD

SECRET = b"s" * 32
PSEUDONYM = pseudonyms(SECRET)
HOW = {"iban": "omit", "id": "pseudonym", "region": "keep"}


@pytest.fixture(params=["segments", "closed"])
def log(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DecisionLog]:
    found = DecisionLog(tmp_path / "decisions.db")
    if request.param == "closed":
        scan = found.scan

        def behind_closing(*given: object, **named: object) -> object:
            found.let_go()
            found.close_segments()
            return scan(*given, **named)  # type: ignore[arg-type]

        vars(found)["scan"] = behind_closing
    yield found
    found.close()


def deciding(artefact: Artefact, log: DecisionLog, how: dict[str, str], channel: str) -> Decider:
    kept = Withholding(log, {name: way for name, way in how.items() if way != "keep"}, PSEUDONYM)
    return Decider(artefact, "prod", channel, kept, lambda: NOW, new_id)


def test_the_log_hears_less_and_the_answer_is_the_same(
    artefact: Artefact, log: DecisionLog
) -> None:
    (made,) = deciding(artefact, log, HOW, "http").decide([RECORD])
    assert (made.inputs, made.withheld, made.key) == (RECORD, (), '{"id":7}')
    (logged,) = log.scan("loans")
    assert logged.withheld == ("iban", "id")
    assert "iban" not in logged.inputs
    assert logged.inputs["id"] == PSEUDONYM("id", 7)
    assert logged.key == f'{{"id":"{PSEUDONYM("id", 7)}"}}'
    assert {**logged.inputs, "id": 7} == {n: v for n, v in RECORD.items() if n != "iban"}
    assert logged.output == made.output
    assert log.get(made.id) == logged


def test_a_pseudonym_is_of_its_key_its_column_and_its_value() -> None:
    assert PSEUDONYM("id", 7).startswith(PREFIX)
    others = {pseudonyms(b"t" * 32)("id", 7), PSEUDONYM("di", 7), PSEUDONYM("id", "7")}
    assert len({PSEUDONYM("id", 7), *others}) == 4


def test_nothing_stays_nothing(artefact: Artefact, log: DecisionLog) -> None:
    decider = deciding(artefact, log, {"iban": "pseudonym"}, "http")
    decider.decide([{**RECORD, "iban": None}])
    (logged,) = log.scan("loans")
    assert logged.inputs["iban"] is None
    assert logged.key == '{"id":7}'


def test_outcomes_join_and_a_person_is_removed_by_the_key(
    artefact: Artefact, log: DecisionLog
) -> None:
    decider = deciding(artefact, log, HOW, "http")
    decider.decide([{**RECORD, "id": n} for n in (7, 8, 7)])
    assert isinstance(decider.log, Withholding)
    keys = [decider.log.key(f'{{"id":{n}}}') for n in (7, 8)]
    log.add_outcomes(Outcome("loans", key, True, NOW) for key in keys)
    assert {one.key for one in log.scan("loans")} == set(log.outcomes("loans"))
    plain, own = spellings({"id": 7}, ["id"], PSEUDONYM)
    assert list(log.scan("loans", key=plain)) == []
    found = [one.id for one in log.scan("loans", key=own)]
    assert len(found) == 2
    assert log.remove("loans", found, key=own) == (2, 1)
    assert [key_holds(one.key, own) for one in log.scan("loans")] == [False]


def test_a_replay_says_what_it_lacks(artefact: Artefact, log: DecisionLog) -> None:
    deciding(artefact, log, HOW, "http").decide([{**RECORD, "id": n} for n in range(1, 6)])
    # Neither the key nor the bank account is read by the model: all can be made again.
    tally = replay_all(log.scan("loans"), lambda _: artefact)
    assert (tally.equal, tally.different, tally.withheld) == (5, 0, 0)
    how = {"iban": "omit", "region": "omit", "risky": "pseudonym"}
    made = deciding(artefact, log, how, "http").decide([{**RECORD, "id": n} for n in range(6, 9)])
    tally = replay_all(log.scan("loans"), lambda _: artefact)
    assert (tally.equal, tally.different, tally.withheld) == (5, 0, 3)
    assert tally.lacking == {"region": 3, "risky": 3}
    with pytest.raises(MissingError, match="the log withholds region, risky, which the model"):
        replay(artefact, log.get(made[0].id))


def test_a_batch_that_goes_on_writes_what_its_file_has(
    artefact: Artefact, log: DecisionLog
) -> None:
    decider = deciding(artefact, log, HOW, "batch")
    rows = artefact.frame([{**RECORD, "id": n} for n in range(1, 5)])
    job = Job("0123456789abcdef")
    found = []
    for last in (2, 4):
        made = made_here(decider, job, [(tuple(range(1, last + 1)), rows[:last])], plain_frame)
        (part,) = score(decider, job, made, plain=plain_frame)
        assert part.frame["id"].to_list() == list(range(1, last + 1))
        found.append(part.found)
    assert found == [0, 2]
    logged = list(log.scan("loans"))
    assert len(logged) == 4
    for number, one in enumerate(sorted(logged, key=lambda each: each.id), 1):
        assert one.withheld == ("iban", "id")
        assert "iban" not in one.inputs
        assert one.inputs["id"] == PSEUDONYM("id", number)
        assert one.key == f'{{"id":"{PSEUDONYM("id", number)}"}}'
    assert replay_all(logged, lambda _: artefact).equal == 4
