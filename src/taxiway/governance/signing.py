"""Signing: a person's signature under what they decided, by the key that the record knows."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from taxiway.core.errors import RefusedError
from taxiway.core.people import Person, Resolution, SignOff
from taxiway.core.ports import Actor, Desk

Statement = TypeVar("Statement", SignOff, Resolution)


def signed_by(desk: Desk, actor: Actor, person: Person, unsigned: Statement) -> Statement:
    """A statement with its signature. Raises `RefusedError` if the key here is another one."""
    signed = dataclasses.replace(unsigned, signature=actor.sign(unsigned.payload()))
    if not desk.verify(person.public_key, signed.payload(), signed.signature):
        raise RefusedError(
            f"The key here is not the one that the record knows of {person.id}.",
            todo="Use the key that was made when the person was added.",
        )
    return signed
