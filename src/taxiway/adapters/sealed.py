"""A sealed record: the few facts that an endpoint needs, in one file that is only read.

A bundle carries it in the place of a database: to serve a release is to read who made it, where it
runs and who may ask. Nothing is ever written to it; what changes is changed in the workspace, and
sealed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from taxiway.adapters.tables import TABLES, codecs, decoded, encoded, encoded_field
from taxiway.core.digest import canonical_json, digest_bytes
from taxiway.core.errors import IntegrityError, MissingError, RefusedError
from taxiway.core.ledger import Event, Sign
from taxiway.core.ports import Change

Fact = TypeVar("Fact")

FILE = "record.json"
PROTOCOL = 1
"""Raise it when the file changes its form. A bundle is made anew for each taxiway that serves it,
so an older form needs no reader."""


def seal(facts: Iterable[object]) -> bytes:
    """The file's content for these facts, the same for the same facts."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for fact in facts:
        tables.setdefault(TABLES[type(fact)], []).append(encoded(fact))
    return canonical_json({"protocol": PROTOCOL, "facts": tables})


class SealedRecord:
    """A record as it was sealed: it answers as another record does, and refuses every change.

    `expected` is the digest that the file has to have, if it is known from elsewhere.
    """

    def __init__(self, path: Path, expected: str | None = None) -> None:
        self._path = path
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise IntegrityError(
                f"There is no sealed record {path}, expected one with the digest {expected}.",
                todo="Serve the bundle that was rendered, or unset TAXIWAY_BUNDLE.",
            ) from None
        found = digest_bytes(content)
        if expected and found != expected:
            raise IntegrityError(
                f"The sealed record {path} has the digest {found}, expected {expected}.",
                todo="Image and manifests are of two renderings: render again, and roll both out.",
            )
        self._facts = _facts(path, content)

    def get(self, kind: type[Fact], id: str) -> Fact:
        found = self.find(kind, id=id)
        if not found:
            known = [str(fact.id) for fact in self._facts[kind]]
            raise MissingError.named(f"{TABLES[kind].replace('_', '-')} in this bundle", id, known)
        return found[0]

    def find(self, kind: type[Fact], /, **equal: Any) -> list[Fact]:
        wanted = {name: encoded_field(kind, name, value) for name, value in equal.items()}
        return [
            fact
            for fact in self._facts[kind]
            if all(
                encoded_field(kind, name, getattr(fact, name)) == value
                for name, value in wanted.items()
            )
        ]

    @property
    def head_file(self) -> Path:
        """Where the head of the ledger would lie."""
        return self._path.with_name("ledger.head")

    def events(self, *, until: datetime | None = None) -> Iterator[Event]:
        raise RefusedError(
            "A bundle holds no ledger, so nothing can be said of it here.",
            todo="Look at it in the workspace that the bundle was made from.",
        )

    def transaction(self, sign: Sign | None) -> AbstractContextManager[Change]:
        raise RefusedError(
            f"{self._path.parent} belongs to a bundle, and nothing is written to its record.",
            todo="Do it in the workspace, and render the bundle again: taxiway deploy render",
        )

    def close(self) -> None:
        """Nothing to let go of."""


def _facts(path: Path, content: bytes) -> dict[type, list[Any]]:
    try:
        document = json.loads(content)
        tables = {PROTOCOL: document["facts"]}[document["protocol"]]
        return {
            kind: [
                decoded(kind, tuple(row[column] for column in codecs(kind)))
                for row in tables.get(table, ())
            ]
            for kind, table in TABLES.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IntegrityError(
            f"The sealed record {path} can't be read: {type(error).__name__}: {error}. This taxiway"
            f" reads protocol {PROTOCOL}.",
            todo="Render the bundle again, with the taxiway that will serve it.",
        ) from error
