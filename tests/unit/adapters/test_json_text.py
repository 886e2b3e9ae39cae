"""JSON text: what it says is what was meant, whichever encoder wrote it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.adapters import json_text

values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.just("null")
)
objects = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5), values | st.lists(values)
)


@pytest.fixture(params=["with msgspec", "without"], scope="module")
def module(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without":
            patch.setitem(sys.modules, "msgspec", None)
        yield importlib.reload(json_text)
    importlib.reload(json_text)


@given(value=objects)
def test_it_reads_equal_by_either_reader(module: ModuleType, value: dict[str, object]) -> None:
    written = module.text(value)
    for read in (module.data(written), json.loads(written)):
        assert repr(read) == repr(value)  # -0.0 too, and 1 is not 1.0


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused(module: ModuleType, number: float) -> None:
    for value in ({"a": number}, {"a": None, "b": number}, {"a": [{"b": number}]}):
        with pytest.raises(ValueError, match="JSON compliant"):
            module.text(value)
