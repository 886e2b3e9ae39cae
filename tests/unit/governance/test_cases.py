"""Cases: who may take and decide them, when they time out, and what nobody can do twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from taxiway.core.decision import Decision
from taxiway.core.errors import ConflictError, InputError, MissingError, RefusedError
from taxiway.core.operation import Oversight
from taxiway.core.people import Review
from taxiway.core.ports import Desk
from taxiway.governance import cases
from taxiway.governance.cases import Terms
from taxiway.governance.ledger import verify_ledger
from taxiway.governance.people import add_person, remove_person
from taxiway.governance.status import status

from .conftest import NOW, Office

TERMS = Terms("flights-engineer", timedelta(days=2), "escalate")
KEEP = dataclasses.replace(TERMS, on_timeout="keep")
OWNER, ANN, BEN = "flights-owner", "ann", "ben"


@pytest.fixture
def team(office: Office) -> Office:
    for name in (ANN, BEN):
        add_person(office.desk(OWNER), office.keys, name, ["reviewer"])
    return office


@pytest.fixture
def case(team: Office) -> Decision:
    return logged(team, "case-1")


def logged(office: Office, id: str, **fields: Any) -> Decision:
    plain = Decision(
        id=id,
        model="flight-delays",
        release="flight-delays:1",
        release_digest="sha256:m",
        environment="prod",
        channel="http",
        key=f'{{"flight":"{id}"}}',
        happened_at=NOW,
        at=NOW,
        inputs={"origin": "JFK"},
        output={
            "prediction": True,
            "probability": 0.26,
            "reasons": [],
            "review": {"because": ["borderline"]},
        },
        latency_us=100,
    )
    made = dataclasses.replace(plain, **fields)
    office.desk().decisions.append([made])
    return made


def take(office: Office, case: Decision, name: str, terms: Terms = TERMS) -> Review:
    desk = office.desk(name)
    return cases.take(desk, case, terms, cases.bearer(desk, "take it"))


def decide(
    office: Office,
    case: Decision,
    name: str,
    answer: str = "no",
    reason: str = "the gate is free",
    terms: Terms = TERMS,
) -> Review:
    desk = office.desk(name)
    who = cases.bearer(desk, "decide it")
    return cases.decide(desk, case, terms, who, answer=answer, reason=reason)


def stands(office: Office, case: Decision, terms: Terms = TERMS) -> Review:
    return cases.standing(office.desk(), case, terms)


def whole(office: Office) -> tuple[str, ...]:
    desk: Desk = office.desk()
    problems = verify_ledger(office.record, desk.verify, head=None).problems
    return tuple(one for one in problems if "no head is kept" not in one)


def test_a_case_is_taken_and_overridden(team: Office, case: Decision) -> None:
    assert stands(team, case).state == "open"
    assert take(team, case, ANN).taken_by == ANN
    after = decide(team, case, ANN)
    assert (after.state, after.answer, after.proposed) == ("overridden", "no", "yes")
    assert (after.decided_by, after.reason, after.due) == (
        ANN,
        "the gate is free",
        NOW + TERMS.within,
    )
    assert stands(team, case) == after == team.record.get(Review, case.id)
    assert team.desk().decisions.get(case.id) == case
    assert team.actions()[-2:] == ["case.taken", "case.decided"]
    assert whole(team) == ()


@pytest.mark.parametrize(
    ("answer", "state", "counts"), [("yes", "agreed", "61.5"), ("no", "overridden", "no")]
)
def test_a_number_stands_or_does_not(team: Office, answer: str, state: str, counts: str) -> None:
    output = {"prediction": 61.5, "reasons": [], "review": {"because": ["long"]}}
    case = logged(team, "number", output=output)
    take(team, case, ANN)
    after = decide(team, case, ANN, answer)
    assert (after.proposed, after.state, after.answer) == ("61.5", state, counts)


def test_a_person_who_agrees(team: Office, case: Decision) -> None:
    take(team, case, ANN)
    after = decide(team, case, ANN, "yes")
    assert (after.state, after.answer) == ("agreed", "yes")


@pytest.mark.parametrize("name", ["flights-developer", "flights-validator", "flights-auditor"])
def test_who_may_not_take_a_case(team: Office, case: Decision, name: str) -> None:
    with pytest.raises(
        RefusedError, match="takes the role reviewer or owner, or to be flights-eng"
    ):
        take(team, case, name)
    assert team.record.find(Review) == []


@pytest.mark.parametrize("name", [ANN, OWNER, TERMS.who])
def test_who_may_take_a_case(team: Office, case: Decision, name: str) -> None:
    assert take(team, case, name).taken_by == name


def test_whoever_took_it_decides_it_or_an_owner(team: Office, case: Decision) -> None:
    with pytest.raises(RefusedError, match="which is open: it takes an owner") as refused:
        decide(team, case, ANN)
    assert refused.value.todo == "Take it first: taxiway cases take case-1"
    take(team, case, ANN)
    with pytest.raises(RefusedError, match="was taken by ann"):
        take(team, case, BEN)
    with pytest.raises(RefusedError, match="it takes ann, who took it, or an owner"):
        decide(team, case, BEN)
    after = decide(team, case, OWNER)
    assert (after.taken_by, after.decided_by) == (ANN, OWNER)
    assert whole(team) == ()


def test_a_case_is_decided_once(team: Office, case: Decision) -> None:
    decide(team, case, OWNER)
    for answer in ("yes", "no"):
        with pytest.raises(RefusedError, match=r"Case case-1 is overridden .* it is settled"):
            decide(team, case, OWNER, answer)
    with pytest.raises(RefusedError, match="is overridden and can't become taken"):
        take(team, case, ANN)


def test_two_who_take_it_at_once(
    team: Office, case: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands_open = cases.review_of(case, None, TERMS, NOW)
    monkeypatch.setattr(cases, "_found", lambda *_: (None, stands_open))
    take(team, case, ANN)
    with pytest.raises(ConflictError, match="already"):
        take(team, case, BEN)
    assert team.record.get(Review, case.id).taken_by == ANN


def test_taking_it_again_changes_nothing(team: Office, case: Decision) -> None:
    first = take(team, case, ANN)
    events = len(team.actions())
    assert take(team, case, ANN) == first
    assert len(team.actions()) == events


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_a_decision_needs_its_reason(team: Office, case: Decision, reason: str) -> None:
    with pytest.raises(InputError, match="needs a reason of 1 to 2000 characters"):
        decide(team, case, OWNER, reason=reason)


def test_an_answer_is_yes_or_no(team: Office, case: Decision) -> None:
    with pytest.raises(InputError, match="yes or no; found 'maybe'"):
        decide(team, case, OWNER, "maybe")


def test_what_is_no_case(team: Office) -> None:
    plain = logged(team, "plain", output={"prediction": True, "probability": 0.9, "reasons": []})
    with pytest.raises(MissingError, match="Decision plain is no case"):
        stands(team, plain)
    assert list(cases.listed(team.desk(), "flight-delays", TERMS)) == []


def test_a_dry_run_writes_nothing(team: Office, case: Decision) -> None:
    desk = team.desk(OWNER)
    who = cases.bearer(desk, "look")
    assert cases.take(desk, case, TERMS, who, dry_run=True).state == "taken"
    after = cases.decide(desk, case, TERMS, who, answer="no", reason="so", dry_run=True)
    assert after.state == "overridden"
    assert team.record.find(Review) == []


# Time


def test_terms_are_those_of_the_charter() -> None:
    fields = Oversight.model_fields
    assert {name: fields[name].default for name in cases.DEFAULTS} == cases.DEFAULTS
    assert cases.terms_of({"who": "x"}) == Terms("x", timedelta(days=2), "escalate")
    said = {"who": "x", "answer_within": "5h", "on_timeout": "keep", "sample": 0.1}
    assert cases.terms_of(said) == Terms("x", timedelta(hours=5), "keep")


def test_a_case_whose_time_is_over_escalates_to_an_owner(team: Office, case: Decision) -> None:
    take(team, case, ANN)
    team.now = NOW + TERMS.within
    assert stands(team, case).state == "escalated"
    with pytest.raises(RefusedError, match="which is escalated: it takes an owner"):
        decide(team, case, ANN)
    (written,) = cases.expire(team.desk(), "flight-delays", TERMS)
    assert (written.state, written.answer, written.taken_by) == ("escalated", None, ANN)
    assert cases.expire(team.desk(), "flight-delays", TERMS) == []
    assert decide(team, case, OWNER).state == "overridden"
    assert whole(team) == ()


def test_a_case_whose_time_is_over_is_kept(team: Office, case: Decision) -> None:
    team.now = NOW + KEEP.within - timedelta(seconds=1)
    assert stands(team, case, KEEP).state == "open"
    team.now = NOW + KEEP.within
    kept = stands(team, case, KEEP)
    assert (kept.state, kept.answer, kept.decided_by) == ("kept", "yes", None)
    with pytest.raises(RefusedError, match="is kept and can't become overridden"):
        decide(team, case, OWNER, terms=KEEP)
    assert team.record.find(Review) == []
    assert [one.id for one in cases.expire(team.desk(), "flight-delays", KEEP)] == [case.id]
    assert team.record.get(Review, case.id) == kept
    assert team.actions()[-1] == "cases.expired"
    assert whole(team) == ()


def test_a_dry_run_of_expire(team: Office, case: Decision) -> None:
    team.now = NOW + KEEP.within
    assert len(cases.expire(team.desk(), "flight-delays", KEEP, dry_run=True)) == 1
    assert team.record.find(Review) == []


def test_cases_newest_first_with_how_they_stand(team: Office, case: Decision) -> None:
    later = logged(team, "case-2", happened_at=NOW + timedelta(hours=1))
    logged(team, "case-3", environment="shadow")
    decide(team, case, OWNER)
    found = cases.listed(team.desk(), "flight-delays", TERMS, environment="prod")
    assert [(d.id, r.state) for d, r in found] == [(later.id, "open"), (case.id, "overridden")]


def test_status_says_whose_cases_wait(team: Office, case: Decision) -> None:
    def waiting() -> list[tuple[str, str, str]]:
        (one,) = status(team.desk()).models
        return [(w.person, w.id, w.what) for w in one.waiting if w.kind == "case"]

    assert waiting() == []
    other = logged(team, "case-2")
    for one in (other, case):
        take(team, one, ANN)
    assert waiting() == [(ANN, other.id, "decide 2 taken cases: borderline")]
    decide(team, other, ANN)
    team.now = NOW + TERMS.within
    cases.expire(team.desk(), "flight-delays", TERMS)
    assert waiting() == [("any owner", case.id, "decide 1 escalated case: borderline")]


# Signatures from elsewhere


def sent(office: Office, case: Decision, name: str, after: str, reason: str = "") -> cases.Bearer:
    payload = stands(office, case).payload(after, name, reason)
    return cases.sent_by(office.desk(), name, office.keys.sign(name, payload))


def test_people_elsewhere_send_their_signature(team: Office, case: Decision) -> None:
    desk = team.desk()
    taken = cases.take(desk, case, TERMS, sent(team, case, ANN, "taken"))
    assert taken.taken_by == ANN
    who = sent(team, case, ANN, "overridden", "free")
    after = cases.decide(desk, case, TERMS, who, answer="no", reason="free")
    assert after.answer == "no"
    assert [event.actor for event in team.record.events()][-2:] == ["system", "system"]
    assert whole(team) == ()


def test_a_signature_for_something_else_is_refused(team: Office, case: Decision) -> None:
    desk, other = team.desk(), logged(team, "case-2")
    wrong: list[Callable[[], cases.Bearer]] = [
        lambda: cases.sent_by(desk, ANN, "bm8="),
        lambda: cases.sent_by(desk, ANN, team.keys.sign(BEN, b"{}")),
        lambda: sent(team, other, ANN, "taken"),
        lambda: sent(team, case, ANN, "overridden", "free"),
    ]
    for bearing in wrong:
        with pytest.raises(RefusedError, match="The signature does not hold"):
            cases.take(desk, case, TERMS, bearing())
    take(team, case, ANN)
    who = sent(team, case, ANN, "overridden", "free")
    for answer, reason in (("yes", "free"), ("no", "another reason")):
        with pytest.raises(RefusedError, match="The signature does not hold"):
            cases.decide(desk, case, TERMS, who, answer=answer, reason=reason)


def test_a_signed_move_can_t_be_made_again(team: Office, case: Decision) -> None:
    desk = team.desk()
    early = sent(team, case, OWNER, "overridden", "free")
    take(team, case, ANN)
    with pytest.raises(RefusedError, match="to become overridden from taken"):
        cases.decide(desk, case, TERMS, early, answer="no", reason="free")


def test_people_who_are_not_there(team: Office, case: Decision) -> None:
    with pytest.raises(MissingError, match="Did you mean 'ann'"):
        cases.sent_by(team.desk(), "anne", "")
    remove_person(team.desk(OWNER), ANN, "left")
    with pytest.raises(RefusedError, match="ann was removed"):
        cases.sent_by(team.desk(), ANN, "")


def test_a_review_that_nobody_signed_is_found(team: Office, case: Decision) -> None:
    forged = dataclasses.replace(
        cases.review_of(case, None, TERMS, NOW),
        state="overridden",
        decided_by=OWNER,
        decided_at=NOW,
        reason="none",
        signature="bm8=",
    )
    with team.desk().change("case.decided", case.id, model=case.model) as change:
        change.add(forged)
    assert whole(team) == (f"review {case.id} does not carry the signature of {OWNER}",)
