"""The policies: which checks have to be clear, by environment and tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from taxiway.core.check import Policy
from taxiway.core.errors import MissingError
from taxiway.core.moves import ENVIRONMENTS
from taxiway.governance.catalogue import read_data

TIERS = ("low", "medium", "high")
"""From the least risk to the most."""


@cache
def load_policies() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """What each environment and tier adds, as `policies.yaml` says it."""
    found: Mapping[str, Mapping[str, Sequence[str]]] = read_data("policies.yaml")
    return found


def policy_for(environment: str, tier: str) -> Policy:
    """What is required of a tier in an environment: its own additions, and all before and below.

    >>> sorted(policy_for("dev", "low").required)
    ['CH-04', 'DA-02', 'DV-03']
    """
    if environment not in ENVIRONMENTS:
        raise MissingError.named("environment", environment, ENVIRONMENTS)
    if tier not in TIERS:
        raise MissingError.named("risk tier", tier, TIERS)
    adds = load_policies()
    required = {
        check
        for before in ENVIRONMENTS[: ENVIRONMENTS.index(environment) + 1]
        for below in TIERS[: TIERS.index(tier) + 1]
        for check in adds[before][below]
    }
    return Policy(environment, tier, frozenset(required))
