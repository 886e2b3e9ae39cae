"""What was promised: the value case, the threshold that follows from it, and the bar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from taxiway.charter.remark import Remark, advice, error, missing
from taxiway.core.charter import LOWER_IS_BETTER, Risk, Training, Value
from taxiway.core.operation import Deployment

CHANCE = {"roc_auc": 0.5, "log_loss": 0.693, "brier": 0.25}
"""What a model reaches that always answers one half: ln 2 and 1/4 are log loss and Brier score."""


def acting_pays(value: Value) -> Iterator[Remark]:
    """Acting has to be worth more when it is right, and less when it is wrong."""
    worth, place = value.per_decision, "value.per_decision"
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


def reachable(value: Value, risk: Risk) -> Iterator[Remark]:
    """No model can bring more than every decision at its best."""
    worth = value.per_decision
    most = risk.decisions_per_month * max(worth.true_positive, worth.true_negative)
    if value.promised_per_month > most:
        yield error(
            "value.promised_per_month",
            "more is promised than all decisions of a month can bring, were they all right",
            found=f"{value.promised_per_month:g}",
            expected=f"at most {most:g} {value.currency}",
        )
    elif value.promised_per_month <= 0:
        yield advice("value.promised_per_month", "nothing is promised, so nothing can be missed")


def threshold(value: Value, deployment: Deployment) -> Iterator[Remark]:
    """A threshold of one's own should know the break-even of the value case."""
    worth = value.per_decision
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


def bar(training: Training) -> Iterator[Remark]:
    """Exactly one bar, on the side where the metric gets better."""
    bar, place = training.bar, "training.bar"
    key, other = "at_least", "at_most"
    if bar.metric in LOWER_IS_BETTER:
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
        todo = f"Say what the model has to reach, such as `{key}: {EXAMPLES[bar.metric]}`."
        yield missing("training", f"{place}.{key}", what, todo=todo)
    if least is not None:
        yield from _height(bar.metric, f"{place}.{key}", least)


EXAMPLES = {"roc_auc": 0.7, "average_precision": 0.4, "log_loss": 0.5, "brier": 0.2}


def _height(metric: str, place: str, at: float) -> Iterator[Remark]:
    low, high = (0, float("inf")) if metric == "log_loss" else (0, 1)
    chance = CHANCE.get(metric)
    if not low <= at <= high:
        unit = "a share, not a percentage: between 0 and 1" if high == 1 else "0 or more"
        yield error(place, f"{metric} can't be there", found=f"{at:g}", expected=unit)
    elif chance is not None and (at >= chance if metric in LOWER_IS_BETTER else at <= chance):
        what = f"a model that knows nothing reaches {chance:g}: this bar stops no model"
        yield advice(place, what)


RULES = (acting_pays, reachable, threshold, value_review, bar)
