"""Who developed, who validates and who signed: evidence that they are not the same."""

from __future__ import annotations

from collections.abc import Iterable

from taxiway.core.evidence import INDEPENDENCE, Evidence, observed
from taxiway.core.facts import Developed, Model, Release
from taxiway.core.people import Person, SignOff
from taxiway.core.ports import Desk


def independence_evidence(
    desk: Desk, model: Model, release: Release, sign_offs: Iterable[SignOff]
) -> Evidence:
    """Evidence INDEPENDENCE, at this moment. `sign_offs` are those of the release that hold."""
    people = {person.id: person for person in desk.record.find(Person)}
    developed = {fact.person for fact in desk.record.find(Developed, model=model.id)}
    name = model.owners.get("validation")
    validator = people.get(name or "")
    return observed(
        INDEPENDENCE,
        id=desk.new_id(),
        subject=release.id,
        model=model.id,
        examined=len(people),
        found={
            "developers": sorted(developed),
            "author": release.author,
            "validator": name,
            "validator_known": validator is not None,
            "validator_roles": list(validator.roles) if validator else [],
            "validator_removed": bool(validator and validator.removed_at),
            "signers": {s.check: s.person for s in sign_offs if s.line >= 2},
        },
        at=desk.now(),
        by="system",
    )
