"""Who may come and go: the first owner by themselves, everybody else by an owner."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from taxiway.core.errors import ConflictError, InputError, MissingError, RefusedError
from taxiway.core.people import Person
from taxiway.governance.people import add_person, people, remove_person

OWNER = ("owner",)


def test_the_first_person_is_an_owner_and_signs_for_themselves(empty_office: Any) -> None:
    office = empty_office
    person = add_person(office.desk(), office.keys, "flights-owner", ["validator", "owner"])
    assert person.roles == ("owner", "validator")
    assert office.record.get(Person, "flights-owner") == person
    (event,) = office.record.events()
    assert (event.action, event.actor) == ("person.added", "flights-owner")
    assert office.verify(person.public_key, event.hash.encode(), event.signature)


def test_the_first_person_has_to_be_an_owner(empty_office: Any) -> None:
    with pytest.raises(InputError, match="first person of a workspace has to be an owner"):
        add_person(empty_office.desk(), empty_office.keys, "flights-validator", ["validator"])
    assert empty_office.keys.names() == []


def test_later_people_are_added_by_an_owner(office: Any) -> None:
    for actor in (None, "flights-developer"):
        with pytest.raises(RefusedError, match=r"Nobody is named|takes the role owner"):
            add_person(office.desk(actor), office.keys, "flights-intern", ["developer"])
    add_person(office.desk("flights-owner"), office.keys, "flights-intern", ["developer"])
    assert [p.id for p in people(office.record)][-1] == "flights-intern"


def test_a_public_key_from_elsewhere_makes_no_key_here(office: Any) -> None:
    key = base64.b64encode(bytes(32)).decode()
    desk = office.desk("flights-owner")
    person = add_person(desk, office.keys, "flights-guest", ["auditor"], public_key=key)
    assert person.public_key == key
    assert "flights-guest" not in office.keys.names()


def test_all_problems_come_at_once(office: Any) -> None:
    with pytest.raises(InputError, match="can't be added") as error:
        add_person(
            office.desk("flights-owner"),
            office.keys,
            "Flights Owner",
            ["validatr", "owner"],
            public_key="not a key",
        )
    text = str(error.value)
    assert "expected 2 to 63 lower-case letters" in text
    assert "found validatr. Did you mean `validator`?" in text
    assert "the public key is none" in text


@pytest.mark.parametrize("name", ["", "a", "9lives", "a" * 64, "a b", "ÄB", "../x", "x\n"])
def test_names_that_are_none_are_refused(office: Any, name: str) -> None:
    with pytest.raises(InputError, match="the name can't be used"):
        add_person(office.desk("flights-owner"), office.keys, name, ["developer"])


def test_names_that_are_taken_are_refused(office: Any) -> None:
    desk = office.desk("flights-owner")
    with pytest.raises(InputError, match="there is a person named flights-auditor already"):
        add_person(desk, office.keys, "flights-auditor", ["auditor"])
    with pytest.raises(InputError, match="the ledger's own"):
        add_person(desk, office.keys, "system", ["auditor"])
    remove_person(desk, "flights-auditor", "left")
    with pytest.raises(InputError, match="a name is never given twice"):
        add_person(desk, office.keys, "flights-auditor", ["auditor"])


def test_no_role_is_no_person(office: Any) -> None:
    with pytest.raises(InputError, match="no role is given"):
        add_person(office.desk("flights-owner"), office.keys, "flights-guest", [])


def test_a_key_that_is_there_is_never_overwritten(office: Any) -> None:
    office.keys.create("flights-guest")
    with pytest.raises(ConflictError, match="already a key of flights-guest"):
        add_person(office.desk("flights-owner"), office.keys, "flights-guest", ["auditor"])
    assert "flights-guest" not in [p.id for p in people(office.record)]


def test_a_dry_run_writes_nothing(office: Any) -> None:
    before = office.actions()
    desk = office.desk("flights-owner")
    add_person(desk, office.keys, "flights-guest", ["auditor"], dry_run=True)
    remove_person(desk, "flights-auditor", "left", dry_run=True)
    assert office.actions() == before
    assert "flights-guest" not in office.keys.names()


def test_removing_keeps_the_person_in_the_record(office: Any) -> None:
    removed = remove_person(office.desk("flights-owner"), "flights-auditor", "left the firm")
    assert removed.removed_at == office.now
    assert office.record.get(Person, "flights-auditor") == removed
    event = list(office.record.events())[-1]
    assert (event.action, event.details) == ("person.removed", {"reason": "left the firm"})


def test_the_last_owner_stays(office: Any) -> None:
    desk = office.desk("flights-owner")
    remove_person(desk, "flights-data", "moved on")
    with pytest.raises(RefusedError, match="flights-owner is the last owner"):
        remove_person(desk, "flights-owner", "moved on")


def test_somebody_who_was_removed_does_nothing_more(office: Any) -> None:
    gone = office.desk("flights-data")
    remove_person(office.desk("flights-owner"), "flights-data", "moved on")
    with pytest.raises(RefusedError, match="was removed on 2026-11-23 and can't act"):
        add_person(gone, office.keys, "flights-guest", ["auditor"])


def test_removing_needs_a_name_a_reason_and_somebody_who_is_there(office: Any) -> None:
    desk = office.desk("flights-owner")
    with pytest.raises(InputError, match="Say why flights-auditor is removed"):
        remove_person(desk, "flights-auditor", " ")
    with pytest.raises(MissingError, match="Did you mean 'flights-auditor'"):
        remove_person(desk, "flight-auditor", "left")
    remove_person(desk, "flights-auditor", "left")
    with pytest.raises(RefusedError, match="was removed on 2026-11-23 already"):
        remove_person(desk, "flights-auditor", "left")
