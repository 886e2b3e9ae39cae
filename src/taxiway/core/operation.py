"""The parts of a charter about a model that runs: deployment, oversight, monitoring, retraining."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from taxiway.core.section import Day, Days, Duration, Name, Section, Text


class Guardrail(Section):
    """When a canary is taken off by itself."""

    minimum_decisions: int = Field(
        200, ge=20, description="Decisions of the canary before its answers are judged."
    )
    maximum_failures: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="Most of its records on which it may fail; the champion answers them.",
    )
    maximum_difference: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Most that its share of positive answers, and its mean probability, may differ"
        " from the champion's; of predicted numbers, their mean, in standard deviations.",
    )


class Deployment(Section):
    """How it is served, and for how long its decisions are kept."""

    target: Literal["http", "batch", "both"] = Field("both", description="How it is asked.")
    threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Probability from which the answer is positive; computed from the value case if"
        " left out.",
    )
    latency_ms_p99: float = Field(
        250, gt=0, description="Milliseconds in which 99 of 100 answers have to be there."
    )
    maximum_difference: float = Field(
        1e-6,
        ge=0,
        lt=1,
        description="Most that the compiled model's probability may differ from the original's; a"
        " predicted number, in parts of it, or of the spread of all of them if that is larger.",
    )
    reason_codes: Literal["adverse", "all", "none"] = Field(
        "adverse", description="Which decisions come with their reasons."
    )
    reasons_by: Literal["contributions", "replacement"] = Field(
        "contributions",
        description="How a reason is measured: exactly, as what a column adds to the score (Shapley"
        " values), where the engine can; or as what the typical value in its place would change.",
    )
    retention_days: int = Field(200, ge=1, description="How long decisions are kept.")
    log: Literal["durable", "buffered"] = Field(
        "durable",
        description="Whether a decision is on the disk before its answer leaves, or within a second"
        " behind it: buffered, a loss of power may lose the last second's.",
    )
    personal: dict[str, Literal["keep", "omit", "pseudonym"]] = Field(
        {},
        description="What the decision log holds of columns that the contract marks as personal;"
        " those that are not named are kept.",
        examples=[{"customer": "pseudonym", "name": "omit"}],
    )
    guardrail: Guardrail = Field(Guardrail(), description="When a canary is taken off by itself.")


class ReviewRule(Section):
    """Which answers a person decides on."""

    name: Name = Field(description="What the rule is called.", examples=["borderline"])
    when: Text = Field(
        description="A condition in SQL over `prediction`, `probability` (of a classification), and"
        " columns that are known when the model answers.",
        examples=["probability BETWEEN 0.2 AND 0.3"],
    )


class Oversight(Section):
    """Who looks at decisions, which of them a person takes, and how the model is stopped."""

    who: Name = Field(description="Who looks at the decisions.", examples=["gate-planning"])
    how: Text = Field(
        description="How they look, and what they can change.",
        examples=["sees every warning beside the schedule and can withdraw it"],
    )
    stop: Text = Field(
        description="How the model is stopped.",
        examples=["taxiway rollback prod, or the warning switch in the app"],
    )
    review: list[ReviewRule] = Field(
        default_factory=list, description="Answers that become cases, which a person decides."
    )
    sample: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the other answers that become cases, too, by chance.",
        examples=[0.01],
    )
    answer_within: Duration = Field("2d", description="How long a case may wait for its answer.")
    on_timeout: Literal["escalate", "keep"] = Field(
        "escalate",
        description="What a case comes to that waited too long: an owner has to decide it, or the"
        " model's answer stands.",
    )
    in_time: float = Field(
        0.9, ge=0, le=1, description="Least share of a window's cases that people decide in time."
    )
    agreement_at_least: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least share of the cases by chance in which people agree with the model.",
        examples=[0.9],
    )

    @model_serializer(mode="wrap")
    def _answered(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what is not as it would be by default: a charter that was written before a question
        was asked here keeps its digest, and the signatures that rest on it."""
        fields = type(self).model_fields
        return {
            name: value
            for name, value in write(self).items()
            if value != fields[name].get_default(call_default_factory=True, validated_data={})
        }

    @property
    def reviewed(self) -> bool:
        """Whether any answer can become a case."""
        return bool(self.review) or self.sample > 0


class Monitoring(Section):
    """Windows, label delay and the limits beyond which somebody is called."""

    window: Literal["day", "week", "month"] = Field(
        "month", description="How much time one look covers."
    )
    label_delay: Days = Field(
        "1d", description="When labels of a window are due, after its end.", examples=["1d"]
    )
    minimum_rows: int = Field(
        500, ge=20, description="Windows with fewer decisions are `insufficient data`."
    )
    drift_effect: float = Field(
        0.1, gt=0, lt=1, description="Jensen-Shannon distance (0 to 1) from which drift counts."
    )
    false_discovery_rate: float = Field(
        0.01, gt=0, lt=1, description="Share of false alarms among all drift alarms."
    )
    maximum_drop: float = Field(
        0.05, gt=0, description="Most that the metric may fall behind the holdout's."
    )
    escalation: Text = Field(
        description="Who is told, in which order and time.",
        examples=["business owner within a day, then the risk committee"],
    )


class Retraining(Section):
    """What asks for a retraining, and who decides on it."""

    triggers: list[Literal["performance", "drift", "output", "value"]] = Field(
        ["performance"], description="Alerts that ask for a retraining."
    )
    decided_by: Literal["business", "development", "engineering"] = Field(
        "business", description="The owner who accepts or declines a challenger."
    )
    minimum_gain: float = Field(
        0.0, ge=0, description="Least gain on the frozen holdout, at the interval's lower end."
    )


class Inventory(Section):
    """The rest of what an inventory of models has to hold."""

    origin: Literal["in-house", "vendor", "open-source"] = Field(
        "in-house", description="Where the model comes from."
    )
    dependencies: list[Text] = Field(
        min_length=1,
        description="Systems and models that it depends on or that depend on it.",
        examples=[["the booking app, which shows the warning"]],
    )
    next_review: Day = Field(
        description="When the model is validated again.", examples=["2027-06-30"]
    )
    approver: Name = Field(
        description="Who approves its use; never its developer.", examples=["flights-validator"]
    )
