"""Personal data in the decision log: kept, left out, or a pseudonym, as the charter says.

The answer that leaves is the same; what is logged of its record is less, and the decision says what
is withheld. A pseudonym is a keyed hash (HMAC-SHA-256): the same value has the same pseudonym, so
that outcomes still join and a person's decisions are still found by their key, and nobody without
the key file can try values until one fits.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taxiway.core.decision import Decision
from taxiway.core.digest import canonical_json
from taxiway.core.ports import Logs

OMIT, PSEUDONYM = "omit", "pseudonym"
PREFIX = "pseudonym:"
BYTES = 20
"""160 bits: two values have one pseudonym in no log there will be."""

_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

Pseudonym = Callable[[str, Any], str]
"""(column, value) -> its pseudonym."""


def pseudonyms(secret: bytes) -> Pseudonym:
    """Pseudonyms under a key.

    >>> pseudonyms(b"0" * 32)("customer", 4711)
    'pseudonym:4l4fel6hm0guppf942qcma179qmin29q'
    """

    def pseudonym(column: str, value: Any) -> str:
        digest = hmac.digest(secret, canonical_json([column, value]), hashlib.sha256)
        return PREFIX + base64.b32hexencode(digest[:BYTES]).decode().lower()

    return pseudonym


@dataclass(frozen=True, slots=True)
class Withholding:
    """A log that hears less of records than those who asked."""

    log: Logs
    how: Mapping[str, str]
    """Column -> `omit` or `pseudonym`."""
    pseudonym: Pseudonym | None
    """None if no column has one."""

    def append(self, decisions: Sequence[Decision]) -> None:
        """Logs what may be logged of decisions."""
        self.log.append([self.logged(one) for one in decisions])

    def append_frame(self, decisions: Any) -> None:
        """Logs what may be logged of a batch's decisions."""
        import polars as pl

        records = decisions["inputs"]
        texts = records.struct.json_encode() if records.dtype == pl.Struct else records
        inputs, keys, withheld = [], [], []
        for text, key in zip(texts, decisions["key"], strict=True):
            record = json.loads(text)
            inputs.append(_text(self._inputs(record)))
            keys.append(self.key(key))
            withheld.append(_text(self._withheld(record)))
        told = {"inputs": inputs, "key": keys, "withheld": withheld}
        self.log.append_frame(
            decisions.with_columns(pl.Series(name, text) for name, text in told.items())
        )

    def between(self, first: str, last: str) -> list[Decision]:
        """Decisions as they are in the log."""
        return self.log.between(first, last)

    def logged(self, decision: Decision) -> Decision:
        """What is logged of a decision."""
        return replace(
            decision,
            inputs=self._inputs(decision.inputs),
            key=self.key(decision.key),
            withheld=self._withheld(decision.inputs),
        )

    def _withheld(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.how if name in record))

    def _inputs(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._instead(name, value)
            for name, value in record.items()
            if self.how.get(name) != OMIT
        }

    def key(self, key: str) -> str:
        """A key as the log has it."""
        known = json.loads(key)
        if not any(self.how.get(name) == PSEUDONYM for name in known):
            return key
        return canonical_json(
            {name: self._instead(name, value) for name, value in known.items()}
        ).decode()

    def _instead(self, name: str, value: Any) -> Any:
        if value is None or self.pseudonym is None or self.how.get(name) != PSEUDONYM:
            return value
        return self.pseudonym(name, value)


def spellings(
    key: Mapping[str, Any], personal: Sequence[str], pseudonym: Pseudonym
) -> Iterator[dict[str, Any]]:
    """All ways in which the log may have a key: what the charter says of it may have changed.

    >>> list(spellings({"customer": 1}, ["customer"], lambda column, value: f"{column}-{value}"))
    [{'customer': 1}, {'customer': 'customer-1'}]
    """
    ways = [
        [(name, value), (name, pseudonym(name, value))] if name in personal else [(name, value)]
        for name, value in key.items()
    ]
    for way in itertools.product(*ways):
        yield dict(way)
