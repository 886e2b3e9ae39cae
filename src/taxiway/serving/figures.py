"""Figures of workers that share a port: whichever is asked for its metrics tells those of all.

Each writes its own into a file, a few seconds old at most; what counts up and what waits add up. A
worker that has ended leaves its counts, which must not fall, and nothing that waits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

FRESH_SECONDS = 10.0
"""A worker that has not written for so long has ended."""


@dataclass(slots=True)
class _Family:
    """A metric with its series."""

    head: list[str]
    gauge: bool = False
    series: dict[str, float] = field(default_factory=dict)
    """Name with labels -> value."""


class Figures:
    """The metrics of one server's workers, in a folder that they share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{os.getpid()}.prom"

    def write(self, text: str) -> None:
        """Puts down this worker's metrics, whole or not at all."""
        part = self._own.with_suffix(".part")
        part.write_text(text, "utf-8")
        part.replace(self._own)

    def added(self, text: str) -> str:
        """This worker's metrics, as they are now, with those of the others."""
        return "\n".join([*_lines(_sum([(text, True), *self._others()])), ""])

    def _others(self) -> Iterator[tuple[str, bool]]:
        """Texts, and whether who wrote them is still there."""
        for path in sorted(self._folder.glob("*.prom")):
            if path != self._own:
                fresh = time.time() - path.stat().st_mtime < FRESH_SECONDS
                yield path.read_text("utf-8"), fresh


def _sum(texts: Iterable[tuple[str, bool]]) -> dict[str, _Family]:
    families: dict[str, _Family] = {}
    for text, fresh in texts:
        family = _Family([])
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = families.setdefault(line.split(" ", 3)[2], _Family([]))
                family.head = [line]
            elif line.startswith("# TYPE "):
                family.gauge = line.endswith(" gauge")
                family.head.append(line)
            elif fresh or not family.gauge:
                name, _, value = line.rpartition(" ")
                family.series[name] = family.series.get(name, 0.0) + float(value)
    return families


def _lines(families: dict[str, _Family]) -> Iterator[str]:
    for family in families.values():
        yield from family.head
        for name, value in family.series.items():
            yield f"{name} {value:.15g}"
