"""Decided: decisions of one release that were made together, as columns.

What they have in common stands once. It is a sequence of decisions to whoever asks for one, and
those who take all of them, the log and the answer, take the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, overload

from taxiway.core.decision import Decision
from taxiway.core.rows import Rows
from taxiway.core.rows import joined as rows_joined


@dataclass(frozen=True, slots=True)
class Decided(Sequence[Decision]):
    """Decisions in the order of their records; nothing of them is withheld."""

    model: str
    release: str
    release_digest: str
    environment: str
    channel: str
    at: datetime
    """When the last of them was made, which is the moment of all."""
    records: Rows
    ids: Sequence[str]
    keys: Sequence[str]
    happened_at: Sequence[datetime]
    outputs: Sequence[dict[str, Any]]
    texts: Sequence[str]
    """Each output as JSON."""
    latencies_us: Sequence[int]

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Decision: ...
    @overload
    def __getitem__(self, at: slice) -> Decided: ...
    def __getitem__(self, at: int | slice) -> Decision | Decided:
        if isinstance(at, slice):
            return replace(
                self,
                records=self.records[at],
                ids=self.ids[at],
                keys=self.keys[at],
                happened_at=self.happened_at[at],
                outputs=self.outputs[at],
                texts=self.texts[at],
                latencies_us=self.latencies_us[at],
            )
        return Decision(
            id=self.ids[at],
            model=self.model,
            release=self.release,
            release_digest=self.release_digest,
            environment=self.environment,
            channel=self.channel,
            key=self.keys[at],
            happened_at=self.happened_at[at],
            at=self.at,
            inputs=self.records[at],
            output=self.outputs[at],
            latency_us=self.latencies_us[at],
        )

    def __iter__(self) -> Iterator[Decision]:
        return map(self.__getitem__, range(len(self.ids)))


def joined(parts: Sequence[Decided]) -> Decided:
    """Decisions of one release, one part after the other, as of the last of them."""
    return replace(
        parts[-1],
        records=rows_joined([part.records for part in parts]),
        ids=list(chain.from_iterable(part.ids for part in parts)),
        keys=list(chain.from_iterable(part.keys for part in parts)),
        happened_at=list(chain.from_iterable(part.happened_at for part in parts)),
        outputs=list(chain.from_iterable(part.outputs for part in parts)),
        texts=list(chain.from_iterable(part.texts for part in parts)),
        latencies_us=list(chain.from_iterable(part.latencies_us for part in parts)),
    )
