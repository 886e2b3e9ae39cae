"""Checks: from evidence to a verdict, and the flight check that holds them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from taxiway.core.evidence import Evidence
from taxiway.core.moves import LINE_ROLES
from taxiway.core.people import Binding, Deviation, SignOff


class Status(StrEnum):
    """What a check can say. Only the first and the last two let a release pass."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting for a signature"
    NO_EVIDENCE = "no evidence"
    DEVIATED = "deviated"
    NOT_APPLICABLE = "not applicable"


CLEAR = frozenset({Status.PASSED, Status.DEVIATED, Status.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found, what it required, why, and how much it examined."""

    check: str
    status: Status
    why: str
    found: str = ""
    required: str = ""
    examined: int = 0
    todo: str = ""


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One entry of the catalogue: an id that never changes its meaning, and whom it serves.

    `automatic` and `signed` are the A and the S of the catalogue; `signers` are the roles that may
    sign it (empty: the roles of its line). `kinds`, `tiers` and `environments` say where it applies
    (empty: everywhere), `when` says what has to be so (`deployed`: only once the release runs in
    the environment; `llm`, `third-party`: only for such models), and `clauses` is
    {rulebook id: [clause ids]}.
    """

    id: str
    title: str
    stage: str
    lines: tuple[int, ...]
    automatic: bool
    signed: bool
    clauses: Mapping[str, tuple[str, ...]]
    explain: str
    signers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    when: str = ""
    not_applicable: str = ""
    """The reason to show where it does not apply."""
    can_deviate: bool = True
    """Whether a deviation may be granted from it: not from what everything else rests on."""

    @property
    def signing_roles(self) -> tuple[str, ...]:
        """The roles that may sign it: its signers, or all roles of its lines."""
        return self.signers or tuple(role for line in self.lines for role in LINE_ROLES[line])


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a flight check looks at, gathered before any check runs."""

    model: str
    release: str
    kind: str
    tier: str
    environment: str
    now: datetime
    binding: Binding
    deployed: bool
    """Whether this release runs, or ran, in the environment as champion."""
    evidence: Mapping[str, Evidence]
    """The newest evidence of each kind; live kinds included."""
    sign_offs: Sequence[SignOff] = ()
    """Those whose signature holds and whose binding is the case's; void ones are left out."""
    void: Sequence[tuple[SignOff, str]] = ()
    """Sign-offs that no longer hold, with the reason."""
    deviations: Sequence[Deviation] = ()
    """Granted, signed and not expired."""
    traits: frozenset[str] = field(default_factory=frozenset)
    """What the charter says the model is: `llm`, `third-party`, `personal-data`, ..."""
    deployed_at: datetime | None = None
    """When it first became champion there: the first window of monitoring begins with it."""


Judge = Callable[[Case], Verdict]
"""An automatic check: a pure function that never raises, whatever the evidence holds."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The checks that have to be clear before a release of a tier enters an environment."""

    environment: str
    tier: str
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class FlightCheck:
    """The verdicts of all checks for one release, tier and environment."""

    model: str
    release: str
    environment: str
    tier: str
    binding: Binding
    verdicts: tuple[Verdict, ...]
    required: frozenset[str]
    at: datetime
    deployed: bool = False
    """Whether the release runs, or ran, in the environment already."""

    @property
    def blocking(self) -> tuple[Verdict, ...]:
        """The required checks that are not clear, in the order of the catalogue."""
        return tuple(v for v in self.verdicts if v.check in self.required and v.status not in CLEAR)

    @property
    def clear(self) -> bool:
        """True only if something was required and all of it is clear."""
        return bool(self.required) and not self.blocking
