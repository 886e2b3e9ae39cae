"""What a sign-off is bound to."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.core import evidence as module
from taxiway.core.evidence import BOUND, LIVE, Evidence, evidence_digest, observed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KINDS = {
    value for name, value in inspect.getmembers(module) if name.isupper() and isinstance(value, str)
}


def one(kind: str = BOUND[0], **fields: Any) -> Evidence:
    given_fields: dict[str, Any] = {
        "id": kind,
        "subject": "m:1",
        "model": "m",
        "examined": 7,
        "found": {"rows": 7},
        "at": NOW,
        "by": "dora",
        **fields,
    }
    return observed(kind, **given_fields)


def test_kinds() -> None:
    assert set(BOUND) < KINDS
    assert set(LIVE) < KINDS
    assert not set(BOUND) & set(LIVE)


@given(data=st.data())
def test_the_order_does_not_matter(data: st.DataObject) -> None:
    all_kinds = [one(kind) for kind in BOUND]
    assert evidence_digest(data.draw(st.permutations(all_kinds))) == evidence_digest(all_kinds)


@pytest.mark.parametrize("kind", sorted(KINDS - set(BOUND)))
def test_kinds_that_are_not_bound_do_not_count(kind: str) -> None:
    bound = [one(kind) for kind in BOUND]
    assert evidence_digest([*bound, one(kind)]) == evidence_digest(bound)
    assert evidence_digest([one(kind)]) == evidence_digest([])


@pytest.mark.parametrize("kind", BOUND)
def test_every_bound_kind_counts(kind: str) -> None:
    all_kinds = {k: one(k) for k in BOUND}
    before = evidence_digest(all_kinds.values())
    without = {k: e for k, e in all_kinds.items() if k != kind}
    other = {**all_kinds, kind: one(kind, examined=8)}
    assert len({before, evidence_digest(without.values()), evidence_digest(other.values())}) == 3


@pytest.mark.parametrize(
    "fields", [{"id": "other"}, {"at": NOW + timedelta(1)}, {"by": "vera"}, {"model": "n"}]
)
def test_when_and_by_whom_it_was_found_is_not_content(fields: dict[str, Any]) -> None:
    assert one(**fields).content == one().content
    assert evidence_digest([one(**fields)]) == evidence_digest([one()])


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": BOUND[1]},
        {"subject": "m:2"},
        {"environment": "prod"},
        {"examined": 8},
        {"found": {"rows": 8}},
        {"found": {}},
        {"required": {"rows": 7}},
        {"digests": {"data": "sha256:0"}},
    ],
)
def test_what_was_found_is_content(fields: dict[str, Any]) -> None:
    assert one(**fields).content != one().content


def test_content_says_nothing_that_the_fields_do_not() -> None:
    found = one(required={"a": 1}, digests={"b": "c"}, environment="prod")
    again = {
        f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name != "content"
    }
    assert observed(again.pop("kind"), **again) == found
