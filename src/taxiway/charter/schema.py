"""The JSON Schema of the charter, so that editors complete and check `taxiway.yaml`."""

from __future__ import annotations

from typing import Any

from taxiway.core.charter import Charter

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def charter_schema() -> dict[str, Any]:
    """The schema: types, limits, meanings and examples of every key.

    >>> charter_schema()["properties"]["name"]["examples"]
    ['flight-delays']
    """
    schema = Charter.model_json_schema()
    return {"$schema": DIALECT, **schema, "title": "taxiway charter"}
