"""Whether work was handed over: what the checks ask of the live handoff evidence."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import HANDOFFS
from taxiway.core.moves import HANDOFF_STAGES
from taxiway.governance.checks.reading import MalformedError, Record
from taxiway.governance.checks.rule import evidence_of


def handoff(case: Case, stage: str) -> tuple[str | None, str]:
    """(what is wrong with the handoff of a stage or None, who accepted it).

    Raises `MalformedError` if the evidence is not what it should be.
    """
    giver, taker = HANDOFF_STAGES[stage]
    missing = f"the {stage} handoff from {giver} to {taker} was never offered"
    if HANDOFFS not in case.evidence or case.evidence[HANDOFFS].examined == 0:
        return missing, ""
    reading = evidence_of(case, HANDOFFS)
    if not reading.has(f"found.{stage}"):
        return missing, ""
    found: Record = reading.record(f"found.{stage}")
    state = found.text("state")
    by = found.text("by") if found.answered("by") else ""
    if state == "accepted":
        if not by:
            raise MalformedError(f"{found.place}.by is missing")
        return None, by
    if state == "returned":
        reason = found.text("reason") if found.answered("reason") else "no reason given"
        return f"the {stage} handoff was returned by {by}: {reason}", by
    return f"the {stage} handoff is {state}; {taker} has not accepted it", by


def todo(stage: str, subject: str = "{release}") -> str:
    """The command that helps."""
    return f"`taxiway handoff offer {stage} {subject}`, then `taxiway handoff accept`."
