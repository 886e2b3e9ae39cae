"""Policies add up, name only checks that exist, and let a low tier reach production."""

from __future__ import annotations

from itertools import pairwise

import pytest

from taxiway.core.errors import MissingError
from taxiway.core.moves import ENVIRONMENTS
from taxiway.governance.catalogue import load_catalogue
from taxiway.governance.checks import AUTOMATIC
from taxiway.governance.policies import TIERS, load_policies, policy_for

CHECKS = {spec.id: spec for spec in load_catalogue()}


def test_every_environment_and_tier_is_there_and_names_checks_of_the_catalogue() -> None:
    assert {env: set(tiers) for env, tiers in load_policies().items()} == {
        env: set(TIERS) for env in ENVIRONMENTS
    }
    named = {c for tiers in load_policies().values() for checks in tiers.values() for c in checks}
    assert named <= set(CHECKS)


def test_more_risk_and_a_step_further_never_ask_for_less() -> None:
    for tier in TIERS:
        for before, after in pairwise(ENVIRONMENTS):
            assert policy_for(before, tier).required <= policy_for(after, tier).required
    for environment in ENVIRONMENTS:
        for below, above in pairwise(TIERS):
            low, high = policy_for(environment, below), policy_for(environment, above)
            assert low.required <= high.required


def test_a_high_tier_needs_everything_in_production() -> None:
    assert policy_for("prod", "high").required == set(CHECKS)


def test_a_low_tier_needs_in_production_only_what_can_be_shown_signed_or_does_not_apply() -> None:
    required = policy_for("prod", "low").required
    unbuilt = {c for c in required if CHECKS[c].automatic and c not in AUTOMATIC}
    assert unbuilt == {"DP-06"}  # for language models only
    assert required >= {"CH-01", "CH-02", "CH-04", "DV-03", "DP-01", "DP-02", "VA-01", "AU-01"}


def test_nothing_is_required_before_it_can_be_known() -> None:
    after_rehearsal = {c for c in CHECKS if c[:2] == "MO"} | {"DP-01", "DP-03", "DP-04"}
    for tier in TIERS:
        assert not policy_for("qa", tier).required & after_rehearsal


def test_what_is_required_applies_to_that_tier() -> None:
    for environment in ENVIRONMENTS:
        for tier in TIERS:
            for check in policy_for(environment, tier).required:
                spec = CHECKS[check]
                assert not spec.tiers or tier in spec.tiers, (environment, tier, check)
                assert not spec.environments or environment in spec.environments


def test_unknown_environments_and_tiers_are_named() -> None:
    with pytest.raises(MissingError, match=r"No environment named 'prd'.*Did you mean 'prod'"):
        policy_for("prd", "low")
    with pytest.raises(MissingError, match=r"No risk tier named 'hihg'.*Did you mean 'high'"):
        policy_for("prod", "hihg")
