"""The shadow: a challenger decides what others have answered, and its answers never leave.

It has a thread of its own, which works a few times a second on what has gathered. A request waits
neither for its model nor for its log; what is too much is dropped and counted. Its decisions stand
in the log under an environment of their own: whoever watches an environment never sees them.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from taxiway.core.decision import Decision
from taxiway.core.errors import StoreError
from taxiway.serving.cast import fitted
from taxiway.serving.deciding import Decider

ENVIRONMENT = "shadow"
"""Where the decisions of a challenger are logged."""
EVERY_SECONDS = 0.25
WAITING_RECORDS = 5_000
"""More than that is dropped."""
CHUNK_RECORDS = 256
"""Decided and logged at a time: nobody waits long for the interpreter or for the log."""


class Shadow:
    """A bounded queue of decisions, and the thread in which a challenger decides them again."""

    def __init__(self, every: float = EVERY_SECONDS) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """(release, `decided`, `dropped` or `failed`) -> records. Each is written by one thread."""
        self._every = every
        self._waiting: deque[tuple[Decider, Decider, Decision]] = deque()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def offer(self, challenger: Decider, champion: Decider, decisions: Sequence[Decision]) -> None:
        """Lets decisions be made again, if there is room for them. Never waits, never raises.

        Their records were read as the champion takes them.
        """
        room = max(0, WAITING_RECORDS - len(self._waiting))
        if len(decisions) > room:
            self.counts[challenger.artefact.release, "dropped"] += len(decisions) - room
        self._waiting.extend((challenger, champion, one) for one in decisions[:room])
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends after what it has in hand; what waits is only evidence, and nobody misses it."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._ending.wait(self._every):
            while not self._ending.is_set() and (chunk := self._take()):
                self._decide(*chunk)

    def _take(self) -> tuple[Decider, Decider, list[Decision]] | None:
        """What waits for one challenger, up to the limit."""
        if not self._waiting:
            return None
        challenger, champion, _ = self._waiting[0]
        chunk: list[Decision] = []
        while self._waiting and len(chunk) < CHUNK_RECORDS:
            whom, read_by, decision = self._waiting[0]
            if whom is not challenger or read_by is not champion:
                break
            chunk.append(decision)
            self._waiting.popleft()
        return challenger, champion, chunk

    def _decide(
        self, challenger: Decider, champion: Decider, decisions: Sequence[Decision]
    ) -> None:
        release = challenger.artefact.release
        try:
            challenger.decide(_records(challenger, champion, decisions))
        except StoreError:
            self.counts[release, "failed"] += len(decisions)
        except BaseException:  # noqa: BLE001 - whatever a challenger does, it does it to itself
            if len(decisions) == 1:
                self.counts[release, "failed"] += 1
                return
            for one in decisions:
                self._decide(challenger, champion, [one])
        else:
            self.counts[release, "decided"] += len(decisions)


def _records(
    challenger: Decider, champion: Decider, decisions: Sequence[Decision]
) -> Sequence[dict[str, Any]]:
    """The records of decisions as the challenger reads them."""
    read, reads = champion.artefact.inputs, challenger.artefact.inputs
    records = fitted([one.inputs for one in decisions], read, reads)
    if challenger.completing is None:
        return records
    return challenger.completing.blank(records, champion.completing)
