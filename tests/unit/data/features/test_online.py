"""Online values: what was written comes back with the same bits, and obeys the same times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.bootstrap.data import features as wired
from taxiway.bootstrap.data.online import open_store
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.ports import OnlineFeatures
from taxiway.data.features.asof import Values
from taxiway.data.features.online import compile_lookup, newest, since_epoch
from taxiway.data.features.parity import compare
from taxiway.data.features.query import Read
from taxiway.data.features.view import Catalogue, Feature, FeatureSet, FeatureView, Part

NOW = datetime(2025, 1, 1, 13, tzinfo=UTC)
MOMENT = since_epoch(NOW)
Edit = Callable[..., Catalogue]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OnlineFeatures]:
    opened = open_store(str(tmp_path / "online.db"), None)
    yield opened
    opened.close()


def view_of(keys: dict[str, str], features: dict[str, str], ttl: int | None = None) -> FeatureView:
    return FeatureView(
        name="v",
        version=1,
        owner="depot",
        description="",
        entity_key=tuple(keys.items()),
        event_time="at",
        known_at=None,
        delay=0,
        ttl=ttl,
        features=tuple(Feature(name, of) for name, of in features.items()),
        sql="",
        code=None,
        sources={},
    )


def asked(view: FeatureView) -> FeatureSet:
    part = Part(view.id, view.names, tuple((key, key) for key in view.keys))
    return FeatureSet("s", "at", (part,))


def written(store: OnlineFeatures, view: FeatureView, read: Read) -> None:
    found = newest(view, read, NOW)
    about = {"digest": view.digest, "as_of": NOW.isoformat(), "keys": found.rows}
    store.switch({view.id: (store.write(view.id, found.texts), about)})


VALUES: dict[str, tuple[str, Any]] = {
    "tenth": ("number", 0.1),
    "sum": ("number", 0.1 + 0.2),
    "nothing": ("number", float("nan")),
    "far": ("number", float("-inf")),
    "below": ("number", -0.0),
    "large": ("integer", 2**63 - 1),
    "text": ("string", 'ü "quoted" \u2028 \U0001f600'),
    "truth": ("boolean", True),
    "day": ("date", date(1969, 12, 31)),
    "moment": ("timestamp", datetime(1901, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
    "null": ("timestamp", None),
}


def test_every_type_comes_back_with_the_same_bits(store: OnlineFeatures) -> None:
    keys = {"s": "string", "i": "integer", "b": "boolean", "d": "date", "t": "timestamp"}
    view = view_of(keys, {name: of for name, (of, _) in VALUES.items()})
    key = {"s": 'é"\\', "i": -(2**62), "b": False, "d": date(2030, 2, 3), "t": NOW}
    frame = pl.DataFrame({str(n): [value] for n, value in enumerate(key.values())})
    frame = frame.with_columns(pl.col("4").cast(pl.Datetime("us", "UTC")))
    features = pl.DataFrame({name: [value] for name, (_, value) in VALUES.items()})
    features = features.with_columns(
        pl.col("moment", "null").cast(pl.Datetime("us", "UTC")), pl.col("large").cast(pl.Int64)
    )
    at = np.array([MOMENT])
    read = Read(Values(frame, at, at, features), 1, 0, 0)
    written(store, view, read)
    found = compile_lookup(asked(view), [view], store)(key, NOW)
    for name, (_, value) in VALUES.items():
        assert repr(found[name]) == repr(value), name
    compared = compare(asked(view), [view], store, lambda _: read, rows=10)
    assert (compared.equal, compared.rows) == (True, 1)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-6, 2), st.integers(0, 4), st.floats()),
        min_size=1,
        max_size=10,
    ),
    st.one_of(st.none(), st.integers(1, 5)),
)
def test_online_is_what_the_join_says(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, int, int, float]],
    ttl: int | None,
) -> None:
    hour = 3600 * 10**6
    view = view_of({"key": "string"}, {"value": "number"}, None if ttl is None else ttl * hour)
    event = np.array([MOMENT + at * hour for _, at, _, _ in rows])
    known = event + np.array([wait * hour for _, _, wait, _ in rows])
    keys = pl.DataFrame({"0": [key for key, *_ in rows]})
    features = pl.DataFrame({"value": [value for *_, value in rows]}, schema={"value": pl.Float64})
    read = Read(Values(keys, event, known, features), len(rows), 0, 0)
    opened = open_store(str(tmp_path_factory.mktemp("online") / "online.db"), None)
    try:
        written(opened, view, read)
        compared = compare(asked(view), [view], opened, lambda _: read, rows=10)
        assert compared.equal, compared
    finally:
        opened.close()


def test_a_value_lives_as_long_online_as_in_a_training_set(
    catalogue: Catalogue, store: OnlineFeatures
) -> None:
    trip = catalogue.set("trip")
    views = catalogue.used(trip)
    wired.materialise(views, store, at=NOW)
    look_up = compile_lookup(trip, views, store)
    # The delay of 12 o'clock lives for two hours; riders live for ever.
    assert look_up({"line": "A"}, NOW) == {"riders": 7, "minutes": 0.30000000000000004}
    later = {n: look_up({"line": "A"}, NOW + timedelta(hours=n))["minutes"] for n in (1, 2)}
    assert later == {1: 0.30000000000000004, 2: None}
    nothing = {"riders": None, "minutes": None}
    assert look_up({"line": "C"}, NOW) == nothing
    assert look_up({"line": None}, NOW) == nothing
    # What was not known yet at the moment of asking is not told.
    assert look_up({"line": "A"}, NOW - timedelta(hours=1, minutes=1)) == nothing


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "looked up by 'line', which is not given"),
        ({"line": 1}, "expected str, found int"),
        ({"lime": "A"}, "Given: lime"),
    ],
)
def test_a_key_that_is_none_is_said(
    catalogue: Catalogue, store: OnlineFeatures, given: dict[str, Any], says: str
) -> None:
    trip = catalogue.set("trip")
    views = catalogue.used(trip)
    wired.materialise(views, store, at=NOW)
    with pytest.raises(InputError, match=says):
        compile_lookup(trip, views, store)(given, NOW)


def test_a_store_that_holds_nothing_or_another_definition_is_not_asked(
    catalogue: Catalogue, edit: Edit, store: OnlineFeatures
) -> None:
    with pytest.raises(MissingError, match="does not hold riders@1, delays@1"):
        wired.get(catalogue, catalogue.set("trip"), store, ["line=A"], NOW)
    wired.materialise(catalogue.used(catalogue.set("trip")), store, at=NOW)
    assert wired.get(catalogue, catalogue.set("trip"), store, ["line=A"], NOW)["riders"] == 7
    edited = edit("delays.yaml", ("ttl: 2h", "ttl: 9h"))
    with pytest.raises(RefusedError, match="delays@1 by another definition"):
        wired.get(edited, edited.set("trip"), store, ["line=A"], NOW)
    with pytest.raises(RefusedError, match="Give the edited view version 2"):
        wired.materialise(edited.used(edited.set("trip")), store, at=NOW)


def test_a_dry_run_writes_nothing(catalogue: Catalogue, store: OnlineFeatures) -> None:
    told = wired.materialise(catalogue.used(catalogue.set("trip")), store, at=NOW, dry_run=True)
    assert [(one["view"], one["keys"]) for one in told] == [("riders@1", 2), ("delays@1", 1)]
    assert store.about("riders@1") is None


@pytest.mark.parametrize(
    ("pair", "says"),
    [("line", "is no key"), ("lime=A", "names: line"), ("=A", "is no key")],
)
def test_a_pair_that_names_no_key_is_said(
    catalogue: Catalogue, store: OnlineFeatures, pair: str, says: str
) -> None:
    wired.materialise(catalogue.used(catalogue.set("trip")), store, at=NOW)
    with pytest.raises(InputError, match=says):
        wired.get(catalogue, catalogue.set("trip"), store, [pair], NOW)
