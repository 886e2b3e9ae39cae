"""Wires the flight check: gathers all evidence of a release, and lets every check judge it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from taxiway.bootstrap import artefacts
from taxiway.core import evidence as kinds
from taxiway.core.charter import Charter
from taxiway.core.check import Case, FlightCheck, Verdict
from taxiway.core.contract import Contract, contract_from
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.core.evidence import Evidence, evidence_digest
from taxiway.core.facts import Deployment, Developed, Model, Release
from taxiway.core.moves import CHALLENGER
from taxiway.core.people import Binding

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.people import Deviation, SignOff


def flight_check(workspace: Workspace, release: Release, environment: str) -> FlightCheck:
    """Every check of the catalogue for a release and an environment, as of now."""
    from taxiway.governance.catalogue import load_catalogue
    from taxiway.governance.checks import AUTOMATIC
    from taxiway.governance.policies import policy_for
    from taxiway.release.flight_check import fly

    model = workspace.record.get(Model, release.model)
    policy = policy_for(environment, model.tier)
    return fly(case_of(workspace, model, release, environment), load_catalogue(), AUTOMATIC, policy)


def charter_of(workspace: Workspace, model: Model) -> Charter:
    """The charter that a model is registered under."""
    return Charter.model_validate_json(workspace.objects.get(model.charter_digest))


def contract_of(workspace: Workspace, release: Release) -> Contract:
    """The contract that travels with a release."""
    return contract_from(json.loads(workspace.objects.get(release.contract_digest)))


def case_of(workspace: Workspace, model: Model, release: Release, environment: str) -> Case:
    """Everything that the flight check looks at."""
    from taxiway.charter.tier import traits
    from taxiway.governance.consumers import access_evidence
    from taxiway.governance.deviation import valid_deviations
    from taxiway.governance.handoff import handoff_evidence
    from taxiway.governance.independence import independence_evidence
    from taxiway.governance.ledger import ledger_evidence
    from taxiway.release.manifest import integrity_evidence

    desk, charter = workspace.desk, charter_of(workspace, model)
    stored = stored_evidence(workspace, release, environment)
    binding = binding_of(release, stored)
    sign_offs, void = signatures(workspace, release, binding)
    live = (
        independence_evidence(desk, model, release, sign_offs),
        integrity_evidence(desk, release, artefacts.inspect(workspace, release)),
        handoff_evidence(desk, release),
        ledger_evidence(desk, workspace.ledger_verify(), release=release),
        access_evidence(desk, release, charter.purpose.permitted_uses),
        *_meaning(workspace, release),
    )
    ran = [
        d.since
        for d in workspace.record.find(Deployment, release=release.id, environment=environment)
        if d.role != CHALLENGER  # what it answers there leaves nowhere
    ]
    return Case(
        model=model.id,
        release=release.id,
        kind=model.kind,
        tier=model.tier,
        environment=environment,
        now=desk.now(),
        binding=binding,
        deployed=bool(ran),
        evidence=stored | {one.kind: one for one in live},
        sign_offs=sign_offs,
        void=void,
        deviations=valid_deviations(workspace.record, desk.verify, release, desk.now()),
        traits=traits(charter),
        deployed_at=min(ran, default=None),
    )


def _meaning(workspace: Workspace, release: Release) -> list[Evidence]:
    """What the columns mean; nothing where the contract was changed, which the integrity says."""
    from taxiway.governance.meaning import meaning_evidence

    try:
        contract = contract_of(workspace, release)
    except (IntegrityError, MissingError):
        return []
    return [meaning_evidence(workspace.desk, release.model, contract, release=release.id)]


def stored_evidence(
    workspace: Workspace, release: Release, environment: str | None
) -> dict[str, Evidence]:
    """The newest evidence of each kind about a release, its snapshot, and its model's plan."""
    find = workspace.record.find
    found = [
        *find(Evidence, subject=release.snapshot),
        *find(Evidence, subject=release.model, kind=kinds.PLAN),
        *(e for e in find(Evidence, subject=release.id) if e.environment in {None, environment}),
    ]
    newest: dict[str, Evidence] = {}
    for evidence in sorted(found, key=_age):
        newest[evidence.kind] = evidence
    return newest


def _age(evidence: Evidence) -> tuple[str, datetime]:
    # The newest window counts, in whatever order the windows were closed.
    return str(evidence.found.get("window_end", "")), evidence.at


def binding_of(release: Release, stored: dict[str, Evidence]) -> Binding:
    """The digests that a signature for a release is about."""
    return Binding(release.digest, release.snapshot, evidence_digest(stored.values()))


def signatures(
    workspace: Workspace, release: Release, binding: Binding
) -> tuple[tuple[SignOff, ...], tuple[tuple[SignOff, str], ...]]:
    """The sign-offs of a release that hold now, and those that do not, with the reason."""
    from taxiway.governance.sign_off import valid_sign_offs

    return valid_sign_offs(workspace.record, workspace.desk.verify, release, binding)


def sign(workspace: Workspace, check: str, name: str, reason: str, *, dry_run: bool) -> SignOff:
    """The actor's signature for a check of a release."""
    from taxiway.governance.catalogue import find_check
    from taxiway.governance.sign_off import sign_off

    spec, release = find_check(check), workspace.find_release(name)
    flown = flight_check(workspace, release, "prod")
    verdict: Verdict = next(v for v in flown.verdicts if v.check == spec.id)
    developed = workspace.record.find(Developed, model=release.model)
    return sign_off(
        workspace.desk,
        spec,
        release,
        flown.binding,
        developers={fact.person for fact in developed},
        reason=reason,
        verdict=verdict,
        dry_run=dry_run,
    )


def deviate(
    workspace: Workspace,
    check: str,
    name: str,
    *,
    reason: str,
    risk: str,
    until: datetime,
    dry_run: bool,
) -> Deviation:
    """Asks for a deviation."""
    from taxiway.governance.catalogue import find_check
    from taxiway.governance.deviation import ask

    return ask(
        workspace.desk,
        find_check(check),
        workspace.find_release(name),
        reason=reason,
        risk=risk,
        until=until,
        dry_run=dry_run,
    )
