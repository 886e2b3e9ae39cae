"""The file format of the Open Data Contract Standard, version 3, as far as a table needs it.

Keys of the standard that say nothing about the values of a column are accepted and left alone.
Source: https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StringConstraints
from pydantic.alias_generators import to_camel

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Part(BaseModel):
    """A part of the file: unknown keys are errors; names are the standard's, in camel case."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class CustomProperty(Part):
    """One `property`/`value` pair: ours are known by name, others are left alone."""

    property: Name
    value: Any
    id: Any = None
    description: Any = None
    vendor: Any = None


class Quality(Part):
    """A rule of the standard: a metric that is known by name, a query, or an engine's own words."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel)
    name: str | None = None
    description: str | None = None
    type: str | None = None
    metric: str | None = None
    rule: str | None = None
    arguments: dict[str, Any] | None = None
    engine: str | None = None
    implementation: Any = None
    query: str | None = None
    unit: str | None = None
    must_be: Any = None
    must_be_greater_than: float | None = None
    must_be_greater_or_equal_to: float | None = None
    must_be_less_than: float | None = None
    must_be_less_or_equal_to: float | None = None
    must_be_between: list[float] | None = None


class Relationship(Part):
    """Columns that are a key of another table."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel)
    type: str | None = None
    from_: str | list[str] | None = Field(None, alias="from")
    to: str | list[str] | None = None


class Options(Part):
    """`logicalTypeOptions` of a column: the limits that its values keep."""

    minimum: StrictInt | StrictFloat | str | None = None
    maximum: StrictInt | StrictFloat | str | None = None
    pattern: str | None = None
    min_length: int | None = Field(None, ge=0)
    max_length: int | None = Field(None, ge=0)
    exclusive_minimum: Any = None
    exclusive_maximum: Any = None
    multiple_of: Any = None
    format: Any = None
    timezone: Any = None
    default_timezone: Any = None
    max_items: Any = None
    min_items: Any = None
    unique_items: Any = None
    max_properties: Any = None
    min_properties: Any = None
    required: Any = None


class Allowed(Part):
    """One allowed value of a column (the standard's `enum`, from version 3.2 on)."""

    value: str | StrictInt
    model_config = ConfigDict(extra="allow", frozen=True)


class Property(Part):
    """A column."""

    name: Name = Field(examples=["dep_delay"])
    logical_type: str | None = Field(None, examples=["integer"])
    required: bool | None = None
    primary_key: bool = False
    unique: bool = False
    description: str = ""
    classification: Any = None
    logical_type_options: Options = Options()
    examples: list[Any] = []
    enum: list[Allowed] = []
    custom_properties: list[CustomProperty] = []
    # Standard keys that say nothing about the values.
    id: Any = None
    primary_key_position: Any = None
    physical_type: Any = None
    physical_name: Any = None
    business_name: str | None = None
    partitioned: Any = None
    partition_key_position: Any = None
    encrypted_name: Any = None
    transform_source_objects: Any = None
    transform_logic: Any = None
    transform_description: Any = None
    critical_data_element: Any = None
    authoritative_definitions: Any = None
    relationships: list[Relationship] = []
    quality: list[Quality] = []
    properties: Any = None
    items: Any = None
    map: Any = None
    tags: Any = None
    semantic_type: Any = None
    synonyms: Any = None
    deprecated: Any = None


class Table(Part):
    """The one table of a contract."""

    name: Name = Field(examples=["flights"])
    properties: list[Property] = Field(min_length=1)
    custom_properties: list[CustomProperty] = []
    description: Any = None
    id: Any = None
    physical_name: Any = None
    logical_type: Any = None
    physical_type: Any = None
    business_name: Any = None
    authoritative_definitions: Any = None
    data_granularity_description: Any = None
    relationships: list[Relationship] = []
    quality: list[Quality] = []
    tags: Any = None
    context: Any = None
    synonyms: Any = None
    deprecated: Any = None


class Description(Part):
    """What the data are for, and what they are not."""

    purpose: str | None = None
    limitations: str | None = None
    usage: str | None = None
    authoritative_definitions: Any = None
    custom_properties: Any = None


class OpenDataContract(Part):
    """The file. The contract of a model has exactly one table."""

    api_version: Literal["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"] = Field(
        description="Version of the standard.", examples=["v3.1.0"]
    )
    kind: Literal["DataContract"] = Field(examples=["DataContract"])
    id: Name = Field(description="Names the contract.", examples=["flights"])
    version: Name = Field(description="Version of this contract.", examples=["1.0.0"])
    status: Name = Field(description="Where the contract stands.", examples=["active"])
    tables: list[Table] = Field(alias="schema", min_length=1)
    description: Description = Description()
    team: Any = None
    name: Any = None
    tenant: Any = None
    tags: Any = None
    servers: Any = None
    data_product: Any = None
    domain: Any = None
    support: Any = None
    price: Any = None
    roles: Any = None
    sla_default_element: Any = None
    sla_properties: Any = None
    authoritative_definitions: Any = None
    custom_properties: Any = None
    contract_created_ts: Any = None
    context: Any = None
