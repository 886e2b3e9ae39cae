"""The charter, `taxiway.yaml`: the day-one plan that everything else is held against.

A charter says what the model decides and for whom, who owns it, what it is worth and what was
promised, what could go wrong, which data it stands on, which bar it has to pass and how it is
watched. `taxiway.charter` reads the file and reports every problem with its line.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from taxiway.core.digest import digest_of
from taxiway.core.operation import Deployment, Inventory, Monitoring, Oversight, Retraining
from taxiway.core.section import Day, Name, Section, Text, YesOrNo

Kind = Literal["classification", "regression"]
Metric = Literal["roc_auc", "average_precision", "log_loss", "brier", "mae", "rmse", "r2", "mape"]


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

    business: Name | None = Field(
        None, description="Answers for purpose, value and use.", examples=["flights-owner"]
    )
    data: Name | None = Field(
        None, description="Answers for the data and its contract.", examples=["flights-data"]
    )
    development: Name | None = Field(
        None, description="Answers for the model's code.", examples=["flights-developer"]
    )
    engineering: Name | None = Field(
        None, description="Answers for running it.", examples=["flights-engineer"]
    )
    validation: Name | None = Field(
        None, description="Validates it, independently.", examples=["flights-validator"]
    )


class Risk(Section):
    """The answers from which the tier is computed."""

    is_model: YesOrNo = Field(
        description="Whether it is a model at all, or a fixed rule.", examples=[True]
    )
    legal_class: Literal["minimal", "limited", "high"] = Field(
        description="Class under the law that applies, such as the EU AI Act.",
        examples=["minimal"],
    )
    effect_on_people: Literal["none", "indirect", "direct"] = Field(
        description="What a wrong answer does to a person.", examples=["indirect"]
    )
    reversible: YesOrNo = Field(
        description="Whether a wrong decision can be undone.", examples=[True]
    )
    automation: Literal["advises", "decides"] = Field(
        description="Whether the model advises a person who decides, or decides itself.",
        examples=["advises"],
    )
    decisions_per_month: int = Field(
        ge=1, description="How many decisions it serves in a month.", examples=[28000]
    )
    value_at_stake_per_month: float = Field(
        ge=0,
        description="What wrong decisions could cost in a month, in the value case's currency.",
        examples=[50000],
    )
    personal_data: YesOrNo = Field(
        description="Whether the data hold personal data.", examples=[False]
    )
    third_party: YesOrNo = Field(
        description="Whether the model or its code comes from a vendor.", examples=[False]
    )
    tier: Literal["low", "medium", "high"] | None = Field(
        None,
        description="The tier that was agreed; `plan` refuses one below the computed tier.",
        examples=["medium"],
    )
    foreseeable_misuse: Text = Field(
        description="How it could be misread or misused.",
        examples=["reading the score as a safety rating"],
    )


class DecisionValue(Section):
    """What each kind of right and wrong decision is worth, in the value case's currency."""

    true_positive: float = Field(description="Acted on, rightly.", examples=[30])
    false_positive: float = Field(description="Acted on, wrongly.", examples=[-10])
    true_negative: float = Field(0.0, description="Left alone, rightly.", examples=[0])
    false_negative: float = Field(0.0, description="Left alone, wrongly.", examples=[-5])


class AnswerValue(Section):
    """What the predicted numbers are worth, in the value case's currency."""

    right: float = Field(description="A number that is exactly right.", examples=[2])
    each_unit_off: float = Field(
        description="What each unit takes away by which it is off, above or below: less than zero.",
        examples=[-0.05],
    )


class Value(Section):
    """The value case: what was promised, against what, and when it is reviewed."""

    currency: str = Field(
        min_length=3, max_length=3, description="Three letters (ISO 4217).", examples=["USD"]
    )
    per_decision: DecisionValue | None = Field(
        None,
        description="What a right and a wrong decision are worth: of a classification, where it has"
        " to be there.",
        examples=[{"true_positive": 30, "false_positive": -10}],
    )
    per_answer: AnswerValue | None = Field(
        None,
        description="What a number is worth: of a regression, where it has to be there.",
        examples=[{"right": 2, "each_unit_off": -0.05}],
    )
    promised_per_month: float = Field(
        description="What the business was promised in a month.", examples=[20000]
    )
    baseline: Text = Field(
        description="What is done without the model.", examples=["nobody is warned"]
    )
    review: Day = Field(description="When the value is reviewed.", examples=["2027-06-30"])

    @model_serializer(mode="wrap")
    def _answered(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what another kind of model would say: a charter that was written before there was
        one keeps its digest, and the signatures that rest on it."""
        return {name: value for name, value in write(self).items() if value is not None}


class Data(Section):
    """Where the data and their contract are, relative to the charter."""

    contract: Text = Field(
        description="The file with the data contract.", examples=["contracts/flights.yaml"]
    )
    source: Text = Field(
        description="The file with the rows to learn from: Parquet or CSV.",
        examples=["data/flights.parquet"],
    )
    production: Text | None = Field(
        None,
        description="A sample of what production sends, to compare the training data with.",
        examples=["data/schedule.parquet"],
    )
    features: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] | None = Field(
        None,
        description="A feature set of the folder `features`, which `data snapshot` joins to each"
        " row as of its time.",
        examples=["departure"],
    )

    @model_serializer(mode="wrap")
    def _asked(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without features that nobody asks for: a charter that was written before there were any
        keeps its digest."""
        plain: dict[str, Any] = write(self)
        return plain if self.features else {n: v for n, v in plain.items() if n != "features"}


class Target(Section):
    """The label: a name and its definition over contract columns, as a SQL expression."""

    name: Name | Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")] = Field(
        description="What the label is called.", examples=["late"]
    )
    definition: Text = Field(
        description="A condition over contract columns, or the number to predict; where it is null,"
        " a row has no label.",
        examples=["arr_delay > 15"],
    )


class Split(Section):
    """How the holdout is set apart: by time, the newest rows."""

    by: Literal["time"] = Field("time", description="What the rows are ordered by.")
    holdout: float = Field(0.2, gt=0, lt=1, description="Share of rows, the newest ones.")


class Bar(Section):
    """The metric that decides, and the least it has to reach on the holdout."""

    metric: Metric = Field("roc_auc", description="The metric that decides.")
    at_least: float | None = Field(
        None, description="The bar of a metric where more is better.", examples=[0.6]
    )
    at_most: float | None = Field(
        None, description="The bar of a metric where less is better.", examples=[0.2]
    )


class Training(Section):
    """Code, split, bar, and the groups that have to be looked at."""

    code: Text = Field("model.py", description="The file with `features` and `estimator`.")
    seed: int = Field(7, ge=0, lt=2**32, description="Makes chance repeatable.")
    split: Split = Field(Split(), description="How the holdout is set apart.")
    bar: Bar = Field(
        description="The bar to pass.", examples=[{"metric": "roc_auc", "at_least": 0.6}]
    )
    slices: list[str] = Field(
        min_length=1,
        description="Columns whose values are looked at apart.",
        examples=[["origin", "carrier"]],
    )
    protected: list[str] = Field(
        default_factory=list, description="Columns with protected groups.", examples=[["gender"]]
    )
    no_protected_because: Text | None = Field(
        None,
        description="Why there is no protected group to look at.",
        examples=["flights are described by schedule and route; no person is in the data"],
    )
    maximum_gap: float = Field(
        0.1, gt=0, description="Most that a group's metric may lie behind the whole."
    )
    minimum_slice_rows: int = Field(
        200, ge=1, description="Groups with fewer rows are named, not judged."
    )


class Charter(Section):
    """The whole plan for one model."""

    charter: Literal[1] = Field(description="Version of this format.", examples=[1])
    name: Name = Field(description="The model's name, everywhere.", examples=["flight-delays"])
    kind: Kind = Field(description="What kind of model it is.", examples=["classification"])
    purpose: Purpose = Field(description="What it decides, for whom, and what it is not for.")
    owners: Owners = Field(description="Who answers for what, by name.")
    risk: Risk = Field(description="The answers from which the tier is computed.")
    value: Value = Field(description="What was promised, and against what.")
    data: Data = Field(description="Where the data and their contract are.")
    target: Target = Field(description="The label.")
    training: Training = Field(description="Code, split, bar and groups.")
    deployment: Deployment = Field(description="How it is served.")
    oversight: Oversight = Field(description="Who looks at decisions and can stop the model.")
    monitoring: Monitoring = Field(description="How it is watched.")
    retraining: Retraining = Field(Retraining(), description="What asks for a retraining.")
    inventory: Inventory = Field(description="What else an inventory of models holds.")

    @property
    def digest(self) -> str:
        """Digest of the answers, whatever the layout of the file."""
        return digest_of(self.model_dump(mode="json"))

    @property
    def threshold(self) -> float | None:
        """The probability from which a positive answer is worth more than a negative one; None
        where answers are numbers.

        The charter's own, or the break-even of the value case: with the values of the four
        outcomes, t = (TN - FP) / ((TN - FP) + (TP - FN)).
        Source: Elkan (2001), The foundations of cost-sensitive learning, equation 2.
        """
        if self.deployment.threshold is not None:
            return self.deployment.threshold
        worth = self.value.per_decision
        if worth is None:
            return None
        wrong = worth.true_negative - worth.false_positive
        right = worth.true_positive - worth.false_negative
        return wrong / (wrong + right)
