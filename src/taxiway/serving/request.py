"""A request: records that wait for their decisions, and how their group went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxiway.core.contract import Contract
from taxiway.core.decision import Decision
from taxiway.serving.records import Places

if TYPE_CHECKING:
    from taxiway.serving.splitting import Tried

Answer = Sequence[Decision] | BaseException
"""The decisions on a request's records, all of them in the log; or why there are none."""


@dataclass(frozen=True, slots=True)
class Request:
    """Records that wait for their decisions."""

    records: Sequence[dict[str, Any]]
    """As they were read under `contract`."""
    contract: Contract
    read: Callable[[Contract], Sequence[dict[str, Any]]]
    """Reads them again, if the release that answers has another contract by then."""
    began: float
    """When work on it began (`time.perf_counter`)."""
    answered: Callable[[Answer], None]
    release: str | None = None
    """The only one that may answer; None for whoever has the role now."""
    worked: Callable[[Worked], None] | None = None
    """Hears how its group went, before its answer leaves; None if nobody wants to know."""
    first: int = 0
    """Of a slice: the number of its first record in the whole."""
    of: int | None = None
    """Of a slice: how many records the whole has."""

    def records_for(self, contract: Contract) -> Sequence[dict[str, Any]]:
        """Its records as a release with this contract reads them."""
        same = self.contract is contract or self.contract == contract
        return self.records if same else self.read(contract)

    def places(self, numbers: Sequence[int] | None = None) -> Places:
        """Where some of its records, or all, stand in what was sent."""
        chosen = range(len(self.records)) if numbers is None else numbers
        total = len(self.records) if self.of is None else self.of
        return Places([self.first + one for one in chosen], total)


@dataclass(frozen=True, slots=True)
class Worked:
    """How a group went, for metrics and spans."""

    rows: int
    requests: int
    decided_seconds: float
    features_seconds: float
    """Of the seconds to decide, as are those of the model and of looking features up."""
    model_seconds: float
    looked_up_seconds: float
    logged_seconds: float
    tried: Tried | None = None
    """What it showed of the canary, if there is one."""
