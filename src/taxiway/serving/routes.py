"""Routes: which path asks what, of which model and of which release.

The paths of the models that are served are in a table, so that a request is one look-up. A path
that names a version, or a model that isn't served, is taken apart.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.serving.replies import Reply
from taxiway.serving.served import Served

NAME = "NAME"
"""Stands for a model's name, in the table and in what is shown."""
NAMED = re.compile(r"(/v[12]/models/)([^/]+)(?:/versions/([^/]+))?(/[a-z]+)?")
CASE = re.compile(r"/v1/models/([^/]+)/cases/([0-9A-Za-z-]{1,64})(/take|/decide)?")
VERSIONED = {
    f"/v1/models/{NAME}/predict",
    f"/v2/models/{NAME}/infer",
    f"/v2/models/{NAME}/ready",
    f"/v2/models/{NAME}",
}
"""Paths that can ask for one release."""


async def _nothing(_: Any) -> Reply:
    raise AssertionError


@dataclass(frozen=True, slots=True)
class Route:
    """What answers on a path. An open one is answered without the API key."""

    shown: str
    """The path as metrics and logs show it: without names, which anybody could make up."""
    method: str
    """Empty if there is nothing."""
    handle: Callable[[Any], Awaitable[Reply]]
    open: bool = False
    served: Served | None = None
    """The model that it is about: the one that it names, or the only one."""
    release: str | None = None
    """The only release that may answer."""
    case: str = ""
    """The case that it is about."""
    unknown: str | None = None
    """A model that it names and that is not served."""

    @property
    def named(self) -> bool:
        """Whether its path names a model."""
        return NAME in self.shown


NOWHERE = Route("other", "", _nothing)


class Routes:
    """The table of a server's paths."""

    def __init__(self, models: Sequence[Served], shapes: Mapping[str, Route]) -> None:
        self._shapes = shapes
        only = models[0] if len(models) == 1 else None
        self._table: dict[str, Route] = {}
        for path, route in shapes.items():
            if route.named:
                for one in models:
                    named = dataclasses.replace(route, served=one)
                    self._table[path.replace(NAME, one.name)] = named
            else:
                self._table[path] = dataclasses.replace(route, served=only)

    def find(self, path: str) -> Route:
        """What answers on a path."""
        return self._table.get(path) or self._apart(path)

    def _apart(self, path: str) -> Route:
        if case := CASE.fullmatch(path):
            return self._of_case(*case.groups(default=""))
        found = NAMED.fullmatch(path)
        if found is None:
            return NOWHERE
        before, name, version, after = found[1], found[2], found[3], found[4] or ""
        shape = self._shapes.get(f"{before}{NAME}{after}")
        if shape is None or (version and shape.shown not in VERSIONED):
            return NOWHERE
        route = self._table.get(f"{before}{name}{after}")
        if route is None:
            return dataclasses.replace(shape, unknown=name)
        if version is None:
            return route
        release = version if ":" in version else f"{name}:{version}"
        shown = f"{before}{NAME}/versions/N{after}"
        return dataclasses.replace(route, release=release, shown=shown)

    def _of_case(self, name: str, case: str, verb: str) -> Route:
        shape = self._shapes.get(f"/v1/models/{NAME}/cases/{{case}}{verb}", NOWHERE)
        served = self._table.get(f"/v1/models/{name}/cases")
        if served is None or served.served is None:
            return dataclasses.replace(shape, unknown=name)
        return dataclasses.replace(shape, served=served.served, case=case)
