"""A call: a request on its way, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taxiway.serving.request import Worked
from taxiway.serving.routes import Route


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    scope: Any
    protocol: Any
    route: Route
    began: float
    steps: dict[str, float] | None = None
    """Step -> seconds, if it is traced."""

    def worked(self, group: Worked) -> None:
        """Takes note of how its group went."""
        if self.steps is not None:
            self.steps.update(
                decide=group.decided_seconds,
                features=group.features_seconds,
                model=group.model_seconds,
                look_up=group.looked_up_seconds,
                log=group.logged_seconds,
            )

    @property
    def key(self) -> str | None:
        """What it brings to be let in."""
        key: str | None = self.scope.headers.get("authorization")
        return key
