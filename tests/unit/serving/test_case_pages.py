"""What pages about cases take, and what they never show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxiway.core.decision import Decision
from taxiway.core.errors import InputError
from taxiway.core.people import Review
from taxiway.serving import case_pages
from taxiway.serving.case_pages import Asked, Case

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DECISION = Decision(
    id="case",
    model="loans",
    release="loans:3",
    release_digest="sha256:three",
    environment="prod",
    channel="http",
    key='{"id":7}',
    happened_at=NOW,
    at=NOW,
    inputs={"iban": "DE1234"},
    output={"prediction": True, "probability": 0.6, "reasons": [{"column": "iban"}]},
    latency_us=1,
)
REVIEW = Review(
    id="case",
    model="loans",
    environment="prod",
    release="loans:3",
    because=("borderline",),
    proposed="yes",
    opened_at=NOW,
    due=NOW + timedelta(days=2),
    state="open",
    reason="the iban is DE1234",
)


class Kept:
    """Cases that note what they are asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def listed(self, model: str, states: Sequence[str], limit: int) -> list[Case]:
        self.asked.append((model, tuple(states), limit))
        return [(DECISION, REVIEW)]

    def shown(self, model: str, id: str) -> Case:
        self.asked.append((model, id))
        return DECISION, REVIEW

    def take(self, model: str, id: str, person: str, signature: str) -> Case:
        self.asked.append((model, id, person, signature))
        return DECISION, REVIEW

    def decide(self, model: str, id: str, sent: Mapping[str, str]) -> Case:
        self.asked.append((model, id, dict(sent)))
        return DECISION, REVIEW


@pytest.fixture
def kept() -> Kept:
    return Kept()


def asked(query: str = "", sent: bytes = b"", case: str = "case") -> Asked:
    return Asked("loans", case, query, sent)


def body(**texts: Any) -> bytes:
    return json.dumps(texts).encode()


def test_lists_what_waits_by_default(kept: Kept) -> None:
    case_pages.listed(kept, asked())
    case_pages.listed(kept, asked("state=kept&limit=200"))
    waiting = ("open", "taken", "escalated")
    assert kept.asked == [("loans", waiting, 20), ("loans", ("kept",), 200)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=opne", "Did you mean 'open'"),
        ("state=", "There is no state ''"),
        ("limit=0", "limit is 1 to 200"),
        ("limit=201", "limit is 1 to 200"),
        ("limit=" + "9" * 5000, "limit is 1 to 200"),
        ("limit=%D9%A1", "limit is 1 to 200"),
        ("limit=007", "limit is 1 to 200"),
        ("limit=1&limit=2", "limit is there twice"),
        ("page=2", "There is no 'page'"),
    ],
)
def test_what_a_list_does_not_take(kept: Kept, query: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        case_pages.listed(kept, asked(query))
    assert said in str(refused.value)
    assert kept.asked == []


def test_what_a_case_is_about_is_for_who_has_it(kept: Kept) -> None:
    listed = case_pages.listed(kept, asked())
    shown = case_pages.shown(kept, asked())
    assert "DE1234" not in json.dumps([listed, shown])
    taken = case_pages.take(kept, asked(sent=body(person="ann", signature="s")))
    assert (taken["inputs"], taken["reason"]) == ({"iban": "DE1234"}, "the iban is DE1234")
    assert {**shown, **taken} == taken
    assert kept.asked[-1] == ("loans", "case", "ann", "s")


WRONG = [
    (body(person="ann"), "signature: is missing"),
    (body(person=["ann"], signature=7), "person: is no text"),
    (body(person=["ann"], signature=7), "signature: is no text"),
    (body(person="ann", signature="s", reson="x"), "reson: is not asked for"),
    (b"[1]", "body: is of another form"),
]


@pytest.mark.parametrize(("sent", "said"), WRONG)
def test_a_body_that_is_something_else(kept: Kept, sent: bytes, said: str) -> None:
    with pytest.raises(InputError) as refused:
        case_pages.take(kept, asked(sent=sent))
    assert said in str(refused.value)
    assert kept.asked == []


@pytest.mark.parametrize("sent", [b"", b"{", b"\xff", b'{"person": 1e999}'])
def test_a_body_that_is_no_json(kept: Kept, sent: bytes) -> None:
    with pytest.raises(InputError):
        case_pages.decide(kept, asked(sent=sent))


def test_a_decision_is_handed_on(kept: Kept) -> None:
    sent = {"person": "ann", "signature": "s", "answer": "no", "reason": "it is clear"}
    case_pages.decide(kept, asked(sent=body(**sent)))
    assert kept.asked == [("loans", "case", sent)]
