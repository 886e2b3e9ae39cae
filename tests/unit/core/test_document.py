"""Documents: places, lines, and pydantic's findings in words."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from taxiway.core.document import Document, place_text, problems_of


class Owner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(pattern=r"^[a-z-]+$")] = Field(
        description="Who answers for it.", examples=["flights-owner"]
    )
    role: Literal["owner", "developer"] = "owner"


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    owners: list[Owner] = Field([], min_length=1, alias="people")
    limit: int | float | None = Field(None, examples=[5])
    review: Owner | None = None


def told(data: object, lines: dict[tuple[str | int, ...], int] | None = None) -> list[str]:
    document = Document(data, lines or {(): 1}, "plan.yaml")
    with pytest.raises(ValidationError, match="validation error") as caught:
        Plan.model_validate(data)
    return [str(problem) for problem in problems_of(document, caught.value, Plan)]


def test_line_falls_back_to_what_is_around() -> None:
    document = Document({}, {(): 1, ("people",): 4, ("people", 0): 5}, "plan.yaml")
    assert document.line(("people", 0, "role")) == 5
    assert document.line(("people", 3)) == 4
    assert document.line(("nothing",)) == 1
    assert Document({}).line(("x",)) is None


def test_where_names_file_line_and_place() -> None:
    document = Document({}, {(): 1, ("people", 0): 5}, "plan.yaml")
    assert document.where(("people", 0, "role")) == "plan.yaml:5 people[0].role"
    assert document.where(()) == "plan.yaml:1"
    assert place_text(()) == ""


def test_missing_key_says_what_it_is_for() -> None:
    (problem,) = told({"title": "x", "people": [{}]}, {(): 1, ("people", 0): 3})
    assert problem == (
        "plan.yaml:3 people[0].name: `name` is missing. Who answers for it."
        " For instance `name: flights-owner`."
    )


def test_unknown_key_gets_its_close_match_by_the_written_name() -> None:
    assert told({"title": "x", "peopel": []}) == [
        "plan.yaml:1 peopel: `peopel` is not a known key. Did you mean `people`?"
    ]


def test_unknown_key_without_a_match_lists_what_is_known() -> None:
    (problem,) = told({"title": "x", "review": {"name": "a", "zzz": 1}})
    assert problem.endswith("Known: name, role.")


def test_wrong_literal_gets_its_close_match() -> None:
    (problem,) = told({"title": "x", "people": [{"name": "a", "role": "develper"}]})
    assert "expected 'owner' or 'developer', found 'develper'. Did you mean `developer`?" in problem


def test_number_where_text_belongs_is_shown_in_quotes() -> None:
    (problem,) = told({"title": 1.0})
    assert "expected text, found 1.0." in problem
    assert problem.endswith('in quotes: "1.0".')


def test_members_of_a_union_are_one_problem() -> None:
    (problem,) = told({"title": "x", "limit": "many"})
    assert problem.startswith("plan.yaml:1 limit: `limit` is not what it should be; expected ")
    assert problem.endswith("For instance: 5.")
    assert " or " in problem


def test_part_that_is_no_mapping() -> None:
    (problem,) = told({"title": "x", "review": [1, 2]})
    assert "expected a mapping of keys to values, found a list" in problem


def test_pattern_and_length_are_said_in_words() -> None:
    problems = told({"title": "x", "people": [{"name": "Not So"}]})
    assert "expected text that matches ^[a-z-]+$, found 'Not So'" in problems[0]
    assert "expected at least 1 of them" in told({"title": "x", "people": []})[0]


def test_all_problems_come_in_the_order_of_the_lines() -> None:
    data = {"people": [{"name": "A"}], "wrong": 1}
    lines = {(): 1, ("people",): 5, ("people", 0, "name"): 6, ("wrong",): 2}
    assert [p.split(" ")[0] for p in told(data, lines)] == [
        "plan.yaml:1",
        "plan.yaml:2",
        "plan.yaml:6",
    ]


def test_whole_document_of_another_type() -> None:
    (problem,) = told(["a"])
    assert problem.startswith(
        "plan.yaml:1: `plan.yaml` is not what it should be; expected a mapping"
    )


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    name: Annotated[str, StringConstraints(min_length=3, max_length=5)] = "name"
    many: list[int] = Field([1], min_length=1, max_length=2)
    sure: bool = True
    whole: int = 1
    share: float = Field(0.2, gt=0, lt=1)
    day: Annotated[date, Field(strict=False)] = date(2027, 6, 30)
    kind: Literal["a", "b"] = "a"

    @field_validator("name")
    @classmethod
    def _not_taken(cls, name: str) -> str:
        if name == "taken":
            raise ValueError("`name` is taken by another model")
        return name


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "xx"}, "expected at least 3 characters, found 'xx'"),
        ({"name": "xxxxxx"}, "expected at most 5 characters, found 'xxxxxx'"),
        ({"name": None}, "expected text, found nothing"),
        ({"name": {"a": 1}}, "expected text, found a mapping"),
        ({"name": "taken"}, "plan.yaml:1 name: `name` is taken by another model"),
        ({"many": []}, "expected at least 1 of them, found a list"),
        ({"many": [1, 2, 3]}, "expected at most 2 of them, found a list"),
        ({"many": 1}, "expected a valid list, found 1"),
        ({"sure": "yes"}, "expected true or false, found 'yes'"),
        ({"whole": 1.5}, "expected a whole number, found 1.5"),
        ({"whole": "1"}, "expected a whole number, found '1'"),
        ({"whole": True}, "expected a whole number, found True"),
        ({"share": "20 %"}, "expected a number, such as 0.2 for 20 %, found '20 %'"),
        ({"share": 1.0}, "expected less than 1, found 1.0"),
        ({"share": float("inf")}, "expected a finite number, found inf"),
        ({"day": "soon"}, "expected a date, such as 2027-06-30, found 'soon'"),
        ({"kind": "zzz"}, "expected 'a' or 'b', found 'zzz'"),
        ({"name": "x" * 1000}, "… (1000 characters)'"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(data: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match="validation error") as caught:
        Strict.model_validate(data)
    (problem,) = problems_of(Document(data, {(): 1}, "plan.yaml"), caught.value, Strict)
    assert words in str(problem)
    assert len(str(problem)) < 400
