"""What the record remembers of a model's way: snapshot, run, release, deployment and the rest.

Each fact has an `id` and flat fields: text, numbers, times, and plain JSON data. That is all that
a store has to know to keep them (see `ports.Record`). Facts never change, except along a table in
`core.moves`, and then together with their event in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taxiway.core.digest import LATER


@dataclass(frozen=True, slots=True)
class Model:
    """A model under governance: one charter, many releases. `id` is its name."""

    id: str
    kind: str
    tier: str
    charter_digest: str
    project: str
    """Where the project lay when it was last planned; for people, never for decisions."""
    owners: dict[str, str]
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Developed:
    """That a person developed a model: the author of one of its runs, or its charter's developer.

    The database refuses their second-line sign-offs for it. `id` is `model/person`.
    """

    id: str
    model: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable, content-addressed version of a data set. `id` is the digest of its manifest."""

    id: str
    model: str
    contract_digest: str
    data_digest: str
    """Digest of the Parquet object that holds the rows."""
    profile_digest: str
    source: str
    rows: int
    first_time: datetime | None
    last_time: datetime | None
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Run:
    """One training execution: code + snapshot + parameters + seed + environment -> candidate."""

    id: str
    model: str
    snapshot: str
    code_digest: str
    environment_digest: str
    seed: int
    parameters: dict[str, Any]
    state: str
    by: str
    started_at: datetime
    finished_at: datetime | None = None
    metrics: dict[str, Any] | None = None
    release: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """An immutable, signed, content-addressed model artefact. `id` is `model:number`."""

    id: str
    model: str
    number: int
    digest: str
    """Digest of the manifest, which lists every file of the artefact with its digest."""
    run: str
    snapshot: str
    data_digest: str
    charter_digest: str
    contract_digest: str
    author: str
    signature: str
    """The author's Ed25519 signature, base64, over the DSSE encoding of the manifest."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Deployment:
    """A release in an environment in a role: at most one champion, canary and challenger each.

    A champion answers; a canary answers for `share` percent of the keys; a challenger decides in
    shadow, and its answers never leave.
    """

    id: str
    model: str
    environment: str
    role: str
    release: str
    release_digest: str
    evidence_digest: str
    sign_offs: tuple[str, ...]
    replaces: str | None
    """The release that was there before; None for the first one."""
    how: str
    """`promotion` or `rollback`."""
    since: datetime
    by: str
    until: datetime | None = None
    share: int | None = field(default=None, metadata={LATER: "0002"})
    """Percent of the keys for which a canary answers."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody or some program that may ask an endpoint, for one permitted use.

    `id` is its name. The key itself is kept nowhere, only its digest.
    """

    id: str
    model: str
    purpose: str
    key_digest: str
    requests_per_minute: int
    expires_at: datetime
    state: str
    added_at: datetime
    by: str
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict of monitoring about one window of one deployed release."""

    id: str
    model: str
    release: str
    environment: str
    kind: str
    """`drift`, `output`, `performance`, `value` or `guardrail`."""
    subject: str
    """What it is about: a column, the output, a metric."""
    severity: str
    """`page` for consequences, `note` for what explains them."""
    window_start: datetime
    window_end: datetime
    what: str
    found: dict[str, Any]
    required: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """A finding that reached its owner."""

    id: str
    finding: str
    model: str
    environment: str
    owner: str
    """The owner's place in the charter (`business`, `development`, ...)."""
    person: str
    state: str
    at: datetime
    answered_by: str | None = None
    answered_at: datetime | None = None
    proposal: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A retraining that alerts asked for, waiting to be run, compared and decided."""

    id: str
    model: str
    environment: str
    champion: str
    reason: str
    alerts: tuple[str, ...]
    state: str
    at: datetime
    by: str
    challenger: str | None = None
    comparison: str | None = None
    """The id of the evidence that compares challenger and champion."""
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str | None = None
    signature: str | None = None
