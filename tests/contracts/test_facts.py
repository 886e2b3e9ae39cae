"""Every kind of fact comes back from every record as it was written."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxiway.adapters.tables import TABLES
from taxiway.core.facts import Release
from taxiway.core.ports import Record

MakeFact = Callable[..., Any]
Write = Callable[..., None]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=40),
    "int": st.integers(-(2**63), 2**63 - 1),
    "datetime": st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - `timezones` gives the zone
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=zones,
    ),
    "dict[str, Any]": st.dictionaries(st.text(max_size=8), json_values, max_size=5),
    "dict[str, str]": st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=5),
    "tuple[str, ...]": st.lists(st.text(max_size=8), max_size=4).map(tuple),
}
"""Annotation -> values, independent of the adapters' codecs."""

kinds = pytest.mark.parametrize("kind", TABLES, ids=TABLES.values())
numbers = itertools.count(1)


def facts(kind: type[Any]) -> st.SearchStrategy[Any]:
    fields = {}
    for field in dataclasses.fields(kind):
        annotation = str(field.type)
        values = FIELDS[annotation.removesuffix(" | None")]
        fields[field.name] = values | st.none() if annotation.endswith(" | None") else values
    return st.builds(kind, **fields)


def unique(fact: Any) -> Any:
    """The same with an id of its own, so that only the rules of this suite are tested."""
    number = next(numbers)
    own = {"id": f"{fact.id}-{number}"}
    return dataclasses.replace(fact, **own, **({"number": number} if type(fact) is Release else {}))


@kinds
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_comes_back(record: Record, write: Write, kind: type[Any], data: st.DataObject) -> None:
    drawn = [unique(fact) for fact in data.draw(st.lists(facts(kind), min_size=1, max_size=4))]
    write(*drawn)
    for fact in drawn:
        back = record.get(kind, fact.id)
        assert back == fact
        for field in dataclasses.fields(kind):
            assert type(getattr(back, field.name)) is type(getattr(fact, field.name)), field.name
    assert record.find(kind)[-len(drawn) :] == drawn


@kinds
@pytest.mark.parametrize("full", [False, True], ids=["bare", "full"])
def test_with_and_without_its_optional_fields(
    record: Record, fact: MakeFact, write: Write, kind: type[Any], full: bool
) -> None:
    one = fact(kind, full=full)
    write(one)
    optional = [f.name for f in dataclasses.fields(kind) if str(f.type).endswith(" | None")]
    back = record.get(kind, "one")
    assert back == one
    assert all((getattr(back, name) is not None) is full for name in optional)


@kinds
def test_times_come_back_in_utc(
    record: Record, fact: MakeFact, write: Write, kind: type[Any]
) -> None:
    one = fact(kind, full=True)
    east = timezone(timedelta(hours=5, minutes=30))
    times = {
        f.name: getattr(one, f.name).astimezone(east)
        for f in dataclasses.fields(kind)
        if str(f.type).startswith("datetime")
    }
    write(dataclasses.replace(one, **times))
    back = record.get(kind, "one")
    assert back == one
    assert {getattr(back, name).utcoffset() for name in times} <= {timedelta(0)}
