"""Access: whether a request may be answered, by the key that it brings.

The gate is asked for every request and reads nothing: what it knows is renewed beside it, so that a
key that is revoked stops working within seconds, without a restart.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

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


@dataclass(slots=True)
class _Bucket:
    """Requests that a consumer has left; it fills up again as time goes by."""

    left: float
    at: float


@dataclass(slots=True)
class Gate:
    """Who may ask one model's endpoint.

    `read` gives the model's consumers and the uses that its charter permits now; `key` is one key
    for everybody, set where the server starts. Without that key and without a consumer the gate is
    open; with the first one it is closed to everybody without a key.
    """

    read: Callable[[], tuple[Iterable[Consumer], Sequence[str]]]
    now: Callable[[], datetime]
    clock: Callable[[], float]
    """Seconds that only go forward."""
    key: str | None = None
    _read: bool = False
    """Whether it is known who may ask; before that, nobody may."""
    _known: dict[str, Consumer] = field(default_factory=dict)
    _permitted: frozenset[str] = frozenset()
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def refresh(self) -> None:
        """Reads again who may ask; what was known stays while the record can't be read."""
        try:
            consumers, permitted = self.read()
        except TaxiwayError:
            return
        self._read = True
        self._known = {one.key_digest: one for one in consumers}
        self._permitted = frozenset(permitted)

    @property
    def open(self) -> bool:
        """Whether nobody needs a key."""
        return not self._known and self.key is None

    def admit(self, authorization: str | None) -> Refusal | None:
        """None if the request may be answered."""
        if not self._read:
            return Refusal(503, "TW-6", "Who may ask is not known yet; try again.", 1)
        if self.open or self._is_common_key(authorization):
            return None
        consumer = self._consumer(authorization)
        if isinstance(consumer, Refusal):
            return consumer
        if consumer.purpose not in self._permitted:
            return Refusal(
                403,
                "TW-3",
                f"{consumer.id} may ask for {consumer.purpose!r}, which is no permitted use any"
                " more.",
            )
        return self._limited(consumer)

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
            return Refusal(401, "TW-3", f"The key of {consumer.id} was revoked.")
        if consumer.expires_at <= self.now():
            return Refusal(
                401, "TW-3", f"The key of {consumer.id} ended on {consumer.expires_at:%Y-%m-%d}."
            )
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
