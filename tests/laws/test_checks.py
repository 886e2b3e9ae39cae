"""Laws of every registered check, whatever the evidence holds, and of the flight check over all."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxiway.core.check import CLEAR, Case, FlightCheck, Policy, Status
from taxiway.core.evidence import Evidence, observed
from taxiway.core.people import Binding, Deviation, SignOff
from taxiway.governance.catalogue import load_catalogue
from taxiway.governance.checks import AUTOMATIC, RULES
from taxiway.governance.checks.rule import ABOUT_RELEASE, Rule
from taxiway.governance.policies import policy_for
from taxiway.release.flight_check import fly

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BINDING = Binding("sha256:m", "sha256:d", "sha256:e")
GOLDEN = Path(__file__).parents[1] / "golden" / "evidence-1.json"

every = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.check)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()  # JSON has no NaN, but a store might
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=8,
)
things = st.dictionaries(st.text(max_size=12), anything, max_size=5)


@cache
def documents() -> dict[str, dict[str, Any]]:
    document: dict[str, dict[str, Any]] = json.loads(GOLDEN.read_text())
    return document


@cache
def well() -> Mapping[str, Evidence]:
    """Evidence of every kind as it is when all is well: made once, as no rule changes it."""
    return MappingProxyType(
        {
            kind: observed(kind, id=kind, subject="m:1", model="m", at=NOW, by="somebody", **words)
            for kind, words in documents().items()
        }
    )


@pytest.fixture(autouse=True, scope="module")
def _nothing_was_changed() -> Iterator[None]:
    """The evidence that all these tests read is at the end what it was at the start."""
    yield
    before = json.loads(GOLDEN.read_text())
    for kind, one in well().items():
        assert {name: getattr(one, name) for name in before[kind]} == before[kind]


def evidence(kind: str, /, **fields: Any) -> Evidence:
    """Evidence of a kind as it is when all is well, but for some fields."""
    return dataclasses.replace(well()[kind], **fields)


def case(**fields: Any) -> Case:
    """A case in which every automatic check passes."""
    words: dict[str, Any] = {
        "model": "m",
        "release": "m:1",
        "kind": "classification",
        "tier": "low",
        "environment": "prod",
        "now": NOW,
        "binding": BINDING,
        "deployed": True,
        "evidence": well(),
        "deployed_at": NOW - timedelta(days=300),
    }
    return Case(**(words | fields))


def flown(of: Case) -> FlightCheck:
    return fly(of, load_catalogue(), AUTOMATIC, policy_for(of.environment, of.tier))


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in plain data, the whole first."""
    yield way
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*way, step))


def with_value(plain: Any, way: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(plain)
    place = changed
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return changed


@every
def test_passes_when_all_is_well_so_that_the_laws_say_something(rule: Rule) -> None:
    assert rule(case()).status is Status.PASSED


@every
def test_missing_evidence_never_passes(rule: Rule) -> None:
    assert rule(case(evidence={})).status is Status.NO_EVIDENCE
    for kind in rule.needs:
        left = {k: e for k, e in case().evidence.items() if k != kind}
        verdict = rule(case(evidence=left))
        assert verdict.status is Status.NO_EVIDENCE
        assert kind in verdict.why
        assert verdict.todo


# What Hypothesis makes is shown to every rule: making it takes far longer than judging it.


@given(examined=st.integers(max_value=0) | st.booleans() | st.none())
def test_what_examined_nothing_has_failed(examined: Any) -> None:
    assume(examined is not True)
    for rule in RULES:
        for kind in rule.needs:
            nothing = {**case().evidence, kind: evidence(kind, examined=examined)}
            verdict = rule(case(evidence=nothing))
            assert verdict.status in {Status.FAILED, Status.NO_EVIDENCE}, rule.check
            assert "examined nothing" in verdict.why


@given(found=things, required=things, digests=things)
@settings(max_examples=200)
def test_arbitrary_evidence_never_passes_and_never_raises(
    found: dict[str, Any], required: dict[str, Any], digests: dict[str, Any]
) -> None:
    for rule in RULES:
        strange = evidence(rule.needs[0], found=found, required=required, digests=digests)
        verdict = rule(case(evidence={**case().evidence, strange.kind: strange}))
        assert verdict.status in {Status.FAILED, Status.NO_EVIDENCE}, rule.check
        bounded(rule, verdict)


@given(data=st.data())
@settings(max_examples=1_000)
def test_one_strange_value_never_raises(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(case().evidence)))
    part = data.draw(st.sampled_from(["found", "required", "digests"]))
    before = getattr(case().evidence[kind], part)
    way = data.draw(st.sampled_from([(part, *w) for w in places(before)]))
    after = with_value({part: before}, way, data.draw(anything))[part]
    strange = evidence(kind, **{part: after})
    for rule in RULES:
        verdict = rule(case(evidence={**case().evidence, kind: strange}))
        assert verdict.status in Status
        bounded(rule, verdict)


def bounded(rule: Rule, verdict: Any) -> None:
    assert verdict.check == rule.check
    assert verdict.why
    assert max(len(verdict.why), len(verdict.found), len(verdict.required)) < 700
    assert (verdict.todo == "") is (verdict.status is Status.PASSED)


@every
def test_no_key_that_is_read_can_be_left_out(rule: Rule) -> None:
    """Leaving out a top-level key either changes nothing, because it is not read, or fails; with
    all of them gone nothing passes."""
    for kind in rule.needs:
        for part in ("found", "required"):
            whole = getattr(evidence(kind), part)
            for key in whole:
                less = evidence(kind, **{part: {k: v for k, v in whole.items() if k != key}})
                verdict = rule(case(evidence={**case().evidence, kind: less}))
                assert verdict.status in {Status.PASSED, Status.FAILED}
        nothing = evidence(kind, found={}, required={})
        assert rule(case(evidence={**case().evidence, kind: nothing})).status is Status.FAILED


@every
def test_evidence_about_another_release_never_passes(rule: Rule) -> None:
    for kind in set(rule.needs) & ABOUT_RELEASE:
        other = evidence(kind, subject="m:2")
        verdict = rule(case(evidence={**case().evidence, kind: other}))
        assert verdict.status is Status.FAILED
        assert "m:2" in verdict.why


@every
def test_evidence_under_a_false_name_never_passes(rule: Rule) -> None:
    for kind in rule.needs:
        false = evidence(kind, kind="some.other")
        verdict = rule(case(evidence={**case().evidence, kind: false}))
        assert verdict.status is Status.FAILED


@given(found=things)
def test_the_same_case_has_the_same_verdict(found: dict[str, Any]) -> None:
    for rule in RULES:
        strange = evidence(rule.needs[0], found=found)
        one = case(evidence={**case().evidence, strange.kind: strange})
        assert rule(one) == rule(one)


# The flight check over the whole catalogue.


def signatures() -> list[SignOff]:
    return [
        SignOff(
            f"s-{spec.id}-{line}",
            spec.id,
            "m:1",
            "m",
            "flights-validator",
            line,
            "sha256:m",
            "sha256:d",
            "sha256:e",
            "read",
            NOW,
            "",
        )
        for spec in load_catalogue()
        if spec.signed
        for line in spec.lines
    ]


def deviation(check: str, days: int) -> Deviation:
    return Deviation(
        f"d-{check}-{days}",
        check,
        "m:1",
        "m",
        "a reason",
        "a risk",
        NOW + timedelta(days=days),
        "granted",
        "flights-developer",
        NOW,
        "flights-owner",
        NOW,
    )


def test_a_low_tier_reaches_every_environment_when_all_is_well_and_signed() -> None:
    for environment in ("dev", "qa", "prod"):
        of = case(environment=environment, sign_offs=signatures(), deployed=False, deployed_at=None)
        assert flown(of).blocking == ()
        assert flown(of).clear


def test_every_automatic_check_is_built_or_has_no_evidence() -> None:
    everything = case(
        tier="high",
        sign_offs=signatures(),
        traits=frozenset({"llm", "third-party", "retired"}),
        deployed_at=NOW - timedelta(days=400),
    )
    by_id = {v.check: v for v in flown(everything).verdicts}
    for spec in load_catalogue():
        if spec.automatic and spec.id not in AUTOMATIC:
            assert by_id[spec.id].status is Status.NO_EVIDENCE, spec.id
        elif not spec.automatic:
            assert by_id[spec.id].status is Status.PASSED, spec.id
    assert not flown(everything).clear


@given(
    environment=st.sampled_from(["dev", "qa", "prod"]),
    tier=st.sampled_from(["low", "medium", "high"]),
)
def test_an_empty_policy_is_never_clear(environment: str, tier: str) -> None:
    of = case(environment=environment, tier=tier, sign_offs=signatures())
    nothing = Policy(environment, tier, frozenset())
    assert not fly(of, load_catalogue(), AUTOMATIC, nothing).clear


@given(
    environment=st.sampled_from(["dev", "qa", "prod"]),
    tier=st.sampled_from(["low", "medium", "high"]),
    kinds=st.sets(st.sampled_from(sorted(documents()))),
)
def test_without_evidence_no_automatic_check_passes(
    environment: str, tier: str, kinds: set[str]
) -> None:
    less = {k: e for k, e in case().evidence.items() if k not in kinds}
    of = case(environment=environment, tier=tier, evidence=less, sign_offs=signatures())
    by_id = {v.check: v for v in flown(of).verdicts}
    for rule in RULES:
        if set(rule.needs) & kinds:
            assert by_id[rule.check].status is not Status.PASSED


deviations = st.lists(
    st.builds(deviation, st.sampled_from([s.id for s in load_catalogue()]), st.integers(-30, 180)),
    max_size=12,
)


def blocking(of: Case) -> set[str]:
    return {v.check for v in flown(of).blocking}


@given(some=deviations, more=deviations)
def test_a_deviation_never_makes_anything_worse(
    some: list[Deviation], more: list[Deviation]
) -> None:
    few, many = case(evidence={}, deviations=some), case(evidence={}, deviations=some + more)
    assert blocking(many) <= blocking(few)


@given(granted=deviations, days=st.lists(st.integers(0, 200), min_size=2, max_size=2))
def test_time_never_clears_what_a_deviation_does_not(
    granted: list[Deviation], days: list[int]
) -> None:
    sooner, later = (
        case(deviations=granted, now=NOW + timedelta(days=day)) for day in sorted(days)
    )
    assert blocking(sooner) <= blocking(later)


@given(granted=deviations)
def test_what_everything_rests_on_is_never_deviated_from(granted: list[Deviation]) -> None:
    of = case(evidence={}, deviations=granted)
    firm = {"AU-01", "DP-01", "DP-02", "VA-01", "CH-04"}
    assert firm <= blocking(of)
    assert not [v for v in flown(of).verdicts if v.check in firm and v.status in CLEAR]


@given(given_by=st.sets(st.sampled_from([s.id for s in signatures()])))
def test_a_signature_never_makes_anything_worse(given_by: set[str]) -> None:
    some = [s for s in signatures() if s.id in given_by]
    assert blocking(case(sign_offs=signatures())) <= blocking(case(sign_offs=some))


Judging = Callable[[Case], FlightCheck]


@pytest.mark.parametrize("judge", [flown], ids=["flight check"])
def test_every_verdict_says_why(judge: Judging) -> None:
    for of in (case(), case(evidence={}), case(deployed=False)):
        for verdict in judge(of).verdicts:
            assert verdict.why, verdict
            assert verdict.status in CLEAR or verdict.todo, verdict
