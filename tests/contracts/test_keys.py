"""Keys: the private keys of the people who use this machine, in every adapter."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.ed25519 import verify
from taxiway.core.errors import ConflictError, MissingError
from taxiway.core.ports import Keys


def test_what_is_signed_holds_for_its_public_key_alone(keys: Keys) -> None:
    alice, bob = keys.create("alice"), keys.create("bob")
    assert len(base64.b64decode(alice, validate=True)) == 32
    assert alice != bob
    signature = keys.sign("alice", b"a release")
    assert verify(alice, b"a release", signature)
    assert not verify(bob, b"a release", signature)
    assert not verify(alice, b"another release", signature)
    assert keys.sign("alice", b"a release") == signature  # Ed25519 takes no chance


def test_names(keys: Keys) -> None:
    assert keys.names() == []
    keys.create("bob")
    keys.create("alice")
    assert keys.names() == ["alice", "bob"]


def test_a_name_has_one_key(keys: Keys) -> None:
    public = keys.create("alice")
    with pytest.raises(ConflictError, match="There is already a key of alice"):
        keys.create("alice")
    assert verify(public, b"x", keys.sign("alice", b"x"))


def test_a_key_that_is_not_here(keys: Keys) -> None:
    with pytest.raises(MissingError, match="There is no private key on this machine yet"):
        keys.sign("alice", b"x")
    keys.create("flights-owner")
    with pytest.raises(MissingError, match="Did you mean 'flights-owner'"):
        keys.sign("flight-owner", b"x")


def test_keys_outlive_the_program(keys: Keys, new_keys: Any, tmp_path: Path) -> None:
    public = keys.create("alice")
    again: Keys = new_keys(tmp_path)
    assert again.names() == ["alice"]
    assert verify(public, b"x", again.sign("alice", b"x"))
