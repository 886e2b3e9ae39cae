"""The people who act and sign: added and removed by an owner, each with an own key.

A name is given once and for all: signatures carry it, so that somebody who was removed stays in the
record, and nobody gets the name again.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Sequence

from taxiway.core.errors import (
    InputError,
    MissingError,
    Problem,
    RefusedError,
    close_match,
    shortened,
)
from taxiway.core.moves import ROLES
from taxiway.core.people import Person
from taxiway.core.ports import Actor, Desk, Keys, Record

NAME = re.compile(r"[a-z][a-z0-9-]{1,62}")
NAME_FORM = "2 to 63 lower-case letters, digits and dashes, a letter first"
RESERVED = ("system", "nobody")
"""Names that the ledger uses itself."""


def people(record: Record) -> list[Person]:
    """Everybody, those who were removed too, in the order in which they came."""
    return record.find(Person)


def require_active(desk: Desk, actor: Actor) -> Person:
    """The actor as the record knows them. Raises `RefusedError` if they were removed."""
    person = desk.record.get(Person, actor.name)
    if person.removed_at is not None:
        raise RefusedError(
            f"{person.id} was removed on {person.removed_at:%Y-%m-%d} and can't act any more."
        )
    return person


def add_person(
    desk: Desk,
    keys: Keys,
    name: str,
    roles: Sequence[str],
    *,
    public_key: str | None = None,
    dry_run: bool = False,
) -> Person:
    """Writes down a person with their public key; makes a key pair here unless one is given.

    The first person of a workspace adds themselves and has to be an owner; everybody after that is
    added by an owner. `public_key` is Ed25519, base64. Raises `InputError` with all that is wrong,
    and `RefusedError` without the right.
    """
    everybody = people(desk.record)
    problems = [*_name_problems(name, everybody), *_role_problems(roles)]
    if public_key is not None and not _is_public_key(public_key):
        problems.append(
            Problem(
                "the public key is none",
                found=public_key,
                expected="32 bytes of Ed25519 in base64, in one line",
            )
        )
    if not everybody and "owner" not in roles:
        problems.append(
            Problem(
                "the first person of a workspace has to be an owner",
                found=", ".join(roles) or "no role",
                todo=f"taxiway people add {shortened(name, 60)} --role owner",
            )
        )
    if problems:
        raise InputError(f"{shortened(name, 60)} can't be added.", problems)
    if everybody:
        require_active(desk, desk.acting("owner", to=f"add {name}"))
    person = Person(name, tuple(r for r in ROLES if r in roles), public_key or "", desk.now())
    if dry_run:
        return person
    if public_key is None:
        person = dataclasses.replace(person, public_key=keys.create(name))
        if not everybody:
            actor = Actor(name, person.roles, lambda content: keys.sign(name, content))
            desk = dataclasses.replace(desk, actor=actor)
    with desk.change("person.added", name) as change:
        change.add(person)
        change.details = {"roles": list(person.roles), "public_key": person.public_key}
    return person


def remove_person(desk: Desk, name: str, reason: str, *, dry_run: bool = False) -> Person:
    """Takes all rights from a person; their signatures no longer hold. The last owner stays."""
    require_active(desk, desk.acting("owner", to=f"remove {name}"))
    if not reason.strip():
        raise InputError(f"Say why {name} is removed.", todo='Add --reason "...".')
    everybody = {person.id: person for person in people(desk.record)}
    if name not in everybody:
        raise MissingError.named("person", name, everybody)
    before = everybody[name]
    if before.removed_at is not None:
        raise RefusedError(f"{name} was removed on {before.removed_at:%Y-%m-%d} already.")
    left = [p for p in everybody.values() if "owner" in p.roles and p.removed_at is None]
    if left == [before]:
        raise RefusedError(
            f"{name} is the last owner: nobody could add people any more.",
            todo="Add another owner first.",
        )
    after = dataclasses.replace(before, removed_at=desk.now())
    if not dry_run:
        with desk.change("person.removed", name) as change:
            change.replace(before, after)
            change.details = {"reason": reason.strip()}
    return after


def _name_problems(name: str, everybody: Sequence[Person]) -> list[Problem]:
    if not NAME.fullmatch(name):
        return [
            Problem(
                "the name can't be used",
                found=name,
                expected=NAME_FORM,
                todo="For instance: flights-owner.",
            )
        ]
    if name in RESERVED:
        return [Problem(f"the name {name} is the ledger's own")]
    for person in everybody:
        if person.id == name and person.removed_at is None:
            return [Problem(f"there is a person named {name} already")]
        if person.id == name:
            return [Problem(f"{name} was removed, and a name is never given twice")]
    return []


def _role_problems(roles: Sequence[str]) -> list[Problem]:
    problems = []
    if not roles:
        problems.append(Problem("no role is given", expected=" or ".join(ROLES)))
    for role in roles:
        if role not in ROLES:
            match = close_match(role, ROLES)
            todo = f"Did you mean `{match}`?" if match else None
            problems.append(
                Problem("there is no such role", found=role, expected=" or ".join(ROLES), todo=todo)
            )
    return problems


def _is_public_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
