"""The charter as a record: its threshold, and a digest of the answers alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from taxiway.core.charter import Charter, DecisionValue, Metric, Value
from taxiway.core.kind import LOWER_IS_BETTER, METRICS
from taxiway.core.operation import Deployment

GOLDEN = Path(__file__).parents[2] / "golden" / "charter-1.json"
PLAIN: dict[str, Any] = json.loads(GOLDEN.read_text())
Edit = Callable[[dict[str, Any]], object]


def charter(edit: Edit = lambda _: None) -> Charter:
    plain = copy.deepcopy(PLAIN)
    edit(plain)
    return Charter.model_validate(plain)


def with_values(tp: float, fp: float, tn: float = 0.0, fn: float = 0.0) -> Charter:
    """The charter with these values and no threshold of its own."""
    worth = DecisionValue(true_positive=tp, false_positive=fp, true_negative=tn, false_negative=fn)
    base = charter()
    value = base.value.model_copy(update={"per_decision": worth})
    deployment = base.deployment.model_copy(update={"threshold": None})
    return base.model_copy(update={"value": value, "deployment": deployment})


# Threshold


def test_the_threshold_of_a_worked_example() -> None:
    """A warning that is right brings 30 dollars, one that is wrong costs 10.

    At the probability t both come to the same: 30 t - 10 (1 - t) = 0, so t = 10 / 40.
    """
    assert with_values(tp=30, fp=-10).threshold == 0.25


def test_what_is_missed_and_what_is_left_alone_count_too() -> None:
    """A missed fraud costs 100, an inquiry 5 either way, and a caught fraud costs the inquiry.

    -5 t - 5 (1 - t) = -100 t + 0 (1 - t), so t = 5 / 100.
    """
    assert with_values(tp=-5, fp=-5, tn=0, fn=-100).threshold == pytest.approx(0.05)


worth = st.floats(0.01, 1e6)
base = st.floats(-1e6, 1e6)


@given(right=worth, wrong=worth, tn=base, fn=base)
def test_at_the_threshold_acting_and_not_acting_are_worth_the_same(
    right: float, wrong: float, tn: float, fn: float
) -> None:
    tp, fp = fn + right, tn - wrong
    t = with_values(tp, fp, tn, fn).threshold
    assert t is not None
    assert 0 < t < 1
    acting, waiting = tp * t + fp * (1 - t), fn * t + tn * (1 - t)
    assert acting == pytest.approx(waiting, rel=1e-6, abs=1e-6 * (1 + right + wrong + abs(tn)))


def test_its_own_threshold_goes_first() -> None:
    def own(plain: dict[str, Any]) -> None:
        plain["deployment"]["threshold"] = 0.4

    assert charter(own).threshold == 0.4


# Digest


def test_the_layout_of_the_file_does_not_matter() -> None:
    def backwards(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(value)}
        return value

    flow = yaml.safe_load(yaml.safe_dump(backwards(PLAIN), default_flow_style=True, width=40))
    assert Charter.model_validate(flow).digest == charter().digest
    assert Charter.model_validate_json(json.dumps(PLAIN, indent=4)).digest == charter().digest


def test_a_whole_number_for_a_number_is_the_same_answer() -> None:
    def as_float(plain: dict[str, Any]) -> None:
        plain["value"]["promised_per_month"] = float(plain["value"]["promised_per_month"])

    def as_integer(plain: dict[str, Any]) -> None:
        plain["value"]["promised_per_month"] = int(plain["value"]["promised_per_month"])

    assert charter(as_float).digest == charter(as_integer).digest


def test_what_is_left_out_is_what_it_stands_for() -> None:
    def without(plain: dict[str, Any]) -> None:
        del plain["retraining"], plain["training"]["split"]

    def with_defaults(plain: dict[str, Any]) -> None:
        plain["training"]["split"] = {"by": "time", "holdout": 0.2}
        plain["retraining"] = {
            "triggers": ["performance"],
            "decided_by": "business",
            "minimum_gain": 0.0,
        }

    assert charter(without).digest == charter(with_defaults).digest


def places(plain: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to every answer."""
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from places(value, (*at, key))
    else:
        yield at


OTHERS: dict[tuple[str, ...], Any] = {
    ("inventory", "origin"): "vendor",
    ("value", "currency"): "EUR",
    ("value", "review"): "2028-01-31",
    ("inventory", "next_review"): "2028-01-31",
    ("risk", "legal_class"): "limited",
    ("risk", "effect_on_people"): "none",
    ("risk", "automation"): "decides",
    ("risk", "tier"): "high",
    ("deployment", "target"): "http",
    ("deployment", "reason_codes"): "all",
    ("deployment", "log"): "buffered",
    ("deployment", "reasons_by"): "replacement",
    ("deployment", "threshold"): 0.3,
    ("monitoring", "window"): "week",
    ("monitoring", "label_delay"): "2d",
    ("training", "bar", "metric"): "brier",
    ("training", "bar", "at_most"): 0.9,
    ("retraining", "triggers"): ["value"],
    ("retraining", "decided_by"): "development",
}
FIXED = {("charter",), ("kind",), ("training", "split", "by")}
"""Answers of which there is only one yet."""


@pytest.mark.parametrize("place", sorted(set(places(PLAIN)) - FIXED), ids=".".join)
def test_every_answer_is_in_the_digest(place: tuple[str, ...]) -> None:
    def answer_otherwise(plain: dict[str, Any]) -> None:
        *way, last = place
        for step in way:
            plain = plain[step]
        before = plain[last]
        if place in OTHERS:
            plain[last] = OTHERS[place]
        elif isinstance(before, bool):
            plain[last] = not before
        elif isinstance(before, int | float):
            plain[last] = before / 2 if 0 < before < 1 else before + 1
        elif isinstance(before, list):
            plain[last] = [*before, "another one"]
        else:
            plain[last] = "another-one"

    assert charter(answer_otherwise).digest != charter().digest


# Reading


@pytest.mark.parametrize(
    ("section", "key", "value", "why"),
    [
        ("training", "seed", "7", "valid integer"),
        ("training", "seed", True, "valid integer"),
        ("training", "seed", -1, "greater than or equal to 0"),
        ("training", "seed", 2**32, "less than 4294967296"),  # what the estimators take
        ("deployment", "retention_days", 1.0, "valid integer"),
        ("value", "promised_per_month", float("nan"), "finite number"),
        ("value", "promised_per_month", "25000", "valid number"),
        ("risk", "is_model", 2, "valid boolean"),
        ("risk", "colour", "red", "Extra inputs are not permitted"),
        ("purpose", "decision", "  x  ", "at least 3 characters"),
        ("monitoring", "label_delay", "0d", "match pattern"),
        ("owners", "data", "Somebody Else", "match pattern"),
    ],
)
def test_types_are_taken_as_they_are_written(
    section: str, key: str, value: object, why: str
) -> None:
    def wrong(plain: dict[str, Any]) -> None:
        plain[section][key] = value

    with pytest.raises(ValidationError, match=why):
        charter(wrong)


def test_a_charter_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        charter().name = "other"  # type: ignore[misc]


def test_the_metrics_are_told_once() -> None:
    assert get_args(Metric) == tuple(METRICS)
    assert set(METRICS) > LOWER_IS_BETTER


def test_every_field_says_what_it_is_for() -> None:
    for section in (Charter, Value, Deployment):
        assert all(info.description for info in section.model_fields.values())
