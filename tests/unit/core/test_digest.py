"""One content, one text, one digest; one time, one text."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.core.digest import canonical_json, digest_bytes, digest_of, short, utc_text, utc_time

NOON = datetime(2013, 3, 1, 12, tzinfo=UTC)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - `timezones` gives the zone
    max_value=datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=zones,
)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@dataclasses.dataclass
class Thing:
    b: int
    a: Any


class Colour(StrEnum):
    RED = "red"


# Times


@given(at=times)
def test_a_time_and_its_text(at: datetime) -> None:
    text = utc_text(at)
    assert len(text) == 27
    assert utc_time(text) == at
    assert utc_time(text).utcoffset() == timedelta(0)
    assert utc_text(utc_time(text)) == text


@given(one=times, other=times)
def test_texts_sort_as_their_times_do(one: datetime, other: datetime) -> None:
    assert (utc_text(one) < utc_text(other)) is (one < other)


def test_a_time_without_its_zone() -> None:
    with pytest.raises(ValueError, match="a time without a time zone can't be written"):
        utc_text(NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2013-03-01",
        "2013-03-01T12:00:00",
        "2013-03-01T12:00:00Z",
        "2013-03-01T12:00:00.000Z",
        "2013-03-01T12:00:00.000000",
        "2013-03-01T12:00:00.000000z",
        "2013-03-01T12:00:00.0000000Z",
        "2013-03-01T12:00:00.000000+00:00",
        "2013-03-01T13:00:00.000000+01:00",
        "2013-03-01 12:00:00.000000Z",
        "2013-03-01t12:00:00.000000Z",
        "2013-03-01T12:00:00,000000Z",
        "2013-W09-5T12:00:00.000000Z",
        "20130301T12:00:00.00000000Z",
        "2013-03-01T24:00:00.000000Z",
        "2013-02-29T12:00:00.000000Z",
        "2013-13-01T12:00:00.000000Z",
        "2013-03-01T12:60:00.000000Z",
        "0000-03-01T12:00:00.000000Z",
        "２013-03-01T12:00:00.000000Z",  # a full-width digit
        "2013-03-01T12:00:00.000000Z\n",
        " 2013-03-01T12:00:00.000000Z",
    ],
)
def test_other_spellings_of_a_time(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a time as the record writes it|must be in|out of"
    ):
        utc_time(text)


# Canonical JSON


@settings(max_examples=40)
@given(value=plain)
def test_plain_data_come_back(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@settings(max_examples=40)
@given(value=st.dictionaries(st.text(), plain), data=st.data())
def test_the_order_of_keys_does_not_matter(value: dict[str, Any], data: st.DataObject) -> None:
    mixed = dict(data.draw(st.permutations(list(value.items()))))
    assert canonical_json(mixed) == canonical_json(value)
    assert digest_of(mixed) == digest_of(value)


def test_no_white_space_and_no_escapes() -> None:
    assert canonical_json({"é": ["a b", "\n", "€"]}) == '{"é":["a b","\\n","€"]}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number(value: float) -> None:
    for holder in (value, [value], {"a": {"b": value}}, Thing(1, value)):
        with pytest.raises(ValueError, match="not JSON compliant"):
            canonical_json(holder)
        with pytest.raises(ValueError, match="not JSON compliant"):
            digest_of(holder)


def test_numbers_of_another_type_are_another_content() -> None:
    texts = {canonical_json(value) for value in (1, 1.0, True, "1", [1])}
    assert len(texts) == 5


def test_records_times_and_dates() -> None:
    east = timezone(timedelta(hours=9))
    value = Thing(1, [NOON.astimezone(east), date(2013, 3, 1), Thing(2, None), (1, 2), Colour.RED])
    assert json.loads(canonical_json(value)) == {
        "a": ["2013-03-01T12:00:00.000000Z", "2013-03-01", {"a": None, "b": 2}, [1, 2], "red"],
        "b": 1,
    }
    assert canonical_json(Thing(1, NOON)) == canonical_json({"b": 1, "a": utc_text(NOON)})


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, Decimal("1.5"), Thing, object()])
def test_what_has_no_canonical_form(value: object) -> None:
    with pytest.raises(TypeError, match="has no canonical JSON form"):
        canonical_json([value])


# Digests


@given(content=st.binary())
def test_a_digest_is_sha_256(content: bytes) -> None:
    assert digest_bytes(content) == "sha256:" + hashlib.sha256(content).hexdigest()


@settings(max_examples=40)
@given(one=plain, other=plain)
def test_digests_are_equal_when_the_texts_are(one: Any, other: Any) -> None:
    same = canonical_json(one) == canonical_json(other)
    assert (digest_of(one) == digest_of(other)) is same


def test_short_is_for_eyes() -> None:
    assert short(digest_bytes(b"")) == "e3b0c44298fc"
    assert short("e3b0c44298fc1c14") == "e3b0c44298fc"
