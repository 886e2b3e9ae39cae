"""What a release promised: the profile, inputs and holdout figures that travel with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.core.contract import Contract, contract_from
from taxiway.core.evidence import METRICS, Evidence
from taxiway.core.facts import Release
from taxiway.core.ports import Desk


@dataclass(frozen=True, slots=True)
class Reference:
    """What the decisions of a release are held against."""

    release: str
    digest: str
    """Digest of the release's manifest."""
    profile: Mapping[str, Any]
    watched: Contract
    """The columns that the model reads, without the event time: that one always moves on."""
    contract: Contract
    metrics: Mapping[str, Any]
    """Metric -> {value, low, high} on the holdout; empty if there is no such evidence."""


def reference_of(desk: Desk, release: str) -> Reference:
    """The reference of a release, from the objects that its manifest names.

    Raises `MissingError` if the release or one of its files is not there, `IntegrityError` if a
    file is not what was stored.
    """
    fact = desk.record.get(Release, release)
    manifest = json.loads(desk.objects.get(fact.digest))

    def document(name: str) -> Any:
        return json.loads(desk.objects.get(manifest["files"][name]))

    contract = contract_from(document("contract.json"))
    inputs = [name for name in manifest["inputs"] if name != contract.event_time]
    observed = desk.record.find(Evidence, kind=METRICS, subject=release)
    return Reference(
        release=release,
        digest=fact.digest,
        profile=document("profile.json"),
        watched=contract.only(inputs),
        contract=contract,
        metrics=observed[-1].found["model"] if observed else {},
    )
