"""Cases: answers of a model on which a person decides. Taken, decided, and timed out.

A case is a decision in the log whose output says that a person has to look; what people make of it
is a fact of its own (`Review`), along `moves.CASE`, signed by whoever made the move. The model's
decision stays in the log as it was: an override stands beside it.

Who has the role reviewer, an owner, or whom the charter names under `oversight.who` takes cases;
whoever took one decides it. An owner decides any, and alone those whose time is over, where the
charter lets them escalate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from taxiway.core.decision import Decision, in_a_word
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.ledger import Sign
from taxiway.core.moves import CASE, require_move
from taxiway.core.people import Person, Review
from taxiway.core.ports import Desk, Record, Telling
from taxiway.governance.people import require_active

LEAD = "owner"
REVIEWERS = ("reviewer", LEAD)
UNSETTLED = ("open", "taken", "escalated")
TIMED_OUT = {"keep": "kept", "escalate": "escalated"}
"""`oversight.on_timeout` -> what a case comes to."""
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}

DEFAULTS = {"answer_within": "2d", "on_timeout": "escalate"}
"""Of a charter that leaves them out."""

YES_OR_NO = ("yes", "no")
LONGEST_REASON = 2000
AT_ONCE = 1_000
"""Cases that are written down as timed out in one transaction."""
Bearer = tuple[Person, Sign]
"""Who moves a case, and how what they sign is had: from their key, or from what they sent."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a charter says of cases."""

    who: str
    within: timedelta
    on_timeout: str


def terms_of(oversight: Mapping[str, Any]) -> Terms:
    """The terms of a charter's oversight, as plain data: an endpoint needs no charter model.

    >>> terms_of({"who": "churn-desk", "answer_within": "36h"}).within
    datetime.timedelta(days=1, seconds=43200)
    """
    said = DEFAULTS | dict(oversight)
    amount, unit = said["answer_within"][:-1], said["answer_within"][-1]
    return Terms(said["who"], UNITS[unit] * int(amount), said["on_timeout"])


def review_of(decision: Decision, known: Review | None, terms: Terms, now: datetime) -> Review:
    """How a case stands at a moment, whether or not somebody wrote down that its time is over.

    Raises `MissingError` for a decision that is no case.
    """
    if not decision.because:
        raise MissingError(
            f"Decision {decision.id} is no case: the model's answer stands.",
            todo="`taxiway cases list` shows those on which a person decides.",
        )
    review = known or Review(
        id=decision.id,
        model=decision.model,
        environment=decision.environment,
        release=decision.release,
        because=decision.because,
        proposed=in_a_word(decision.output),
        opened_at=decision.at,
        due=decision.at + terms.within,
        state="open",
    )
    if review.state in {"open", "taken"} and now >= review.due:
        return _timed_out(review, terms)
    return review


def _timed_out(review: Review, terms: Terms) -> Review:
    state = TIMED_OUT[terms.on_timeout]
    settled_at = review.due if state == "kept" else None
    return dataclasses.replace(review, state=state, decided_at=settled_at)


def bearer(desk: Desk, to: str) -> Bearer:
    """The actor of the desk, with their key."""
    actor = desk.acting(to=to)
    return require_active(desk, actor), actor.sign


def sent_by(desk: Desk, name: str, signature: str) -> Bearer:
    """A person who is somewhere else, with the signature that they sent."""
    known = {person.id: person for person in desk.record.find(Person)}
    if name not in known:
        raise MissingError.named("person", name, known)
    person = known[name]
    if person.removed_at is not None:
        raise RefusedError(f"{name} was removed and can't act any more.")
    return person, lambda _: signature


def take(
    desk: Desk, decision: Decision, terms: Terms, who: Bearer, *, dry_run: bool = False
) -> Review:
    """A person takes a case, so that others leave it to them. Taking it again changes nothing."""
    known, review = _found(desk, decision, terms)
    person, _ = who
    if review.state == "taken" and review.taken_by == person.id:
        _signed(desk, dataclasses.replace(review, state="open"), "taken", "", who, dry_run=dry_run)
        return review
    if review.state == "taken":
        raise RefusedError(
            f"Case {review.id} was taken by {review.taken_by}.",
            todo="An owner can decide it in their place.",
        )
    require_move(f"Case {review.id}", CASE, review.state, "taken")
    if not (set(person.roles) & set(REVIEWERS) or person.id == terms.who):
        raise RefusedError(
            f"{person.id} may not take case {review.id}: it takes the role"
            f" {' or '.join(REVIEWERS)}, or to be {terms.who}, whom the charter names."
        )
    after = dataclasses.replace(
        review,
        state="taken",
        taken_by=person.id,
        taken_at=desk.now(),
        taken_signature=_signed(desk, review, "taken", "", who, dry_run=dry_run),
    )
    _write(desk, "case.taken", known, after, {"by": person.id}, dry_run=dry_run)
    return after


def decide(
    desk: Desk,
    decision: Decision,
    terms: Terms,
    who: Bearer,
    *,
    answer: str,
    reason: str,
    dry_run: bool = False,
) -> Review:
    """A person answers a case with the reason: they agree, or override. Of a number, `yes` says
    that it stands, and `no` that it does not."""
    if answer not in YES_OR_NO:
        raise InputError(f"The answer is yes or no; found {answer!r}.")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InputError(
            f"A decision on a case needs a reason of 1 to {LONGEST_REASON} characters.",
            todo='Add --reason "what you looked at and what you conclude".',
        )
    known, review = _found(desk, decision, terms)
    person, _ = who
    agreed = answer == (review.proposed if review.proposed in YES_OR_NO else "yes")
    state = "agreed" if agreed else "overridden"
    require_move(f"Case {review.id}", CASE, review.state, state)
    _require_may_decide(review, person)
    reason = reason.strip()
    after = dataclasses.replace(
        review,
        state=state,
        decided_by=person.id,
        decided_at=desk.now(),
        reason=reason,
        signature=_signed(desk, review, state, reason, who, dry_run=dry_run),
    )
    told = {"by": person.id, "answer": answer, "reason": reason}
    _write(desk, "case.decided", known, after, told, dry_run=dry_run)
    return after


def expire(desk: Desk, model: str, terms: Terms, *, dry_run: bool = False) -> list[Review]:
    """Writes down which cases of a model timed out. A scheduler may ask on nobody's behalf."""
    known = {one.id: one for one in desk.record.find(Review, model=model)}
    timed_out = [
        review
        for _, review in listed(desk, model, terms)
        if review.state in TIMED_OUT.values()
        and (review.id not in known or known[review.id].state != review.state)
    ]
    if dry_run:
        return timed_out
    for start in range(0, len(timed_out), AT_ONCE):
        part = timed_out[start : start + AT_ONCE]
        with desk.change("cases.expired", model, model=model) as change:
            for review in part:
                _put(change, known.get(review.id), review)
            change.details = {"cases": len(part), "on_timeout": terms.on_timeout}
    return timed_out


def listed(
    desk: Desk,
    model: str,
    terms: Terms,
    *,
    environment: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[tuple[Decision, Review]]:
    """The cases of a model whose event happened in a span, the newest first."""
    known = {one.id: one for one in desk.record.find(Review, model=model)}
    now = desk.now()
    for decision in desk.decisions.scan(
        model, environment=environment, start=start, end=end, cases=True, newest_first=True
    ):
        yield decision, review_of(decision, known.get(decision.id), terms, now)


def standing(desk: Desk, decision: Decision, terms: Terms) -> Review:
    """How a case stands now. Raises `MissingError` for a decision that is no case."""
    return _found(desk, decision, terms)[1]


def forged(record: Record, signed: Callable[[str, bytes, str], bool]) -> Iterator[str]:
    """Reviews whose mover did not sign them: events of the endpoint carry no other signature.

    `signed` says whether a signature is a person's.
    """
    for review in record.find(Review):
        for person, after, reason, signature in (
            (review.taken_by, "taken", "", review.taken_signature),
            (review.decided_by, review.state, review.reason or "", review.signature),
        ):
            if person is None:
                continue
            holds = any(
                signed(person, payload, signature or "")
                for before, legal in CASE.items()
                if after in legal
                for payload in [
                    dataclasses.replace(review, state=before).payload(after, person, reason)
                ]
            )
            if not holds:
                yield f"review {review.id} does not carry the signature of {person}"


def _found(desk: Desk, decision: Decision, terms: Terms) -> tuple[Review | None, Review]:
    """What the record holds of a case, and how it stands now."""
    kept = desk.record.find(Review, id=decision.id)
    known = kept[0] if kept else None
    return known, review_of(decision, known, terms, desk.now())


def _require_may_decide(review: Review, person: Person) -> None:
    if LEAD in person.roles or (review.state == "taken" and review.taken_by == person.id):
        return
    who = "an owner"
    if review.state == "taken":
        who = f"{review.taken_by}, who took it, or an owner"
    todo = f"Take it first: taxiway cases take {review.id}" if review.state == "open" else None
    raise RefusedError(
        f"{person.id} may not decide case {review.id}, which is {review.state}: it takes {who}.",
        todo=todo,
    )


def _signed(
    desk: Desk, review: Review, after: str, reason: str, who: Bearer, *, dry_run: bool = False
) -> str:
    """The person's signature for a move. Raises `RefusedError` if it does not hold."""
    if dry_run:
        return ""
    person, sign = who
    payload = review.payload(after, person.id, reason)
    signature = sign(payload)
    if not desk.verify(person.public_key, payload, signature):
        raise RefusedError(
            f"The signature does not hold: it is not by the key that the record knows of"
            f" {person.id}, or not for case {review.id} to become {after} from {review.state}.",
            todo="Sign what the case is now (docs/cases.md), with the key of the person.",
        )
    return signature


def _write(
    desk: Desk,
    action: str,
    known: Review | None,
    after: Review,
    told: Mapping[str, object],
    *,
    dry_run: bool,
) -> None:
    if dry_run:
        return
    with desk.change(action, after.id, model=after.model) as change:
        _put(change, known, after)
        change.details = {
            "environment": after.environment,
            "release": after.release,
            "because": list(after.because),
            "proposed": after.proposed,
            **told,
        }


def _put(change: Telling, known: Review | None, after: Review) -> None:
    if known:
        change.replace(known, after)
    else:
        change.add(after)
