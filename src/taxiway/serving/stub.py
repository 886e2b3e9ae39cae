"""The stub: an endpoint from the contract alone, before there is any model.

Those who will call the endpoint build against it from the first day. It takes what the real one
will take, refuses what that will refuse, and answers in the same form; what it answers is made up
from the record, the same for the same record, and marked as such. Nothing is logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from taxiway.core.artefact import Artefact, Overseen
from taxiway.core.contract import Contract
from taxiway.core.decision import Decision
from taxiway.core.digest import canonical_json
from taxiway.core.kind import CLASSIFICATION, Kind
from taxiway.core.ports import Clock, Decisions, NewId
from taxiway.serving.cast import Cast
from taxiway.serving.deciding import STUB, Decider
from taxiway.serving.examples import example_record
from taxiway.serving.guardrail import Breach

NOTE = "made up from the contract: no model has answered, and nothing is logged"


NUMBERS = 100.0
"""A predicted number is made up below this: the contract does not say how large it may be."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Answers for as long as the process lives; there is nothing to follow."""

    current: Cast
    problem: str = ""
    note: str = NOTE
    golden: int = 0

    def answering(self) -> Cast:
        return self.current

    def take_off(self, breach: Breach) -> None:
        """There is no canary."""

    def refresh(self) -> None:
        """Nothing changes."""


class Nowhere:
    """A log that keeps nothing. An endpoint appends, and does nothing else with its log."""

    def append(self, decisions: Sequence[Decision]) -> None:
        """Forgets them."""


def stub_decider(
    contract: Contract,
    model: str,
    *,
    frame: Callable[[Sequence[Mapping[str, Any]]], Any],
    plain: Callable[[Any], list[dict[str, Any]]],
    reason_codes: str,
    kind: Kind = CLASSIFICATION,
    now: Clock,
    new_id: NewId,
    oversight: Overseen | None = None,
) -> Decider:
    """A decider that makes its answers up; `frame` and `plain` are those of an `Artefact`."""
    example = example_record(contract)
    names = tuple(
        column.name
        for column in contract.columns
        if not column.key and column.name != contract.event_time
    )
    artefact = Artefact(
        release=f"{model}:stub",
        digest=contract.digest,
        model=model,
        inputs=contract,
        input_names=names,
        features=lambda rows: rows.select(contract.names),
        score=lambda rows: _made_up(plain(rows)) * (1.0 if kind.yes_or_no else NUMBERS),
        frame=frame,
        plain=plain,
        threshold=0.5 if kind.yes_or_no else None,
        # Reasons compare with a typical record, and only examples can say what one is.
        reason_codes=reason_codes if example else "none",
        reference={name: example[name] for name in names} if example else {},
        row_exact=True,
        golden=(),
        manifest={},
        oversight=oversight,
        kind=kind,
    )
    return Decider(
        artefact=artefact,
        environment=STUB,
        channel=STUB,
        log=cast("Decisions", Nowhere()),
        now=now,
        new_id=lambda: f"{STUB}-{new_id()}",
    )


def _made_up(records: Sequence[Mapping[str, Any]]) -> Any:
    """A number for each record, from its digest: even over [0, 1), to four digits."""
    import numpy as np

    digests = [hashlib.sha256(canonical_json(record)).digest() for record in records]
    return np.array([int.from_bytes(one[:4], "big") * 10_000 // 2**32 / 10_000 for one in digests])
