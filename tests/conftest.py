"""Facts and events for tests that need one of some kind, whatever it says; Hypothesis's clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import pytest
from hypothesis import settings

from taxiway.core.ledger import Draft

Fact = TypeVar("Fact")

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("taxiway", deadline=None)
settings.load_profile("taxiway")

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class MakeFact(Protocol):
    """Makes a fact of a kind: fields that are not given hold what their annotation asks for."""

    def __call__(
        self, kind: type[Fact], id: str = ..., /, *, full: bool = ..., **fields: Any
    ) -> Fact: ...


EXAMPLES: Mapping[str, Callable[[str], Any]] = {
    "str": lambda name: f"a {name}",
    "int": lambda _: 1,
    "datetime": lambda _: NOW,
    "dict[str, Any]": lambda name: {name: [1, 2.5, None, {"é": True}]},
    "dict[str, str]": lambda name: {name: "text"},
    "tuple[str, ...]": lambda name: (f"first {name}", "second"),
}


@pytest.fixture
def fact() -> MakeFact:
    def make(kind: type[Fact], id: str = "one", /, *, full: bool = False, **fields: Any) -> Fact:
        values: dict[str, Any] = {"id": id}
        of: type[Any] = kind
        for field in dataclasses.fields(of):
            annotation = str(field.type)
            name = field.name
            if annotation.endswith(" | None") and not full:
                values.setdefault(name, None)
            else:
                values.setdefault(name, EXAMPLES[annotation.removesuffix(" | None")](name))
        return kind(**{**values, **fields})

    return make


@pytest.fixture
def draft() -> Callable[..., Draft]:
    def make(subject: str = "somebody", **fields: Any) -> Draft:
        plain = Draft(NOW, "flights-owner", "thing.done", subject, None, "sha256:0", {})
        return dataclasses.replace(plain, **fields)

    return make
