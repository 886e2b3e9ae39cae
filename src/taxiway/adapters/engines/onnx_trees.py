"""Tree ensembles in ONNX Runtime, with their preprocessing as data.

The graph compares and adds 64-bit numbers, so that no row falls on another side of a split; its sum
over the trees may differ from the original's in the last bits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import numpy as np

from taxiway.adapters.engines import booster_trees, sklearn_trees
from taxiway.adapters.engines.columns import places, plan_of
from taxiway.adapters.engines.contributions import (
    MEMBER,
    NODE,
    contributions,
    stored,
    too_slow,
)
from taxiway.adapters.engines.margins import contributing
from taxiway.adapters.engines.members import Member, answering, members_of, planned
from taxiway.adapters.engines.onnx_audit import require_plain
from taxiway.adapters.engines.onnx_graph import INPUT, OUTPUT, graph_of
from taxiway.adapters.engines.sklearn_columns import Split
from taxiway.adapters.engines.trees import Trees, splits
from taxiway.core.digest import canonical_json
from taxiway.core.engine import Contributions, NotCompilableError

COLUMNS, EDGES = "columns.json", "edges.json"
PROTOCOL = 2
THREADS_FROM = 4_096
"""Rows from which on every core is used."""
CHUNK_ROWS = 2_048

READERS: Mapping[str, Callable[[Split], Trees]] = {
    "sklearn.HistGradientBoostingClassifier": sklearn_trees.hist_gradient_boosting,
    "sklearn.GradientBoostingClassifier": sklearn_trees.gradient_boosting,
    "sklearn.RandomForestClassifier": sklearn_trees.forest,
    "sklearn.ExtraTreesClassifier": sklearn_trees.forest,
    "sklearn.DecisionTreeClassifier": sklearn_trees.single_tree,
    "sklearn.HistGradientBoostingRegressor": sklearn_trees.hist_gradient_boosting,
    "sklearn.GradientBoostingRegressor": sklearn_trees.gradient_boosting,
    "sklearn.RandomForestRegressor": sklearn_trees.forest,
    "sklearn.ExtraTreesRegressor": sklearn_trees.forest,
    "sklearn.DecisionTreeRegressor": sklearn_trees.single_tree,
    "xgboost.XGBClassifier": booster_trees.xgboost,
    "xgboost.XGBRegressor": booster_trees.xgboost,
    "lightgbm.LGBMClassifier": booster_trees.lightgbm,
    "lightgbm.LGBMRegressor": booster_trees.lightgbm,
}
"""Model -> how its trees are read."""


def graph_name(member: int) -> str:
    """The file of a member's trees."""
    return f"trees-{member}.onnx"


def nodes_name(member: int) -> str:
    """The file of a member's nodes, as contributions read them."""
    return f"trees-{member}.nodes"


def named_name(member: int) -> str:
    """The file of the categories that a member's nodes name."""
    return f"trees-{member}.members"


def compile_estimator(estimator: Any, names: tuple[str, ...]) -> dict[str, bytes]:
    """Name -> content of the files. Raises `NotCompilableError` for what it can't take."""
    members = members_of(estimator, names)
    ensembles = [_read(member) for member in members]
    matrices, described = planned(
        members,
        [
            {
                "seen_as": one.seen_as,
                "zero_is_missing": one.zero_is_missing,
                "strict": one.strict,
                "base": one.base,
                "by": one.by,
                "link": one.link,
                "scale": one.scale,
            }
            for one in ensembles
        ],
    )
    plan = {"protocol": PROTOCOL, "matrices": matrices, "members": described}
    graphs = {graph_name(at): graph_of(one) for at, one in enumerate(ensembles)}
    return {
        COLUMNS: canonical_json(plan),
        EDGES: canonical_json(_edges(members, ensembles)),
        **graphs,
        **_explained(ensembles),
    }


def _explained(ensembles: Sequence[Trees]) -> dict[str, bytes]:
    """The trees once more, as contributions need them; none where those were slow."""
    files: dict[str, bytes] = {}
    for at, ensemble in enumerate(ensembles):
        nodes, named = stored(ensemble)
        if too_slow(nodes, len(ensembles)):
            return {}
        files |= {nodes_name(at): nodes.tobytes(), named_name(at): named.tobytes()}
    return files


def _edges(members: Sequence[Member], ensembles: Sequence[Trees]) -> dict[str, list[float]]:
    """Column -> the values that the trees split it at, of columns that are numbers to them."""
    found: dict[str, set[float]] = {}
    for member, ensemble in zip(members, ensembles, strict=True):
        columns = places(member.split.blocks)
        for place, values in splits(ensemble).items():
            name, back = columns[place]
            if back is not None:
                times, plus = back
                found.setdefault(name, set()).update(value * times + plus for value in values)
    return {name: sorted(values) for name, values in found.items()}


def _read(member: Member) -> Trees:
    kind = type(member.split.model)
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    if name not in READERS:
        raise NotCompilableError(f"{kind.__name__} is no ensemble of trees that is read here")
    return READERS[name](member.split)


def load(files: Mapping[str, bytes]) -> Callable[[Any], Any]:
    """The function from a frame of the model's columns to answers, float64."""
    plan = plan_of(files[COLUMNS], PROTOCOL)
    return answering(plan["matrices"], plan["members"], _scores(files, plan))


def _scores(files: Mapping[str, bytes], plan: Mapping[str, Any]) -> list[Callable[[Any], Any]]:
    described = plan["members"]
    for at in range(len(described)):
        require_plain(files[graph_name(at)], graph_name(at))
    return [_score(files[graph_name(at)], one) for at, one in enumerate(described)]


def _score(graph: bytes, member: Mapping[str, Any]) -> Callable[[Any], Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One row gains nothing from threads; many rows are cut into pieces, below.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    base, by, seen = member["base"], member["by"], _seen(member)
    outputs = [OUTPUT]

    def sums(matrix: Any) -> Any:
        return session.run(outputs, {INPUT: matrix})[0][:, 0]

    def score(matrix: Any) -> Any:
        matrix = seen(matrix)
        if len(matrix) < THREADS_FROM:
            total = sums(matrix)
        else:
            starts = range(0, len(matrix), CHUNK_ROWS)
            pieces = _threads().map(sums, [matrix[at : at + CHUNK_ROWS] for at in starts])
            total = np.concatenate(list(pieces))
        return base + (total / by if by != 1 else total)

    return score


def _seen(member: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A function from the matrix to what the model makes of it before it looks."""
    narrow, zero_is_missing = member["seen_as"] == "float32", member["zero_is_missing"]

    def seen(matrix: Any) -> Any:
        if zero_is_missing:
            matrix = np.where(matrix == 0, np.nan, matrix)
        if narrow:
            with np.errstate(over="ignore"):
                matrix = matrix.astype(np.float32).astype(np.float64)
        return matrix

    return seen


def contributions_of(files: Mapping[str, bytes]) -> Contributions | None:
    """What the frame's columns add to the score; columns that one became are taken together."""
    if nodes_name(0) not in files:
        return None
    plan = plan_of(files[COLUMNS], PROTOCOL)
    added = partial(_added, files, plan["members"])
    return contributing(plan, added, partial(_scores, files, plan))


def _added(
    files: Mapping[str, bytes],
    members: Sequence[Mapping[str, Any]],
    at: int,
    groups: Sequence[int],
    width: int,
    factor: float,
) -> tuple[float, Callable[[Any], Any]] | None:
    member = members[at]
    nodes = np.frombuffer(files[nodes_name(at)], NODE)
    named = np.frombuffer(files[named_name(at)], MEMBER)
    strict, share = member["strict"], len(members)
    made = contributions(nodes, named, groups, width, strict=strict, share=share)
    if made is None:
        return None
    expected, contribute = made
    times, seen = factor / member["by"], _seen(member)

    def of(matrix: Any) -> Any:
        found = np.empty((len(matrix), width))
        for row, values in enumerate(seen(matrix)):
            found[row] = contribute(values) * times
        return found

    return member["base"] * factor + expected * times, of


@cache
def _threads() -> ThreadPoolExecutor:
    """One thread a core: the session lets go of Python's lock while it counts."""
    return ThreadPoolExecutor(os.cpu_count(), "taxiway-trees")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)


def edges(files: Mapping[str, bytes]) -> dict[str, list[float]]:
    """Column -> the values that the trees split it at."""
    found: dict[str, list[float]] = json.loads(files[EDGES])
    return found
