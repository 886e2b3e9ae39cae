"""Feature views and feature sets as records: what is asked by which key, and when it was known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.core.contract import Contract
from taxiway.core.digest import digest_of
from taxiway.core.errors import MissingError

UNITS = {"us": 1, "ms": 1_000, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6}
"""Unit of a span -> microseconds."""
SPAN = r"[0-9]{1,6}(?:us|ms|s|m|h|d)"
FOREVER = "forever"


def microseconds(span: str) -> int:
    """The microseconds of a span such as `15m` or `2d`.

    >>> microseconds("15m")
    900000000
    """
    number, unit = re.fullmatch(r"([0-9]+)([a-z]+)", span).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


@dataclass(frozen=True, slots=True)
class Feature:
    """One value of a view: a name, a type of contracts, and what it means."""

    name: str
    type: str
    unit: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """A source of a view: its rows, and the contract that they are read by."""

    data: str
    contract: Contract
    query: str | None = None
    """What a database is asked for, where `data` is the URL of one."""

    @property
    def seen(self) -> list[Any]:
        """What a query can see of the contract; words about it may change freely."""
        return [[c.name, c.type, c.unit] for c in self.contract.columns]


@dataclass(frozen=True, slots=True)
class FeatureView:
    """A versioned query whose rows are values of features for a key, each with its two times."""

    name: str
    version: int
    owner: str
    description: str
    entity_key: tuple[tuple[str, str], ...]
    """Columns that say whom a row is about, with their types."""
    event_time: str
    """The column that says when the value came to be."""
    known_at: str | None
    """The column that says when the value became known; None: the event time plus `delay`."""
    delay: int
    """Microseconds from the event until the value is known, where no column says so."""
    ttl: int | None
    """Microseconds after the event for which a value holds; None: for ever."""
    features: tuple[Feature, ...]
    sql: str | None
    """The query, or None where `code` holds a function."""
    code: str | None
    """Python text that defines `frame(sources)`."""
    sources: Mapping[str, ReadFrom]
    """Name in the query -> what is read."""

    @property
    def id(self) -> str:
        """Name and version, such as `weather@1`."""
        return f"{self.name}@{self.version}"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.entity_key)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its features."""
        return tuple(feature.name for feature in self.features)

    @property
    def types(self) -> dict[str, str]:
        """Feature -> its type."""
        return {feature.name: feature.type for feature in self.features}

    def meaning(self) -> dict[str, Any]:
        """What makes its values what they are; owner, words and where the rows lie do not."""
        return {
            "entity_key": [list(pair) for pair in self.entity_key],
            "event_time": self.event_time,
            "known_at": self.known_at,
            "delay": self.delay,
            "ttl": self.ttl,
            "features": [[f.name, f.type, f.unit] for f in self.features],
            "sql": self.sql,
            "code": self.code,
            "sources": {name: source.seen for name, source in sorted(self.sources.items())},
        }

    @property
    def digest(self) -> str:
        """Of its meaning: another digest needs another version."""
        return digest_of([self.name, self.version, self.meaning()])


@dataclass(frozen=True, slots=True)
class Part:
    """What a set takes of a view."""

    view: str
    features: tuple[str, ...]
    """Names in the view, in the order they are asked for."""
    on: tuple[tuple[str, str], ...]
    """Key column of the view -> column of whoever asks."""
    prefix: str = ""

    def called(self, feature: str) -> str:
        """What a feature is called in the set."""
        return f"{self.prefix}{feature}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names under which the set gives its features."""
        return tuple(map(self.called, self.features))


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """The features that a model asks for together."""

    name: str
    time: str
    """The column of whoever asks that says as of when."""
    parts: tuple[Part, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every feature, in its order, as the set calls it."""
        return tuple(name for part in self.parts for name in part.columns)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every column that whoever asks has to have, besides the time."""
        return tuple(dict.fromkeys(asked for part in self.parts for _, asked in part.on))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All definitions of a folder."""

    views: Mapping[str, FeatureView]
    """By name and version."""
    sets: Mapping[str, FeatureSet]

    def view(self, id: str) -> FeatureView:
        """A view by `name@version`, or by its name alone where it has one version."""
        versions = [view for view in self.views.values() if view.name == id]
        if len(versions) == 1:
            return versions[0]
        if id not in self.views:
            raise MissingError.named("feature view", id, self.views)
        return self.views[id]

    def set(self, name: str) -> FeatureSet:
        if name not in self.sets:
            raise MissingError.named("feature set", name, self.sets)
        return self.sets[name]

    def used(self, asked: FeatureSet) -> Sequence[FeatureView]:
        """The views of a set, one for each of its parts."""
        return [self.views[part.view] for part in asked.parts]
