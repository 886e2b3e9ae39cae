"""When a flight check is clear, and who may sign."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from taxiway.core.check import CLEAR, CheckSpec, FlightCheck, Status, Verdict
from taxiway.core.people import Binding

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def flight(statuses: dict[str, Status], required: set[str]) -> FlightCheck:
    verdicts = tuple(Verdict(check, status, "because") for check, status in statuses.items())
    binding = Binding("", "", "")
    return FlightCheck("m", "m:1", "prod", "low", binding, verdicts, frozenset(required), NOW)


def test_only_three_statuses_let_a_release_pass() -> None:
    assert {Status.PASSED, Status.DEVIATED, Status.NOT_APPLICABLE} == CLEAR


@pytest.mark.parametrize("status", Status)
def test_a_required_check_blocks_unless_it_is_clear(status: Status) -> None:
    check = flight({"PL-01": status, "PL-02": Status.PASSED}, {"PL-01", "PL-02"})
    assert check.clear is (status in CLEAR)
    assert [v.check for v in check.blocking] == ([] if status in CLEAR else ["PL-01"])


def test_a_check_that_is_not_required_never_blocks() -> None:
    check = flight({"PL-01": Status.FAILED, "PL-02": Status.PASSED}, {"PL-02"})
    assert check.clear


def test_nothing_required_is_not_clear() -> None:
    assert not flight({"PL-01": Status.PASSED}, set()).clear
    assert not flight({}, set()).clear


def test_what_blocks_comes_in_the_order_of_the_catalogue() -> None:
    statuses = dict.fromkeys(("PL-02", "PL-01", "DV-04"), Status.FAILED)
    assert [v.check for v in flight(statuses, set(statuses)).blocking] == list(statuses)


def spec(lines: tuple[int, ...], signers: tuple[str, ...] = ()) -> CheckSpec:
    return CheckSpec("PL-01", "t", "plan", lines, False, True, {}, "e", signers=signers)


def test_signing_roles() -> None:
    assert spec((1,)).signing_roles == ("owner", "developer", "engineer")
    assert spec((2, 3)).signing_roles == ("validator", "auditor")
    assert spec((1,), ("owner",)).signing_roles == ("owner",)
