"""No adapter is left out of the suites."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping

import taxiway.adapters
from taxiway.adapters.sealed import SealedRecord

ELSEWHERE = {SealedRecord}
"""Takes no change: no suite that writes fits it. `tests/unit/adapters/test_sealed.py` holds it."""


def methods(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(taxiway.adapters.__path__, "taxiway.adapters."):
        if ".migrations" in module.name:  # they run when they are imported
            continue
        members = vars(importlib.import_module(module.name)).values()
        yield from (m for m in members if inspect.isclass(m) and m.__module__ == module.name)


def test_every_class_that_has_the_methods_of_a_port_is_in_its_suite(
    adapters: Mapping[type, set[type]],
) -> None:
    for port, tested in adapters.items():
        fitting = {kind for kind in classes() if methods(port) <= methods(kind)} - ELSEWHERE
        assert fitting == tested, f"add it to ADAPTERS in tests/contracts/conftest.py: {fitting}"
