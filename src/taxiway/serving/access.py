"""Access: whether a request may be answered, by the key that it brings.

The gate is asked for every request and reads nothing: what it knows is renewed beside it, so that a
key that is revoked stops working within seconds, without a restart.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from taxiway.core.digest import digest_bytes
from taxiway.core.errors import TaxiwayError
from taxiway.core.facts import Consumer

BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: int
    code: str
    text: str
    retry_after: int | None = None
    """Seconds after which it may be asked again."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A consumer that is known and was turned away, for the ledger."""

    consumer: Consumer
    why: str
    """`model`, `revoked`, `ended` or `purpose`: what does not fit."""
    asked: str
    """The model that it asked."""
    day: date


@dataclass(slots=True)
class _Bucket:
    """Requests that a consumer has left; it fills up again as time goes by."""

    left: float
    at: float


@dataclass(slots=True)
class Gate:
    """Who may ask one model's endpoint.

    `read` gives all consumers, of other models too, and the uses that the model's charter permits
    now; `key` is one key for everybody, set where the server starts. Without that key and without a
    consumer of the model the gate is open; with the first one it is closed to everybody without a
    key. `tell` writes down who was turned away: the first time on each day, and not while somebody
    waits.
    """

    read: Callable[[], tuple[Iterable[Consumer], Sequence[str]]]
    now: Callable[[], datetime]
    clock: Callable[[], float]
    """Seconds that only go forward."""
    key: str | None = None
    model: str = ""
    tell: Callable[[Turned], None] = lambda _: None
    _closed: bool = False
    _read: bool = False
    """Whether it is known who may ask; before that, nobody may."""
    _known: dict[str, Consumer] = field(default_factory=dict)
    _permitted: frozenset[str] = frozenset()
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _turned: set[tuple[str, str]] = field(default_factory=set)
    """(consumer, why) of the day, each of which is told once."""
    _day: date = date.min
    _untold: list[Turned] = field(default_factory=list)

    def refresh(self) -> None:
        """Reads again who may ask; what was known stays while the record can't be read."""
        try:
            consumers, permitted = self.read()
            while self._untold:
                self.tell(self._untold[0])
                del self._untold[0]
        except TaxiwayError:
            return
        known = {one.key_digest: one for one in consumers}
        self._closed = any(one.model == self.model for one in known.values())
        self._permitted = frozenset(permitted)
        self._known = known
        self._read = True

    @property
    def open(self) -> bool:
        """Whether nobody needs a key."""
        return not self._closed and self.key is None

    def admit(self, authorization: str | None, *, again: bool = False) -> Refusal | None:
        """None if the request may be answered; `again` if it was admitted before, and has taken so
        long that this may have changed."""
        if not self._read:
            return Refusal(503, "TW-6", "Who may ask is not known yet; try again.", 1)
        if self.open or self._is_common_key(authorization):
            return None
        consumer = self._consumer(authorization)
        if isinstance(consumer, Refusal):
            return consumer
        if consumer.model != self.model:
            text = f"The key of {consumer.id} is for {consumer.model}, and not for {self.model}."
            return self._turn("model", consumer, Refusal(403, "TW-3", text))
        if consumer.purpose not in self._permitted:
            refusal = Refusal(
                403,
                "TW-3",
                f"{consumer.id} may ask for {consumer.purpose!r}, which is no permitted use any"
                " more.",
            )
            return self._turn("purpose", consumer, refusal)
        return None if again else self._limited(consumer)

    def _turn(self, why: str, consumer: Consumer, refusal: Refusal) -> Refusal:
        """Takes note of a consumer that is turned away, once a day for each reason."""
        day = self.now().date()
        if day != self._day:
            self._day = day
            self._turned.clear()
        if (consumer.id, why) not in self._turned:
            self._turned.add((consumer.id, why))
            self._untold.append(Turned(consumer, why, self.model, day))
        return refusal

    def _is_common_key(self, authorization: str | None) -> bool:
        sent = (authorization or "").removeprefix(BEARER).strip().encode()
        return self.key is not None and hmac.compare_digest(sent, self.key.encode())

    def _consumer(self, authorization: str | None) -> Consumer | Refusal:
        if not authorization or not authorization.startswith(BEARER):
            return Refusal(401, "TW-3", "Send your key as `authorization: Bearer KEY`.")
        # Found by its digest: the time that it takes says nothing about the key.
        key = authorization.removeprefix(BEARER).strip()
        consumer = self._known.get(digest_bytes(key.encode()))
        if consumer is None:
            return Refusal(401, "TW-3", "This key is not known.")
        if consumer.state != "active":
            refusal = Refusal(401, "TW-3", f"The key of {consumer.id} was revoked.")
            return self._turn("revoked", consumer, refusal)
        if consumer.expires_at <= self.now():
            text = f"The key of {consumer.id} ended on {consumer.expires_at:%Y-%m-%d}."
            return self._turn("ended", consumer, Refusal(401, "TW-3", text))
        return consumer

    def _limited(self, consumer: Consumer) -> Refusal | None:
        """Refuses what goes beyond the consumer's requests a minute, evenly over the minute."""
        most, now = float(consumer.requests_per_minute), self.clock()
        bucket = self._buckets.setdefault(consumer.id, _Bucket(most, now))
        bucket.left = min(most, bucket.left + (now - bucket.at) * most / 60)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return None
        wait = max(1, round((1 - bucket.left) * 60 / most))
        text = f"{consumer.id} may ask {consumer.requests_per_minute:,} times a minute."
        return Refusal(429, "TW-3", text, retry_after=wait)
