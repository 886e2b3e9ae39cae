"""People's private keys in a folder of their own: mode 600, encrypted if a passphrase is set."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.core.errors import (
    ConflictError,
    IntegrityError,
    MissingError,
    RefusedError,
    shortened,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SUFFIX = ".key.pem"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class FolderKeys:
    """One PEM file (PKCS #8) for each person who uses this machine."""

    def __init__(self, root: Path, passphrase: bytes | None = None) -> None:
        self._root = root
        self._passphrase = passphrase

    def create(self, name: str) -> str:
        """A new key; answers the public key, base64. Raises `ConflictError` if there is one."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.generate()
        encryption: serialization.KeySerializationEncryption = (
            serialization.BestAvailableEncryption(self._passphrase)
            if self._passphrase
            else serialization.NoEncryption()
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            # Created for its owner alone: there is no moment at which others could read it.
            handle = os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ConflictError(
                f"There is already a key of {name} in {self._root}.",
                todo="Keys are never overwritten; move the old one away if it is not in use.",
            ) from None
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            # Half a key would block the name for ever.
            self._path(name).unlink(missing_ok=True)
            raise
        return _public(key)

    def names(self) -> list[str]:
        return sorted(p.name.removesuffix(SUFFIX) for p in self._root.glob(f"*{SUFFIX}"))

    def public(self, name: str) -> str:
        """The public key of a person whose private key is here, base64."""
        return _public(self._key(name))

    def sign(self, name: str, content: bytes) -> str:
        return base64.b64encode(self._key(name).sign(content)).decode()

    def _path(self, name: str) -> Path:
        return self._root / f"{name}{SUFFIX}"

    def _key(self, name: str) -> Ed25519PrivateKey:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        path = self._path(name)
        try:
            pem = path.read_bytes()
        except FileNotFoundError:
            raise MissingError.named(
                "private key on this machine",
                name,
                self.names(),
                todo=f"Keys are read from {self._root}; TAXIWAY_KEYS names another folder.",
            ) from None
        if path.stat().st_mode & OTHERS:
            raise RefusedError(
                f"The key {path} can be read by others, so it is not used.",
                todo=f"Run: chmod 600 {path}",
            )
        try:
            key = load_pem_private_key(pem, self._passphrase)
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            if b"ENCRYPTED" in pem:
                todo = "Set TAXIWAY_KEY_PASSPHRASE to its passphrase."
            elif self._passphrase is not None:
                todo = "Unset TAXIWAY_KEY_PASSPHRASE if this key is not encrypted."
            else:
                todo = "Restore the file from its backup."
            raise IntegrityError(
                f"The key {path} can't be opened: {shortened(error)}.", todo=todo
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise IntegrityError(f"{path} is not an Ed25519 key.")
        return key


def _public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
