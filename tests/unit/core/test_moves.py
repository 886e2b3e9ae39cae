"""The tables of legal moves."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from taxiway.core import moves
from taxiway.core.charter import Owners
from taxiway.core.errors import RefusedError
from taxiway.core.moves import (
    CASE,
    ENVIRONMENTS,
    HANDOFF,
    HANDOFF_STAGES,
    LINE_ROLES,
    PROMOTION,
    ROLES,
    RUN,
    require_move,
)

Table = Mapping[str, tuple[str, ...]]
TABLES: dict[str, Table] = {
    name: getattr(moves, name)
    for name in ("HANDOFF", "DEVIATION", "RUN", "ALERT", "CASE", "PROPOSAL")
}
every = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@every
def test_every_state_can_be_reached_and_is_in_its_table(table: Table) -> None:
    first = next(iter(table))
    reached = {first}
    while new := {after for before in reached for after in table[before]} - reached:
        reached |= new
    assert reached == set(table)


@every
def test_every_way_ends(table: Table) -> None:
    settled = {state for state, after in table.items() if not after}
    assert settled
    for state in table:
        ends, seen = {state}, {state}
        while new := {after for one in ends for after in table[one]} - seen:
            seen |= new
            ends = new
        assert seen & settled


@every
def test_what_is_in_the_table_may_move_and_nothing_else(table: Table) -> None:
    for before in table:
        for after in table:
            if after in table[before]:
                require_move("it", table, before, after)
            else:
                with pytest.raises(RefusedError, match=f"it is {before} and can't become {after}"):
                    require_move("it", table, before, after)


def test_a_refusal_names_the_legal_moves() -> None:
    with pytest.raises(RefusedError, match=r"handoff 7 is accepted .* nothing: it is settled"):
        require_move("handoff 7", HANDOFF, "accepted", "returned")
    with pytest.raises(RefusedError, match="it can become finished, failed"):
        require_move("run 7", RUN, "started", "started")


def test_every_role_but_the_reviewer_stands_in_one_line_of_defence() -> None:
    in_lines = [role for roles in LINE_ROLES.values() for role in roles]
    assert sorted([*in_lines, "reviewer"]) == sorted(ROLES)  # who signs no check
    assert list(LINE_ROLES) == [1, 2, 3]


def test_no_state_of_a_case_comes_twice() -> None:
    """A signed move names the state before: once it was made, it can never be made again."""
    for state in CASE:
        seen: set[str] = set()
        ahead = set(CASE[state])
        while ahead:
            seen |= ahead
            ahead = {after for one in ahead for after in CASE[one]} - seen
        assert state not in seen


def test_promotion_goes_through_the_environments_in_their_order() -> None:
    assert tuple(PROMOTION) == ENVIRONMENTS
    assert list(PROMOTION.values()) == [None, *ENVIRONMENTS[:-1]]


def test_handoffs_are_between_owners_of_the_charter() -> None:
    owners = {owner for pair in HANDOFF_STAGES.values() for owner in pair}
    assert owners <= set(Owners.model_fields)
    assert all(one != other for one, other in HANDOFF_STAGES.values())
