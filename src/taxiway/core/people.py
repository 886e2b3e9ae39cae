"""People, their signatures, and what a signature is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxiway.core.digest import canonical_json


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts. `id` is the name; `public_key` is Ed25519, base64."""

    id: str
    roles: tuple[str, ...]
    public_key: str
    added_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """The exact digests that an approval is about. One changes, and the approval is void."""

    model: str
    """Digest of the release's manifest."""
    data: str
    """Digest of the snapshot it was trained on."""
    evidence: str
    """Digest over the contents of the evidence from charter to validation."""


@dataclass(frozen=True, slots=True)
class SignOff:
    """A person's signature for one check of one release, bound to three digests."""

    id: str
    check: str
    release: str
    model: str
    person: str
    line: int
    model_digest: str
    data_digest: str
    evidence_digest: str
    reason: str
    at: datetime
    signature: str

    @property
    def binding(self) -> Binding:
        return Binding(self.model_digest, self.data_digest, self.evidence_digest)

    def payload(self) -> bytes:
        """What the signature covers: everything but the signature itself."""
        return canonical_json(
            {
                "type": "taxiway/sign-off/1",
                "check": self.check,
                "release": self.release,
                "model": self.model,
                "person": self.person,
                "line": self.line,
                "model_digest": self.model_digest,
                "data_digest": self.data_digest,
                "evidence_digest": self.evidence_digest,
                "reason": self.reason,
                "at": self.at,
            }
        )


@dataclass(frozen=True, slots=True)
class Deviation:
    """A permitted departure from a check: reason, risk, approver, expiry. Never silent.

    `state` moves along `moves.DEVIATION`; only a granted one that has not expired and whose
    signature holds lets a check deviate.
    """

    id: str
    check: str
    release: str
    model: str
    reason: str
    risk: str
    until: datetime
    state: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    signature: str | None = None

    def payload(self) -> bytes:
        """What the approver's signature covers."""
        return canonical_json(
            {
                "type": "taxiway/deviation/1",
                "id": self.id,
                "check": self.check,
                "release": self.release,
                "model": self.model,
                "reason": self.reason,
                "risk": self.risk,
                "until": self.until,
                "asked_by": self.asked_by,
                "decided_by": self.decided_by,
                "state": self.state,
            }
        )


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person decided about a finding of meaning: two columns that do not say the same.

    It is bound to the contents of the finding and to what the two tables were said to hold, and
    void when one of them changes. What was decided later counts.
    """

    id: str
    model: str
    finding: str
    content: str
    """Digest of the finding as it was decided."""
    decision: str
    """`accept` the proposed mapping, `map` otherwise, or `reject` the finding."""
    says: str
    """The finding in words, as the person read it."""
    mapping: dict[str, Any] | None
    """What is done to a column when its table is loaded; None: nothing."""
    tables: dict[str, str]
    """Table -> digest of what it was said to hold."""
    reason: str
    person: str
    at: datetime
    signature: str

    def payload(self) -> bytes:
        """What the signature covers: everything but the signature itself."""
        return canonical_json(
            {
                "type": "taxiway/resolution/1",
                "id": self.id,
                "model": self.model,
                "finding": self.finding,
                "content": self.content,
                "decision": self.decision,
                "says": self.says,
                "mapping": self.mapping,
                "tables": self.tables,
                "reason": self.reason,
                "person": self.person,
                "at": self.at,
            }
        )


@dataclass(frozen=True, slots=True)
class Review:
    """What people made of a case: an answer of the model on which a person decides.

    `id` is the decision's. Until somebody takes the case or its time is over, only the decision log
    knows of it. `state` moves along `moves.CASE`; whoever takes or decides signs it.
    """

    id: str
    model: str
    environment: str
    release: str
    because: tuple[str, ...]
    """The rules that made it a case."""
    proposed: str
    """The model's answer: `yes`, `no`, or its number."""
    opened_at: datetime
    due: datetime
    state: str
    taken_by: str | None = None
    taken_at: datetime | None = None
    taken_signature: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    """When it was settled, be it by nobody (`kept`)."""
    reason: str | None = None
    signature: str | None = None

    @property
    def answer(self) -> str | None:
        """The answer that counts; None while a person has yet to decide. `no` to a number says that
        it does not stand; the reason says what counts instead."""
        if self.state == "overridden":
            return "yes" if self.proposed == "no" else "no"
        return self.proposed if self.state in {"agreed", "kept"} else None

    def payload(self, after: str, person: str, reason: str = "") -> bytes:
        """What a person signs to move the case from where it is: once, as no state comes twice."""
        return canonical_json(
            {
                "type": "taxiway/case/1",
                "case": self.id,
                "model": self.model,
                "release": self.release,
                "proposed": self.proposed,
                "before": self.state,
                "after": after,
                "person": person,
                "reason": reason,
            }
        )


@dataclass(frozen=True, slots=True)
class Handoff:
    """Work that one owner offers and another accepts or returns (`moves.HANDOFF_STAGES`).

    `subject` is what is handed over: a snapshot's digest, or a release such as `churn:3`.
    """

    id: str
    model: str
    stage: str
    subject: str
    summary: str
    due: datetime
    state: str
    offered_by: str
    offered_at: datetime
    answered_by: str | None = None
    answered_at: datetime | None = None
    reason: str | None = None
