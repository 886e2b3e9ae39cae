"""A tree ensemble as an ONNX graph of one `TreeEnsemble` of 64-bit numbers.

The graph gives the sum over the trees; base, mean and link are numpy's. It needs the `onnx`
package, which is only installed where models are trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from taxiway.adapters.engines.trees import Tree, Trees

INPUT, OUTPUT = "matrix", "sum"
OPSET, OPSET_ML, IR_VERSION = 21, 5, 10
AT_MOST, BELOW, MEMBER = 0, 1, 6
"""The operator's numbers for how a node compares."""


def graph_of(ensemble: Trees) -> bytes:
    """The ONNX file."""
    from onnx import TensorProto, checker, helper

    node = helper.make_node(
        "TreeEnsemble", [INPUT], [OUTPUT], domain="ai.onnx.ml", **_attributes(ensemble)
    )
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, ensemble.width])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, [None, 1])],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)],
        ir_version=IR_VERSION,
    )
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _attributes(ensemble: Trees) -> dict[str, Any]:
    """The operator numbers inner nodes and leaves apart, each of them over all trees."""
    from onnx import numpy_helper

    parts = []
    inner_at = leaf_at = 0
    for tree in ensemble.trees:
        part = _numbered(_with_a_split(tree), inner_at, leaf_at, strict=ensemble.strict)
        parts.append(part)
        inner_at += len(part["nodes_modes"])
        leaf_at += len(part["leaf_weights"])
    whole: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0]
    }
    tensors = {
        "nodes_splits": np.float64,
        "nodes_modes": np.uint8,
        "leaf_weights": np.float64,
        "membership_values": np.float64,
    }
    for name, dtype in tensors.items():
        whole[name] = numpy_helper.from_array(whole[name].astype(dtype), name)
    if not whole["membership_values"].dims[0]:
        del whole["membership_values"]
    sums, unchanged = 1, 0
    return whole | {
        "aggregate_function": sums,
        "post_transform": unchanged,
        "n_targets": 1,
        "leaf_targetids": np.zeros(leaf_at, dtype=np.int64),
    }


def _with_a_split(tree: Tree) -> Tree:
    """The operator knows no tree of one leaf: it gets a split with that leaf on each side."""
    if len(tree.yes) > 1:
        return tree
    leaf = tree.value[0]
    return Tree(
        feature=np.zeros(3, dtype=np.int64),
        threshold=np.zeros(3),
        yes=np.array([1, -1, -1]),
        no=np.array([2, -1, -1]),
        missing_yes=np.zeros(3, dtype=bool),
        value=np.array([0.0, leaf, leaf]),
        cover=np.repeat(tree.cover, 3),
    )


def _numbered(tree: Tree, inner_at: int, leaf_at: int, *, strict: bool) -> dict[str, Any]:
    leaf = tree.yes < 0
    inner = ~leaf
    number = np.where(leaf, leaf_at + np.cumsum(leaf) - 1, inner_at + np.cumsum(inner) - 1)
    modes = np.full(len(leaf), BELOW if strict else AT_MOST)
    splits = tree.threshold.copy()
    members: list[float] = []
    for node, values in sorted(tree.members.items()):
        if values:
            modes[node] = MEMBER
            members += [*values, np.nan]
        else:
            # No number is below it, which is how nothing is named.
            modes[node], splits[node] = BELOW, -np.inf
    return {
        "nodes_featureids": tree.feature[inner].astype(np.int64),
        "nodes_splits": splits[inner],
        "nodes_modes": modes[inner],
        "nodes_truenodeids": number[tree.yes[inner]],
        "nodes_trueleafs": leaf[tree.yes[inner]].astype(np.int64),
        "nodes_falsenodeids": number[tree.no[inner]],
        "nodes_falseleafs": leaf[tree.no[inner]].astype(np.int64),
        "nodes_missing_value_tracks_true": tree.missing_yes[inner].astype(np.int64),
        "leaf_weights": tree.value[leaf],
        "membership_values": np.array(members),
        "tree_roots": np.array([number[0]]),
    }
