"""Errors: one tree, stable codes, texts that say what to do and stay bounded."""

from __future__ import annotations

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.cli import EPILOG
from taxiway.core import errors
from taxiway.core.errors import (
    SHOWN_PROBLEMS,
    ConflictError,
    ExtraMissingError,
    InputError,
    MissingError,
    Problem,
    TaxiwayError,
    close_match,
    shortened,
)

TREE = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, TaxiwayError)
]
LEAVES = [kind for kind in TREE if kind is not TaxiwayError]
LONG = "x" * 1_000_000
long_texts = st.integers(0, 3_000).map(lambda n: "x" * n) | st.just(LONG)


# The tree


def test_codes_and_exit_codes_are_unique() -> None:
    assert len(LEAVES) == 7
    assert len({kind.code for kind in TREE}) == len(TREE)
    assert len({kind.exit_code for kind in TREE}) == len(TREE)


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"[├└]── (\w+) +(TW-\d)", errors.__doc__ or "")
    assert sorted(drawn) == sorted((kind.__name__, kind.code) for kind in LEAVES)


def test_codes_never_change() -> None:
    assert {kind.__name__: (kind.code, kind.exit_code) for kind in TREE} == {
        "TaxiwayError": ("TW-0", 1),
        "InputError": ("TW-1", 2),
        "MissingError": ("TW-2", 3),
        "RefusedError": ("TW-3", 4),
        "IntegrityError": ("TW-4", 5),
        "ConflictError": ("TW-5", 6),
        "StoreError": ("TW-6", 7),
        "ExtraMissingError": ("TW-7", 8),
    }


def test_every_exit_code_is_in_the_help_of_the_command() -> None:
    documented = {int(number) for number in re.findall(r"\b(\d+) [a-z]", EPILOG)}
    assert {kind.exit_code for kind in TREE} <= documented


def test_inheritance_is_one_level_deep() -> None:
    assert {kind.__base__ for kind in LEAVES} == {TaxiwayError}


# Texts


def test_what_found_expected_where_and_what_to_do() -> None:
    problem = Problem(
        "`risk` is not what it should be",
        found="'hihg'",
        expected="'low' or 'high'",
        where="taxiway.yaml:7 risk",
        todo="Did you mean `high`?",
    )
    assert str(problem) == (
        "taxiway.yaml:7 risk: `risk` is not what it should be; expected 'low' or 'high', found"
        " 'hihg'. Did you mean `high`?"
    )


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("it is broken"), "it is broken"),
        (Problem("it is broken", where="here"), "here: it is broken"),
        (Problem("it is broken", found="1"), "it is broken; found 1"),
        (Problem("it is broken", expected="2"), "it is broken; expected 2"),
        (Problem("it is broken", expected="2", found=""), "it is broken; expected 2, found "),
        (Problem("it is broken", todo="Mend it."), "it is broken. Mend it."),
    ],
)
def test_only_what_is_known_is_said(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_all_problems_come_at_once() -> None:
    error = InputError("It can't be read.", [Problem("a"), Problem("b")], todo="Mend it.")
    assert str(error) == "It can't be read.\n  - a\n  - b\nMend it."
    assert error.problems == (Problem("a"), Problem("b"))
    assert str(ConflictError("Only a headline.")) == "Only a headline."


def test_more_problems_than_can_be_shown_are_counted() -> None:
    error = InputError("Bad.", [Problem(f"p{n}") for n in range(SHOWN_PROBLEMS + 3)])
    lines = str(error).splitlines()
    assert len(lines) == 1 + SHOWN_PROBLEMS + 1
    assert lines[-1] == "  … and 3 more"
    assert len(error.problems) == SHOWN_PROBLEMS + 3
    exactly = InputError("Bad.", error.problems[:SHOWN_PROBLEMS])
    assert "more" not in str(exactly)


@given(
    what=long_texts,
    found=long_texts | st.none(),
    expected=long_texts | st.none(),
    where=long_texts | st.none(),
    todo=long_texts | st.none(),
    count=st.integers(0, 200),
)
def test_a_text_is_bounded_whatever_it_tells_of(
    what: str,
    found: str | None,
    expected: str | None,
    where: str | None,
    todo: str | None,
    count: int,
) -> None:
    problem = Problem(what, found, expected, where, todo)
    assert len(str(problem)) < 4_000
    assert len(str(InputError(what, [problem] * count, todo=todo))) < 4_000 * (SHOWN_PROBLEMS + 1)


def test_a_short_text_is_not_cut() -> None:
    assert shortened("x" * 200) == "x" * 200
    assert shortened("x" * 201) == "x" * 200 + "… (201 characters)"
    assert shortened(12345, 3) == "123… (5 characters)"


# Close matches


def test_a_name_that_is_not_there_gets_its_close_match() -> None:
    error = MissingError.named("model", "chrun", ["churn", "fraud"], todo="See `taxiway status`.")
    assert str(error) == "No model named 'chrun'. Did you mean 'churn'?\nSee `taxiway status`."


def test_without_a_match_the_known_names_are_told() -> None:
    assert str(MissingError.named("model", "zzz", ["churn", "fraud"])) == (
        "No model named 'zzz'. Known: churn, fraud."
    )
    assert str(MissingError.named("model", "zzz", iter(()))) == (
        "No model named 'zzz'. There is no model yet."
    )


def test_names_are_bounded_too() -> None:
    error = MissingError.named("model", LONG, [f"model-{n}" for n in range(10_000)])
    assert len(str(error)) < 1_000


def test_close_match() -> None:
    assert close_match("onwers", ["owners", "risk"]) == "owners"
    assert close_match("zzz", ["owners", "risk"]) is None
    assert close_match("", []) is None


def test_an_extra_that_is_missing_says_how_to_install_it() -> None:
    error = ExtraMissingError.of("train", "sklearn")
    assert "'sklearn', which is not installed" in str(error)
    assert error.todo == "Install it with: pip install 'taxiway[train]'"
