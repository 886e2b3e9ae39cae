"""A figure with how sure it is: training measures it, monitoring and retraining judge it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the percentile interval of its bootstrap (95 %)."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)
