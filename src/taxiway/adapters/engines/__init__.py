"""Engines: ways to get a fitted estimator's answers without the library that fitted it.

An engine turns an estimator into files, which are data and no code, and files into a function from
the model's columns to probabilities or numbers. Which engine a release runs on is decided by
`release.compile` with a proof on the holdout; an engine that can't take an estimator says why.
A new engine is one module and one line here, and the law tests find it by themselves.
"""

from __future__ import annotations

from taxiway.adapters.engines import linear, onnx_trees
from taxiway.core.engine import Engine

ENGINES: tuple[Engine, ...] = (
    Engine(
        "onnx",
        onnx_trees.compile_estimator,
        onnx_trees.load,
        edges=onnx_trees.edges,
        contributions=onnx_trees.contributions_of,
    ),
    Engine(
        "linear",
        linear.compile_estimator,
        linear.load,
        background=linear.background,
        contributions=linear.contributions_of,
    ),
)
"""In the order in which they are tried: the quickest first."""
