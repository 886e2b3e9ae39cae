"""Checks of the audit: whether the ledger is whole."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import LEDGER
from taxiway.governance.checks.reading import listed
from taxiway.governance.checks.rule import Answer, evidence_of


def ledger(case: Case) -> Answer:
    """AU-01: no event was changed, removed or moved."""
    reading = evidence_of(case, LEDGER)
    problems = reading.texts("found.problems")
    head = reading.text("found.head")
    return Answer(
        [f"the ledger does not hold: {listed(problems)}"] if problems else [],
        f"{reading.evidence.examined:,} events, each following the one before it",
        found=f"{len(problems)} problems, head {head[:19]}",
        required="0",
        todo="`taxiway ledger verify` names the events; restore the record from its backup.",
    )
