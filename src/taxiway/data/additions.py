"""Our additions to the standard: what `customProperties` of a file may say, and their reading."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, ValidationError

from taxiway.core.document import Document, Place, problems_of
from taxiway.core.errors import Problem, close_match
from taxiway.data.standard import CustomProperty, Name


class _Ours(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfAnyTable(_Ours):
    """Our properties of the table, none of which has to be there."""

    moments: list[Name] = Field([])
    decision_at: Name | None = None
    event_time: Name | None = None
    minimum_rows: int = Field(1, ge=0)
    maximum_rows: int | None = Field(None, ge=0)
    freshness_hours: float | None = Field(None, gt=0)
    changes: Literal["none", "compatible", "any"] | None = None


class OfTable(OfAnyTable):
    """Our properties of the table of a model's contract."""

    moments: list[Name] = Field(
        min_length=1,
        description="Moments in a row's life, first to last.",
        examples=[["scheduling", "departure", "arrival"]],
    )
    decision_at: Name = Field(
        description="The moment when the model has to answer.", examples=["scheduling"]
    )
    event_time: Name = Field(
        description="The column that says when a row happened.", examples=["time_hour"]
    )
    minimum_rows: int = Field(1, ge=1)


class OfColumn(_Ours):
    """Our properties of a column."""

    unit: str | None = None
    known_at: Name | None = None
    values: list[str | StrictInt] = Field([], description="The only values allowed.")
    sentinels: list[str | StrictInt | StrictFloat] = Field(
        [], description="Values that stand for none.", examples=[[-9999, "unknown"]]
    )
    personal: bool = False
    protected: bool = False
    proxy: bool = False
    cost: float | None = Field(
        None, ge=0, description="What one value costs, in the charter's currency.", examples=[0.02]
    )
    timezone: str | None = None


Ours = TypeVar("Ours", bound=_Ours)


class Reading:
    """Reads custom properties, and gathers what is wrong with them and what is not held."""

    def __init__(self, document: Document, *, strict: bool) -> None:
        self.document = document
        self.strict = strict
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def unheld(self, what: str, place: Place, todo: str) -> None:
        """Something that would be believed and not be kept: an error for a model."""
        where = self.document.where(place)
        if self.strict:
            self.problems.append(Problem(what, where=where, todo=todo))
        else:
            self.notes.append(f"{where}: {what}")

    def read(
        self, place: Place, properties: list[CustomProperty], model: type[Ours]
    ) -> Ours | None:
        """Our properties at a place; None if they can't be read."""
        known = list(model.model_fields)
        data: dict[str, Any] = {}
        lines: dict[Place, int] = {}
        here = (*place, "customProperties")
        for at, item in enumerate(properties):
            where = self.document.where((*here, at))
            if item.property in data:
                self.problems.append(Problem(f"`{item.property}` is there twice", where=where))
            elif item.property in known:
                data[item.property] = item.value
                lines[(item.property,)] = self.document.line((*here, at)) or 0
            elif match := close_match(item.property, known):
                # A property that others use may stand here; one that was meant for us must count.
                todo = f"Did you mean `{match}`?"
                self.problems.append(
                    Problem(f"`{item.property}` is not a known property", where=where, todo=todo)
                )
        lines[()] = self.document.line(here) or 0
        try:
            return model.model_validate(data)
        except ValidationError as error:
            inner = Document(data, lines, self.document.name)
            self.problems += problems_of(inner, error, model)
            return None
