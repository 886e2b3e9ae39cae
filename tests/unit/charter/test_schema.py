"""The JSON Schema says the same as the model, and the reference page says all of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from taxiway.charter.reference import page
from taxiway.charter.schema import charter_schema
from taxiway.core.charter import Charter
from taxiway.core.section import Section

ROOT = Path(__file__).parents[3]


def sections() -> list[type[BaseModel]]:
    return [Charter, *Section.__subclasses__()]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(charter_schema())


def test_the_schema_takes_what_the_model_takes(complete: dict[str, Any]) -> None:
    jsonschema.validate(complete, charter_schema())
    wrong = copy.deepcopy(complete)
    wrong["owners"]["busines"] = "flights-owner"
    with pytest.raises(jsonschema.ValidationError, match="busines"):
        jsonschema.validate(wrong, charter_schema())


@pytest.mark.parametrize("section", sections(), ids=lambda s: s.__name__)
def test_every_key_has_a_meaning_and_every_needed_one_an_example(section: type[BaseModel]) -> None:
    for name, info in section.model_fields.items():
        assert info.description, f"{section.__name__}.{name} has no meaning"
        is_section = isinstance(info.annotation, type) and issubclass(info.annotation, Section)
        if info.is_required() and not is_section:
            assert info.examples, f"{section.__name__}.{name} has no example"


@pytest.mark.parametrize("section", sections(), ids=lambda s: s.__name__)
def test_every_example_is_a_right_answer(section: type[BaseModel]) -> None:
    for name, info in section.model_fields.items():
        for example in info.examples or []:
            section.__pydantic_validator__.validate_assignment(
                section.model_construct(), name, example
            )


def test_the_reference_page_is_the_one_that_the_model_gives() -> None:
    committed = (ROOT / "docs/reference/charter.md").read_text("utf-8")
    assert committed == page(), "write it again with `make docs`"


def test_the_reference_page_has_every_key() -> None:
    text = page()
    for section in sections():
        for name in section.model_fields:
            assert f"| `{name}` |" in text
