"""The reference page of the charter, written from its model so that it can't go out of date.

`python -m taxiway.charter.reference > docs/reference/charter.md` writes it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from taxiway.charter.schema import charter_schema
from taxiway.charter.tier import RULES
from taxiway.core.charter import Charter

HEAD = """# The charter: `taxiway.yaml`

Written from the model in `taxiway.core.charter`; `make docs` writes it again. `taxiway plan` reads
a charter and says what is missing or contradictory; `taxiway schema` prints its JSON Schema.

Unknown keys are errors. A key that is left blank is missing. Only `true` and `false` (or `yes` and
`no` where a key asks for one of them) are booleans, shares are numbers such as `0.2`, and text that
looks like a number stands in quotes.
"""

TIERS_SAY = (
    "The highest tier of the rules that apply; `low` if none does. `risk.tier` may raise it, never"
    " lower it.\n"
)

LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
}

TYPES = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
}


def page() -> str:
    """The page, as Markdown."""
    schema = charter_schema()
    parts = [HEAD, "## The whole charter\n", *_table(schema, schema["properties"], Charter)]
    for name, info in Charter.model_fields.items():
        parts += _section(schema, name, info.annotation)
    parts += [
        "\n## The risk tier\n",
        TIERS_SAY,
        "| tier | when |\n| --- | --- |",
        *(f"| {rule.tier} | {rule.reason} |" for rule in RULES),
    ]
    return "\n".join(parts) + "\n"


def _section(schema: dict[str, Any], path: str, model: Any) -> Iterator[str]:
    """The table of a section and of the sections in it."""
    if arguments := get_args(model):
        model, path = arguments[0], path if NoneType in arguments else f"{path}[]"
    if not hasattr(model, "model_fields"):
        return
    definition = schema["$defs"][model.__name__]
    yield f"\n## `{path}`\n"
    yield f"{definition['description'].splitlines()[0]}\n"
    yield from _table(schema, definition["properties"], model)
    for name, info in model.model_fields.items():
        yield from _section(schema, f"{path}.{name}", info.annotation)


def _table(schema: dict[str, Any], properties: dict[str, Any], model: Any) -> Iterator[str]:
    yield "| key | type | meaning | default | example |\n| --- | --- | --- | --- | --- |"
    for name, info in model.model_fields.items():
        cells = (
            f"`{name}`",
            _type(schema, properties[name]),
            info.description or "",
            _default(info),
            _code(info.examples[0]) if info.examples else "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(schema: dict[str, Any], says: dict[str, Any]) -> str:
    """The type of a key in plain words, with its limits."""
    if "$ref" in says:
        return "section"
    if "const" in says:
        return _code(says["const"])
    if "enum" in says:
        return ", ".join(_code(value) for value in says["enum"])
    if "anyOf" in says:
        kinds = (_type(schema, one) for one in says["anyOf"] if one.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if says["type"] == "array":
        return _limited(f"list of {_type(schema, says['items'])}", says)
    if says["type"] == "object":
        return f"name to one of {_type(schema, says['additionalProperties'])}"
    kind = {"date": "date"}.get(says.get("format", ""), TYPES[says["type"]])
    if "pattern" in says:
        return f"{kind} that matches `{says['pattern']}`"
    return _limited(kind, says)


def _limited(kind: str, says: dict[str, Any]) -> str:
    limits = [text.format(says[key]) for key, text in LIMITS.items() if key in says]
    return ", ".join([kind, *limits])


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "has to be there"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    return "its own defaults" if isinstance(value, BaseModel) else _code(value)


def _code(value: Any) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - a page that is written into a file
