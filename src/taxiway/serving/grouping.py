"""Grouping: requests that arrive while others are decided are decided together.

One model call and one synced transaction cost nearly the same for one row as for a hundred. So one
worker thread takes all that waits, decides it as one frame, logs it as one transaction, and only
then hands the answers out. Nothing is ever held back to fill a group: a request that comes alone is
decided at once; and one with more rows than a group is decided in slices, so that nobody waits for
all of it. Knows no transport; `taxiway.serving.http` asks it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate

from taxiway.core.decided import Decided
from taxiway.core.decided import joined as joined_decisions
from taxiway.core.decision import Decision
from taxiway.core.errors import StoreError
from taxiway.core.rows import joined
from taxiway.serving.cast import Cast
from taxiway.serving.completing import NotLookedUpError
from taxiway.serving.path import answer
from taxiway.serving.request import Answer, Request, Worked
from taxiway.serving.rows import rows_of
from taxiway.serving.splitting import split

Deliver = Callable[[Callable[[], None]], object]
"""Calls something in the thread that asked, such as `loop.call_soon_threadsafe`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be decided at once, and how much may wait. What is beyond it is refused."""

    group_rows: int = 1_024
    waiting_requests: int = 1_024
    waiting_rows: int = 20_000


class Grouping:
    """A bounded queue of requests and the one thread that decides them, in their order.

    `current` gives the cast that answers now, or raises why there is none; a group asks it once,
    when it begins, so that nothing changes on its way. `worked` hears how a group went, before its
    answers leave; `shadowed` gets the decisions that have left, if there is a challenger.
    """

    def __init__(
        self,
        current: Callable[[], Cast],
        deliver: Deliver,
        *,
        limits: Limits = Limits(),
        worked: Callable[[Worked], None] = lambda _: None,
        shadowed: Callable[[Cast, Sequence[Decision]], None] = lambda *_: None,
    ) -> None:
        self._current = current
        self._deliver = deliver
        self._limits = limits
        self._worked = worked
        self._shadowed = shadowed
        self._waiting: deque[Request] = deque()
        self._rows = 0
        self._ending = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="deciding", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether nothing more may wait, or nothing is taken on any more."""
        return (
            self._ending
            or len(self._waiting) >= self._limits.waiting_requests
            or self._rows >= self._limits.waiting_rows
        )

    def ask(self, request: Request) -> bool:
        """Lets a request wait for its turn; False if it is refused, because too much waits.

        A request that was taken on gets exactly one answer.
        """
        with self._changed:
            if self.full:
                return False
            self._waiting.append(request)
            self._rows += len(request.records)
            self._changed.notify()
        return True

    def close(self) -> None:
        """Takes on nothing more, and returns when everything that waited has been answered."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while group := self._take():
            self._serve(group)

    def _serve(self, group: Sequence[Request]) -> None:
        """Decides a group, and hands its answers out."""
        cast = None
        try:
            cast = self._current()
            answers = self._decided(cast, group)
        except Exception as error:  # noqa: BLE001 - it is the answer
            answers = [error] * len(group)
        try:
            self._deliver(partial(_hand_out, group, answers))
        except RuntimeError:
            # The loop has ended, and with it everyone who waited; the log has the decisions.
            return
        if cast is not None and cast.challenger is not None:
            for one in answers:
                if not isinstance(one, BaseException):
                    self._shadowed(cast, one)

    def _take(self) -> list[Request]:
        """All that waits, up to the limit; empty when there is nothing more to come."""
        with self._changed:
            while not self._waiting and not self._ending:
                self._changed.wait()
            group: list[Request] = []
            rows = 0
            while self._waiting:
                rows += len(self._waiting[0].records)
                if group and rows > self._limits.group_rows:
                    break
                group.append(self._waiting.popleft())
            self._rows -= sum(len(request.records) for request in group)
            return group

    def _take_small(self) -> list[Request]:
        """What waits and is no larger than a group, up to the limit; whatever is larger stays.

        They keep their order among themselves: when one no longer fits, those behind it wait too,
        or it would be overtaken for as long as shorter ones come.
        """
        with self._changed:
            group: list[Request] = []
            left: list[Request] = []
            rows, full = 0, False
            for request in self._waiting:
                many = len(request.records)
                small = many <= self._limits.group_rows
                full = full or (small and rows + many > self._limits.group_rows)
                if small and not full:
                    group.append(request)
                    rows += many
                else:
                    left.append(request)
            self._waiting = deque(left)
            self._rows -= rows
            return group

    def _decided(self, cast: Cast, group: Sequence[Request]) -> list[Answer]:
        try:
            if len(group) == 1 and len(group[0].records) > self._limits.group_rows:
                decisions, worked = self._in_slices(cast, group[0])
            else:
                decisions, worked = self._together(cast, group)
        except BaseException as error:  # noqa: BLE001 - the thread outlives what a model does
            # What could not be logged was not decided, for any of them.
            unlogged = isinstance(error, StoreError) and not isinstance(error, NotLookedUpError)
            if unlogged or len(group) == 1:
                return [error] * len(group)
            # One of them breaks the model or the log; only its own answer may suffer.
            return [one for request in group for one in self._decided(cast, [request])]
        for one in worked:
            self._worked(one)
        for request in group:
            if request.worked is not None:
                request.worked(_sum(worked))
        return list(decisions)

    def _together(
        self, cast: Cast, group: Sequence[Request]
    ) -> tuple[Sequence[Sequence[Decision]], list[Worked]]:
        """Decisions for each request of a group, in one transaction."""
        together, decisions, worked = _decide(cast, group)
        return decisions, [replace(worked, logged_seconds=_logged(cast, together))]

    def _in_slices(
        self, cast: Cast, request: Request
    ) -> tuple[Sequence[Sequence[Decision]], list[Worked]]:
        """Decisions for a request that is larger than a group, in one transaction.

        It is decided by one cast, a slice after the other, and between them what waits and is
        smaller is answered: nobody waits for all of it. Until its last slice is decided nothing of
        it is in the log, so that it is there as a whole or not at all.
        """
        contract = cast.answering(request.release).artefact.inputs
        records = request.records_for(contract)
        parts: list[Sequence[Decision]] = []
        worked: list[Worked] = []
        rows, at = min(FIRST_SLICE, self._limits.group_rows), 0
        while at < len(records):
            own = replace(
                request,
                records=records[at : at + rows],
                contract=contract,
                first=at,
                of=len(records),
            )
            part, _, took = _decide(cast, [own])
            parts.append(part)
            worked.append(took)
            at += rows
            quick = rows * SLICE_SECONDS / max(took.decided_seconds, 1e-6)
            rows = max(1, min(int(quick), self._limits.group_rows))
            if at < len(records) and (small := self._take_small()):
                self._serve(small)
        whole = _whole(parts)
        worked[-1] = replace(worked[-1], logged_seconds=_logged(cast, whole))
        return [whole], worked


FIRST_SLICE = 64
"""Rows of the first slice of a large request, which shows how long a row takes."""
SLICE_SECONDS = 0.05
"""How long the others wait for each of the next."""


def _decide(
    cast: Cast, group: Sequence[Request]
) -> tuple[Sequence[Decision], Sequence[Sequence[Decision]], Worked]:
    """Decisions of a group, those of each request of it, and what it took; not logged yet."""
    began = time.perf_counter()
    answering = [cast.champion] if cast.canary is None else [cast.champion, cast.canary.decider]
    for decider in answering:
        decider.spent.take()
    tried = None
    together: Sequence[Decision]
    decisions: Sequence[Sequence[Decision]]
    if cast.canary is None and all(request.release is None for request in group):
        together, decisions = _of_champion(cast, group)
    else:
        decisions, tried = split(cast, group)
        together = [decision for one in decisions for decision in one]
    spent = [decider.spent.take() for decider in answering]
    return (
        together,
        decisions,
        Worked(
            rows=len(together),
            requests=len(group),
            decided_seconds=time.perf_counter() - began,
            features_seconds=sum(one.features for one in spent),
            model_seconds=sum(one.model for one in spent),
            looked_up_seconds=sum(one.looked_up for one in spent),
            logged_seconds=0.0,
            tried=tried,
        ),
    )


def _logged(cast: Cast, decisions: Sequence[Decision]) -> float:
    """Logs decisions, in one transaction; the seconds that it took."""
    began = time.perf_counter()
    cast.champion.log.append(decisions)
    return time.perf_counter() - began


def _whole(parts: Sequence[Sequence[Decision]]) -> Sequence[Decision]:
    columns = [part for part in parts if isinstance(part, Decided)]
    if len(columns) == len(parts):
        return joined_decisions(columns)
    return [decision for part in parts for decision in part]


def _sum(worked: Sequence[Worked]) -> Worked:
    """How a request went that was decided in slices."""
    if len(worked) == 1:
        return worked[0]
    return Worked(
        rows=sum(one.rows for one in worked),
        requests=1,
        decided_seconds=sum(one.decided_seconds for one in worked),
        features_seconds=sum(one.features_seconds for one in worked),
        model_seconds=sum(one.model_seconds for one in worked),
        looked_up_seconds=sum(one.looked_up_seconds for one in worked),
        logged_seconds=sum(one.logged_seconds for one in worked),
    )


def _of_champion(cast: Cast, group: Sequence[Request]) -> tuple[Decided, list[Decided]]:
    """Decisions of a group, and those of each request of it: one frame, one model call."""
    decider = cast.champion
    artefact = decider.artefact
    read = [
        rows_of(
            decider.completed(request.records_for(artefact.inputs), request.places),
            artefact.inputs,
        )
        for request in group
    ]
    records = joined(read)
    outputs = answer(artefact, artefact.frame(records))
    now = time.perf_counter()
    latencies: list[int] = []
    for request, own in zip(group, read, strict=True):
        latencies += [int((now - request.began) * 1e6)] * len(own)
    decided = decider.decided(records, outputs, latencies_us=latencies)
    if len(group) == 1:
        return decided, [decided]
    ends = list(accumulate(map(len, read)))
    return decided, [decided[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def _hand_out(group: Sequence[Request], answers: Sequence[Answer]) -> None:
    for request, given in zip(group, answers, strict=True):
        request.answered(given)
