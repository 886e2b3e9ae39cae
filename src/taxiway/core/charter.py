"""The charter, `taxiway.yaml`: the day-one plan that everything else is held against.

A charter says what the model decides and for whom, who owns it, what it is worth and what was
promised, what could go wrong, which data it stands on, which bar it has to pass and how it is
watched. `taxiway.charter` reads the file and reports every problem with its line.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from taxiway.core.digest import digest_of

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
Kind = Literal["classification"]
Days = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*d$")]
"""A duration in days, such as `1d`."""

METRICS = ("roc_auc", "average_precision", "log_loss", "brier")
LOWER_IS_BETTER = frozenset({"log_loss", "brier"})
Metric = Literal["roc_auc", "average_precision", "log_loss", "brier"]


class Section(BaseModel):
    """A part of the charter: unknown keys are errors, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Purpose(Section):
    """What the model decides, for whom, and what it must not be used for."""

    decision: Text = Field(
        description="The decision that the prediction serves.",
        examples=["Warn a passenger at booking that a flight is likely to arrive late."],
    )
    permitted_uses: list[Text] = Field(
        min_length=1, description="What it may be used for.", examples=[["planning of gates"]]
    )
    forbidden_uses: list[Text] = Field(
        min_length=1, description="What it must not be used for.", examples=[["rating of pilots"]]
    )
    people_affected: Text = Field(
        description="Who feels the decision.", examples=["passengers who see the warning"]
    )
    limits: list[Text] = Field(
        min_length=1,
        description="Where the model is known to be weak or does not apply.",
        examples=[["flights that are cancelled have no outcome"]],
    )


class Owners(Section):
    """Who answers for what, by name; business and engineering share the ownership."""

    business: Name | None = Field(None, description="Answers for purpose, value and use.")
    data: Name | None = Field(None, description="Answers for the data and its contract.")
    development: Name | None = Field(None, description="Answers for the model's code.")
    engineering: Name | None = Field(None, description="Answers for running it.")
    validation: Name | None = Field(None, description="Validates it, independently.")


class Risk(Section):
    """The answers from which the tier is computed."""

    is_model: bool = Field(description="Whether it is a model at all, or a fixed rule.")
    legal_class: Literal["minimal", "limited", "high"] = Field(
        description="Class under the law that applies, such as the EU AI Act."
    )
    effect_on_people: Literal["none", "indirect", "direct"] = Field(
        description="What a wrong answer does to a person."
    )
    reversible: bool = Field(description="Whether a wrong decision can be undone.")
    automation: Literal["advises", "decides"] = Field(
        description="Whether a person takes the decision, or the model does."
    )
    decisions_per_month: int = Field(ge=1, examples=[28000])
    value_at_stake_per_month: float = Field(
        ge=0, description="In the value case's currency.", examples=[50000]
    )
    personal_data: bool = Field(description="Whether the inputs hold personal data.")
    third_party: bool = Field(description="Whether model or data come from a vendor.")
    tier: Literal["low", "medium", "high"] | None = Field(
        None, description="The tier that was agreed; `plan` refuses one below the computed tier."
    )
    foreseeable_misuse: Text = Field(examples=["reading the score as a safety rating"])


class DecisionValue(Section):
    """What each kind of right and wrong decision is worth, in the value case's currency."""

    true_positive: float
    false_positive: float
    true_negative: float = 0.0
    false_negative: float = 0.0


class Value(Section):
    """The value case: what was promised, against what, and when it is reviewed."""

    currency: str = Field(min_length=3, max_length=3, examples=["USD"])
    per_decision: DecisionValue
    promised_per_month: float = Field(examples=[20000])
    baseline: Text = Field(
        description="What is done without the model.", examples=["nobody is warned"]
    )
    review: date = Field(description="When the value is reviewed.", examples=["2027-06-30"])


class Data(Section):
    """Where the data and their contract are, relative to the charter."""

    contract: Text = Field(examples=["contracts/flights.yaml"])
    source: Text = Field(examples=["data/flights.parquet"])
    production: Text | None = Field(
        None, description="A sample of what production sends, to compare the training data with."
    )


class Target(Section):
    """The label: a name and its definition over contract columns, as a SQL expression."""

    name: Name | Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]
    definition: Text = Field(examples=["arr_delay > 15"])


class Split(Section):
    """How the holdout is set apart: by time, the newest rows."""

    by: Literal["time"] = "time"
    holdout: float = Field(0.2, gt=0, lt=1, description="Share of rows, the newest ones.")


class Bar(Section):
    """The metric that decides, and the least it has to reach on the holdout."""

    metric: Metric = "roc_auc"
    at_least: float | None = Field(None, examples=[0.6])
    at_most: float | None = Field(None, description="For metrics where less is better.")


class Training(Section):
    """Code, split, bar, and the groups that have to be looked at."""

    code: Text = Field("model.py", description="The file with `features` and `estimator`.")
    seed: int = Field(7, ge=0)
    split: Split = Split()
    bar: Bar
    slices: list[str] = Field(min_length=1, description="Columns whose values are looked at apart.")
    protected: list[str] = Field(default_factory=list, description="Columns with protected groups.")
    no_protected_because: Text | None = Field(
        None, description="Why there is no protected group to look at."
    )
    maximum_gap: float = Field(
        0.1, gt=0, description="Most that a group's metric may lie behind the whole."
    )
    minimum_slice_rows: int = Field(200, ge=1)


class Deployment(Section):
    """How it is served, and for how long its decisions are kept."""

    target: Literal["http", "batch", "both"] = "both"
    threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Probability from which the answer is positive; computed from the value case if"
        " left out.",
    )
    latency_ms_p99: float = Field(250, gt=0)
    reason_codes: Literal["adverse", "all", "none"] = "adverse"
    retention_days: int = Field(200, ge=1, description="How long decisions are kept.")


class Oversight(Section):
    """Which person looks at decisions, and how they can stop the model."""

    who: Name = Field(examples=["gate-planning"])
    how: Text = Field(examples=["sees every warning beside the schedule and can withdraw it"])
    stop: Text = Field(examples=["taxiway rollback prod, or the warning switch in the app"])


class Monitoring(Section):
    """Windows, label delay and the limits beyond which somebody is called."""

    window: Literal["day", "week", "month"] = "month"
    label_delay: Days = Field("1d", description="When labels of a window are due, after its end.")
    minimum_rows: int = Field(500, ge=20)
    drift_effect: float = Field(
        0.1, gt=0, lt=1, description="Jensen-Shannon distance (0 to 1) from which drift counts."
    )
    false_discovery_rate: float = Field(0.01, gt=0, lt=1)
    maximum_drop: float = Field(
        0.05, gt=0, description="Most that the metric may fall behind the holdout's."
    )
    escalation: Text = Field(examples=["business owner within a day, then the risk committee"])


class Retraining(Section):
    """What asks for a retraining, and who decides on it."""

    triggers: list[Literal["performance", "drift", "output", "value"]] = ["performance"]
    decided_by: Literal["business", "development", "engineering"] = "business"
    minimum_gain: float = Field(
        0.0, ge=0, description="Least gain on the frozen holdout, at the interval's lower end."
    )


class Inventory(Section):
    """The rest of what an inventory of models has to hold."""

    origin: Literal["in-house", "vendor", "open-source"] = "in-house"
    dependencies: list[Text] = Field(
        min_length=1, description="Systems and models that it depends on or that depend on it."
    )
    next_review: date
    approver: Name


class Charter(Section):
    """The whole plan for one model."""

    charter: Literal[1] = Field(description="Version of this format.")
    name: Name = Field(examples=["flight-delays"])
    kind: Kind
    purpose: Purpose
    owners: Owners
    risk: Risk
    value: Value
    data: Data
    target: Target
    training: Training
    deployment: Deployment
    oversight: Oversight
    monitoring: Monitoring
    retraining: Retraining = Retraining()
    inventory: Inventory

    @property
    def digest(self) -> str:
        """Digest of the answers, whatever the layout of the file."""
        return digest_of(self.model_dump(mode="json"))

    @property
    def threshold(self) -> float:
        """The probability from which a positive answer is worth more than a negative one.

        The charter's own, or the break-even of the value case: with the values of the four
        outcomes, t = (TN - FP) / ((TN - FP) + (TP - FN)).
        Source: Elkan (2001), The foundations of cost-sensitive learning, equation 2.
        """
        if self.deployment.threshold is not None:
            return self.deployment.threshold
        worth = self.value.per_decision
        wrong = worth.true_negative - worth.false_positive
        right = worth.true_positive - worth.false_negative
        return wrong / (wrong + right)
