"""ONNX files that hold more than a compiled model are refused before ONNX Runtime sees them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier

from taxiway.adapters.engines import onnx_trees
from taxiway.adapters.engines.contributions import NODE
from taxiway.adapters.engines.onnx_audit import require_plain
from taxiway.core.errors import IntegrityError

NAMES = ("a", "b")
GRAPH = onnx_trees.graph_name(0)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    matrix = np.random.default_rng(0).normal(size=(300, 2))
    model = HistGradientBoostingClassifier(max_iter=5).fit(matrix, matrix[:, 0] > 0)
    return onnx_trees.compile_estimator(model, NAMES)


@pytest.fixture
def model(files: dict[str, bytes]) -> Any:
    return onnx.load_model_from_string(files[GRAPH])


def outside(name: str, place: str) -> Any:
    """A tensor whose numbers are in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.DOUBLE, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    return tensor


def with_initialiser(model: Any, place: str) -> None:
    model.graph.initializer.append(outside("numbers", place))


def in_an_attribute(model: Any, place: str) -> None:
    (splits,) = [a for a in model.graph.node[0].attribute if a.name == "nodes_splits"]
    splits.t.CopyFrom(outside("splits", place))


def with_function(model: Any, _: str) -> None:
    inner = helper.make_node("Identity", ["x"], ["y"])
    opsets = [helper.make_opsetid("", 21)]
    model.functions.append(helper.make_function("local", "F", ["x"], ["y"], [inner], opsets))


def with_domain(model: Any, _: str) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    model.graph.node[0].domain = "com.example"


def with_another_operator(model: Any, _: str) -> None:
    model.graph.node.append(helper.make_node("Identity", ["sum"], ["again"]))


def with_a_graph_inside(model: Any, _: str) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", inner))


def with_a_sparse_tensor(model: Any, _: str) -> None:
    values = numpy_helper.from_array(np.ones(1), "v")
    places = numpy_helper.from_array(np.zeros(1, np.int64), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [1]))


def with_metadata(model: Any, _: str) -> None:
    helper.set_model_props(model, {"session.use_ort_model_bytes_directly": "1"})


CRAFTED = [
    (with_initialiser, "/etc/passwd", "field 5 of a graph"),
    (with_initialiser, "../../secret", "field 5 of a graph"),
    (in_an_attribute, "../../../../etc/passwd", "field 13 of a tensor; field 14 of a tensor"),
    (in_an_attribute, "beside.bin", "field 14 of a tensor"),
    (with_function, "", "field 25 of a model"),
    (with_domain, "", "the domain 'com.example'"),
    (with_another_operator, "", "the operator 'Identity'; 2 nodes"),
    (with_a_graph_inside, "", "field 6 of a attribute"),
    (with_a_sparse_tensor, "", "field 15 of a graph"),
    (with_metadata, "", "field 14 of a model"),
]


@pytest.mark.parametrize("crafted", CRAFTED, ids=lambda crafted: crafted[2])
def test_a_crafted_graph_is_refused_and_nothing_of_it_is_read(
    crafted: tuple[Any, str, str],
    model: Any,
    files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    craft, place, said = crafted
    (tmp_path / "beside.bin").write_bytes(np.zeros(1).tobytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("onnxruntime.InferenceSession", None)  # nobody gets that far
    craft(model, place)
    with pytest.raises(IntegrityError, match=f"nothing of it was loaded: .*{said}"):
        onnx_trees.load({**files, GRAPH: model.SerializeToString()})


def test_what_was_compiled_is_let_through(files: dict[str, bytes]) -> None:
    require_plain(files[GRAPH], GRAPH)
    assert onnx_trees.load(files)(pl.DataFrame({"a": [2.0], "b": [0.0]}))[0] > 0.5


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x80" * 20, b"\x0b", b"PK\x03\x04"])
def test_what_is_no_onnx_file_is_refused(content: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"x\.onnx"):
        require_plain(content, "x.onnx")


@given(cut=st.floats(0, 0.999), flips=st.lists(st.integers(0, 2**31), max_size=3))
def test_cut_and_damaged_files_end_in_an_error_of_ours_or_load(
    cut: float, flips: list[int], files: dict[str, bytes]
) -> None:
    content = bytearray(files[GRAPH][: int(len(files[GRAPH]) * cut)])
    for flip in flips:
        if content:
            content[flip % len(content)] ^= 1 << (flip % 8)
    with contextlib.suppress(IntegrityError):
        require_plain(bytes(content), GRAPH)


def test_nodes_that_go_round_in_a_circle_are_refused(files: dict[str, bytes]) -> None:
    nodes = np.frombuffer(files[onnx_trees.nodes_name(0)], NODE).copy()
    nodes["yes"][1], nodes["no"][1] = 0, 0
    with pytest.raises(ValueError, match="no trees"):
        onnx_trees.contributions_of({**files, onnx_trees.nodes_name(0): nodes.tobytes()})
