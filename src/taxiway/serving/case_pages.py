"""Cases over HTTP: whoever may ask the model sees how they stand, and people who sign move them.

The gate lets consumers in, not persons. So nothing that a case is about leaves here but to somebody
who takes or decides it, with a signature by their own key; what that has to cover says
`core.people.Review.payload`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs

from taxiway.core.decision import Decision
from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.core.moves import CASE
from taxiway.core.people import Review
from taxiway.serving.bodies import JSON, READ
from taxiway.serving.values import found_text

Case = tuple[Decision, Review]

WAITING = "waiting"
STATES: Mapping[str, Sequence[str]] = {
    WAITING: ("open", "taken", "escalated"),
    "all": tuple(CASE),
    **{state: (state,) for state in CASE},
}
"""What can be asked for -> the states that it means."""
SHOWN, MOST = 20, 200


class Cases(Protocol):
    """The cases of a workspace, for people who are somewhere else."""

    def listed(self, model: str, states: Sequence[str], limit: int) -> list[Case]:
        """Cases in these states, the newest first."""

    def shown(self, model: str, id: str) -> Case:
        """A case. Raises `MissingError`."""

    def take(self, model: str, id: str, person: str, signature: str) -> Case:
        """A person takes it. Raises `RefusedError`."""

    def decide(self, model: str, id: str, sent: Mapping[str, str]) -> Case:
        """A person decides it: {person, signature, answer, reason}. Raises `RefusedError`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request about cases says."""

    model: str
    case: str
    query: str
    sent: bytes


def listed(cases: Cases, asked: Asked) -> Any:
    """`?state=waiting&limit=20`."""
    given = parse_qs(asked.query, keep_blank_values=True)
    if unknown := sorted(given.keys() - {"state", "limit"}):
        raise InputError(f"There is no {shortened(unknown[0], 40)!r}; there are state and limit.")
    if twice := [name for name, values in given.items() if len(values) > 1]:
        raise InputError(f"{twice[0]} is there twice.")
    (state,), (limit,) = given.get("state", [WAITING]), given.get("limit", [str(SHOWN)])
    if state not in STATES:
        match = close_match(state, STATES)
        raise InputError(
            f"There is no state {shortened(state, 40)!r}; there are {', '.join(STATES)}.",
            todo=f"Did you mean {match!r}?" if match else None,
        )
    if not re.fullmatch("[1-9][0-9]{0,2}", limit) or int(limit) > MOST:
        raise InputError(f"limit is 1 to {MOST}; found {shortened(limit, 40)!r}.")
    found = cases.listed(asked.model, STATES[state], int(limit))
    return {"cases": [plain(one) for one in found]}


def shown(cases: Cases, asked: Asked) -> Any:
    """How a case stands."""
    return plain(cases.shown(asked.model, asked.case))


def take(cases: Cases, asked: Asked) -> Any:
    """The case with what it is about, for the person who has it now."""
    sent = _read(asked.sent, ("person", "signature"))
    return whole(cases.take(asked.model, asked.case, sent["person"], sent["signature"]))


def decide(cases: Cases, asked: Asked) -> Any:
    """The case as it was decided."""
    sent = _read(asked.sent, ("person", "signature", "answer", "reason"))
    return whole(cases.decide(asked.model, asked.case, sent))


PAGES: Mapping[str, tuple[str, Callable[[Cases, Asked], Any]]] = {
    "/v1/models/NAME/cases": ("GET", listed),
    "/v1/models/NAME/cases/{case}": ("GET", shown),
    "/v1/models/NAME/cases/{case}/take": ("POST", take),
    "/v1/models/NAME/cases/{case}/decide": ("POST", decide),
}
"""Path -> its method, and what answers."""


def plain(case: Case) -> dict[str, Any]:
    """How a case stands, and nothing of what it is about."""
    decision, review = case
    return {
        "case": review.id,
        "model": review.model,
        "release": review.release,
        "environment": review.environment,
        "because": list(review.because),
        "proposed": review.proposed,
        **{name: decision.output[name] for name in ("probability",) if name in decision.output},
        "state": review.state,
        "answer": review.answer,
        "opened_at": utc_text(review.opened_at),
        "due": utc_text(review.due),
        "taken_by": review.taken_by,
        "decided_by": review.decided_by,
        "decided_at": utc_text(review.decided_at) if review.decided_at else None,
    }


def whole(case: Case) -> dict[str, Any]:
    """A case with what it is about."""
    decision, review = case
    about = {"inputs": decision.inputs, "reasons": decision.output["reasons"]}
    return {**plain(case), **about, "reason": review.reason}


def _read(sent: bytes, names: Sequence[str]) -> dict[str, str]:
    """The texts of a body. Raises `InputError` with everything that is wrong."""
    body = READ[JSON](sent)
    if not isinstance(body, dict):
        problem = Problem("is of another form", found_text(body), "an object", "body")
        raise InputError("The body can't be used.", [problem])
    problems = [
        Problem("is no text" if name in body else "is missing", where=name, expected="text")
        for name in names
        if not isinstance(body.get(name), str)
    ]
    for name in sorted(body.keys() - set(names)):
        match = close_match(name, names)
        todo = f"Did you mean {match!r}?" if match else None
        problems.append(Problem("is not asked for", where=shortened(name, 40), todo=todo))
    if problems:
        raise InputError("The body can't be used. The case is as it was.", problems)
    return body
