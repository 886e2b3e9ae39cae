"""Hash functions by the prefix of the digests that they make."""

from __future__ import annotations

import hashlib
from typing import Protocol

from taxiway.core.digest import BLAKE3, PREFIX


class Hashing(Protocol):
    """A digest in the making."""

    def update(self, content: bytes | memoryview, /) -> object: ...

    def hexdigest(self) -> str: ...


def hashing(by: str = PREFIX) -> Hashing:
    """A new hash, by the prefix of a digest or the digest itself."""
    if by.startswith(BLAKE3):
        from blake3 import blake3

        return blake3()
    return hashlib.sha256()


def digest(content: bytes | memoryview, by: str = PREFIX) -> str:
    """The digest of bytes.

    >>> digest(b"", "blake3:")[:14]
    'blake3:af1349b'
    """
    made = hashing(by)
    made.update(content)
    return by + made.hexdigest()


def algorithm(digest: str) -> str:
    """The prefix of a digest: how it was made."""
    return BLAKE3 if digest.startswith(BLAKE3) else PREFIX
