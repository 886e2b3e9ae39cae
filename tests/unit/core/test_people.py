"""What a signature covers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.core.people import Binding, Deviation, SignOff

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2027, 11, 23, 12, tzinfo=UTC)
MakeFact = Callable[..., Any]


def otherwise(value: Any) -> Any:
    return {str: "other", int: 3, datetime: LATER}[type(value)]


def names(kind: type[Any], *left_out: str) -> list[str]:
    return [f.name for f in dataclasses.fields(kind) if f.name not in left_out]


@pytest.mark.parametrize("field", names(SignOff, "id", "signature"))
def test_a_sign_off_covers(fact: MakeFact, field: str) -> None:
    one = fact(SignOff)
    other = dataclasses.replace(one, **{field: otherwise(getattr(one, field))})
    assert other.payload() != one.payload()


def test_a_sign_off_s_signature_is_not_in_what_it_signs(fact: MakeFact) -> None:
    assert fact(SignOff, signature="a").payload() == fact(SignOff, signature="b").payload()


def test_the_binding_of_a_sign_off(fact: MakeFact) -> None:
    one = fact(SignOff, model_digest="m", data_digest="d", evidence_digest="e")
    assert one.binding == Binding(model="m", data="d", evidence="e")


@pytest.mark.parametrize("field", names(Deviation, "asked_at", "decided_at", "signature"))
def test_a_deviation_covers(fact: MakeFact, field: str) -> None:
    one = fact(Deviation, full=True)
    other = dataclasses.replace(one, **{field: otherwise(getattr(one, field))})
    assert other.payload() != one.payload()


def test_the_two_can_t_be_taken_for_each_other(fact: MakeFact) -> None:
    types = [json.loads(fact(kind).payload())["type"] for kind in (SignOff, Deviation)]
    assert types == ["taxiway/sign-off/1", "taxiway/deviation/1"]
