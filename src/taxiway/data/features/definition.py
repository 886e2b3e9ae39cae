"""What people write in the YAML files of features: one view or one set a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from taxiway.core.section import Name, Text
from taxiway.data.features.view import FOREVER, SPAN

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Type = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Span = Annotated[str, StringConstraints(pattern=rf"^{SPAN}$")]
TimeToLive = Annotated[str, StringConstraints(pattern=rf"^(?:{SPAN}|{FOREVER})$")]
ViewId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}@[1-9][0-9]{0,5}$")]


class Written(BaseModel):
    """Unknown keys are errors, and types are taken as they are written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceOf(Written):
    """One source of a view: its rows and the contract that they are read by."""

    contract: Text = Field(
        description="The file with the contract, relative to this file.",
        examples=["../contracts/weather.yaml"],
    )
    data: Text = Field(
        description="The rows: a file or folder, relative to this file; an object in a store, or"
        " the URL of a database.",
        examples=["../data/weather.parquet"],
    )
    query: Text | None = Field(
        None,
        description="What a database is asked for.",
        examples=["SELECT origin, time_hour, wind_speed FROM weather"],
    )


class FeatureOf(Written):
    """One feature of a view."""

    type: Type = Field(description="Its type.", examples=["number"])
    unit: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        None, description="Its unit.", examples=["mph"]
    )
    description: str = Field("", description="What it means.")


class ViewFile(Written):
    """A feature view."""

    feature_view: Word = Field(description="Its name.", examples=["weather"])
    version: Annotated[int, Field(ge=1, le=999_999)] = Field(
        description="Raise it whenever a value would be another one.", examples=[1]
    )
    owner: Name = Field(description="Who answers for it.", examples=["flights-data"])
    description: Text = Field(
        description="What its rows say.", examples=["The weather at an airport, hour by hour."]
    )
    entity_key: dict[Column, Type] = Field(
        min_length=1,
        description="The columns that say whom a row is about, with their types.",
        examples=[{"origin": "string"}],
    )
    event_time: Column = Field(
        description="The column that says when a value came to be.", examples=["time_hour"]
    )
    known_at: Column | None = Field(
        None,
        description="The column that says when a value became known; without it, see `delay`.",
        examples=["received_at"],
    )
    delay: Span | None = Field(
        None,
        description="From the event until the value is known, if no column says so.",
        examples=["15m"],
    )
    ttl: TimeToLive = Field(
        description="How long after its event a value still counts, or `forever`.",
        examples=["3h"],
    )
    sources: dict[Word, SourceOf] = Field(
        min_length=1,
        description="Name in the query -> rows and contract.",
        examples=[{"weather": {"contract": "weather.yaml", "data": "weather.parquet"}}],
    )
    sql: Text | None = Field(
        None,
        description="The query, in SQL over the names of the sources.",
        examples=["SELECT origin, time_hour, wind_speed FROM weather"],
    )
    polars: Text | None = Field(
        None,
        description="Instead of `sql`: a Python file that defines `frame(sources)`.",
        examples=["weather.py"],
    )
    features: dict[Column, FeatureOf] = Field(
        min_length=1,
        description="The columns that are features, with their types.",
        examples=[{"wind_speed": {"type": "number", "unit": "mph"}}],
    )


class PartOf(Written):
    """What a set takes of a view."""

    view: ViewId = Field(description="Name and version.", examples=["weather@1"])
    features: list[Column] | None = Field(
        None, description="Some of its features; all without it.", examples=[["wind_speed"]]
    )
    on: dict[Column, Column] = Field(
        {},
        description="Key column of the view -> column of the rows that ask, where they differ.",
        examples=[{"faa": "dest"}],
    )
    prefix: str = Field("", description="Put before each name.", examples=["dest_"])


class SetFile(Written):
    """A feature set: what a model asks for together."""

    feature_set: Word = Field(description="Its name.", examples=["departure"])
    time: Column = Field(
        description="The column of the rows that ask which says as of when.",
        examples=["time_hour"],
    )
    views: list[PartOf] = Field(
        min_length=1, description="What it takes.", examples=[[{"view": "weather@1"}]]
    )
