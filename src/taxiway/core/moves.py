"""The tables of legal moves: which state may follow which, for deployments, handoffs and the rest.

A move that is not in its table does not exist. The tables are data, so that the console, the CLI
and the tests read the same thing that the code obeys.
"""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.core.errors import RefusedError

ENVIRONMENTS = ("dev", "qa", "prod")

ROLES = ("owner", "developer", "engineer", "validator", "auditor", "reviewer")

LINE_ROLES: Mapping[int, tuple[str, ...]] = {
    1: ("owner", "developer", "engineer"),
    2: ("validator",),
    3: ("auditor",),
}
"""The roles of each line of defence: 1 builds and owns, 2 validates, 3 audits.

A reviewer is in none: they decide on cases, which is the use of a model, and sign no check.
"""

PROMOTION: Mapping[str, str | None] = {"dev": None, "qa": "dev", "prod": "qa"}
"""Environment -> the environment where the release has to be, or have been, before."""

CHAMPION, CANARY, CHALLENGER = "champion", "canary", "challenger"

DEPLOYMENT: Mapping[str, tuple[str, ...]] = {
    CHALLENGER: (CANARY, CHAMPION, "withdrawn"),
    CANARY: (CANARY, CHAMPION, "withdrawn"),
    CHAMPION: ("replaced",),
    "replaced": (),
    "withdrawn": (),
}
"""Role of a release in an environment -> what may become of it there.

At most one release has each role, and a release at most one of them. The champion is never
withdrawn: another one replaces it, or a rollback does. A canary that becomes a canary gets another
share.
"""

HANDOFF_STAGES: Mapping[str, tuple[str, str]] = {
    "data": ("data", "development"),
    "release": ("development", "engineering"),
    "running": ("engineering", "business"),
}
"""Handoff -> (the owner who offers, the owner who accepts), as owners are named in the charter.

`data` hands a snapshot to training, `release` hands a candidate to those who run it, `running`
hands a rehearsed release to the business that will rely on it.
"""

HANDOFF: Mapping[str, tuple[str, ...]] = {
    "offered": ("accepted", "returned"),
    "accepted": (),
    "returned": (),
}

DEVIATION: Mapping[str, tuple[str, ...]] = {
    "asked": ("granted", "refused"),
    "granted": (),
    "refused": (),
}

RUN: Mapping[str, tuple[str, ...]] = {
    "started": ("finished", "failed"),
    "finished": (),
    "failed": (),
}

ALERT: Mapping[str, tuple[str, ...]] = {
    "open": ("acknowledged", "closed"),
    "acknowledged": ("closed",),
    "closed": (),
}

CASE: Mapping[str, tuple[str, ...]] = {
    "open": ("taken", "agreed", "overridden", "kept", "escalated"),
    "taken": ("agreed", "overridden", "kept", "escalated"),
    "escalated": ("agreed", "overridden"),
    "agreed": (),
    "overridden": (),
    "kept": (),
}
"""A case is settled once a person agreed with the model or overrode it, or once its time was over
and the charter keeps the model's answer. No state comes twice: a signed move can't be made again.
"""

CONSUMER: Mapping[str, tuple[str, ...]] = {"active": ("revoked",), "revoked": ()}

PROPOSAL: Mapping[str, tuple[str, ...]] = {
    "open": ("compared", "declined"),
    "compared": ("compared", "accepted", "declined"),
    "accepted": (),
    "declined": (),
}


def require_move(what: str, table: Mapping[str, tuple[str, ...]], before: str, after: str) -> None:
    """Raises `RefusedError` unless `before` -> `after` is in the table.

    >>> require_move("handoff 7", HANDOFF, "offered", "accepted")
    """
    if after not in table[before]:
        legal = ", ".join(table[before]) or "nothing: it is settled"
        raise RefusedError(f"{what} is {before} and can't become {after}; it can become {legal}.")
