"""The decision on a proposal: a signature of the owner whom the charter names."""

from __future__ import annotations

import dataclasses

from taxiway.core.charter import Charter
from taxiway.core.digest import canonical_json
from taxiway.core.errors import InputError, MissingError, RefusedError, shortened
from taxiway.core.evidence import Evidence
from taxiway.core.facts import Alert, Proposal
from taxiway.core.moves import PROPOSAL, require_move
from taxiway.core.people import Person
from taxiway.core.ports import Actor, Desk
from taxiway.retraining.comparison import WINS
from taxiway.retraining.proposal import answer, champion_of

SHORTEST_REASON = 3


def accept(
    desk: Desk,
    proposal: str,
    *,
    charter: Charter,
    reason: str,
    despite: str = "",
    dry_run: bool = False,
) -> Proposal:
    """Accepts the challenger of a compared proposal; its promotion is the next step, as always.

    `despite` is the reason for accepting a challenger that did not win; without it that is refused.
    Raises `RefusedError` if the actor isn't the owner who decides, if nothing was compared, or if
    the champion was replaced since the comparison; `MissingError` if there is no such proposal.
    """
    before = desk.record.get(Proposal, proposal)
    actor = _decider(desk, before, charter)
    require_move(f"proposal {proposal}", PROPOSAL, before.state, "accepted")
    comparison = desk.record.get(Evidence, before.comparison or "")
    current = champion_of(desk, before.model, before.environment)
    if comparison.found["champion"] != current:
        raise RefusedError(
            f"{before.challenger} was compared with {comparison.found['champion']}, but {current}"
            f" is the champion in {before.environment} now.",
            todo="Run `taxiway retrain` again.",
        )
    decision, verdict = _reason(reason), comparison.found["verdict"]
    if verdict != WINS:
        if not _is_reason(despite):
            raise RefusedError(
                f"{before.challenger} did not win against {before.champion}: {verdict}.",
                todo="Decline it, or say with --despite why it is accepted all the same.",
            )
        decision += f" (despite {verdict!r}: {despite.strip()})"
    unsigned = _decided(desk, before, actor, "accepted", decision)
    return unsigned if dry_run else _signed(desk, before, unsigned, actor, comparison)


def decline(
    desk: Desk, proposal: str, *, charter: Charter, reason: str, dry_run: bool = False
) -> Proposal:
    """Declines a proposal, compared or not. The champion stays.

    Raises `RefusedError` if the actor isn't the owner who decides or it is decided already.
    """
    before = desk.record.get(Proposal, proposal)
    actor = _decider(desk, before, charter)
    require_move(f"proposal {proposal}", PROPOSAL, before.state, "declined")
    unsigned = _decided(desk, before, actor, "declined", _reason(reason))
    if dry_run:
        return unsigned
    return _signed(desk, before, unsigned, actor, _comparison(desk, before))


def payload(proposal: Proposal, comparison: Evidence | None) -> bytes:
    """What the decider's signature covers: the decision, and the contents it was taken on."""
    signed = {
        "type": "taxiway/proposal/1",
        "id": proposal.id,
        "model": proposal.model,
        "environment": proposal.environment,
        "champion": proposal.champion,
        "challenger": proposal.challenger,
        "alerts": proposal.alerts,
        "comparison": comparison.content if comparison else None,
        "state": proposal.state,
        "decision": proposal.decision,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
    }
    return canonical_json(signed)


def holds(desk: Desk, proposal: Proposal) -> bool:
    """Whether a decided proposal's signature is the decider's, over what the record holds now."""
    if proposal.signature is None or proposal.decided_by is None:
        return False
    try:
        key = desk.record.get(Person, proposal.decided_by).public_key
        content = payload(proposal, _comparison(desk, proposal))
    except MissingError:
        return False
    return desk.verify(key, content, proposal.signature)


def _decider(desk: Desk, proposal: Proposal, charter: Charter) -> Actor:
    actor = desk.acting(to=f"decide on proposal {proposal.id}")
    place = charter.retraining.decided_by
    owner = getattr(charter.owners, place)
    if charter.name != proposal.model:
        raise InputError(f"Proposal {proposal.id} is about {proposal.model}, not {charter.name}.")
    if actor.name != owner:
        raise RefusedError(
            f"{actor.name} may not decide on proposal {proposal.id}: the charter of"
            f" {proposal.model} leaves it to the {place} owner, {owner or 'who is not named'}."
        )
    return actor


def _comparison(desk: Desk, proposal: Proposal) -> Evidence | None:
    return desk.record.get(Evidence, proposal.comparison) if proposal.comparison else None


def _is_reason(text: str) -> bool:
    return len(text.strip()) >= SHORTEST_REASON


def _reason(text: str) -> str:
    if not _is_reason(text):
        raise InputError(
            f"A decision needs a reason; found {shortened(text.strip()) or 'nothing'!r}.",
            todo="Say why with --reason.",
        )
    return text.strip()


def _decided(desk: Desk, before: Proposal, actor: Actor, state: str, decision: str) -> Proposal:
    return dataclasses.replace(
        before, state=state, decision=decision, decided_by=actor.name, decided_at=desk.now()
    )


def _signed(
    desk: Desk, before: Proposal, unsigned: Proposal, actor: Actor, comparison: Evidence | None
) -> Proposal:
    """Signs and writes a decision; the alerts that asked for it are closed with it."""
    after = dataclasses.replace(unsigned, signature=actor.sign(payload(unsigned, comparison)))
    alerts = [desk.record.get(Alert, alert) for alert in before.alerts]
    with desk.change(f"proposal.{after.state}", before.id, model=before.model) as change:
        change.replace(before, after)
        for alert in alerts:
            if alert.state != "closed":
                answer(desk, change, alert, state="closed", proposal=before.id)
        change.details = {
            "decision": after.decision,
            "challenger": before.challenger,
            "champion": before.champion,
        }
    return after
