"""The catalogue holds what it should: every id, and no citation of a clause that isn't there."""

from __future__ import annotations

from datetime import date

import pytest

from taxiway.core.errors import MissingError
from taxiway.core.moves import ENVIRONMENTS, ROLES
from taxiway.governance.catalogue import (
    STAGES,
    citations,
    cited,
    find_check,
    load_catalogue,
    load_rulebooks,
)
from taxiway.governance.checks import AUTOMATIC
from taxiway.governance.policies import TIERS
from taxiway.governance.reference import how

# The ids of the project's list of checks, with the letters of how each is settled. Three are A+S
# here where the list says S or A: see the catalogue's head.
EXPECTED = {
    "CH": "S A+S A A A+S S S",
    "DA": "A A A+S A A+S A",
    "DV": "A A A A A A+S S A",
    "VA": "A S A+S A A S S",
    "DP": "A+S A A A S A A",
    "MO": "A+S A A A A+S A A+S S",
    "RT": "S A",
    "AU": "A S A",
}
STAGE_OF = dict(zip(EXPECTED, STAGES, strict=True))
WHEN = {"", "deployed", "year-old", "retired", "llm", "third-party"}


def test_has_exactly_the_48_checks_in_their_order() -> None:
    expected = [
        (f"{prefix}-{number:02}", letters)
        for prefix, of_stage in EXPECTED.items()
        for number, letters in enumerate(of_stage.split(), 1)
    ]
    assert [(spec.id, how(spec)) for spec in load_catalogue()] == expected
    assert len(expected) == 48


def test_stages_are_those_of_the_ids() -> None:
    assert all(spec.stage == STAGE_OF[spec.id[:2]] for spec in load_catalogue())


def test_every_citation_is_in_its_rulebook() -> None:
    books = load_rulebooks()
    strange = [
        f"{spec.id} cites {cited({book: (clause,)})}"
        for spec in load_catalogue()
        for book, clauses in spec.clauses.items()
        for clause in clauses
        if book not in books or clause not in books[book].clauses
    ]
    assert strange == []


def test_every_check_cites_something_once() -> None:
    for spec in load_catalogue():
        clauses = [(book, c) for book, of_it in spec.clauses.items() for c in of_it]
        assert clauses, spec.id
        assert len(set(clauses)) == len(clauses), spec.id


def test_a_superseded_rulebook_is_not_cited() -> None:
    cited_books = {book for spec in load_catalogue() for book in spec.clauses}
    assert not {book.id for book in load_rulebooks().values() if book.superseded_by} & cited_books
    assert set(load_rulebooks()) - cited_books == {"SR11-7"}


def test_what_supersedes_a_rulebook_is_there_and_begins_on_that_day() -> None:
    books = load_rulebooks()
    for book in books.values():
        if book.superseded_by:
            assert books[book.superseded_by].in_force_from == book.superseded_on


def test_the_guidance_of_2011_was_in_force_until_that_of_2026() -> None:
    old, new = load_rulebooks()["SR11-7"], load_rulebooks()["F"]
    # SR 26-2 replaced SR 11-7 on 17 April 2026.
    before, day = date(2026, 4, 16), date(2026, 4, 17)
    assert (old.in_force(before), new.in_force(before)) == (True, False)
    assert (old.in_force(day), new.in_force(day)) == (False, True)


def test_words_are_those_that_the_core_knows() -> None:
    for spec in load_catalogue():
        assert set(spec.lines) <= {1, 2, 3}, spec.id
        assert spec.lines, spec.id
        assert set(spec.signers) <= set(ROLES), spec.id
        assert set(spec.tiers) <= set(TIERS), spec.id
        assert set(spec.environments) <= set(ENVIRONMENTS), spec.id
        assert spec.when in WHEN, spec.id
        assert not spec.signers or spec.signed, f"{spec.id} has signers and nothing to sign"


def test_whoever_may_sign_belongs_to_a_line_of_the_check() -> None:
    from taxiway.core.moves import LINE_ROLES

    for spec in load_catalogue():
        of_lines = {role for line in spec.lines for role in LINE_ROLES[line]}
        assert set(spec.signing_roles) <= of_lines, spec.id


def test_a_check_that_may_not_apply_says_why() -> None:
    for spec in load_catalogue():
        restricted = bool(spec.kinds or spec.tiers or spec.environments or spec.when)
        assert restricted == bool(spec.not_applicable), spec.id


def test_what_everything_rests_on_allows_no_deviation() -> None:
    firm = {spec.id for spec in load_catalogue() if not spec.can_deviate}
    assert firm == {"AU-01", "DP-01", "DP-02", "VA-01", "CH-04"}


def test_explanations_are_short_sentences() -> None:
    for spec in load_catalogue():
        assert spec.explain.endswith("."), spec.id
        assert 40 < len(spec.explain) < 500, spec.id
        assert len(spec.title) < 80, spec.id


def test_every_rule_is_of_an_automatic_check_in_the_catalogues_order() -> None:
    automatic = [spec.id for spec in load_catalogue() if spec.automatic]
    assert [check for check in automatic if check in AUTOMATIC] == list(AUTOMATIC)


def test_finding_a_check_suggests_the_close_match() -> None:
    assert find_check(" dv-03 ").id == "DV-03"
    with pytest.raises(MissingError, match=r"No check named 'DV-3'.*Did you mean 'DV-03'"):
        find_check("DV-3")


@pytest.mark.parametrize("text", ["F-IV", "P3.1 P5.3", "own-value T-M2", "O2.2 O-App1"])
def test_citations_read_back(text: str) -> None:
    assert cited(citations(text)) == text


def test_what_is_no_citation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'3\.1' is no citation"):
        citations("3.1")
