"""What was promised: the value case, the threshold that follows from it, and the bar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from taxiway.charter.remark import Remark, advice, error, missing
from taxiway.core.charter import Risk, Training, Value
from taxiway.core.kind import KINDS, Metric
from taxiway.core.operation import Deployment, Monitoring
from taxiway.core.section import Section


def of_its_kind(value: Value, kind: str) -> Iterator[Remark]:
    """The value case says what answers of this kind are worth, and of no other."""
    own = KINDS[kind].worth
    for other in {one.worth for one in KINDS.values()} - {own}:
        if getattr(value, other) is not None:
            what = f"a {kind} has no answers of that kind"
            todo = f"Say what its answers are worth under `value.{own}`."
            yield error(f"value.{other}", what, todo=todo)
    if getattr(value, own) is None:
        what = f"what an answer of a {kind} is worth is not said"
        yield missing("training", f"value.{own}", what, todo="See docs/reference/charter.md.")


def acting_pays(value: Value) -> Iterator[Remark]:
    """Acting has to be worth more when it is right, and less when it is wrong."""
    worth, place = value.per_decision, "value.per_decision"
    if worth is None:
        return
    if worth.true_positive <= worth.false_negative:
        yield error(
            f"{place}.true_positive",
            "acting on a positive case is worth no more than missing it, so acting never pays",
            found=f"{worth.true_positive:g}",
            expected=f"more than false_negative, {worth.false_negative:g}",
        )
    if worth.true_negative <= worth.false_positive:
        yield error(
            f"{place}.false_positive",
            "acting wrongly costs nothing, so acting always pays and no model is needed",
            found=f"{worth.false_positive:g}",
            expected=f"less than true_negative, {worth.true_negative:g}",
        )


def being_right_pays(value: Value) -> Iterator[Remark]:
    """A number that is off has to be worth less than one that is right."""
    worth = value.per_answer
    if worth is not None and worth.each_unit_off >= 0:
        yield error(
            "value.per_answer.each_unit_off",
            "being wrong costs nothing, so no model is needed",
            found=f"{worth.each_unit_off:g}",
            expected="less than 0",
        )


def reachable(value: Value, risk: Risk) -> Iterator[Remark]:
    """No model can bring more than every decision at its best."""
    best = []
    if value.per_decision is not None:
        best += [value.per_decision.true_positive, value.per_decision.true_negative]
    if value.per_answer is not None:
        best += [value.per_answer.right]
    if not best:
        return
    most = risk.decisions_per_month * max(best)
    if value.promised_per_month > most:
        yield error(
            "value.promised_per_month",
            "more is promised than all decisions of a month can bring, were they all right",
            found=f"{value.promised_per_month:g}",
            expected=f"at most {most:g} {value.currency}",
        )
    elif value.promised_per_month <= 0:
        yield advice("value.promised_per_month", "nothing is promised, so nothing can be missed")


def said_of_numbers(deployment: Deployment, kind: str) -> Iterator[Remark]:
    """A number is not cut into yes and no, and none is adverse by itself."""
    if KINDS[kind].yes_or_no:
        return
    if deployment.threshold is not None:
        yield error(
            "deployment.threshold",
            f"the answers of a {kind} are not cut into yes and no",
            found=f"{deployment.threshold:g}",
            todo="Leave it out, or say `kind: classification`.",
        )
    if deployment.reason_codes == "adverse":
        yield error(
            "deployment.reason_codes",
            "no number is adverse by itself",
            found="adverse",
            expected="all or none",
        )


def threshold(value: Value, deployment: Deployment) -> Iterator[Remark]:
    """A threshold of one's own should know the break-even of the value case."""
    worth = value.per_decision
    if worth is None:
        return
    wrong = worth.true_negative - worth.false_positive
    right = worth.true_positive - worth.false_negative
    own = deployment.threshold
    if own is None or wrong <= 0 or right <= 0:
        return
    even = wrong / (wrong + right)
    if abs(own - even) > 0.05:
        what = f"the value case breaks even at {even:.2f}, and the threshold is {own:g}"
        todo = "Leave `threshold` out to have it computed, or correct the values."
        yield advice("deployment.threshold", what, todo=todo)


def value_review(value: Value, today: date) -> Iterator[Remark]:
    """An overdue review of the value comes before production."""
    if value.review < today:
        what = f"the value was to be reviewed on {value.review}"
        todo = "Compare promised and realised value, then write down the next date."
        yield missing("prod", "value.review", what, todo=todo)


def bar(training: Training, kind: str) -> Iterator[Remark]:
    """Exactly one bar, for a metric that judges such models, on the side where it gets better."""
    bar, place = training.bar, "training.bar"
    metrics = KINDS[kind].metrics
    if bar.metric not in metrics:
        what = f"{bar.metric} does not judge a {kind}"
        yield error(f"{place}.metric", what, found=bar.metric, expected=", ".join(metrics))
        return
    metric = metrics[bar.metric]
    key, other = "at_least", "at_most"
    if metric.lower_is_better:
        key, other = other, key
    least, wrong = getattr(bar, key), getattr(bar, other)
    if wrong is not None:
        direction = "less" if key == "at_most" else "more"
        yield error(
            f"{place}.{other}",
            f"{direction} is better for {bar.metric}",
            found=f"{other}: {wrong:g}",
            expected=f"{key} alone",
        )
    elif least is None:
        what = f"the bar for {bar.metric} is not set"
        todo = f"Say what the model has to reach, such as `{key}: {metric.example:g}`."
        yield missing("training", f"{place}.{key}", what, todo=todo)
    if least is not None:
        yield from _height(bar.metric, metric, f"{place}.{key}", least)


def _height(name: str, metric: Metric, place: str, at: float) -> Iterator[Remark]:
    chance = metric.chance
    if not metric.low <= at <= metric.high:
        expected = "0 or more" if metric.low == 0 else f"at most {metric.high:g}"
        if (metric.low, metric.high) == (0, 1):
            expected = "a share, not a percentage: between 0 and 1"
        yield error(place, f"{name} can't be there", found=f"{at:g}", expected=expected)
    elif chance is not None and (at >= chance if metric.lower_is_better else at <= chance):
        what = f"a model that knows nothing reaches {chance:g}: this bar stops no model"
        yield advice(place, what)


def gap_in_units(training: Training, kind: str) -> Iterator[Remark]:
    """How far a group may lie behind has no default in the unit of the target."""
    yield from _in_units("training", training, "maximum_gap", training.bar.metric, kind)


def drop_in_units(training: Training, monitoring: Monitoring, kind: str) -> Iterator[Remark]:
    """Nor has how far the metric may fall."""
    yield from _in_units("monitoring", monitoring, "maximum_drop", training.bar.metric, kind)


def _in_units(place: str, section: Section, key: str, name: str, kind: str) -> Iterator[Remark]:
    metric = KINDS[kind].metrics.get(name)
    if metric is not None and metric.in_units and key not in section.model_fields_set:
        what = f"{name} is in the unit of the target: only its people know what is much"
        says = type(section).model_fields[key].description or ""
        yield missing("training", f"{place}.{key}", what, todo=says)


RULES = (
    of_its_kind,
    acting_pays,
    being_right_pays,
    reachable,
    said_of_numbers,
    threshold,
    value_review,
    bar,
    gap_in_units,
    drop_in_units,
)
