"""The key of pseudonyms: a file of its own, mode 600, made once and never logged."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from taxiway.core.errors import IntegrityError, MissingError, RefusedError, StoreError

BYTES = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def secret_of(path: Path, *, create: bool) -> bytes:
    """The key in a file; made if it is not there and may be.

    Raises `MissingError` if it is not there, `RefusedError` if others may read it, and
    `IntegrityError` if it is no key.
    """
    try:
        if create and not path.exists():
            _make(path)
        if path.stat().st_mode & OTHERS:
            raise RefusedError(
                f"Others can read the key of pseudonyms, {path}.", todo=f"chmod 600 {path}"
            )
        content = path.read_text("ascii").strip()
    except FileNotFoundError:
        raise MissingError(
            f"The key of pseudonyms is not on this machine: there is no {path}.",
            todo="Bring it from where the model is served, or name it in TAXIWAY_PSEUDONYMS.",
        ) from None
    except OSError as error:
        raise StoreError(
            f"The key of pseudonyms {path} can't be used: {error.strerror}.",
            todo="Check the permissions, or name another file in TAXIWAY_PSEUDONYMS.",
        ) from error
    except UnicodeDecodeError:
        content = ""
    try:
        found = bytes.fromhex(content)
    except ValueError:
        found = b""
    if len(found) != BYTES:
        raise IntegrityError(
            f"{path} is no key of pseudonyms; expected {2 * BYTES} hexadecimal digits.",
            todo="Restore it from its backup: without it, nobody is found by their key again.",
        )
    return found


def _make(path: Path) -> None:
    """There whole or not at all, and the same for two processes at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink()
