"""The shadow: a challenger decides what others have answered, and its answers never leave.

It has a thread of its own, which works a few times a second on what has gathered. A request waits
neither for its model nor for its log; what is too much is dropped and counted. Its decisions stand
in the log under an environment of their own: whoever watches an environment never sees them.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence

from taxiway.core.contract import Contract
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
        self._waiting: deque[tuple[Decider, Contract, Decision]] = deque()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def offer(self, challenger: Decider, contract: Contract, decisions: Sequence[Decision]) -> None:
        """Lets decisions be made again, if there is room for them. Never waits, never raises.

        `contract` is the one under which their records were read.
        """
        room = max(0, WAITING_RECORDS - len(self._waiting))
        if len(decisions) > room:
            self.counts[challenger.artefact.release, "dropped"] += len(decisions) - room
        self._waiting.extend((challenger, contract, one) for one in decisions[:room])
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

    def _take(self) -> tuple[Decider, Contract, list[Decision]] | None:
        """What waits for one challenger, up to the limit."""
        if not self._waiting:
            return None
        challenger, contract, _ = self._waiting[0]
        chunk: list[Decision] = []
        while self._waiting and len(chunk) < CHUNK_RECORDS:
            whom, read_under, decision = self._waiting[0]
            if whom is not challenger or read_under is not contract:
                break
            chunk.append(decision)
            self._waiting.popleft()
        return challenger, contract, chunk

    def _decide(
        self, challenger: Decider, contract: Contract, decisions: Sequence[Decision]
    ) -> None:
        release, inputs = challenger.artefact.release, challenger.artefact.inputs
        try:
            challenger.decide(fitted([one.inputs for one in decisions], contract, inputs))
        except StoreError:
            self.counts[release, "failed"] += len(decisions)
        except BaseException:  # noqa: BLE001 - whatever a challenger does, it does it to itself
            if len(decisions) == 1:
                self.counts[release, "failed"] += 1
                return
            for one in decisions:
                self._decide(challenger, contract, [one])
        else:
            self.counts[release, "decided"] += len(decisions)
