"""What was measured, by model, workers, server and load; medians over the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Load:
    """What a server is asked."""

    rows: int
    """Of one request."""
    concurrency: int


@dataclass(frozen=True, slots=True)
class Start:
    """What a server took to start, and what it held in memory after its loads."""

    cold_seconds: float
    megabytes: float


Figures = Mapping[str, float]
"""requests_per_second, p50_ms, p99_ms, bad; cpu_ms of a request where it is told."""
Where = tuple[str, int, str]
"""(model, workers, server)"""


@dataclass
class Results:
    """All figures of a run."""

    rounds: dict[tuple[Where, Load], list[Figures]] = field(default_factory=dict)
    started: dict[Where, list[Start]] = field(default_factory=dict)
    failed: dict[Where, str] = field(default_factory=dict)
    """Why a server was left out."""

    def add(
        self,
        where: Where,
        found: Mapping[Load, Figures],
        start: Start | None,
    ) -> None:
        """One round of one server."""
        for load, figures in found.items():
            self.rounds.setdefault((where, load), []).append(figures)
        if start is not None:
            self.started.setdefault(where, []).append(start)

    def at(self, model: str, workers: int, server: str, load: Load) -> Figures | None:
        """The median of the rounds; `bad` is their sum."""
        found = self.rounds.get(((model, workers, server), load))
        if not found:
            return None
        medians = {key: statistics.median(one[key] for one in found) for key in found[0]}
        return {**medians, "bad": sum(one["bad"] for one in found)}

    def start(self, model: str, workers: int, server: str) -> Start | None:
        """The median of the starts."""
        found = self.started.get((model, workers, server))
        if not found:
            return None
        return Start(
            statistics.median(one.cold_seconds for one in found),
            statistics.median(one.megabytes for one in found),
        )

    def groups(self) -> list[tuple[str, int, Load]]:
        """Every (model, workers, load) that was measured, in the order of measuring."""
        return list(dict.fromkeys((where[0], where[1], load) for where, load in self.rounds))

    def servers(self, model: str, workers: int) -> list[str]:
        """Every server that was measured there, in the order of measuring."""
        found = (where[2] for where, _ in self.rounds if where[:2] == (model, workers))
        return list(dict.fromkeys(found))

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        loads = [
            {
                "model": where[0],
                "workers": where[1],
                "server": where[2],
                "rows": load.rows,
                "concurrency": load.concurrency,
                **(self.at(*where, load) or {}),
                "rounds": [one["requests_per_second"] for one in found],
            }
            for (where, load), found in self.rounds.items()
        ]
        starts = [
            {"model": m, "workers": w, "server": s, "cold_s": start.cold_seconds}
            | {"memory_mb": start.megabytes}
            for m, w, s in self.started
            if (start := self.start(m, w, s))
        ]
        failed = [
            {"model": m, "workers": w, "server": s, "why": why}
            for (m, w, s), why in self.failed.items()
        ]
        return {"loads": loads, "starts": starts, "left_out": failed}
