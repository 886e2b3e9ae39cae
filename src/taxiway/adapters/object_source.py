"""Objects in a store (S3 and what speaks like it, Google's, Azure's), copied here to be read.

One request reads one object as it was at one moment, however it is replaced meanwhile. Credentials
and endpoint come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
AWS_REGION, AWS_ENDPOINT_URL and the like); nothing of them is ever shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import from_url

from taxiway.core.errors import InputError, MissingError, RefusedError, StoreError, shortened

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

SCHEMES = frozenset({"s3", "s3a", "gs", "az", "abfs", "abfss"})
RETRIES: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
PIECE = 8 << 20
URL = re.compile(r"\w+://\S+")
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


def shown(url: str) -> str:
    """An object for people's eyes: without what may stand before or behind its name.

    >>> shown("s3://key:secret@bank/loans.csv?token=secret")
    's3://bank/loans.csv'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def options() -> dict[str, str]:
    """What of the environment a store that speaks as S3 does is told."""
    endpoint = _endpoint()
    told = {"aws_endpoint": endpoint} if endpoint else {}
    if endpoint.startswith("http://"):
        told["aws_allow_http"] = "true"
    return told


def _endpoint() -> str:
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")


def fetched(url: str, folder: Path) -> list[Path]:
    """Copies of the object of that name, or of all objects below it, in a folder that is there.

    Raises `MissingError` for nothing of that name, `RefusedError` without the right to read it,
    `StoreError` for a store that does not answer.
    """
    parts = urlsplit(url)
    base, key = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path.strip("/")
    with _errors(url):
        store = _store(base)
        names = [key] if key and not parts.path.endswith("/") and _is_there(store, key) else []
        names = names or _below(store, key)
        if not names:
            raise MissingError(
                f"There is no object {shown(url)}, and none below it.",
                todo="Check the bucket, and whether the name is complete.",
            )
        copies = []
        for name in names:
            copy = folder / (name.removeprefix(f"{key}/") if name != key else Path(name).name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            _copy(store, name, copy)
            copies.append(copy)
    return copies


def has_table(url: str) -> bool:
    """Whether there is a Delta table of that name: something in its log."""
    parts = urlsplit(url)
    with _errors(url):
        store = _store(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
        log = f"{parts.path.strip('/')}/_delta_log"
        return any(page for page in obstore.list(store, prefix=log, chunk_size=1))


def _store(base: str) -> Any:
    client: ClientConfig = {
        "timeout": timedelta(minutes=10),
        "connect_timeout": timedelta(seconds=5),
    }
    told: dict[str, Any] = {}
    if base.startswith("s3"):
        endpoint = _endpoint()
        client["allow_http"] = endpoint.startswith("http://")
        told = {"endpoint": endpoint} if endpoint else {}
        if not any(os.environ.get(n) for n in ("AWS_REGION", "AWS_DEFAULT_REGION")):
            told["region"] = "us-east-1"
    return from_url(base, client_options=client, retry_config=RETRIES, **told)


def _is_there(store: Any, name: str) -> bool:
    try:
        obstore.head(store, name)
    except (NotFoundError, FileNotFoundError):
        return False
    return True


def _below(store: Any, key: str) -> list[str]:
    """Objects below a prefix, by name, but for hidden ones and notes such as `_SUCCESS`."""
    prefix = f"{key}/" if key else ""
    names = [
        meta["path"]
        for page in obstore.list(store, prefix=prefix or None)
        for meta in page
        if meta["size"]
    ]
    return sorted(
        name
        for name in names
        if not any(part[:1] in "._" for part in name.removeprefix(prefix).split("/"))
    )


def _copy(store: Any, name: str, copy: Path) -> None:
    found = obstore.get(store, name)
    size = found.meta["size"]
    try:
        with copy.open("wb") as out:
            for piece in found.stream(min_chunk_size=PIECE):
                out.write(piece)
    except OSError as error:
        raise StoreError(
            f"A copy of {name} can't be written: {error.strerror or error}.",
            todo="Free some space, or name another folder with TMPDIR.",
        ) from None
    if copy.stat().st_size != size:
        raise StoreError(f"Of {name} only {copy.stat().st_size} of {size} bytes came.")


@contextmanager
def _errors(url: str) -> Iterator[None]:
    """What a store says, as an error of ours; its text may hold a signed address, and is left."""
    called = shown(url)
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise MissingError(
            f"There is no {called}.", todo="Check the bucket and the name."
        ) from None
    except (PermissionDeniedError, UnauthenticatedError, PermissionError):
        raise RefusedError(
            f"The store does not let these credentials read {called}.",
            todo="Ask its owner for the right to list and read it; credentials come from the"
            " environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for S3).",
        ) from None
    except BaseError as error:
        raise _away(called, str(error)) from None
    except ValueError as error:
        raise InputError(f"{called} can't be opened: {_first_line(error)}.") from None


def _away(called: str, said: str) -> Exception:
    """Told apart by what is said, as the library has one error for all of these.

    A name, a port or a time may hold any number: a status counts with its words, outside of URLs.
    """
    low = URL.sub("", said.lower())
    if "169.254" in said:  # where a machine of a cloud asks for its credentials
        low += " metadata"
    for marks, error in (
        (
            ("403 forbidden", "access denied", "accessdenied"),
            RefusedError(
                f"The store does not let these credentials read {called}.",
                todo="Ask its owner for the right to list and read it.",
            ),
        ),
        (
            ("503 service", "slow down", "500 internal", "502 bad", "504 gateway"),
            StoreError(
                f"{called} can't be read: the store answers that it is busy or away (5xx), and"
                " still did after a few more attempts.",
                todo="Run it again later.",
            ),
        ),
        (
            ("credential", "metadata"),
            RefusedError(
                f"There are no credentials for {called}.",
                todo="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true"
                " for what everybody may read.",
            ),
        ),
    ):
        if any(mark in low for mark in marks):
            return error
    return StoreError(
        f"{called} can't be read.",
        todo="Check the address of the store (AWS_ENDPOINT_URL) and the network.",
    )


def _first_line(error: Exception) -> str:
    return shortened(str(error).strip().partition("\n")[0].rstrip("."))
