"""What makes a check of a rule: the guard that says what is missing before the rule may judge.

A rule is a plain function from the case to an answer. The guard around it sees that the evidence is
there, is about this release, and examined something; it turns malformed evidence into a failure
that names what is malformed. So a check never raises and never passes on nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from taxiway.core import evidence as kinds
from taxiway.core.check import Case, Status, Verdict
from taxiway.core.errors import shortened
from taxiway.core.evidence import Evidence
from taxiway.governance.checks.reading import MalformedError, Reading

MAKES: dict[str, str] = {
    kinds.PLAN: "taxiway plan",
    kinds.PROVENANCE: "taxiway data snapshot",
    kinds.VALIDATION: "taxiway data snapshot",
    kinds.LIKENESS: "taxiway train, with a sample of production in the charter's data.production",
    kinds.CODE: "taxiway train",
    kinds.RERUN: "taxiway train",
    kinds.LEAKAGE: "taxiway train",
    kinds.TRAPS: "taxiway train",
    kinds.PRIVACY: "taxiway train",
    kinds.BIAS: "taxiway train",
    kinds.METRICS: "taxiway train",
    kinds.SLICES: "taxiway train",
    kinds.EXPLANATIONS: "taxiway train",
    kinds.INDEPENDENCE: "taxiway check",
    kinds.INTEGRITY: "taxiway check",
    kinds.HANDOFFS: "taxiway handoff offer",
    kinds.LEDGER: "taxiway check",
    kinds.ACCESS: "taxiway consumers add",
    kinds.MEANING: "taxiway check",
    kinds.PARITY: "taxiway train",
    kinds.REHEARSAL: "taxiway rehearse {release}",
    kinds.DRIFT: "taxiway watch",
    kinds.PERFORMANCE: "taxiway watch",
    kinds.OVERSIGHT: "taxiway watch, with oversight.sample in the charter",
}
"""Kind of evidence -> the command that makes it."""

ABOUT_RELEASE = frozenset(
    {
        kinds.LIKENESS,
        kinds.CODE,
        kinds.RERUN,
        kinds.LEAKAGE,
        kinds.TRAPS,
        kinds.PRIVACY,
        kinds.BIAS,
        kinds.METRICS,
        kinds.SLICES,
        kinds.EXPLANATIONS,
        kinds.PARITY,
        kinds.REHEARSAL,
        kinds.DRIFT,
        kinds.PERFORMANCE,
        kinds.OVERSIGHT,
    }
)
"""Kinds whose subject is the release: evidence about another one proves nothing here."""

ABOUT_DEPLOYMENT = frozenset({kinds.DRIFT, kinds.PERFORMANCE, kinds.OVERSIGHT})
"""Kinds that are about the release in one environment."""

LONGEST = 600


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule says. It passes if there are no problems.

    `holds` is why, when it does; `status` is set where the answer is neither yes nor no.
    """

    problems: Sequence[str]
    holds: str
    found: str = ""
    required: str = ""
    todo: str = ""
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the catalogue and the evidence it can't do without, the main one first."""

    check: str
    answer: Callable[[Case], Answer]
    needs: tuple[str, ...]
    unless: Callable[[Case], str | None] = lambda _: None
    """Why it does not apply yet, if it does not; asked before anything else."""

    def __call__(self, case: Case) -> Verdict:
        """The verdict. Never raises, whatever the evidence holds."""
        not_yet = self.unless(case)
        if not_yet:
            return Verdict(self.check, Status.NOT_APPLICABLE, not_yet)
        missing = [kind for kind in self.needs if kind not in case.evidence]
        if missing:
            return self._lacking(case, missing[0])
        for kind in self.needs:
            strange = _strange(case, kind, case.evidence[kind])
            if strange:
                return self._failed(case, strange, MAKES[kind])
        try:
            answer = self.answer(case)
        except MalformedError as error:
            return self._failed(case, f"malformed evidence: {error}", MAKES[self.needs[0]])
        return self._verdict(case, answer)

    def _verdict(self, case: Case, answer: Answer) -> Verdict:
        status = answer.status or (Status.FAILED if answer.problems else Status.PASSED)
        return Verdict(
            self.check,
            status,
            why=shortened("; ".join(answer.problems) or answer.holds, LONGEST),
            found=shortened(answer.found),
            required=shortened(answer.required),
            examined=self._examined(case),
            todo=answer.todo.format(release=case.release) if answer.problems else "",
        )

    def _lacking(self, case: Case, kind: str) -> Verdict:
        return Verdict(
            self.check,
            Status.NO_EVIDENCE,
            why=f"there is no {kind} evidence",
            required=f"evidence {kind}",
            todo=f"Run: {MAKES[kind]}".format(release=case.release),
        )

    def _failed(self, case: Case, why: str, makes: str) -> Verdict:
        return Verdict(
            self.check,
            Status.FAILED,
            why=shortened(why, LONGEST),
            required=f"evidence {', '.join(self.needs)}",
            examined=self._examined(case),
            todo=f"Run again: {makes}".format(release=case.release),
        )

    def _examined(self, case: Case) -> int:
        """How much the main evidence examined."""
        examined = case.evidence[self.needs[0]].examined
        return examined if _is_count(examined) else 0


def evidence_of(case: Case, kind: str) -> Reading:
    """The evidence of a kind. Raises `MalformedError` if there is none or it examined nothing."""
    if kind not in case.evidence:
        raise MalformedError(f"there is no {kind} evidence")
    strange = _strange(case, kind, case.evidence[kind])
    if strange:
        raise MalformedError(strange)
    return Reading(case.evidence[kind])


def _strange(case: Case, kind: str, evidence: Evidence) -> str | None:
    """What makes evidence worthless before anything in it is read."""
    if evidence.kind != kind:
        return f"malformed evidence: {evidence.kind} was given as {kind}"
    if not _is_count(evidence.examined):
        return f"{kind} examined nothing, and nothing proves nothing"
    if kind in ABOUT_RELEASE and evidence.subject != case.release:
        return f"{kind} is about {evidence.subject}, not about {case.release}"
    if kind in ABOUT_DEPLOYMENT and evidence.environment != case.environment:
        return f"{kind} is about {evidence.environment}, not about {case.environment}"
    return None


def _is_count(examined: object) -> bool:
    return isinstance(examined, int) and not isinstance(examined, bool) and examined > 0
