"""Checks of the validation: whether it is independent."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import INDEPENDENCE
from taxiway.governance.checks.reading import listed
from taxiway.governance.checks.rule import Answer, evidence_of


def independence(case: Case) -> Answer:
    """VA-01: the validator is somebody who is there, may validate, and developed nothing here."""
    reading = evidence_of(case, INDEPENDENCE)
    author = reading.text("found.author")
    developers = {*reading.texts("found.developers"), author}
    roles = reading.texts("found.validator_roles")
    known, removed = reading.flag("found.validator_known"), reading.flag("found.validator_removed")
    signers = reading.record("found.signers")
    own = sorted(
        {check for check in signers.values if signers.text(check) in developers}
        | {s.check for s in case.sign_offs if s.line >= 2 and s.person in developers}
    )
    validator = reading.text("found.validator") if reading.has("found.validator") else ""
    problems = []
    if not validator:
        problems.append("the charter names no validator")
    elif not known:
        problems.append(f"nobody here is called {validator}")
    else:
        if removed:
            problems.append(f"{validator} was removed")
        if "validator" not in roles:
            problems.append(f"{validator} does not hold the role validator")
        if validator in developers:
            problems.append(f"{validator} is a developer of this model")
    if own:
        problems.append(f"developers of this model signed for the second line: {listed(own)}")
    return Answer(
        problems,
        f"{validator} validates; developed by {listed(sorted(developers))}",
        found=validator or "nobody",
        required="a validator who developed nothing of this model",
        todo="Name another one under `owners.validation` in taxiway.yaml; `taxiway people list`.",
    )
