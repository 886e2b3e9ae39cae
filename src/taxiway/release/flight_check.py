"""The flight check: every check of the catalogue for one release, tier and environment.

It combines what was judged, what was signed and what was allowed to deviate. Nothing passes because
nothing is known: a check that is not built has no evidence, and a policy that names a check which
does not exist is not clear.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from taxiway.core.check import CLEAR, Case, CheckSpec, FlightCheck, Judge, Policy, Status, Verdict
from taxiway.core.people import Deviation

WHEN: Mapping[str, Callable[[Case], bool]] = {
    "deployed": lambda case: case.deployed,
    "year-old": lambda case: (
        case.deployed_at is not None and case.now - case.deployed_at >= timedelta(days=365)
    ),
}
"""Conditions that follow from where the release runs; every other one is a trait of the model."""


def fly(
    case: Case, catalogue: Sequence[CheckSpec], automatic: Mapping[str, Judge], policy: Policy
) -> FlightCheck:
    """The verdicts in the catalogue's order, and what of them is required.

    Raises `ValueError` if the policy is another environment's or tier's than the case's.
    """
    if (policy.environment, policy.tier) != (case.environment, case.tier):
        raise ValueError(
            f"the policy of {policy.environment}/{policy.tier} can't judge a case of"
            f" {case.environment}/{case.tier}"
        )
    verdicts = [verdict(case, spec, automatic.get(spec.id)) for spec in catalogue]
    unknown = sorted(policy.required - {spec.id for spec in catalogue})
    verdicts += [
        Verdict(check, Status.NO_EVIDENCE, why="the policy requires it, and no catalogue holds it")
        for check in unknown
    ]
    return FlightCheck(
        model=case.model,
        release=case.release,
        environment=case.environment,
        tier=case.tier,
        binding=case.binding,
        verdicts=tuple(verdicts),
        required=policy.required,
        at=case.now,
        deployed=case.deployed,
    )


def verdict(case: Case, spec: CheckSpec, judge: Judge | None) -> Verdict:
    """The verdict of one check: applicable, judged, signed, and deviated from, in this order."""
    reason = why_not_applicable(case, spec)
    if reason:
        return Verdict(spec.id, Status.NOT_APPLICABLE, why=reason)
    judged = _judged(case, spec, judge)
    if judged.status is Status.PASSED and spec.signed:
        judged = _signed(case, spec, judged)
    deviation = None if judged.status in CLEAR else _deviation(case, spec)
    return _deviated(judged, deviation) if deviation else judged


def why_not_applicable(case: Case, spec: CheckSpec) -> str | None:
    """Why a check does not apply to a case; None if it does."""
    for what, wanted, is_so in (
        ("kind", spec.kinds, case.kind),
        ("tier", spec.tiers, case.tier),
        ("environment", spec.environments, case.environment),
    ):
        if wanted and is_so not in wanted:
            return spec.not_applicable or f"not for {what} {is_so}, only for {', '.join(wanted)}"
    if spec.when:
        so = WHEN[spec.when](case) if spec.when in WHEN else spec.when in case.traits
        if not so:
            return spec.not_applicable or f"only where this is so: {spec.when}"
    return None


def _judged(case: Case, spec: CheckSpec, judge: Judge | None) -> Verdict:
    if judge is not None:
        return judge(case)
    if spec.automatic:
        return Verdict(
            spec.id,
            Status.NO_EVIDENCE,
            why="this check is not built yet: nothing can show that it holds",
            todo=f'`taxiway deviate {spec.id} {case.release} --reason "..." --risk "..." --until'
            " DATE` asks for a deviation.",
        )
    return Verdict(spec.id, Status.PASSED, why="")


def _signed(case: Case, spec: CheckSpec, judged: Verdict) -> Verdict:
    """Passed if somebody signed it for exactly these digests, else waiting, with what is void."""
    given = [
        s
        for s in case.sign_offs
        if (s.check, s.release) == (spec.id, case.release)
        and s.binding == case.binding
        and s.line in spec.lines
    ]
    before = f"{judged.why}; " if judged.why else ""
    required = "; ".join(
        filter(None, [judged.required, f"signed: {' or '.join(spec.signing_roles)}"])
    )
    if given:
        names = ", ".join(dict.fromkeys(s.person for s in given))
        return dataclasses.replace(
            judged,
            why=f"{before}signed by {names}: {given[-1].reason}",
            found=judged.found or f"signed by {names}",
            required=required,
            examined=judged.examined or len(given),
        )
    void = [
        f"the signature of {s.person} is void: {why}" for s, why in case.void if s.check == spec.id
    ]
    return dataclasses.replace(
        judged,
        status=Status.WAITING,
        why=before + ("; ".join(void[-2:]) if void else "nobody has signed it yet"),
        required=required,
        todo=f'`taxiway sign {spec.id} {case.release} --reason "..."` by:'
        f" {' or '.join(spec.signing_roles)}.",
    )


def _deviation(case: Case, spec: CheckSpec) -> Deviation | None:
    """The deviation that holds now and ends last."""
    holding = [
        d
        for d in case.deviations
        if (d.check, d.release, d.state) == (spec.id, case.release, "granted")
        and d.decided_by is not None
        and d.until > case.now
    ]
    return max(holding, key=lambda d: d.until) if holding and spec.can_deviate else None


def _deviated(judged: Verdict, deviation: Deviation) -> Verdict:
    return dataclasses.replace(
        judged,
        status=Status.DEVIATED,
        why=f"{deviation.reason} (risk: {deviation.risk}); granted by {deviation.decided_by}, until"
        f" {deviation.until:%Y-%m-%d}. Without it: {judged.status}, {judged.why}",
        todo="",
    )
