"""Private keys on disk: for their owner alone, never overwritten, never half there."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x448

from taxiway.adapters.keyring import FolderKeys
from taxiway.core.errors import ConflictError, IntegrityError, RefusedError

UNKNOWN_ALGORITHM = """\
-----BEGIN PRIVATE KEY-----
MBQCAQAwBgYEKgMEBQQHAAECAwQFBg==
-----END PRIVATE KEY-----
"""


def file_of(root: Path, name: str = "alice") -> Path:
    return root / f"{name}.key.pem"


def write_key(root: Path, content: bytes | str) -> None:
    root.mkdir(exist_ok=True)
    path = file_of(root)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys"


def test_key_and_folder_are_for_their_owner_alone(root: Path) -> None:
    before = os.umask(0)
    try:
        FolderKeys(root).create("alice")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file_of(root).stat().st_mode) == 0o600
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o602, 0o777])
def test_a_key_that_others_can_read_is_not_used(root: Path, mode: int) -> None:
    keys = FolderKeys(root)
    keys.create("alice")
    file_of(root).chmod(mode)
    with pytest.raises(RefusedError, match="can be read by others") as caught:
        keys.sign("alice", b"x")
    assert caught.value.todo == f"Run: chmod 600 {file_of(root)}"
    file_of(root).chmod(0o600)
    keys.sign("alice", b"x")


def test_a_passphrase_encrypts(root: Path) -> None:
    FolderKeys(root, b"correct horse").create("alice")
    assert b"ENCRYPTED" in file_of(root).read_bytes()
    FolderKeys(root).create("bob")
    assert b"ENCRYPTED" not in file_of(root, "bob").read_bytes()


@pytest.mark.parametrize("given", [b"wrong", None], ids=["wrong", "none"])
def test_the_wrong_passphrase(root: Path, given: bytes | None) -> None:
    FolderKeys(root, b"correct horse").create("alice")
    with pytest.raises(IntegrityError, match="can't be opened") as caught:
        FolderKeys(root, given).sign("alice", b"x")
    assert caught.value.todo == "Set TAXIWAY_KEY_PASSPHRASE to its passphrase."


def test_a_passphrase_for_a_key_that_has_none(root: Path) -> None:
    FolderKeys(root).create("alice")
    with pytest.raises(IntegrityError, match="can't be opened") as caught:
        FolderKeys(root, b"correct horse").sign("alice", b"x")
    assert caught.value.todo == "Unset TAXIWAY_KEY_PASSPHRASE if this key is not encrypted."


def pem(key: Any) -> bytes:
    content: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return content


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), x448.X448PrivateKey.generate()]
)
def test_a_key_of_another_kind(root: Path, key: Any) -> None:
    root.mkdir(parents=True)
    write_key(root, pem(key))
    with pytest.raises(IntegrityError, match="is not an Ed25519 key"):
        FolderKeys(root).sign("alice", b"x")


@pytest.mark.parametrize("content", ["", "nonsense", UNKNOWN_ALGORITHM, "\0" * 4096])
def test_a_file_that_is_no_key(root: Path, content: str) -> None:
    root.mkdir(parents=True)
    write_key(root, content)
    with pytest.raises(IntegrityError, match="can't be opened") as caught:
        FolderKeys(root).sign("alice", b"x")
    assert caught.value.todo == "Restore the file from its backup."


def test_half_a_key(root: Path) -> None:
    FolderKeys(root).create("alice")
    write_key(root, file_of(root).read_bytes()[:60])
    with pytest.raises(IntegrityError, match="can't be opened"):
        FolderKeys(root).public("alice")


def test_nothing_is_overwritten(root: Path) -> None:
    root.mkdir(parents=True)
    write_key(root, "not even a key")
    with pytest.raises(ConflictError, match="There is already a key of alice in") as caught:
        FolderKeys(root).create("alice")
    assert file_of(root).read_text() == "not even a key"
    assert caught.value.todo
    assert caught.value.todo.startswith("Keys are never overwritten")


def test_public_is_what_create_answered(root: Path) -> None:
    keys = FolderKeys(root)
    public = keys.create("alice")
    assert keys.public("alice") == public


def test_a_key_that_did_not_fit_on_the_disk_is_not_there(disk: Any) -> None:
    keys = FolderKeys(disk.folder / "keys", b"correct horse")
    keys.create("alice")
    with disk.full(), pytest.raises(OSError, match=r"No space left|File too large"):
        keys.create("bob")
    assert keys.names() == ["alice"]
    keys.create("bob")
    assert keys.names() == ["alice", "bob"]
